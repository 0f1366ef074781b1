"""The `lanework` command on a stack of its own, in a checkout in which no embedded stack runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from lanework.cli.main import app
from tests.support.stacks import REGION, make_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

ROOT = Path(__file__).parents[2]
_PARTS = ("pyproject.toml", "template.yaml", "handlers", "infra", "shared")


@pytest.fixture(name="stack_at")
def a_stack_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Make a stack at an endpoint, and let the environment name it; return its name."""

    def at(endpoint: str) -> str:
        name = f"cli-{uuid4().hex[:8]}"
        for variable, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "LANEWORK_STACK": name,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": endpoint,
        }.items():
            monkeypatch.setenv(variable, value)
        monkeypatch.delenv("LANEWORK_ACCOUNT", raising=False)
        make_stack(name, endpoint)
        _enter_checkout(tmp_path / "checkout", monkeypatch)
        return name

    return at


@pytest.fixture(name="stack")
def a_stack(stack_at: Callable[[str], str], moto_endpoint: str) -> str:
    """Make a stack on moto's server."""
    return stack_at(moto_endpoint)


def _enter_checkout(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go where the project is, but not its state: a developer's own `lanework dev` would be what commands talk to."""
    folder.mkdir()
    for part in _PARTS:
        (folder / part).symlink_to(ROOT / part)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(folder)


def run(*words: str, stdin: str | None = None) -> Result:
    """Run a command; return what became of it, or raise what it complained of."""
    result = CliRunner().invoke(app, list(words), input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def said(*words: str, stdin: str | None = None) -> str:
    """Run a command; return what it printed, without the line that names the stack before it is changed."""
    return run(*words, stdin=stdin).output.removeprefix(first_line())


def first_line() -> str:
    """Return the line in which a command names its stack, here that of the environment, before it changes it."""
    name, region, endpoint = (os.environ[one] for one in ("LANEWORK_STACK", "AWS_REGION", "AWS_ENDPOINT_URL"))
    return f"stack {name} in {region}, at {endpoint}\n"
