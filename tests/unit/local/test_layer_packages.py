"""Which packages functions have on this machine: those of requirements.txt and what these need, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lanework.errors import StackError
from lanework.local.deployment import layer_contents
from lanework.local.deployment.layer_packages import layer_packages
from lanework.local.deployment.requirements import installed, read_requirements
from lanework.local.project import project_at

if TYPE_CHECKING:
    from lanework.local.project import Project

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "shared").mkdir()
    return project_at(tmp_path)


def require(project: Project, text: str) -> Path:
    file = project.shared / "requirements.txt"
    file.write_text(text)
    return file


def names(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir() if not one.name.endswith(".dist-info")} - {".done"}


def test_a_package_comes_with_what_it_needs_and_with_the_runtimes_boto3(project: Project) -> None:
    require(project, "jinja2  # pages\n")
    said: list[str] = []

    folder = layer_packages(project, said.append)

    runtime = {"boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py", "jmespath"}
    assert names(folder) == {"jinja2", "markupsafe"} | runtime
    assert said == ["the functions have the 9 packages of shared/requirements.txt and what these need, from .venv"]


def test_what_no_deployment_has_used_for_a_week_is_removed_when_another_is_made(project: Project) -> None:
    """Each change of requirements.txt, and each upgrade of a package, left a folder for ever."""
    for requirement, days in (("jinja2", 8), ("markupsafe", 6)):
        require(project, f"{requirement}\n")
        done = layer_packages(project) / ".done"
        then = done.stat().st_mtime - timedelta(days=days).total_seconds()
        os.utime(done, (then, then))
    require(project, "cronsim\n")
    layer_packages(project)

    kept = [names(one) for one in (project.home / "layer").iterdir() if one.is_dir()]
    assert ["jinja2" in one for one in kept] == [False, False]
    require(project, "markupsafe\n")
    assert time.time() - (layer_packages(project) / ".done").stat().st_mtime < 60


def test_it_is_made_once_and_again_when_the_requirements_change(project: Project) -> None:
    require(project, "jinja2\n")
    said: list[str] = []
    first = layer_packages(project, said.append)

    assert layer_packages(project, said.append) == first
    assert len(said) == 1
    require(project, "cronsim\n")
    assert "jinja2" not in names(layer_packages(project, said.append))


def test_another_build_of_the_same_version_is_taken(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanework's wheel was built and installed anew, and dev said that its new module is not in the layer."""
    packages = project.root / "site-packages"
    (packages / "thing").mkdir(parents=True)
    (packages / "thing-1.dist-info").mkdir()
    (packages / "thing-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1\n")
    monkeypatch.syspath_prepend(packages)
    require(project, "thing\n")

    def install(*modules: str) -> set[str]:
        for one in modules:
            (packages / "thing" / one).touch()
        record = "".join(f"{one},,\n" for one in ("thing-1.dist-info/METADATA", *(f"thing/{one}" for one in modules)))
        (packages / "thing-1.dist-info/RECORD").write_text(record)
        return {one.name for one in (layer_packages(project) / "thing").iterdir()}

    assert install("one.py") == {"one.py"}
    assert install("one.py", "two.py") == {"one.py", "two.py"}


def test_commands_that_begin_at_the_same_moment_make_it_once_and_whole(project: Project) -> None:
    require(project, "lanework\n")
    said: list[str] = []

    with ThreadPoolExecutor(4) as commands:
        made = list(commands.map(lambda _: names(layer_packages(project, said.append)), range(4)))

    assert len(said) == 1
    assert made == [made[0]] * 4


def test_lanework_is_there_without_its_command_line(project: Project) -> None:
    require(project, f"lanework=={version('lanework')}\n")

    folder = layer_packages(project)

    assert {"lanework", "pydantic", "email_validator", "pynamodb"} <= names(folder)
    assert {"typer", "rich", "dns", "yaml", "ministack", "pytest", "jobs"} & names(folder) == set()
    assert {"cli", "local", "testing.py"} & {one.name for one in (folder / "lanework").iterdir()} == set()


def test_a_package_of_the_command_line_that_is_named_stays(project: Project) -> None:
    require(project, "lanework\nrich\n")

    assert {"rich", "pygments", "markdown_it"} <= names(layer_packages(project))


def test_of_a_lock_with_hashes_nothing_else_is_taken(project: Project) -> None:
    require(project, f"jinja2=={version('jinja2')} \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n    # via x\n")

    assert "markupsafe" not in names(layer_packages(project))


