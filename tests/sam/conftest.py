"""The example application in a folder of its own, and the real SAM CLI to build and deploy it with."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lanework.local.emulator.process import start_emulator
from lanework.local.stack.embedded import DRAIN
from tests.support.sam import ROOT, Sam


@pytest.fixture(scope="session")
def emulator_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    emulator = start_emulator(tmp_path_factory.mktemp("account"), persist=False, drain=DRAIN)
    yield emulator.endpoint
    emulator.stop()


@pytest.fixture(scope="session")
def sam(tmp_path_factory: pytest.TempPathFactory, emulator_endpoint: str) -> Sam:
    root = tmp_path_factory.mktemp("shop") / "shop"
    for folder in ("handlers", "shared"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("template.yaml", "samconfig.toml", "pyproject.toml"):
        shutil.copy(ROOT / file, root / file)
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LANEWORK_"))}
    return Sam(
        root,
        {
            **mine,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "SAM_CLI_TELEMETRY": "0",
            "AWS_ENDPOINT_URL": emulator_endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
        },
    )
