"""`sam build`: what it makes runs by itself, is small, and fits the machine that it is for."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest

from tests.sam.conftest import Sam

LARGEST_LAYER = 7_000_000
"""Bytes, zipped, the application's own jobs apart."""

OF_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py", "jmespath")
"""What Lambda's Python runtimes bring themselves."""


@pytest.fixture(scope="module")
def built(sam: Sam) -> Path:
    sam.build()
    return sam.built


def zipped(folder: Path, into: Path) -> int:
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if "jobs" not in file.relative_to(folder).parts[:2]:
                archive.write(file, file.relative_to(folder))
    return into.stat().st_size


def test_the_layer_is_small_though_it_holds_bytecode(built: Path, tmp_path: Path) -> None:
    layer = built / "SharedLayer"

    assert (layer / "python" / "pydantic" / "__pycache__").is_dir()
    assert zipped(layer, tmp_path / "layer.zip") <= LARGEST_LAYER


def test_boto_and_the_command_line_are_left_out(built: Path) -> None:
    inside = {one.name for one in (built / "SharedLayer" / "python").iterdir()}

    assert inside.isdisjoint({*OF_THE_RUNTIME, "typer", "rich", "ministack", "requirements.txt", "Makefile"})
    assert {"lanework", "jobs", "pydantic", "pydantic_core", "aws_lambda_powertools", "pynamodb"} <= inside


@pytest.mark.parametrize("module", ["worker", "clock"])
def test_a_handler_answers_an_event_from_the_built_folders_alone(built: Path, tmp_path: Path, module: str) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    site = Path(boto3.__file__).parents[1]
    for name in OF_THE_RUNTIME:
        (runtime / name).symlink_to(site / name)
    function = "MediumWorker" if module == "worker" else "Clock"
    folders = [str(built / function), str(built / "SharedLayer" / "python"), str(runtime)]
    code = f"""
import json, sys
sys.path[:] = {folders!r} + [p for p in sys.path if "site-packages" not in p]
from handlers.{module} import handler
import lanework, pydantic
class Context:
    function_name = "f"; memory_limit_in_mb = 256; aws_request_id = "r"
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    def get_remaining_time_in_millis(self): return 30000
print(json.dumps([lanework.__file__, pydantic.__file__]))
if "{module}" == "worker":
    print(json.dumps(handler({{"Records": []}}, Context())))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        env={
            "LANEWORK_STACK": "shop",
            "LANEWORK_ACCOUNT": "000000000000",
            "AWS_REGION": "us-east-1",
            "APP_TABLE": "shop-app",
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(str(built) in file for file in answers[0])
    assert answers[1:] == ([{"batchItemFailures": []}] if module == "worker" else [])


def test_it_is_built_for_the_machine_and_the_runtime_that_are_asked_for(sam: Sam) -> None:
    said = sam.build(runtime="python3.13", architecture="arm64")

    (binary,) = (sam.built / "SharedLayer" / "python" / "pydantic_core").glob("*.so")
    assert "cpython-313-aarch64" in binary.name
    asked = ["python3.13", "-V"]
    has_interpreter = subprocess.run(asked, capture_output=True, check=False).returncode == 0
    bytecode = list((sam.built / "SharedLayer" / "python" / "lanework").glob("__pycache__/*.cpython-313.pyc"))
    assert bool(bytecode) == has_interpreter
    assert ("no python3.13 here" in said) != has_interpreter
