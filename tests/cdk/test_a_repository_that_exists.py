"""A repository with code, made a project by `lanework init`, is deployed by a CDK app that lies beside it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lanework.doctor.template import graph_of
from lanework.local.deployment.sam_transform import translate
from lanework.local.deployment.template import read_template
from lanework.starter.adopt import adoption
from lanework.starter.repository import read_repository
from tests.support.cdk import PYTHON
from tests.support.repositories import FLAT_LAYOUT, write

STACK: Any = {"stack": "shop-jobs", "region": "us-east-1", "account": "000000000000"}
APP = """
from aws_cdk import App, Stack

from lanework.cdk import Lanework

app = App()
Lanework(Stack(app, "shop-jobs"), "Jobs", app="shop.tasks:queue")
app.synth()
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Jobs that `App.discover` finds, in a flat layout; what init writes is in infra/lanework."""
    root = tmp_path / "repository"
    write(root, FLAT_LAYOUT)
    adoption(read_repository(root)).carry_out(root)
    return root


def test_what_init_wrote_into_a_repository_is_what_the_cdk_synthesises(repository: Path) -> None:
    out = repository / "cdk.out"
    done = subprocess.run(
        [PYTHON, "-c", APP],
        cwd=repository,
        env={**os.environ, "CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": '{"aws:cdk:bundling-stacks": []}'},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    found = graph_of(json.loads((out / "shop-jobs.template.json").read_text()), parameters={}, **STACK)
    wanted = graph_of(translate(read_template(repository / "infra/lanework/template.yaml")), parameters={}, **STACK)
    assert dict(found.everything()) == dict(wanted.everything())
    handlers = [one.read_text() for one in out.rglob("worker.py")]
    assert handlers
    assert all("from shop.tasks import queue as app" in one for one in handlers)
