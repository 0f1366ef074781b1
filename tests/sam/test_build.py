"""`sam build`: what it makes runs by itself, is small, and fits the machine that it is for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest

from lanework.local.deployment.layer_contents import IN_RUNTIME
from lanework.local.deployment.layer_packages import files_beside, layer_packages
from lanework.local.project import project_at
from lanework.settings import Settings
from tests.support.sam import ARCHITECTURE, ROOT, RUNTIME, Sam
from tests.support.stacks import REGION, make_stack

LARGEST_LAYER = 7_000_000
"""Bytes, zipped."""

OF_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py", "jmespath")
"""What Lambda's Python runtimes bring themselves."""


ANSWER = """
import json, sys
sys.path[:] = {folders!r} + [p for p in sys.path if "site-packages" not in p]
from handlers.{module} import handler
import lanework, pydantic
class Context:
    function_name, memory_limit_in_mb, aws_request_id = "f", 256, "r"
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    def get_remaining_time_in_millis(self): return 30000
answer = handler(json.loads(open({event!r}).read()), Context())
print(json.dumps([lanework.__file__, pydantic.__file__]))
print(json.dumps(answer, default=str))
"""


@pytest.fixture(scope="module")
def stack(emulator_endpoint: str) -> Settings:
    """Tables and queues without functions."""
    with pytest.MonkeyPatch.context() as environment:
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(variable, "test")
        make_stack("built", emulator_endpoint)
    return Settings(stack="built", region=REGION, endpoint=emulator_endpoint)


@pytest.fixture(scope="module")
def built(sam: Sam) -> Path:
    (sam.root / "shared" / "db.py").write_text("URL = 'postgresql://'\n")
    (sam.root / "handlers" / "texts").mkdir()
    (sam.root / "handlers" / "texts" / "hello.txt").touch()
    sam.build()
    return sam.built


def zipped(folder: Path, into: Path) -> int:
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return into.stat().st_size


def test_the_layer_is_small_though_it_holds_bytecode(built: Path, tmp_path: Path) -> None:
    layer = built / "SharedLayer"

    assert (layer / "python" / "lanework" / "__pycache__").is_dir()
    assert {one.suffix for one in (layer / "python" / "pydantic").glob("main.*")} == {".pyc"}, "others' without sources"
    assert zipped(layer, tmp_path / "layer.zip") <= LARGEST_LAYER


def test_boto_and_the_command_line_are_left_out(built: Path) -> None:
    inside = {one.name for one in (built / "SharedLayer" / "python").iterdir()}

    assert inside.isdisjoint({*OF_THE_RUNTIME, "typer", "rich", "ministack", "requirements.txt", "Makefile"})
    assert not any(
        (built / "SharedLayer" / "python" / "lanework" / one).exists() for one in ("doctor", "django", "outbox")
    )
    assert {"lanework", "jobs", "pydantic", "pydantic_core", "aws_lambda_powertools", "pynamodb"} <= inside


