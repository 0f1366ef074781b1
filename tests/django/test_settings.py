"""What `manage.py check` says of TASKS, and what the commands of `manage.py` reach."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from frameworks import BACKEND, task_backends

PROJECT = Path(__file__).parent / "project"
STACK = {"LANEWORK_STACK": "shop-dev", "AWS_REGION": "eu-west-1"}


def said(monkeypatch: pytest.MonkeyPatch, *, stack: bool = True, **changed: Any) -> list[str]:
    """Return what the checks say of an entry of TASKS."""
    from django.test import override_settings  # noqa: PLC0415 - Django is set up by now

    for name, value in STACK.items():
        monkeypatch.setenv(name, value) if stack else monkeypatch.delenv(name, raising=False)
    settings = {name: value for name, value in changed.items() if name.startswith("LANEWORK")}
    entry = {"BACKEND": BACKEND, **{name: value for name, value in changed.items() if name not in settings}}
    with override_settings(TASKS={"default": entry}, **settings):
        return [one.msg for one in task_backends["default"].check()]


def test_an_entry_that_is_right_has_nothing_said_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, QUEUES=["default", "email"], OPTIONS={"ENQUEUE_ON_COMMIT": False}) == []


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"OPTION": {}}, "TASKS['default']: unknown key 'OPTION', did you mean 'OPTIONS'?"),
        (
            {"OPTIONS": {"ENQUEUE_ON_COMIT": False}},
            "TASKS['default']: unknown key 'ENQUEUE_ON_COMIT' of OPTIONS, did you mean 'ENQUEUE_ON_COMMIT'?",
        ),
        (
            {"OPTIONS": {"ENQUEUE_ON_COMMIT": "no"}},
            "TASKS['default']: OPTIONS['ENQUEUE_ON_COMMIT'] must be True or False",
        ),
        (
            {"QUEUES": ["default", "email", "E-Mail"]},
            (
                "TASKS['default']: QUEUES: queue 'E-Mail' can't be used: one word of lower-case letters, digits, _ and "
                "-, at most 64 characters"
            ),
        ),
        (
            {"LANEWORK_APP": "website.settings:TASKS"},
            (
                "TASKS['default']: LANEWORK_APP names 'website.settings:TASKS', which is no App: write it as "
                "'website.jobs:app', or leave it out"
            ),
        ),
        (
            {"QUEUES": [], "LANEWORK_APP": "website.own:app"},
            ("TASKS['default']: LANEWORK_APP lacks shop.tasks.charge: write App(…, *families()), of lanework.django"),
        ),
        (
            {"LANEWORK_OUTBOX": "postgres"},
            "TASKS['default']: LANEWORK_OUTBOX names the database 'postgres', did you mean 'postgresql'?",
        ),
        (
            {"LANEWORK_APP": "website.jobs:app"},
            "TASKS['default']: LANEWORK_APP names 'website.jobs:app': No module named 'website.jobs'",
        ),
    ],
)
def test_what_is_wrong_is_one_line(monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], line: str) -> None:
    assert said(monkeypatch, **changed) == [line]


def test_a_backend_without_a_stack_is_told_where_one_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = said(monkeypatch, stack=False)

    assert line.startswith("TASKS['default']: no stack to enqueue into: set LANEWORK_STACK")


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Type `manage.py …`."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env={**os.environ, "COLUMNS": "120", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_manage_py_reaches_the_whole_command_line() -> None:
    assert "lanework_worker" in manage("help").stdout
    assert manage("lanework", "--version").stdout.startswith("lanework ")
    assert "--dry-run" in manage("lanework", "dlq", "redrive", "--help").stdout
    assert "--concurrency" in manage("lanework_worker", "--help").stdout
    wrong = manage("lanework", "lsit")
    assert (wrong.returncode, "list" in wrong.stderr) == (2, True)


def test_a_worker_without_a_stack_is_one_line() -> None:
    done = manage("lanework_worker", "--lane", "low", "--once", LANEWORK_STACK="", AWS_REGION="")

    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "LANEWORK_STACK" in done.stderr


def test_manage_py_check_says_what_is_wrong_and_what_to_do() -> None:
    done = manage("check", LANEWORK_STACK="", AWS_REGION="")

    assert done.returncode == 0  # a warning: the stack may come with `lanework dev`
    assert "(lanework.W001) TASKS['default']: no stack to enqueue into" in done.stderr
    assert "HINT: run `lanework dev` in this folder, or set LANEWORK_STACK and AWS_REGION" in done.stderr


def test_an_application_without_settings_is_one_line() -> None:
    command = [sys.executable, "-c", "from lanework.django import app"]
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)

    assert done.stderr.splitlines()[-1] == (
        "lanework.errors.general.ConfigError: Django has no settings: set DJANGO_SETTINGS_MODULE, in "
        "[tool.lanework.environment] for functions"
    )
