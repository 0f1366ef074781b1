"""Commands of a project's own life: init, test, upgrade."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from lanework.cli.env import say_environment
from lanework.cli.exits import Exit
from lanework.cli.output import complain, out, say
from lanework.local.project import TEMPLATE, find_project
from lanework.starter.product import product_of
from lanework.starter.schedules import schedules_in
from lanework.starter.upgrade import UNDONE, as_written, carry_out
from lanework.starter.upgrade import upgrade as merge_steps
from lanework.starter.write import make_project


def init() -> None:
    """
    Make a project in the current, empty folder: a template, one job with its test, and what deploys them.

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
    environ = {**os.environ, **say_environment(project).values}
    raise typer.Exit(subprocess.run(command, cwd=project.root, env=environ, check=False).returncode)  # noqa: S603 - pytest


def upgrade(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")] = False,
) -> None:
    """
    Make template.yaml, handlers/ and shared/Makefile anew: of this release, and of what [tool.lanework] says.

    What you changed in them by hand stays.

    Where your changes and Lanework's meet, both are left in the file, marked as git marks a conflict: resolve it and
    say `lanework upgrade` again. Exit code 1 while a conflict is open.

    Example: lanework upgrade --dry-run
    """
    found = find_project(Path.cwd())
    project = found.folder
    schedules = schedules_in(as_written(project, TEMPLATE))
    steps = merge_steps(project, product_of(found.root, found.config, schedules=schedules))
    for step in steps:
        out().print(f"{step.path}: {step.fate}", markup=False)
    if not steps:
        say("nothing to upgrade: the project has what this release makes of [tool.lanework]")
    open_ones = [step.path for step in steps if step.fate in UNDONE]
    if not dry_run:
        carry_out(project, steps)
    if open_ones:
        complain(f"resolve {', '.join(open_ones)}, then say `lanework upgrade` again")
        raise typer.Exit(Exit.FAILED)
