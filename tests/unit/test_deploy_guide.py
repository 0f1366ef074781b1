"""docs/deploy.md: its costs are what tests/support/monthly_costs.py computes, and its parameters are the template's."""

from __future__ import annotations

import re

from lanework.local.deployment.template import read_template
from tests.support.monthly_costs import GUIDE, ROOT, written


def test_the_costs_are_those_that_are_computed() -> None:
    assert written(GUIDE.read_text()) == GUIDE.read_text(), "run: python -m tests.support.monthly_costs"


def test_every_parameter_that_the_guide_names_is_the_templates() -> None:
    named = set(re.findall(r"`([A-Z][A-Za-z]+)(?:=[^`]*)?`", GUIDE.read_text()))

    template = read_template(ROOT / "template.yaml")

    assert named <= {*template["Parameters"], *template["Outputs"]}
    assert len(named) > 10
