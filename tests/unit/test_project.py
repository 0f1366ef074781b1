from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from lanework.cli.main import main
from lanework.embedded import StackHandle, handle_file, running_in
from lanework.errors import ConfigError, StackError
from lanework.local.application import load_app
from lanework.local.emulator.process import move_state
from lanework.local.project import Project, find_deployable, find_project, project_at

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
        find_deployable(tmp_path)


def test_a_workers_image_is_a_project_without_a_template(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.lanework]\napp = "jobs:app"\n')

    project = find_project(tmp_path)

    assert (project.root, project.sources, project.path) == (tmp_path, (), (tmp_path,))


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


def an_application(root: Path, app: str, monkeypatch: pytest.MonkeyPatch, code: str) -> Project:
    """A project with an application in the module `orders`, which no other test has imported."""
    project = a_project(root)
    (project.shared / "orders").mkdir()
    (project.shared / "orders" / "__init__.py").write_text(code)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "orders", raising=False)
    return configured(root, f'app = "{app}"')


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("orders:ap", r"\[tool\.lanework\] app in .*: orders has no 'ap', did you mean 'app'\?"),
        ("orders:number", r"\[tool\.lanework\] app in .* names a int, not an App"),
        ("orders.mail:app", r"can't import orders\.mail: ModuleNotFoundError: No module named 'orders\.mail'"),
    ],
)
def test_an_application_that_is_not_where_pyproject_toml_says_is_told_in_one_line(
    app: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "from lanework import App\napp = App()\nnumber = 5\n"

    with pytest.raises(ConfigError, match=said) as told:
        load_app(an_application(tmp_path, app, monkeypatch, code))
    assert "\n" not in str(told.value)


def test_an_application_that_can_not_be_imported_is_shown_with_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "import os\n\n\ndef url() -> str:\n    return os.environ['ORDERS_DB_URL']\n\n\nURL = url()\n"
    monkeypatch.chdir(an_application(tmp_path, "orders:app", monkeypatch, code).root)

    with pytest.raises(SystemExit):
        main(["doctor", "--template"])

    *trace, said = capsys.readouterr().err.splitlines()
    assert said.startswith("lanework: can't import orders: ")
    assert said.endswith("/shared/orders/__init__.py:5: KeyError: 'ORDERS_DB_URL'")
    assert "Traceback" in trace[0]
    assert [one.rpartition("/")[2] for one in trace if "orders/__init__" in one] == [
        '__init__.py", line 8, in <module>',
        '__init__.py", line 5, in url',
    ]
