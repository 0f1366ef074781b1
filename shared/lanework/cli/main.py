"""The command's entry point: errors in one line, exit codes with a name."""

from __future__ import annotations

import sys
from enum import IntEnum
from importlib.metadata import version
from typing import Annotated

import typer

from lanework.cli import (
    clean,
    dev,
    dlq,
    doctor,
    jobs,
    lanes,
    numbers,
    scaling,
    schedules,
    stack,
    start,
    tail,
    token,
    top,
    webhooks,
    worker,
    workflows,
)
from lanework.cli.output import complain
from lanework.errors import LaneworkError


class Exit(IntEnum):
    """What the command's exit code says."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130


app = typer.Typer(
    name="lanework",
    epilog="Exit codes: 0 done, 1 failed (the reason is on stderr), 2 wrong usage, 130 interrupted.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:  # noqa: FBT001 - typer gives it so
    if asked:
        typer.echo(f"lanework {version('lanework')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Background jobs on SQS, Lambda and DynamoDB."""


jobs.add_to(app)
lanes.add_to(app)
numbers.add_to(app)
top.add_to(app)
tail.add_to(app)
clean.add_to(app)
start.add_to(app)
stack.add_to(app)
doctor.add_to(app)
dev.add_to(app)
worker.add_to(app)
scaling.add_to(app)
app.add_typer(dlq.app)
app.add_typer(schedules.app)
app.add_typer(token.app)
app.add_typer(workflows.app)
app.add_typer(webhooks.app)


def main() -> None:
    """Run the command, as `lanework` in a shell does."""
    try:
        app()
    except LaneworkError as error:
        complain(str(error))
        sys.exit(Exit.FAILED)
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
