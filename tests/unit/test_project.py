from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lanework.embedded import StackHandle, handle_file, running_in
from lanework.errors import StackError
from lanework.local.emulator.process import move_state
from lanework.local.project import Project, find_project

if TYPE_CHECKING:
    from pathlib import Path


def a_project(root: Path) -> Project:
    (root / "handlers").mkdir(parents=True)
    (root / "shared" / "jobs").mkdir(parents=True)
    (root / "template.yaml").write_text("Resources: {}")
    return Project(root=root)


def test_a_project_is_found_from_a_folder_inside_it(tmp_path: Path) -> None:
    project = a_project(tmp_path / "shop")

    assert find_project(project.shared / "jobs") == project


def test_the_nearest_project_wins(tmp_path: Path) -> None:
    outer = a_project(tmp_path)
    inner = a_project(tmp_path / "examples" / "shop")

    assert (find_project(inner.root), find_project(tmp_path / "examples")) == (inner, outer)


def test_a_folder_outside_any_project_is_told_what_a_project_has(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").touch()  # somebody's, but no project

    with pytest.raises(StackError, match=r"no Lanework project at .* template\.yaml, handlers/ and shared/"):
        find_project(tmp_path)


@pytest.mark.parametrize("written", ["", "{", "[]", '{"endpoint": "http://127.0.0.1:1"}'])
def test_a_handle_that_makes_no_sense_is_no_running_stack(written: str, tmp_path: Path) -> None:
    project = a_project(tmp_path)
    project.home.mkdir()
    handle_file(project.root).write_text(written)

    assert StackHandle.read(handle_file(project.root)) is None
    assert running_in(project.root) is None


def test_saved_state_moves_to_another_port(tmp_path: Path) -> None:
    move_state(tmp_path, "http://127.0.0.1:4566")
    (tmp_path / "sqs.json").write_text('{"url": "http://127.0.0.1:4566/000000000000/low"}')

    move_state(tmp_path, "http://127.0.0.1:5000")

    assert (tmp_path / "sqs.json").read_text() == '{"url": "http://127.0.0.1:5000/000000000000/low"}'
