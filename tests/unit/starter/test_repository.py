"""`lanework init` in a repository with code: what it finds there, and what it writes."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lanework.cli.main import main
from lanework.errors import ConfigError
from lanework.local.application import load_app
from lanework.local.project import find_project
from lanework.starter.adopt import adoption
from lanework.starter.files import DEPLOYED, deployed_files
from lanework.starter.plan import Plan
from lanework.starter.product import product_of
from lanework.starter.repository import Repository, read_repository
from lanework.starter.upgrade import BASE, Fate, is_behind, upgrade

ROOT = Path(__file__).parents[3]
HERE = "infra/lanework"
APP = "from lanework import App\napp = App()\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def planned(root: Path, app: str | None = None) -> tuple[Repository, Plan]:
    repository = read_repository(root, app)
    return repository, adoption(repository)


def made(root: Path) -> Path:
    planned(root)[1].carry_out(root)
    return root


def names(adopted: Plan) -> set[str]:
    return {one for one in adopted.new if BASE not in one}


OWN = {*(f"{HERE}/{one}" for one in (*DEPLOYED, "Makefile", "README.md", "samconfig.toml", "shared/requirements.txt"))}
RELEASE = f"{HERE}/.lanework-release"
SRC = {"pyproject.toml": '[project]\nname = "web-shop"\n', "src/web_shop/__init__.py": "", "src/admin/__init__.py": ""}


def test_a_src_layout_gets_a_folder_of_lanework_s_own_a_module_and_a_few_lines(tmp_path: Path) -> None:
    repository, plan = planned(write(tmp_path, {**SRC, ".gitignore": ".venv\n.aws-sam"}))

    assert (repository.config.app, repository.config.src) == ("web_shop.jobs:app", ("src",))
    assert names(plan) == {*OWN, RELEASE, "src/web_shop/jobs.py"}
    assert plan.added == {
        "pyproject.toml": f'[tool.lanework]\napp = "web_shop.jobs:app"\nsrc = ["src"]\nfolder = "{HERE}"\n',
        ".gitignore": ".lanework/\n.env\n",
    }
    assert plan.changed[".gitignore"] == ".venv\n.aws-sam\n.lanework/\n.env\n"
    assert plan.changed["pyproject.toml"].startswith(SRC["pyproject.toml"])


def test_a_dot_env_that_is_there_stays_in_git_where_it_is_and_one_to_come_stays_out(tmp_path: Path) -> None:
    """An error says to put a secret into it, and git would have taken it."""
    there = planned(write(tmp_path / "there", {**SRC, ".env": "DEBUG=1\n"}))[1]
    to_come = planned(write(tmp_path / "to come", SRC))[1]

    assert there.new[".gitignore"] == ".lanework/\n.aws-sam/\n"
    assert to_come.new[".gitignore"] == ".lanework/\n.aws-sam/\n.env\n"


def test_a_flat_layout_takes_its_packages_and_neither_tests_nor_scripts(tmp_path: Path) -> None:
    folders = ("shop", "billing", "tests", "scripts", "docs")
    repository, _ = planned(write(tmp_path, {f"{one}/__init__.py": "" for one in folders}))

    assert (repository.config.app, repository.config.src) == ("billing.jobs:app", ("billing", "shop"))


def test_the_project_that_is_made_has_its_application_and_nothing_to_upgrade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    project = find_project(made(write(tmp_path, {"found_shop/__init__.py": ""})) / HERE)

    assert [one.name for one in load_app(project).registry.types if "." in one.name and one.queue == "greetings"] == [
        "greeting.send"
    ]
    files = product_of(project.root, project.config, schedules="")
    assert (upgrade(project.folder, files), is_behind(project.folder, files)) == ([], False)
    assert "from found_shop.jobs import app\n" in (project.handlers / "worker.py").read_text()


def test_after_a_change_of_app_an_upgrade_writes_the_handlers_anew(tmp_path: Path) -> None:
    made(write(tmp_path, {"shop/__init__.py": ""}))
    file = tmp_path / "pyproject.toml"
    file.write_text(file.read_text().replace("shop.jobs:app", "shop.background:queue"))
    project = find_project(tmp_path)

    steps = upgrade(project.folder, product_of(project.root, project.config, schedules=""))

    assert {(one.path, one.fate) for one in steps} == {
        (f"handlers/{one}.py", Fate.UPDATED) for one in ("api", "clock", "events", "worker")
    }
    assert b"from shop.background import queue as app\n" in (steps[0].writes[steps[0].path] or b"")


def test_handlers_of_jobs_app_are_this_repositorys_own() -> None:
    handlers = {path: text for path, text in deployed_files("jobs:app").items() if path.startswith("handlers/")}

    assert handlers == {path: (ROOT / path).read_text() for path in handlers}
    assert "from shop.tasks import queue as app\n" in deployed_files("shop.tasks:queue")["handlers/api.py"]


def test_a_second_init_writes_nothing_and_a_third_what_was_deleted(tmp_path: Path) -> None:
    made(write(tmp_path, SRC))
    (tmp_path / "infra/lanework/samconfig.toml").write_text("mine = true\n")

    assert planned(tmp_path)[1] == Plan(new={})
    (tmp_path / "infra/lanework/handlers/api.py").unlink()
    assert {*planned(tmp_path)[1].new} == {"infra/lanework/handlers/api.py"}


def test_a_table_that_says_a_part_is_completed_where_it_is(tmp_path: Path) -> None:
    said = '[tool.lanework]\nfolder = "deploy"  # ours\n\n[tool.ruff]\n'
    repository, plan = planned(write(tmp_path, {**SRC, "pyproject.toml": said}))

    assert repository.config.folder == "deploy"
    assert tomllib.loads(plan.changed["pyproject.toml"])["tool"] == {
        "lanework": {"app": "admin.jobs:app", "src": ["src"], "folder": "deploy"},
        "ruff": {},
    }
    assert "deploy/template.yaml" in plan.new


def test_a_table_that_only_says_where_the_code_is_is_enough(tmp_path: Path) -> None:
    said = '[tool.lanework]\nsrc = ["lib"]\n'
    repository, plan = planned(write(tmp_path, {"pyproject.toml": said, "lib/shop/__init__.py": ""}))

    assert (repository.config.app, repository.config.folder) == ("shop.jobs:app", HERE)
    assert plan.added["pyproject.toml"] == f'app = "shop.jobs:app"\nfolder = "{HERE}"\n'


def test_a_table_that_no_line_can_be_added_to_is_said_with_the_lines(tmp_path: Path) -> None:
    write(tmp_path, {**SRC, "pyproject.toml": 'tool.lanework = {demo = "web_shop.demo:scenario"}\n'})

    with pytest.raises(
        ConfigError, match=r"can't add to \[tool\.lanework\] .* add app = .*, src = .*, folder = .*, and type"
    ):
        planned(tmp_path)


@pytest.mark.parametrize("made_by", ["App(mail)", "App.discover('shop.jobs')", "lanework.App()"])
def test_an_application_that_is_there_is_taken_and_nothing_written_beside_it(tmp_path: Path, made_by: str) -> None:
    code = f"import lanework\nfrom lanework import App\nqueue = {made_by}\n"
    repository, plan = planned(write(tmp_path, {"shop/__init__.py": "", "shop/work/tasks.py": code}))

    assert repository.config.app == "shop.work.tasks:queue"
    assert names(plan) == {*OWN, RELEASE, "pyproject.toml", ".gitignore"}


def test_two_applications_are_named_with_what_to_write(tmp_path: Path) -> None:
    write(tmp_path, {"shop/__init__.py": APP, "shop/other.py": APP})

    with pytest.raises(ConfigError, match=r"two applications, shop:app and shop\.other:app: say which, such as"):
        planned(tmp_path)
    assert planned(tmp_path, "shop.other:app")[0].config.app == "shop.other:app"


@pytest.mark.parametrize("files", [{"notes.txt": ""}, {"main.py": ""}, {"tests/__init__.py": "", "src/main.py": ""}])
def test_a_layout_without_a_package_is_told_what_was_looked_for_and_what_to_write(
    tmp_path: Path, files: dict[str, str]
) -> None:
    write(tmp_path, files)

    with pytest.raises(
        ConfigError, match=r"no package in .*: looked for src/\*/__init__\.py .*Write one, such as src/shop"
    ):
        planned(tmp_path)


def test_another_application_than_pyproject_toml_says_is_refused(tmp_path: Path) -> None:
    made(write(tmp_path, SRC))

    with pytest.raises(ConfigError, match=r"app in .* is 'web_shop\.jobs:app': change it there, and type"):
        planned(tmp_path, "admin.jobs:app")


def test_an_application_in_no_package_of_the_repository_is_told(tmp_path: Path) -> None:
    write(tmp_path, SRC)

    with pytest.raises(ConfigError, match=r"no package 'web_shp' in src for the application web_shp\.jobs:app"):
        planned(tmp_path, "web_shp.jobs:app")


def test_a_template_of_somebodys_own_is_left_where_it_is(tmp_path: Path) -> None:
    _, plan = planned(write(tmp_path, {**SRC, "template.yaml": "Resources: {}\n", "handlers/api.py": ""}))

    assert {one.partition("/")[0] for one in plan.new} == {"infra", "src", ".gitignore"}
    assert f"{HERE}/template.yaml" in plan.new
    assert f'folder = "{HERE}"' in plan.added["pyproject.toml"]


def test_a_folder_of_a_project_is_no_repository_of_its_own(tmp_path: Path) -> None:
    made(write(tmp_path, SRC))

    with pytest.raises(ConfigError, match=r"^src lies in the project at .*: type lanework init there$"):
        planned(tmp_path / "src")


def test_a_module_called_jobs_is_left_alone(tmp_path: Path) -> None:
    repository, plan = planned(write(tmp_path, {"shop/__init__.py": "", "shop/jobs/__init__.py": "mine = 1\n"}))

    assert repository.config.app == "shop.lanework_jobs:app"
    assert "shop/lanework_jobs.py" in plan.new


def test_django_is_set_up_before_anything_is_imported(tmp_path: Path) -> None:
    manage = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site.settings')\n"
    files = {"manage.py": manage, "site/settings.py": "", "site/__init__.py": "", "app/__init__.py": ""}
    repository, plan = planned(write(tmp_path, files))

    module = plan.new["site/jobs.py"]
    assert (repository.django, repository.config.app) == ("site.settings", "site.jobs:app")
    assert 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings")' in module
    assert "    django.setup()\n\nfrom pydantic import" in module
    assert "\nfrom lanework.django import DatabaseConnections, families\n" in module
    assert "\napp = App(greetings, *families(), middleware=[DatabaseConnections()])\n" in module
    compile(module, "jobs.py", "exec")


WORKSPACE = {
    "pyproject.toml": '[tool.uv.workspace]\nmembers = ["packages/*"]\n',
    "packages/shop/pyproject.toml": '[project]\nname = "shop"\ndependencies = ["httpx>=0.27", "rates", "boto3"]\n'
    "[tool.uv.sources]\nrates = { workspace = true }\n",
    "packages/shop/src/shop/__init__.py": "",
    "packages/rates/pyproject.toml": '[project]\nname = "Rates"\ndependencies = ["babel>=2", "money"]\n'
    '[tool.uv.sources]\nmoney = { path = "../../lib/money" }\n',
    "packages/rates/src/rates/__init__.py": "",
    "lib/money/pyproject.toml": '[project]\nname = "money"\ndependencies = ["httpx"]\n',
    "lib/money/money/__init__.py": "",
}


def test_a_member_of_a_uv_workspace_takes_its_siblings_along_and_what_they_need(tmp_path: Path) -> None:
    repository, plan = planned(write(tmp_path, WORKSPACE) / "packages" / "shop")

    assert repository.config.src == ("src", "../rates/src", "../../lib/money/money")
    assert repository.requirements == ("babel>=2", "boto3", "httpx>=0.27")
    requirements = plan.new[f"{HERE}/shared/requirements.txt"].splitlines()
    assert [one.partition("==")[0] for one in requirements if one[0] != "#"] == ["lanework", *repository.requirements]


POETRY = """
[tool.poetry]
name = "shop"
[tool.poetry.dependencies]
python = "^3.11"
rates = { path = "../rates", develop = true }
httpx = { version = "^0.27.1", extras = ["http2"] }
babel = "~2.14"
money = "*"
pytz = ">=2024,<2026"
tz = "1.2"
click = "^8"
anyio = [{ version = "^3", python = "<3.12" }, { version = "^4", python = ">=3.12" }]
"""


def test_a_member_of_a_poetry_monorepo_takes_its_siblings_along_and_its_versions_become_pips(tmp_path: Path) -> None:
    files = {"shop/pyproject.toml": POETRY, "shop/shop/__init__.py": "", "rates/rates/__init__.py": ""}
    repository, _ = planned(write(tmp_path, files) / "shop")

    assert repository.config.src == ("shop", "../rates/rates")
    assert repository.requirements == (
        *(
            "anyio",
            "babel>=2.14,<2.15",
            "click>=8,<9",
            "httpx[http2]>=0.27.1,<0.28",
            "money",
            "pytz>=2024,<2026",
            "tz==1.2",
        ),
    )


@pytest.mark.parametrize(("named", "lines"), [("httpx\n", 2), ("httpx\nlanework==0.1.0\n", 1)])
def test_a_requirements_txt_is_referred_to_where_pyproject_toml_names_nothing(
    tmp_path: Path, named: str, lines: int
) -> None:
    _, plan = planned(write(tmp_path, {"shop/__init__.py": "", "requirements.txt": named}))

    said = [one for one in plan.new[f"{HERE}/shared/requirements.txt"].splitlines() if one[0] != "#"]
    assert (said[-1], len(said)) == ("-r ../../../requirements.txt", lines)


def lanework(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lanework")), *words]
    return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def test_without_an_answer_nothing_is_written_and_yes_writes_it_all(tmp_path: Path) -> None:
    write(tmp_path, SRC)

    refused = lanework(tmp_path, "init")

    assert (refused.returncode, (tmp_path / "infra").exists()) == (1, False)
    assert refused.stderr.endswith("lanework: there was no answer, and nothing was changed; --yes skips the question\n")
    said = lanework(tmp_path, "init", "--yes")
    assert (said.returncode, "src/web_shop/jobs.py: new" in said.stdout, BASE in said.stdout) == (0, True, False)
    assert "The application is web_shop.jobs:app, in src/web_shop/jobs.py" in said.stderr


def test_where_no_file_is_there_to_be_changed_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(tmp_path, {"shop/__init__.py": ""}))

    with pytest.raises(SystemExit):
        main(["init"])

    assert find_project(tmp_path).config.app == "shop.jobs:app"
