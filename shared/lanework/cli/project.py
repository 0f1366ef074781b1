"""Commands of a project's own life: init, test, upgrade, terraform."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from lanework.cli.env import say_environment
from lanework.cli.exits import Exit
from lanework.cli.output import complain, confirm, out, say
from lanework.cli.param_types import entry
from lanework.errors import ConfigError
from lanework.local.project import TEMPLATE, find_deployable, find_project
from lanework.starter.adopt import adoption, next_steps
from lanework.starter.event_sources import sources_in
from lanework.starter.product import product_of
from lanework.starter.repository import read_repository
from lanework.starter.schedules import schedules_in
from lanework.starter.upgrade import BASE, UNDONE, as_written, carry_out
from lanework.starter.upgrade import upgrade as merge_steps
from lanework.starter.write import is_free, new_project


def init(
    app: Annotated[
        str | None,
        typer.Option(
            "--app",
            parser=entry,
            metavar="MODULE:ATTRIBUTE",
            help="Where the application is, or is to be: shop.jobs:app.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Change files that are there without asking.")] = False,
) -> None:
    """
    Make a project in the current folder: of an empty one all that it needs, of a repository with code what is missing.

    In a repository, all of it goes into infra/lanework; pyproject.toml and .gitignore get lines, after a question.

    Example: mkdir shop && cd shop && lanework init
    """
    folder = Path.cwd()
    if app is None and is_free(folder):
        plan, steps = (
            new_project(folder),
            ["made; `make test`, `make demo` and `make dev` work here. shared/jobs/greetings.py is the job to change"],
        )
    else:
        repository = read_repository(folder, app)
        plan, steps = adoption(repository), next_steps(repository)
    for path in sorted(one for one in plan.new if BASE not in one):
        out().print(f"{path}: new", markup=False)
    for path, added in plan.added.items():
        out().print(f"{path}: gets", *(f"  {line}" for line in added.splitlines()), sep="\n", markup=False)
    if plan.changed:
        change = f"change {' and '.join(plan.changed)}?"
        confirm(f"Write the new ones, and {change}" if plan.new else change.capitalize(), yes=yes)
    plan.carry_out(folder)
    for line in steps if plan.new or plan.changed else ["nothing to write: all of it is there"]:
        say(line)


def test(context: typer.Context) -> None:
    """
    Run the project's tests; what follows goes to pytest.

    Example: lanework test -k greeting
    """
    project = find_project(Path.cwd())
    if importlib.util.find_spec("pytest") is None:
        msg = "running a project's tests needs pytest; try: pip install pytest"
        raise ConfigError(msg)
    command = [sys.executable, "-m", "pytest", *context.args]
    environ = {**os.environ, **say_environment(project).values}
    raise typer.Exit(subprocess.run(command, cwd=project.root, env=environ, check=False).returncode)  # noqa: S603 - pytest


def upgrade(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")] = False,
) -> None:
    """
    Make template.yaml, handlers/ and shared/Makefile anew: of this release, and of what pyproject.toml says.

    What you changed in them by hand stays.

    Where your changes and Lanework's meet, both are left in the file, marked as git marks a conflict: resolve it and
    say `lanework upgrade` again. Exit code 1 while a conflict is open.

    Example: lanework upgrade --dry-run
    """
    found = find_deployable(Path.cwd())
    project = found.folder
    written = as_written(project, TEMPLATE)
    made = product_of(found.root, found.config, schedules=schedules_in(written), sources=sources_in(written))
    steps = merge_steps(project, made)
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


def terraform(
    folder: Annotated[Path, typer.Argument(help="The module's folder.")] = Path("infra/terraform"),
) -> None:
    """
    Make a Terraform module of template.yaml. It has been compared with the template, and never applied.

    Writes main.tf, variables.tf, outputs.tf and README.md, and no file that isn't of its own making.

    Example: lanework terraform infra/terraform
    """
    from lanework.local.deployment.template import read_template  # noqa: PLC0415 - heavy, as is the next
    from lanework.local.terraform.module import MADE, terraform_files  # noqa: PLC0415 - as above

    files = terraform_files(read_template(find_deployable(Path.cwd()).template))
    for name in files:
        if (folder / name).exists() and MADE not in (folder / name).read_text(encoding="utf-8", errors="replace"):
            msg = f"{folder / name} is yours: name another folder, as in lanework terraform infra/lanework-module"
            raise ConfigError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    say(f"wrote {', '.join(files)} into {folder}; README.md there says how to use it")
