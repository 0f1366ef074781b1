"""The command's entry point: errors in one line, exit codes with a name."""

from __future__ import annotations

import sys
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command

from lanework.cli import (
    clean,
    demo,
    dev,
    doctor,
    jobs,
    lanes,
    project,
    scaling,
    schedules,
    stats,
    tail,
    token,
    top,
    webhooks,
    worker,
    workflows,
)
from lanework.cli.dlq import commands as dlq
from lanework.cli.exits import EPILOG, Exit, exit_of
from lanework.cli.output import complain
from lanework.errors import LaneworkError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


app = typer.Typer(
    name="lanework",
    epilog=EPILOG,
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
stats.add_to(app)
top.add_to(app)
tail.add_to(app)
clean.add_to(app)
project.add_to(app)
demo.add_to(app)
doctor.add_to(app)
dev.add_to(app)
worker.add_to(app)
scaling.add_to(app)
app.add_typer(dlq.app)
app.add_typer(schedules.app)
app.add_typer(token.app)
app.add_typer(workflows.app)
app.add_typer(webhooks.app)


@cache
def _command() -> Callable[..., None]:
    """Return all commands, put together once."""
    return get_command(app)


def main(words: Sequence[str] | None = None) -> None:
    """
    Run the command, as `lanework` in a shell does.

    Args:
        words: What follows `lanework`; None takes what this process was started with.
    """
    try:
        _command()(None if words is None else list(words), prog_name="lanework")
    except LaneworkError as error:
        complain(str(error))
        sys.exit(exit_of(error))
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
