"""Commands of a project's own life: init, test, upgrade."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import typer

from lanework.cli.output import out, say
from lanework.local import find_project
from lanework.starter import difference, make_project


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for name, command in (("init", init), ("upgrade", upgrade)):
        app.command(name)(command)
    app.command("test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(test)


def init() -> None:
    """
    Make a project of the empty folder that you are in: a template, one job with its test, and what deploys them.

    Example: mkdir shop && cd shop && lanework init
    """
    for path in make_project(Path.cwd()):
        out().print(path)
    say("made; `make test`, `make demo` and `make dev` work here. shared/jobs/greetings.py is the job to change")


def test(context: typer.Context) -> None:
    """
    Run the project's tests; what follows goes to pytest.

    Example: lanework test -k greeting
    """
    project = find_project(Path.cwd())
    command = [sys.executable, "-m", "pytest", *context.args]
    raise typer.Exit(subprocess.run(command, cwd=project.root, check=False).returncode)  # noqa: S603 - pytest


def upgrade() -> None:
    """
    Show what this release changes in template.yaml, handlers/ and shared/Makefile, as a patch.

    The project's own changes are no part of it, and stay where it is applied.

    Example: lanework upgrade | patch -p1
    """
    found = difference(find_project(Path.cwd()).root)
    if found:
        sys.stdout.write(found)
        say("apply it in the project's folder with: lanework upgrade | patch -p1")
    else:
        say("nothing to upgrade: the project has what this release makes")