def test_a_file_that_another_names_counts_and_a_marker_is_heeded(project: Project, tmp_path: Path) -> None:
    (tmp_path / "base.txt").write_text("cronsim\nnothing-such; python_version < '3'\n")
    file = require(project, "--index-url https://example.com\n-r ../base.txt\n")

    assert read_requirements(file).lines == ("cronsim", "nothing-such; python_version < '3'")
    assert installed(read_requirements(file))[1] == []


@pytest.mark.parametrize("line", ["jinja2>=99", "jinja2<1", "nothing-such-package", "-e ../libs", "./wheels/a.whl"])
def test_what_is_not_here_as_it_is_asked_for_is_not_taken(project: Project, line: str) -> None:
    file = require(project, f"cronsim\n{line}\n")

    assert installed(read_requirements(file))[1] == [line]


def test_what_can_not_be_installed_either_is_one_line(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_NO_INDEX", "PIP_NO_INDEX"):
        monkeypatch.setenv(name, "1")
    require(project, "nothing-such-package\n")
    said: list[str] = []

    with pytest.raises(StackError) as refused:
        layer_packages(project, said.append)

    assert re.match("shared/requirements.txt names what is not here, and can't be installed: .", str(refused.value))
    assert "\n" not in str(refused.value)
    assert said == ["installing shared/requirements.txt for the functions: nothing-such-package is not in .venv …"]
    assert [one.name for one in (project.home / "layer").iterdir()] == [".lock"]


def test_a_project_without_the_file_is_told_what_it_is_for(project: Project) -> None:
    with pytest.raises(
        StackError, match=r"can't read .*requirements\.txt, which names what the functions have: lanework"
    ):
        layer_packages(project)


def test_a_layer_built_by_pip_here_and_one_of_links_hold_the_same_files(project: Project, tmp_path: Path) -> None:
    """Parts of Powertools that the build takes out could be imported in dev, and lanework.django without a Django."""
    file = require(project, "lanework\naws-lambda-powertools\n")
    linked = layer_packages(project)
    copied = tmp_path / "copied"
    found, _ = installed(read_requirements(file))
    for one in found:
        for inside in one.files or ():
            if ".." not in inside.parts and inside.suffix != ".pth":
                (copied / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(inside.locate(), copied / inside)
    shutil.copytree(ROOT / "shared" / "lanework", copied / "lanework", dirs_exist_ok=True)

    layer_contents.main(copied, file)

    runtime = layer_contents.IN_RUNTIME
    here = {one for one in files_of(linked) if one.parts[0] not in runtime and one.name != ".done"}
    assert {one for one in here if one.suffix == ".py"} == {one for one in files_of(copied) if one.suffix == ".py"}
    parts = {one.name for one in (linked / "aws_lambda_powertools/utilities").iterdir()}
    assert {"streaming", "batch"} <= parts
    assert parts.isdisjoint({"kafka", "validation", "data_masking"})
    assert {"django", "outbox", "schema", "cli", "testing.py"}.isdisjoint(
        one.name for one in (linked / "lanework").iterdir()
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("jinja2\n", ["jinja2", "markupsafe"]),
        ("jinja2>=99\n", []),  # nothing has run with it here
        (f"jinja2=={version('jinja2')} --hash=sha256:00\n", None),  # a lock says all itself
    ],
)
def test_the_build_takes_the_versions_that_ran_here(
    project: Project, tmp_path: Path, text: str, told: list[str] | None
) -> None:
    """`sam build` took the latest that requirements.txt allows: a library's new version was met on AWS first."""
    require(project, text)
    shutil.copy(ROOT / "shared" / "Makefile", project.shared)
    (project.root / "template.yaml").touch()
    said = tmp_path / "said"
    uv = tmp_path / "uv"
    uv.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo uv && exit\nwhile [ $# -gt 0 ]; do\n'
        f'  [ "$1" = --constraint ] && cp "$2" {said}\n  shift\ndone\nexit 1\n'
    )
    uv.chmod(0o700)
    path = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
    make = [
        "make",
        "--silent",
        "build-SharedLayer",
        f"ARTIFACTS_DIR={tmp_path}",
        f"RUNTIME={Path(sys.executable).name}",
    ]
    done = subprocess.run(make, cwd=project.shared, env={"PATH": path}, capture_output=True, text=True, check=False)

    assert "Error 1" in done.stderr
    versions = said.read_text().splitlines() if said.exists() else None
    assert versions == told or {f"{one}=={version(one)}".lower() for one in told or ()} <= {
        one.lower() for one in versions or ()
    }


def files_of(folder: Path) -> set[Path]:
    """Return the files below a folder, through links to folders, too; caches and type stubs aside."""
    found = {Path(top, one).relative_to(folder) for top, _, names in os.walk(folder, followlinks=True) for one in names}
    return {one for one in found if "__pycache__" not in one.parts}
