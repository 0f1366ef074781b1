"""What a build says of a layer, by the script that shared/Makefile runs, with no more than that interpreter sees."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import boto3
import pytest

from lanework.local.deployment import layer_imports
from lanework.local.deployment.layer_contents import IN_RUNTIME
from lanework.local.deployment.layer_files import variables_in
from tests.support.sam import ARCHITECTURE, ROOT

OTHER = {"arm64": "x86_64", "x86_64": "arm64"}[ARCHITECTURE]
SITE = Path(boto3.__file__).parents[1]


@dataclass(frozen=True)
class Project:
    """The sources of a layer, and the layer."""

    source: Path
    layer: Path
    app: str = "jobs"
    variables: tuple[str, ...] | None = None

    def write(self, name: str, content: str) -> None:
        for folder in (self.source, self.layer):
            self.install(name, content.encode(), folder)

    def install(self, name: str, content: bytes = b"", folder: Path | None = None) -> None:
        file = (folder or self.layer) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def _files(self) -> list[Path]:
        return [one for one in self.source.rglob("*.py") if one.is_file()]

    def check(self, architecture: str = ARCHITECTURE) -> tuple[int, str]:
        """Return the script's exit code, and what it said."""
        script = [sys.executable, "-I", "-S", layer_imports.__file__, str(self.layer)]
        listed = self.layer.parent / "listed.json"
        files = {str(one.relative_to(self.source)): f"shared/{one.relative_to(self.source)}" for one in self._files()}
        said = {"files": files, "requirements": "shared/requirements.txt", "app": self.app}
        variables = None if self.variables is None else {name: f"{name}'s" for name in self.variables}
        listed.write_text(json.dumps({**said, "variables": variables}))
        asked = ["--listed", str(listed), "--architecture", architecture, "--brought-in", str(SITE)]
        done = subprocess.run([*script, *asked], capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, (done.stdout + done.stderr).strip()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "shared", tmp_path / "layer" / "python")
    made.write("jobs/__init__.py", "from jobs import mail\n")
    made.write("jobs/mail.py", "import json\n")
    return made


def test_modules_that_find_all_are_imported_where_the_layer_runs(project: Project) -> None:
    project.write("jobs/mail.py", "import six, db, rates.eu\nfrom . import texts\n")
    for file in ("jobs/texts.py", "db.py", "rates/eu.py"):
        project.write(file, "import logging.handlers\n")

    assert (0, "every module of db, jobs, rates, and what it imports, was imported") == project.check()


@pytest.mark.parametrize("architecture", [ARCHITECTURE, OTHER])
def test_a_package_that_only_the_laptop_has_is_named_where_it_is_imported(project: Project, architecture: str) -> None:
    project.write("jobs/mail.py", "import json\n\ndef send() -> None:\n    import pytest.raises\n")

    name_it = "name its package in shared/requirements.txt"
    line = f"shared/jobs/mail.py:4: imports pytest.raises, which is not in the layer: {name_it}"
    assert (1, line) == project.check(architecture)


def test_a_module_that_was_left_out_of_the_layer_is_named(project: Project) -> None:
    project.install("lanework/__init__.py")
    project.write(
        "jobs/mail.py", "from lanework.testing import Clock\nfrom .texts import HELLO\nfrom jobs.urls import A\n"
    )

    assert [
        "shared/jobs/mail.py:1: imports lanework.testing, which is not in the layer: Lanework has it for a laptop only",
        "shared/jobs/mail.py:2: imports jobs.texts, which is not in the layer: there is no such module",
        "shared/jobs/mail.py:3: imports jobs.urls, which is not in the layer: there is no such module",
    ] == project.check()[1].splitlines()


def test_what_may_be_missing_and_what_lambda_never_runs_is_not_looked_for(project: Project) -> None:
    project.write(
        "jobs/mail.py",
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import pytest\n"
        "try:\n    import orjson\nexcept (ImportError, OSError):\n    orjson = None\n"
        "if __name__ == '__main__':\n    import typer\n",
    )
    project.write("jobs/__main__.py", "import typer\n")

    assert (0, "every module of jobs, and what it imports, was imported") == project.check()


def test_what_a_package_of_the_layer_lacks_is_named_with_the_job_that_imports_it(project: Project) -> None:
    project.install("pay/__init__.py", b"import requests\n")
    project.write("jobs/mail.py", "\nimport pay\n")

    line = "shared/jobs/mail.py:2: ModuleNotFoundError: No module named 'requests', in pay/__init__.py:1"
    assert (1, line) == project.check()


