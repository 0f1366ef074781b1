"""What a layer is built for: what template.yaml says, and nothing else without a word."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = f"python3.{sys.version_info.minor}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose functions run on this Python's version; an interpreter of its name is on the PATH."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / HERE).symlink_to(sys.executable)
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / "shared" / name, tmp_path / "shared" / name)
    text = (ROOT / "template.yaml").read_text()
    (tmp_path / "template.yaml").write_text(text.replace("Default: python3.13", f"Default: {HERE}", 1))
    return tmp_path


def build(project: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Ask make what it would do, from a copy of the layer's folder, as the SAM CLI does."""
    scratch = project / "scratch"
    shutil.copytree(project / "shared", scratch, dirs_exist_ok=True)
    make = [shutil.which("make") or "make", "--makefile", str(project / "shared" / "Makefile"), "--dry-run"]
    return subprocess.run(
        [*make, "build-SharedLayer", f"ARTIFACTS_DIR={project / 'built'}"],
        cwd=scratch,
        env={"PATH": f"{project / 'bin'}{os.pathsep}{os.environ['PATH']}", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_bare_sam_build_builds_for_what_the_template_says(project: Path) -> None:
    text = (project / "template.yaml").read_text()
    (project / "template.yaml").write_text(text.replace("Default: arm64", "Default: x86_64", 1))

    done = build(project)

    assert done.returncode == 0, done.stderr
    assert "x86_64" in done.stdout
    assert f"3.{sys.version_info.minor}" in done.stdout
    assert "aarch64" not in done.stdout


@pytest.mark.parametrize(
    ("variable", "value", "parameter"),
    [("RUNTIME", "python3.99", "Runtime"), ("ARCHITECTURE", "x86_64", "Architecture")],
)
def test_a_bare_sam_build_for_something_else_than_the_template_is_refused(
    project: Path, variable: str, value: str, parameter: str
) -> None:
    """A variable of the shell made a layer whose native modules no function could load."""
    done = build(project, **{variable: value})

    assert done.returncode != 0
    assert f"{variable}={value} is in the environment, and template.yaml says" in done.stderr
    assert f"use make build {variable}={value}, or change {parameter} in template.yaml" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--parameter-overrides", "Runtime=python3.99 LogLevel=DEBUG"],
        ["--parameter-overrides", "ParameterKey=Runtime,ParameterValue=python3.99"],
    ],
)
@pytest.mark.parametrize("tied", [{}, {"TIED": "1"}], ids=["bare", "by make build"])
def test_a_bare_sam_build_that_is_told_another_runtime_is_refused(
    project: Path, words: list[str], tied: dict[str, str]
) -> None:
    """The template was built for one, the layer for another, and every function died at its import."""
    script = 'cd "$0/shared" && make --dry-run build-SharedLayer ARTIFACTS_DIR="$0/built"; exit $?'
    path = f"{project / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", script, str(project), "sam", "build", *words],
        env={"PATH": path, **tied},
        capture_output=True,
        text=True,
        check=False,
    )

    said = f"sam build is told Runtime=python3.99, and the layer would be for {HERE}: use make build RUNTIME=python3.99"
    assert (done.returncode == 0, said in done.stderr) == ((True, False) if tied else (False, True)), done.stderr


def test_make_build_builds_for_what_it_is_told_and_ties_the_template_to_it(project: Path) -> None:
    assert build(project, TIED="1", ARCHITECTURE="x86_64").returncode == 0


def test_an_interpreter_that_is_missing_is_one_line(project: Path) -> None:
    done = build(project, TIED="1", RUNTIME="python3.99")

    assert "no python3.99 on the PATH to build the layer with: install it, or make build RUNTIME=" in done.stderr
