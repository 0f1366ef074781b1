"""The command's entry point: errors in one line, exit codes with a name."""

from __future__ import annotations

import sys
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Final

import typer
from typer.main import get_command

from lanework.cli import (
    clean,
    demo,
    dev,
    doctor,
    env,
    jobs,
    lanes,
    outbox,
    probe,
    project,
    scaling,
    schedules,
    schema,
    stats,
    tail,
    token,
    top,
    webhooks,
    worker,
    workflows,
)
from lanework.cli.dlq import commands as dlq
from lanework.cli.exits import Exit, exit_of
from lanework.cli.options import group
from lanework.cli.output import complain
from lanework.cli.target import add_options
from lanework.errors import ImportFailedError, LaneworkError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


app = group("lanework", "Background jobs on SQS, Lambda and DynamoDB.")


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


_COMMANDS: Final = (
    *(jobs.enqueue, jobs.get, jobs.list_, jobs.log, jobs.cancel, jobs.reschedule, jobs.signal),
    *(lanes.pause, lanes.resume, lanes.drain, stats.stats, stats.sla, stats.costs, stats.alerts),
    *(top.top, tail.tail, clean.clean, project.init, project.upgrade, project.terraform, project.test),
    *(demo.demo, doctor.doctor, doctor.check, dev.dev, env.env, worker.worker, scaling.scaling, probe.probe),
)
"""The commands that are in no group, as help lists them."""

for command in _COMMANDS:
    to_pytest = {"allow_extra_args": True, "ignore_unknown_options": True} if command is project.test else None
    app.command(command.__name__.strip("_"), context_settings=to_pytest)(command)
for one in (dlq.app, outbox.app, schedules.app, schema.app, token.app, workflows.app, webhooks.app):
    app.add_typer(one)
add_options(app)


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
        if isinstance(error, ImportFailedError) and error.trace:
            sys.stderr.write(f"Traceback (most recent call last):\n{error.trace}")
        complain(str(error))
        sys.exit(exit_of(error))
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
