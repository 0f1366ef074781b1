"""Which packages functions have on this machine: those of requirements.txt and what these need, and nothing else."""

from __future__ import annotations

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lanework.errors import StackError
from lanework.local.deployment.layer_files import NOT_IN_LAMBDA
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


def test_what_is_left_out_here_is_what_the_build_leaves_out() -> None:
    makefile = (ROOT / "shared" / "Makefile").read_text()
    powertools = "aws_lambda_powertools"
    left = makefile[makefile.index("NOT_IN_LAMBDA =") : makefile.index("# Lanework's own large")]
    left = re.sub(r"\$\(addprefix \$\(POWERTOOLS\)/([\w/]+)/,([^)]*)\)", _prefixed, left)
    named = set(left.replace("$(POWERTOOLS)", powertools).split())

    assert named >= NOT_IN_LAMBDA
    assert {one for one in named if one.startswith("lanework/")} == {
        one for one in NOT_IN_LAMBDA if one.startswith("lanework/")
    }


def _prefixed(found: re.Match[str]) -> str:
    return " ".join(f"aws_lambda_powertools/{found[1]}/{one}" for one in found[2].split())
