"""Five repositories with code: `lanework init`, the doctor, `make build`, and a job on the embedded stack in each."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from lanework.local.emulator.process import wait_for
from tests.support.adopter import ARCHITECTURE, RUNTIME, SAM, SOON, Adopter, environment
from tests.support.repositories import DJANGO, FLAT_LAYOUT, POETRY_MONOREPO, SRC_LAYOUT, UV_WORKSPACE, write

HERE = Path("infra/lanework")
BUILD = ("make", "-C", HERE, "build", f"RUNTIME={RUNTIME}", f"ARCHITECTURE={ARCHITECTURE}")

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def python_environment(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Path:
    """What the five have installed, but for their own packages: those are found by what init writes."""
    folder = tmp_path_factory.mktemp("environment") / ".venv"
    uv = str(Path(sys.executable).with_name("uv"))
    packages = ("lanework[local,emulator]", "uv", "django>=5.1", "python-slugify>=8")
    for command in (["venv", str(folder)], ["pip", "install", "--python", str(folder), *packages]):
        subprocess.run([uv, *command, "--quiet"], env=environment(wheels), check=True, capture_output=True)
    return folder


@dataclass(frozen=True)
class Case:
    """
    A repository, and what is expected of it.

    Attributes:
        files: What it holds.
        at: The folder in it where `lanework init` is typed.
        app: What is found or made.
        inside: Modules that must be in the layer.
        outside: What must not.
    """

    files: dict[str, str]
    app: str
    inside: tuple[str, ...]
    at: str = "."
    outside: tuple[str, ...] = ("tests", "infra", "manage.py", "setup.py")


CASES = {
    "src layout": Case(SRC_LAYOUT, "web_shop.jobs:app", ("web_shop/prices.py", "slugify/__init__.py")),
    "flat layout": Case(FLAT_LAYOUT, "shop.tasks:queue", ("shop/tasks/mail.py", "slugify/__init__.py")),
    "uv workspace": Case(
        UV_WORKSPACE, "shop.tasks:app", ("shop/tasks.py", "rates/__init__.py", "slugify/__init__.py"), "packages/shop"
    ),
    "poetry monorepo": Case(
        POETRY_MONOREPO, "shop.tasks:app", ("shop/tasks.py", "rates/__init__.py", "slugify/__init__.py"), "shop"
    ),
    "Django": Case(DJANGO, "website.jobs:app", ("website/settings.py", "orders/models.py", "django/__init__.py")),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def adopter(root: Path, python_environment: Path, wheels: Path) -> Adopter:
    """Return somebody who has activated the environment."""
    mine = environment(wheels)
    path = f"{python_environment / 'bin'}:{mine['PATH']}"
    return Adopter(root, python_environment, {**mine, "PATH": path, "SAM": str(SAM / "bin" / "sam")})


@pytest.fixture
def shop(case: Case, tmp_path: Path, python_environment: Path, wheels: Path) -> Adopter:
    write(tmp_path / "repository", case.files)
    return adopter((tmp_path / "repository" / case.at).resolve(), python_environment, wheels)


def test_a_repository_becomes_a_project_that_is_built_and_runs_a_job(shop: Adopter, case: Case) -> None:
    before = {file: file.read_bytes() for file in shop.root.rglob("*") if file.is_file()}

    assert f"The application is {case.app}" in shop.run("lanework", "init", "--yes")
    changed = [file.name for file, content in before.items() if file.read_bytes() != content]
    assert {*changed} <= {"pyproject.toml", ".gitignore"}
    if case.files is DJANGO:
        use_the_model(shop.root / "website" / "jobs.py")
    if case.files is UV_WORKSPACE:
        lock_with_uv(shop)
    assert "nothing to complain about" in shop.run("lanework", "doctor", "--template")
    assert "nothing to upgrade" in shop.run("lanework", "upgrade")
    look_at_the_build(shop, case)
    assert result_of_a_job(shop) == "Hello, anu!"


def use_the_model(module: Path) -> None:
    """Do what a user of Django does first: let the job use a model."""
    text = module.read_text()
    text = text.replace("from pydantic import", "from orders.models import Order\nfrom pydantic import")
    module.write_text(text.replace('f"Hello, {greeting.name}!"', "str(Order(name=greeting.name))"))


def lock_with_uv(shop: Adopter) -> None:
    """Type what requirements.txt says of a lock."""
    shop.run("uv", "lock", "--quiet")
    without = ("--no-dev", "--no-emit-workspace", "--no-hashes")
    shop.run("uv", "export", "--quiet", "--frozen", *without, "--output-file", HERE / "shared" / "requirements.txt")


def look_at_the_build(shop: Adopter, case: Case) -> None:
    said = shop.run(*BUILD)

    built = shop.root / HERE / ".aws-sam" / "build"
    layer = built / "SharedLayer" / "python"
    assert "every module of handlers, and what it imports, was imported" in said
    assert all((layer / one).exists() for one in case.inside), sorted(one.name for one in layer.iterdir())
    assert not any((layer / one).exists() for one in (*case.outside, "boto3"))
    module, _, attribute = case.app.partition(":")
    assert f"from {module} import {attribute}" in (built / "HighWorker" / "handlers" / "worker.py").read_text()


def result_of_a_job(shop: Adopter) -> str:
    with shop.dev("lanework", "dev"):
        shop.run("lanework", "enqueue", "greeting.send", "--payload", '{"name": "anu"}', "--job-id", "first")

        def result() -> str:
            return str(json.loads(shop.run("lanework", "get", "first", "--json")).get("result"))

        wait_for(lambda: result() != "None", within=SOON, what="the job")
        return result()


def test_what_the_layer_lacks_is_named_with_the_file_that_should_name_it(
    python_environment: Path, tmp_path: Path, wheels: Path
) -> None:
    write(tmp_path, {**SRC_LAYOUT, "src/web_shop/prices.py": "import django\n"})
    shop = adopter(tmp_path, python_environment, wheels)
    shop.run("lanework", "init", "--yes")

    done = subprocess.run(BUILD, cwd=tmp_path, env=shop.environment, capture_output=True, text=True, check=False)

    line = "src/web_shop/prices.py:1: imports django, which is not in the layer: name its package in "
    assert done.returncode != 0
    assert f"{line}infra/lanework/shared/requirements.txt" in done.stdout + done.stderr
