"""`lanework check` says which release the deployed files are of, if they are behind, and what was changed by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from lanework.local.project import Project
from lanework.local.project_config import ProjectConfig, config_of
from lanework.starter.origin import origin
from lanework.starter.upgrade import BASE, RELEASE
from lanework.starter.write import new_project

OF_THIS_RELEASE = "template.yaml and its neighbours are of Lanework 0.1.0"


@pytest.fixture(name="project")
def a_project(tmp_path: Path) -> Project:
    new_project(tmp_path).carry_out(tmp_path)
    return Project(root=tmp_path, config=ProjectConfig(app="jobs:app"))


def chosen(project: Project, **said: object) -> Project:
    return Project(root=project.root, config=config_of({"app": "jobs:app", **said}, project.root / "pyproject.toml"))


def edit(file: Path, has: str, instead: str) -> None:
    assert has in file.read_text()
    file.write_text(file.read_text().replace(has, instead))


def test_what_lanework_made_is_of_its_release_and_nothing_else_is_said(project: Project) -> None:
    assert list(origin(project)) == [OF_THIS_RELEASE]


def test_parts_that_were_changed_added_or_removed_by_hand_are_named_five_at_most(project: Project) -> None:
    edit(project.template, "    Default: python3.13\n", "    Default: python3.12\n")
    edit(project.template, "\n  AlarmMail:\n    Type", "\n  PagerMail:\n    Type")
    edit(project.handlers / "clock.py", "clock(app)", "clock(app)  # mine")

    release, changed = origin(project)
    assert release == OF_THIS_RELEASE
    assert changed == (
        "changed by hand, and kept by an upgrade: handlers/clock.py, template.yaml (Parameters/Runtime, "
        "Resources/AlarmMail, Resources/PagerMail)"
    )
    edit(project.template, "VisibilityTimeout:", "VisibilityTimeout: 1")
    assert "Resources/LowQueue and 3 more)" in list(origin(project))[1]


def test_line_ends_of_another_system_are_no_change(project: Project) -> None:
    project.template.write_bytes(project.template.read_bytes().replace(b"\n", b"\r\n"))

    assert list(origin(project)) == [OF_THIS_RELEASE]


def test_choices_that_are_not_in_the_template_yet_are_said_with_the_command(project: Project) -> None:
    assert list(origin(chosen(project, lanes=["high"]))) == [
        OF_THIS_RELEASE,
        "[tool.lanework] or its resources have changed since template.yaml was made: lanework upgrade",
    ]


def test_files_of_an_older_release_are_said_to_be_behind(project: Project) -> None:
    (project.folder / RELEASE).write_text("0.0.1\n")
    edit(project.folder / BASE / "template.yaml", "Lanework 0.1.0", "Lanework 0.0.1")
    edit(project.template, "Lanework 0.1.0", "Lanework 0.0.1")

    assert list(origin(project)) == [
        "template.yaml and its neighbours are of Lanework 0.0.1",
        "Lanework 0.1.0 makes another template.yaml, or another file beside it: lanework upgrade",
    ]


def test_a_template_that_lanework_did_not_make_has_no_origin(tmp_path: Path) -> None:
    assert list(origin(Project(root=tmp_path))) == []
