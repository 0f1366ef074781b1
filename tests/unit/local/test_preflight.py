"""What `lanework dev` and `demo` say before they deploy: of code that fails, and of what the layer lacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lanework.errors import StackError
from lanework.local.deployment.layer_imports import NO_VARIABLE
from lanework.local.deployment.layer_packages import layer_packages
from lanework.local.deployment.preflight import try_code
from lanework.local.project import project_at

if TYPE_CHECKING:
    from lanework.local.project import Project

VARIABLES = {"SHOP": {"Ref": "Shop"}, "LANEWORK_STACK": "shop", "LANEWORK_LANES": "high"}
FUNCTION = {"Type": "AWS::Serverless::Function", "Properties": {"Environment": {"Variables": VARIABLES}}}
TEMPLATE: dict[str, Any] = {"Resources": {"Worker": FUNCTION}}
JOB = """\
from pydantic import BaseModel
from lanework import App, Jobs

class Mail(BaseModel): ...

mail = Jobs(queue="mail")

@mail.job("mail.send", lane="LANE")
def send(_: Mail) -> None: ...

app = App(mail)
"""
KNOWN = {"AWS::Region": "us-east-1", "Shop": "open"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a job that imports nothing of others but pydantic, which Lanework brings."""
    files = {
        "pyproject.toml": "[tool.lanework]\n",
        "handlers/__init__.py": "",
        "handlers/worker.py": "import jobs\nimport boto3\n",
        "shared/requirements.txt": "lanework\n",
        "shared/jobs/__init__.py": "import os\nfrom jobs import orders\nassert os.environ['SHOP'] == 'open'\n",
        "shared/jobs/orders.py": "from pydantic import BaseModel\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return project_at(tmp_path)


def tried(project: Project) -> None:
    try_code(project, layer_packages(project), TEMPLATE, KNOWN)


def problem_of(project: Project) -> str:
    with pytest.raises(StackError) as found:
        tried(project)
    assert "\n" not in str(found.value)
    return str(found.value)


def test_what_works_here_and_on_aws_is_let_through(project: Project) -> None:
    tried(project)


def test_a_module_beside_the_jobs_is_in_the_layer(project: Project) -> None:
    """`shared/db.py` was there on the laptop, and no function of the deployed stack could be imported."""
    (project.shared / "db.py").write_text("TABLE = 'orders'\n")
    (project.shared / "jobs" / "orders.py").write_text("from db import TABLE\n")

    tried(project)

    (project.shared / "db.py").unlink()
    assert "shared/jobs/orders.py:1: imports db, which is not in the layer" in problem_of(project)


@pytest.mark.parametrize("where", ["shared/jobs/orders.py", "handlers/worker.py"])
def test_a_package_of_the_developers_alone_is_refused_and_named(project: Project, where: str) -> None:
    """It passed test, demo and dev, and `make build` refused it: it is in requirements-dev.txt only."""
    (project.root / where).write_text("import hypothesis\n")

    assert problem_of(project) == (
        f"{where}:1: imports hypothesis, which is not in the layer: name its package in shared/requirements.txt"
    )

    (project.shared / "requirements.txt").write_text("lanework\nhypothesis\n")
    tried(project)


def test_an_import_within_a_job_is_looked_for_too(project: Project) -> None:
    (project.shared / "jobs" / "orders.py").write_text("def order() -> None:\n    import hypothesis\n")

    assert problem_of(project).startswith("shared/jobs/orders.py:2: imports hypothesis, which is not in the layer")


@pytest.mark.parametrize("module", ["lanework.testing", "lanework.cli.main", "rich"])
def test_what_lanework_has_for_a_laptop_alone_is_refused(project: Project, module: str) -> None:
    (project.shared / "jobs" / "orders.py").write_text(f"import {module}\n")

    assert f"shared/jobs/orders.py:1: imports {module}, which is not in the layer" in problem_of(project)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = 1\ndef f(:\n", "shared/jobs/orders.py:2: invalid syntax"),
        ("\nthing\n", "shared/jobs/orders.py:2: NameError: name 'thing' is not defined"),
        (
            "import os\nos.environ['NOT_SET']\n",
            f"shared/jobs/orders.py:2: KeyError: 'NOT_SET': {NO_VARIABLE.format('NOT_SET')}",
        ),
        ("raise SystemExit('no')\n", "shared/jobs/orders.py:1: SystemExit: no"),
    ],
)
def test_code_that_can_not_be_imported_is_one_line_with_its_place(project: Project, text: str, problem: str) -> None:
    (project.shared / "jobs" / "orders.py").write_text(text)

    assert problem_of(project) == problem


def test_a_module_that_the_handlers_prepare_for_is_no_problem(project: Project) -> None:
    """Models of Django can be imported once settings are configured, which the application does first."""
    (project.shared / "a_model.py").write_text("import jobs\njobs.is_set_up or exit('not configured')\n")
    (project.shared / "jobs" / "__init__.py").write_text("is_set_up = True\nimport a_model\n")
    (project.shared / "command.py").write_text("raise SystemExit('a command, which no function imports')\n")

    tried(project)


def test_a_module_that_was_removed_is_gone(project: Project) -> None:
    (project.shared / "jobs" / "old").mkdir()
    (project.shared / "jobs" / "old" / "__init__.py").touch()
    (project.shared / "jobs" / "orders.py").write_text("import jobs.old\n")
    tried(project)

    (project.shared / "jobs" / "old" / "__init__.py").unlink()
    (project.shared / "jobs" / "old").rmdir()

    assert "shared/jobs/orders.py:1: imports jobs.old" in problem_of(project)


def test_a_declaration_that_is_refused_is_said_with_its_own_line(project: Project) -> None:
    (project.shared / "jobs" / "orders.py").write_text(JOB.replace("LANE", "hihg"))

    assert problem_of(project) == "shared/jobs/orders.py:8: unknown lane 'hihg', did you mean 'high'?"


def test_a_job_type_in_a_lane_that_is_left_out_is_said_without_a_class_or_a_file_of_lanework_s(
    project: Project,
) -> None:
    (project.shared / "jobs" / "orders.py").write_text(JOB.replace("LANE", "low"))
    (project.handlers / "worker.py").write_text(
        "from jobs.orders import app\nfrom lanework.edges.worker import worker\nhandler = worker(app)\n"
    )

    assert problem_of(project) == (
        "job type 'mail.send' is in lane 'low', which this stack leaves out: add it to [tool.lanework] lanes, or move "
        "the type"
    )