def test_the_layer_is_what_functions_have_on_the_embedded_stack(built: Path, sam: Sam) -> None:
    """The same files, and the same bytes in each that isn't bytecode: it is built for this machine, from a lock."""
    project = project_at(sam.root)
    packages = layer_packages(project)
    found = {Path(top, one) for top, _, names in os.walk(packages, followlinks=True) for one in names}
    here = {one.relative_to(packages): one for one in found if one.name != ".done"} | files_beside(project, packages)
    here = {
        one: file for one, file in here.items() if one.parts[0] not in IN_RUNTIME and "__pycache__" not in one.parts
    }
    layer = built / "SharedLayer" / "python"
    there = {
        one.relative_to(layer): one for one in layer.rglob("*") if one.is_file() and "__pycache__" not in one.parts
    }
    bytecode = {one for one in there if one.suffix == ".pyc"}

    runtime = tuple(f"{name.removesuffix('.py')}-" for name in ("boto3", "botocore", "s3transfer", "urllib3", "six"))
    infos = (*runtime, "python_dateutil-", "jmespath-")
    mine = {one for one in here if not (".dist-info" in one.parts[0] and one.parts[0].startswith(infos))}
    of_pip = {"INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}
    assert {one for one in mine if one.name not in of_pip} == {
        one.with_suffix(".py") if one in bytecode else one for one in there if one.name not in of_pip
    }
    assert [
        one
        for one in there.keys() & mine
        if one.name not in of_pip and there[one].read_bytes() != here[one].read_bytes()
    ] == []


def test_a_module_beside_jobs_is_in_the_layer(built: Path) -> None:
    assert (built / "SharedLayer" / "python" / "db.py").is_file()


def test_what_lies_in_a_folder_beside_the_handlers_is_in_each_function(built: Path) -> None:
    inside = {str(one.relative_to(built / "Clock")) for one in (built / "Clock").rglob("*")}

    assert {"handlers/clock.py", "handlers/texts/hello.txt"} <= inside
    assert inside.isdisjoint({"handlers/Makefile", "handlers/__pycache__"})


@pytest.mark.parametrize(
    ("function", "event", "answers"),
    [
        ("MediumWorker", "medium", "batchItemFailures"),
        ("Clock", "tick", "swept"),
        ("ApiFunction", "api", "statusCode"),
    ],
)
def test_a_handler_answers_an_event_from_the_built_folders_alone(
    built: Path, stack: Settings, tmp_path: Path, function: str, event: str, answers: str
) -> None:
    """The interpreter sees the function's folder, the layer, and what Lambda's runtime brings: no site-packages."""
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    site = Path(boto3.__file__).parents[1]
    for name in OF_THE_RUNTIME:
        (runtime / name).symlink_to(site / name)
    module = {"Clock": "clock", "ApiFunction": "api"}.get(function, "worker")
    code = ANSWER.format(
        folders=[str(built / function), str(built / "SharedLayer" / "python"), str(runtime)],
        module=module,
        event=str(ROOT / "events" / f"{event}.json"),
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        env={
            "LANEWORK_STACK": stack.stack,
            "LANEWORK_ACCOUNT": "000000000000",
            "APP_TABLE": f"{stack.stack}-app",
            "AWS_ENDPOINT_URL": str(stack.endpoint),
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    *_, files, answer = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(str(built) in file for file in files)
    assert answers in answer


def test_a_job_that_imports_what_the_layer_lacks_fails_the_build_with_file_and_line(sam: Sam) -> None:
    job = sam.root / "shared" / "jobs" / "search.py"
    job.write_text("import json\nimport pytest\n")
    said = sam.build(refused=True)
    job.unlink()

    assert "shared/jobs/search.py:2: imports pytest, which is not in the layer" in said


def test_it_is_built_for_the_machine_and_the_runtime_that_are_asked_for(sam: Sam) -> None:
    other = {"arm64": "x86_64", "x86_64": "arm64"}[ARCHITECTURE]
    said = sam.build(architecture=other)

    (binary,) = (sam.built / "SharedLayer" / "python" / "pydantic_core").glob("*.so")
    machine = {"arm64": "aarch64", "x86_64": "x86_64"}[other]
    assert f"-{machine}-" in binary.name
    assert f"looked for by name only: they are for Linux on {other}" in said


def test_a_runtime_whose_interpreter_is_not_here_is_refused_in_one_line(sam: Sam) -> None:
    said = sam.build(runtime="python3.99", refused=True)

    assert "no python3.99 on the PATH to build the layer with" in said


def test_what_was_built_for_this_machine_is_deployed_to_it_and_to_no_other(sam: Sam) -> None:
    sam.build()
    tool = [sys.executable, "-m", "lanework.local.deployment.built", RUNTIME, ARCHITECTURE]
    done = subprocess.run(tool, cwd=sam.root, check=True, env=sam.environment, capture_output=True, text=True)
    assert "every module of handlers, and what it imports, was imported" in done.stdout
    other = {"arm64": "x86_64", "x86_64": "arm64"}[ARCHITECTURE]

    said = sam.deploy("shop-elsewhere", refused=True, Architecture=other)

    assert "Architecture" in said
    assert "AllowedValues" in said

    said = sam.run("deploy", "--config-env", "local", "--stack-name", "shop-here")
    sam.delete("shop-here")

    assert "Successfully created/updated stack" in said
