"""docs/deploy.md: its costs are what tests/support/monthly_costs.py computes, and its parameters are the template's."""

from __future__ import annotations

import re
from typing import get_args

from samtranslator.yaml_helper import yaml_parse

from lanework.local.deployment.template import read_template
from lanework.local.project_config import Deployment
from lanework.starter.gradual import with_deployment
from tests.support.monthly_costs import GUIDE, ROOT, kept_warm, written


def test_the_costs_are_those_that_are_computed() -> None:
    assert written(GUIDE.read_text()) == GUIDE.read_text(), "run: python -m tests.support.monthly_costs"


def test_the_price_of_keeping_a_function_warm_is_computed() -> None:
    assert f"[warm](#a-cold-function): {kept_warm():.2f} USD a month" in GUIDE.read_text()


def test_every_parameter_that_the_guide_names_is_the_templates() -> None:
    named = set(re.findall(r"`([A-Z][A-Za-z]+)(?:=[^`]*)?`", GUIDE.read_text()))

    template = yaml_parse(with_deployment((ROOT / "template.yaml").read_text(), "AllAtOnce"))

    values = {str(value) for one in template["Parameters"].values() for value in one.get("AllowedValues", ())}
    values |= {*get_args(Deployment)}
    assert named - values <= {*template["Parameters"], *template["Outputs"]}
    assert len(named) > 10


def test_the_table_has_each_parameter_but_the_examples_with_its_default() -> None:
    rows = re.findall(
        r"^\| (`[A-Z].+?) \| (.+?) \| .+ \|$", GUIDE.read_text().partition("## All parameters")[2], re.MULTILINE
    )
    shown: dict[str, str] = {}
    for named, defaults in rows:
        names = re.findall(r"`(\w+)`", named)
        each = [one.strip("`").replace("empty", "") for one in defaults.split(", ")]
        shown |= dict(zip(names, each if len(each) == len(names) else each * len(names), strict=True))
    text = (ROOT / "template.yaml").read_text()
    examples = set(re.findall(r"^  (\w+):  # example$", text, re.MULTILINE))
    declared = read_template(ROOT / "template.yaml")["Parameters"]

    assert shown == {name: str(one["Default"]) for name, one in declared.items() if name not in examples}