def test_for_another_machine_it_says_that_nothing_was_run(project: Project) -> None:
    code, said = project.check(OTHER)

    assert code == 0
    assert f"was looked for by name only: they are for Linux on {OTHER}, and this is Linux on" in said


def test_a_variable_that_only_functions_have_stops_no_build(project: Project) -> None:
    project.write("jobs/mail.py", "import os\nURL = os.environ['MAIL_URL']\n")

    code, said = project.check()

    assert code == 0
    assert "can't be tried without its environment: shared/jobs/mail.py:2: KeyError: 'MAIL_URL'" in said


MAILS = "import os\nURL = os.environ['MAIL_URL']\n"


def test_a_variable_that_the_application_reads_and_no_function_has_fails_the_build_with_what_to_write(
    project: Project,
) -> None:
    """The build was green, `.env` had it on the laptop, and every function died at its import."""
    project.write("jobs/mail.py", MAILS)

    line = (
        "shared/jobs/mail.py:2: KeyError: 'MAIL_URL': no function has it; write MAIL_URL below "
        "[tool.lanework.environment] in pyproject.toml, lanework check --write"
    )
    assert (1, line) == replace(project, variables=("OTHER",)).check()
    assert (0, "every module of jobs, and what it imports, was imported") == replace(
        project, variables=("MAIL_URL",)
    ).check()


def test_a_variable_that_the_application_does_not_read_stops_no_build(project: Project) -> None:
    project.write("jobs/__init__.py", "")
    project.write("migrations/run.py", MAILS)

    code, said = replace(project, variables=()).check()

    assert (code, "can't be tried without its environment: shared/migrations/run.py:2:" in said) == (0, True)


def test_the_variables_of_functions_are_read_from_the_template(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        "Globals:\n  Function:\n    Environment:\n      Variables:\n"
        '        # of pyproject.toml\n        SHOP_URL: https://shop.example  # ours\n        KEY: "ssm:/key"\n\n'
        "        TABLE: !Ref JobsTable\n        PLACE: !If\n          - A\n          - B\n    Timeout: 5\n"
        "Resources:\n  One:\n    Properties:\n      Environment: {Variables: {LANE: high, DEBUG: yes}}\n"
    )

    found = variables_in(template)

    assert found == {
        "SHOP_URL": "https://shop.example",
        "KEY": "ssm:/key",
        "TABLE": "",
        "PLACE": "",
        "LANE": "high",
        "DEBUG": "yes",
    }
    assert {"LANEWORK_STACK", "LANEWORK_LANE", "LANEWORK_API_TOKENS"} <= {*(variables_in(ROOT / "template.yaml") or {})}
    assert variables_in(tmp_path / "none.yaml") is None


def test_the_application_is_imported_first_for_it_may_set_up_a_framework(project: Project) -> None:
    project.write("admin/models.py", "import os\nos.environ['SETTINGS']\n")
    project.write("jobs/work.py", "import os\nos.environ['SETTINGS'] = 'set'\nimport admin.models\n")

    assert "admin/models.py:2: KeyError: 'SETTINGS'" in project.check()[1]
    assert (0, "every module of admin, jobs, and what it imports, was imported") == replace(
        project, app="jobs.work"
    ).check()


def test_a_syntax_error_is_named(project: Project) -> None:
    project.write("jobs/mail.py", "x = 1\ndef f(:\n")

    assert (1, "shared/jobs/mail.py:2: invalid syntax") == project.check()


def test_native_code_for_another_machine_or_python_is_refused(project: Project) -> None:
    elf = {"arm64": b"\x7fELF" + bytes(14) + b"\xb7\0", "x86_64": b"\x7fELF" + bytes(14) + b"\x3e\0"}
    project.install("fast.abi3.so", elf[OTHER])
    project.install("apple/core.so", b"\xcf\xfa\xed\xfe" + bytes(16))
    project.install("old.cpython-310-x86_64-linux-gnu.so", elf[ARCHITECTURE])
    project.install("right.abi3.so", elf[ARCHITECTURE])

    here = f"python3.{sys.version_info.minor}"
    assert [
        f"apple/core.so: is not for Linux on {ARCHITECTURE}",
        f"fast.abi3.so: is not for Linux on {ARCHITECTURE}",
        f"old.cpython-310-x86_64-linux-gnu.so: is for python3.10, and the layer for {here}",
    ] == project.check()[1].splitlines()


def test_what_is_taken_out_of_the_layer_is_what_the_check_lets_lambda_bring() -> None:
    assert set(layer_imports.BROUGHT) == IN_RUNTIME
