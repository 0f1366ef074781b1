"""
Django's own tests of its tasks, from its source distribution, with Lanework's backend in the place of Django's.

`make test-django` fetches the distribution. What fails is listed below with its reason, and the list is exact.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import django
import pytest

HERE: Final = Path(__file__).parent
SDIST: Final = Path(sys.prefix) / "sdist"

_LINE: Final = re.compile(r"^ *test_\w+ \(tasks\.(\S+)\).*?\.\.\. (?:\n)?(ok|FAIL|ERROR)$", re.MULTILINE)

_REPLACED: Final = {
    "django.tasks.backends.dummy.DummyBackend": "in_the_suite.Queued",
    "django.tasks.backends.immediate.ImmediateBackend": "in_the_suite.Drained",
    "django.tasks.backends.dummy import DummyBackend": "in_the_suite import Queued as DummyBackend",
    "django.tasks.backends.immediate import ImmediateBackend": "in_the_suite import Drained as ImmediateBackend",
}

_QUEUED: Final = "test_dummy_backend.DummyBackend"
_DRAINED: Final = "test_immediate_backend.ImmediateBackend"

FAILS: Final = {
    f"{_QUEUED}TransactionTestCase.test_doesnt_wait_until_transaction_commit_by_default": "it waits, by default",
    f"{_DRAINED}TransactionTestCase.test_doesnt_wait_until_transaction_commit_by_default": "it waits, by default",
    f"{_QUEUED}TestCase.test_refresh_result": "changes the list in which Django's own keeps results",
    f"{_QUEUED}TestCase.test_refresh_result_async": "changes the list in which Django's own keeps results",
    f"{_DRAINED}TestCase.test_cannot_get_result": "it can",
    f"{_DRAINED}TestCase.test_cannot_refresh_result": "it can",
    f"{_DRAINED}TestCase.test_cannot_pass_run_after": "it can",
    f"{_DRAINED}TestCase.test_catches_exception": "of a SystemExit, a job's error says that it called sys.exit",
    f"{_DRAINED}TestCase.test_throws_keyboard_interrupt": "a job's attempt fails by it, and the worker goes on",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run the suite; return what became of each test, by its name below `tasks`."""
    folder = tmp_path_factory.mktemp("suite")
    source = SDIST / f"django-{django.__version__}" / "tests"
    for name in ("runtests.py", "test_sqlite.py", "urls.py"):
        shutil.copy(source / name, folder)
    shutil.copytree(source / "tasks", folder / "tasks")
    (folder / "templates").mkdir()
    for file in (folder / "tasks").glob("test_*.py"):
        text = file.read_text()
        for before, after in _REPLACED.items():
            text = text.replace(before, after)
        file.write_text(text)
    stack = {"LANEWORK_STACK": "shop-dev", "AWS_REGION": "eu-west-1"}  # which a check asks for, and nothing reaches
    environment = {**os.environ, **stack, "PYTHONPATH": str(HERE / "suite")}
    environment.pop("DJANGO_SETTINGS_MODULE")
    command = [sys.executable, "runtests.py", "tasks", "--parallel", "1", "--verbosity", "2"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    found = _LINE.findall(done.stderr)
    assert len(found) > 70, done.stderr
    return dict(sorted(found, key=lambda one: one[1] != "ok"))  # a test that has parts is as its worst one


def test_every_test_of_djangos_passes_or_is_listed_with_the_reason(outcomes: dict[str, str]) -> None:
    assert sorted(name for name, outcome in outcomes.items() if outcome != "ok") == sorted(FAILS)
