"""What people with Docker run: a legal compose file, and a script that deploys what was built, or says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.localstack.differences import NEVER, NOT_RUN

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "localstack" / "compose.yaml"
HOOK = ROOT / "localstack" / "ready.d" / "deploy.sh"

AWSLOCAL = """#!/bin/sh
echo "$*" >> "$CALLS"
test "$2" != "${REFUSES:-}"
"""


def service() -> Any:
    return yaml.safe_load(COMPOSE.read_text())["services"]["localstack"]


def test_compose_would_take_the_file() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, COMPOSE], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_the_container_is_the_release_that_host_mode_pins_and_is_reached_from_this_machine_only() -> None:
    pinned = tomllib.loads((ROOT / "localstack" / "host" / "pyproject.toml").read_text())["project"]["dependencies"]

    assert f"localstack-core[base-runtime]=={service()['image'].partition(':')[2]}" in pinned
    assert all(one.startswith("127.0.0.1:") for one in service()["ports"])


def test_what_is_mounted_is_there_and_the_hook_can_be_executed() -> None:
    for volume in service()["volumes"]:
        source = volume.split(":")[0]
        assert source.startswith("/var/run/") or (COMPOSE.parent / source).is_dir()
    assert os.access(HOOK, os.X_OK)
    assert "/etc/localstack/init/ready.d:ro" in service()["volumes"][0]


def hook(project: Path, **variables: str) -> tuple[int, str, list[str]]:
    """Run the hook with an `awslocal` that notes what it is asked; return exit code, output and the calls."""
    commands, calls = project / "bin", project / "calls"
    commands.mkdir(parents=True)
    (commands / "awslocal").write_text(AWSLOCAL)
    (commands / "awslocal").chmod(0o755)
    done = subprocess.run(
        [HOOK],
        env={
            "PATH": f"{commands}:/usr/bin:/bin",
            "CALLS": str(calls),
            "LANEWORK_PROJECT": str(project),
            "TMPDIR": str(project),
            **variables,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def built(tmp_path: Path) -> Path:
    template = tmp_path / ".aws-sam" / "build" / "template.yaml"
    template.parent.mkdir(parents=True)
    template.touch()
    return tmp_path


def test_the_hook_packages_and_deploys_what_was_built(built: Path) -> None:
    code, said, calls = hook(built, LANEWORK_STACK="shop")

    assert (code, said) == (0, "lanework: stack shop is up\n")
    bucket, package, deploy = calls
    assert bucket == "s3 mb s3://shop-code"
    assert package.startswith(f"cloudformation package --template-file {built}/.aws-sam/build/template.yaml")
    packaged = package.split()[-1]
    assert f"deploy --template-file {packaged} --stack-name shop --capabilities CAPABILITY_IAM" in deploy
    assert deploy.split()[-1] in {"Architecture=arm64", "Architecture=x86_64"}


def test_the_hook_does_not_claim_a_stack_that_was_refused(built: Path) -> None:
    code, said, calls = hook(built, REFUSES="package")

    assert code != 0
    assert (said, len(calls)) == ("", 2)


def test_without_a_build_the_hook_says_what_to_do(tmp_path: Path) -> None:
    code, said, calls = hook(tmp_path)

    assert (code, calls) == (1, [])
    assert "run 'make build ARCHITECTURE=" in said


@pytest.mark.parametrize("name", [*NEVER, *NOT_RUN])
def test_a_known_difference_names_a_test_that_is_there(name: str) -> None:
    file, _, function = name.partition("::")

    text = (ROOT / "tests" / file).read_text()
    assert not function or f"def {function}(" in text
