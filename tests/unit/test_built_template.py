"""What `make build` does with what the SAM CLI left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lanework.errors import StackError
from lanework.local.deployment.built import BUILT, tied
from lanework.local.deployment.template import read_template
from tests.support.sam import ARCHITECTURE, RUNTIME

TEMPLATE = """
Parameters:
  Runtime: {Type: String, Default: python3.99, AllowedPattern: "^python"}
  Architecture: {Type: String, Default: arm64}
  LogLevel: {Type: String, Default: INFO}
Resources:
  Low: {Type: "AWS::Serverless::Function", Properties: {CodeUri: Low, Handler: handlers.worker.handler}}
  High: {Type: "AWS::Serverless::Function", Properties: {CodeUri: High, Handler: handlers.worker.handler}}
  Layer: {Type: "AWS::Serverless::LayerVersion", Properties: {ContentUri: Layer}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    built = (tmp_path / BUILT).parent
    for function in ("Low", "High"):
        (built / function / "handlers").mkdir(parents=True)
        (built / function / "handlers" / "worker.py").write_text("import boto3\nimport jobs\n")
    (built / "Layer" / "python").mkdir(parents=True)
    (built / "Layer" / "python" / "jobs.py").touch()
    (tmp_path / BUILT).write_text(TEMPLATE)
    return tmp_path


def finish_build(folder: Path) -> tuple[int, str]:
    """Do what comes after the SAM CLI; return the exit code, and what was said."""
    done = subprocess.run(
        [sys.executable, "-m", "lanework.local.deployment.built", RUNTIME, ARCHITECTURE],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


def test_functions_are_tried_with_the_environment_that_the_template_gives_them(root: Path) -> None:
    """The build said that they could not be tried, though PAY_KEY was in [tool.lanework.environment]."""
    (root / ".aws-sam/build/Layer/python/jobs.py").write_text("import os\nKEY = os.environ['PAY_KEY']\n")
    text = (root / BUILT).read_text()
    (root / BUILT).write_text(f"{text}Globals: {{Function: {{Environment: {{Variables: {{PAY_KEY: 'ssm:/pay'}}}}}}}}\n")

    assert finish_build(root) == (0, "every module of handlers, and what it imports, was imported")


def test_what_was_built_for_one_runtime_takes_no_other(root: Path) -> None:
    before = read_template(root / BUILT)

    code, _ = finish_build(root)

    after = read_template(root / BUILT)
    runtime, architecture = after["Parameters"]["Runtime"], after["Parameters"]["Architecture"]
    assert code == 0
    assert (RUNTIME, [RUNTIME]) == (runtime["Default"], runtime["AllowedValues"])
    assert (ARCHITECTURE, [ARCHITECTURE]) == (architecture["Default"], architecture["AllowedValues"])
    assert f"deploy with Runtime={RUNTIME}, or make build RUNTIME=… for another" in runtime["ConstraintDescription"]
    assert before["Resources"] == after["Resources"]
    assert before["Parameters"]["LogLevel"] == after["Parameters"]["LogLevel"]


def test_functions_are_imported_with_the_layer_beside_them_equal_ones_once(root: Path) -> None:
    assert (0, "every module of handlers, and what it imports, was imported") == finish_build(root)


def test_a_handler_that_imports_what_only_the_laptop_has_is_refused_with_file_and_line(root: Path) -> None:
    (root / BUILT).parent.joinpath("High", "handlers", "worker.py").write_text("import jobs\nimport pytest\n")

    code, said = finish_build(root)

    assert code == 1
    assert "handlers/worker.py:2: imports pytest, which is not in the layer" in said


def test_a_template_without_the_parameter_is_refused_by_its_name() -> None:
    with pytest.raises(StackError, match="has no parameter Architecture"):
        tied({"Parameters": {"Runtime": {}}, "Resources": {}}, {"Runtime": "python3.11", "Architecture": "arm64"})


def test_without_a_build_it_says_what_it_did_not_find(tmp_path: Path) -> None:
    code, said = finish_build(tmp_path)

    assert (code, said.partition(": ")[0]) == (1, f"can't read {BUILT}")
