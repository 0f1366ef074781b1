"""The command `lanework demo`."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from rich.console import Console
from rich.live import Live

from lanework.cli.env import say_environment
from lanework.cli.exits import Exit
from lanework.cli.jobs import JOB_COLUMNS, cells_of
from lanework.cli.options import AsJson
from lanework.cli.output import complain, out, print_json, say, table_of
from lanework.errors import ConfigError
from lanework.local.application import entry_of
from lanework.local.demo import Demo, summary_of
from lanework.local.deployment.layer_packages import layer_packages
from lanework.local.emulator.venv import emulator_python
from lanework.local.environment import adopt
from lanework.local.project import Project, find_deployable
from lanework.local.stack.embedded import embedded_stack
from lanework.local.stack.producer_env import enter
from lanework.starter.origin import behind

if TYPE_CHECKING:
    from rich.table import Table

    from lanework.local.demo import Row, WarmStart

Port = Annotated[
    int | None,
    typer.Option(min=1, max=65_535, help="Port to use if it is free; else another one is taken. Default 4566."),
]

ChecksRights = Annotated[
    bool, typer.Option("--iam", help="Let IAM decide, as AWS does: each function has the rights of its role only.")
]


def demo(port: Port = None, as_json: AsJson = False, checks_rights: ChecksRights = False) -> None:
    """
    Start the embedded stack, run real jobs through every lane, check every outcome, stop.

    Exit code 1 if one came out otherwise.
    """
    project = find_deployable(Path.cwd())
    entry_of(project, "demo")
    prepare(project)
    say("starting the embedded stack and deploying template.yaml …")
    started = embedded_stack(project, fresh=True, port=port, name="demo", checks_rights=checks_rights, report=say)
    with started as stack:
        say(f"up at {stack.handle.endpoint}, stack {stack.handle.stack!r}")
        enter(stack.handle, stack.clients)
        running = Demo(stack)
        running.enqueue()
        _follow(running, sys.stderr if as_json else sys.stdout)
        problems, warm = running.problems(), running.warm_start()
    if as_json:
        jobs = [summary_of(row) for row in running.rows]
        print_json({"jobs": jobs, "problems": problems, "warmStart": None if warm is None else warm.summary()})
    else:
        _show_outcome(running, problems, warm)
    if problems:
        for problem in problems:
            complain(problem)
        raise typer.Exit(Exit.FAILED)


def prepare(project: Project) -> None:
    """
    Make what the embedded stack needs beside the project, saying so where it takes long, and take on its `.env`.

    Raises:
        ConfigError: The extra `local` isn't installed; or `.env` can't be read, or lacks what a variable refers to.
        StackError: The emulator's environment can't be made, or what requirements.txt names can't be had.
    """
    if importlib.util.find_spec("samtranslator") is None or importlib.util.find_spec("watchfiles") is None:
        msg = "the embedded stack needs an extra: pip install 'lanework[local]'"
        raise ConfigError(msg)
    lag = behind(project)
    if lag is not None:
        say(lag)
    own = say_environment(project)
    own.complete()
    adopt(own)
    layer_packages(project, report=say)
    emulator_python(project.home, report=say)
    if project.config.deployment is not None:
        say("no emulator has CodeDeploy: its types and the aliases are left out here, and new code counts at once")


def _follow(demo: Demo, stream: TextIO) -> None:
    """Show the demo's jobs on a stream until they are over."""
    if stream.isatty():
        _follow_live(demo, stream)
    else:
        _follow_in_lines(demo, stream)


def _show_outcome(demo: Demo, problems: list[str], warm: WarmStart | None) -> None:
    """Print the table of what came of every job, whether it is what should have, and what was cold."""
    wrong = {problem.partition(":")[0] for problem in problems}
    out().print(_table(demo.rows))
    if warm is not None:
        out().print(f"\n{warm}", soft_wrap=True)
    out().print(f"\n{len(demo.rows) - len(wrong)} of {len(demo.rows)} jobs came out as they should")


def _follow_live(demo: Demo, stream: TextIO) -> None:
    # Transient: the outcome's table takes its place.
    with Live(console=Console(file=stream, highlight=False), transient=True, auto_refresh=False) as live:
        for rows in demo.follow():
            live.update(_table(rows), refresh=True)


def _follow_in_lines(demo: Demo, stream: TextIO) -> None:
    begun = time.monotonic()
    shown: dict[str, str] = {}
    for rows in demo.follow():
        for row in rows:
            line = _line(row)
            if shown.get(row.job_id) != line:
                shown[row.job_id] = line
                stream.write(f"{time.monotonic() - begun:6.1f} s  {line}\n")
                stream.flush()


def _table(rows: list[Row]) -> Table:
    return table_of((*JOB_COLUMNS, "shows"), (_cells(row) for row in rows))


def _cells(row: Row) -> tuple[object, ...]:
    known = (row.job_id, row.expected.request.type.name, "", 0, "", "", "")
    return (*(known if row.record is None else cells_of(row.record)), row.expected.shows)


def _line(row: Row) -> str:
    record = row.record
    if record is None:
        return f"{row.job_id}: not recorded yet"
    progress = "" if record.progress is None else f", {record.progress} %"
    cause = "" if record.cause is None else f" ({record.cause}: {record.error})"
    where = f"{row.job_id:<14} {record.type:<26} {record.lane:<8}"
    return f"{where} {record.state} (attempt {record.attempts}{progress}){cause}"
