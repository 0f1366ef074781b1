"""The example application in a folder of its own, and what a CDK app makes of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.cdk import PYTHON
from tests.support.sam import ARCHITECTURE, ROOT, RUNTIME

APP = ROOT / "tests" / "support" / "cdk_app.py"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop") / "shop"
    for folder in ("handlers", "shared"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("template.yaml", "pyproject.toml"):
        shutil.copy(ROOT / file, root / file)
    return root


@pytest.fixture(scope="session")
def said(project: Path) -> dict[str, str]:
    """What is said to mistakes; cdk.out is there then."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LANEWORK_", "PYTHON"))}
    done = subprocess.run(
        [PYTHON, APP, "cdk.out"],
        cwd=project,
        env={**mine, "RUNTIME": RUNTIME, "ARCHITECTURE": ARCHITECTURE},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="session")
def cdk_out(said: dict[str, str], project: Path) -> Path:
    assert said, "the app has run"
    return project / "cdk.out"


@pytest.fixture(scope="session")
def shop(cdk_out: Path) -> dict[str, Any]:
    return _read(cdk_out / "ShopJobs.template.json")


@pytest.fixture(scope="session")
def closed(cdk_out: Path) -> dict[str, Any]:
    return _read(cdk_out / "Closed.template.json")


@pytest.fixture(scope="session")
def reader(cdk_out: Path) -> dict[str, Any]:
    return _read(cdk_out / "Reader.template.json")


def _read(file: Path) -> dict[str, Any]:
    template: dict[str, Any] = json.loads(file.read_text())
    return template
