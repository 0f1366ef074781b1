from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lanework.embedded import StackHandle, handle_file, running_in
from lanework.errors import ConfigError, StackError
from lanework.local.emulator.process import move_state
from lanework.local.project import Project, find_project, project_at

if TYPE_CHECKING:
    from pathlib import Path


def a_project(root: Path) -> Project:
    (root / "handlers").mkdir(parents=True)
    (root / "shared" / "jobs").mkdir(parents=True)
    (root / "template.yaml").write_text("Resources: {}")
    (root / "pyproject.toml").write_text("[tool.lanework]\n")
    return project_at(root)


def test_a_project_is_found_from_a_folder_inside_it(tmp_path: Path) -> None:
    project = a_project(tmp_path / "shop")

    assert find_project(project.shared / "jobs") == project


def test_the_nearest_project_wins(tmp_path: Path) -> None:
    outer = a_project(tmp_path)
    inner = a_project(tmp_path / "examples" / "shop")

    assert (find_project(inner.root), find_project(tmp_path / "examples")) == (inner, outer)


def test_a_folder_outside_any_project_is_told_what_a_project_has(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").touch()  # somebody's, but no project
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["lanework"]\n')

    with pytest.raises(StackError, match=r"no Lanework project at .* with \[tool\.lanework\]; try: lanework init"):
        find_project(tmp_path)


def test_a_project_without_its_template_is_told_where_it_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.lanework]\nfolder = "infra/lanework"\n')

    with pytest.raises(StackError, match=r"/infra/lanework/template\.yaml is missing, .*; try: lanework init"):
        find_project(tmp_path)


def configured(root: Path, text: str) -> Project:
    (root / "pyproject.toml").write_text(f"[tool.lanework]\n{text}\n")
    return project_at(root)


def test_a_project_in_a_repository_has_its_code_and_its_template_where_it_says(tmp_path: Path) -> None:
    for folder in ("api/src/shop", "api/tool", "common/rates"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "api" / "tool" / "__init__.py").touch()

    project = configured(tmp_path / "api", 'src = ["src", "tool", "../common"]\nfolder = "infra/lanework"')

    here = tmp_path / "api"
    assert project.template == here / "infra" / "lanework" / "template.yaml"
    assert project.sources == (here / "src", here / "tool", tmp_path / "common")
    assert project.path == (here / "src", here, tmp_path / "common"), "of a package, its parent"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('ap = "shop:app"', r"unknown key 'ap' in \[tool\.lanework\] of .*/pyproject\.toml, did you mean 'app'\?"),
        ('app = "shop.app"', r'app in .* must be "module:attribute", such as "jobs:app", not \'shop\.app\''),
        ("app = 5", r'app in .* must be "module:attribute", such as "jobs:app", not 5'),
        ('src = "src"', r"src in .* must be a list of folders or packages, such as .*, not 'src'"),
        ("src = []", r"src in .* must be a list of folders or packages, such as .*, not \[\]"),
        ('src = ["."]', r"src in .* not \['\.'\]: that is the whole repository, tests and all"),
        ("src = [5]", r"src in .* must be a list of folders or packages, such as .*, not 5"),
        ("app = ", r"can't read .*/pyproject\.toml: Invalid value \(at line 2"),
    ],
)
def test_what_makes_no_sense_in_pyproject_toml_is_told_in_one_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said) as told:
        configured(tmp_path, text)
    assert "\n" not in str(told.value)


def test_a_lanework_that_is_no_table_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool]\nlanework = "yes"\n')

    with pytest.raises(ConfigError, match=r"\[tool\.lanework\] in .* must be a table, not 'yes'"):
        project_at(tmp_path)


def test_a_folder_of_code_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()

    with pytest.raises(ConfigError, match=r"src in .* names 'scr', which isn't there, did you mean 'src'\?"):
        _ = configured(tmp_path, 'src = ["scr"]').sources


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
