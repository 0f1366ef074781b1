"""The command `lanework demo`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import typer

from lanework.cli.exits import Exit
from lanework.cli.follow import follow, show_outcome
from lanework.cli.options import AsJson
from lanework.cli.output import complain, print_json, say
from lanework.errors import ConfigError
from lanework.local import Project, embedded_stack, find_project
from lanework.local.demo.demo import Demo, summary_of
from lanework.local.emulator.venv import emulator_python
from lanework.local.stack.producer_env import enter

Port = Annotated[
    int | None,
    typer.Option(min=1, max=65_535, help="Port to use if it is free; else another one is taken. Default 4566."),
]


def demo(port: Port = None, as_json: AsJson = False) -> None:
    """
    Start the embedded stack, run real jobs through all five lanes, check every outcome, stop.

    Exit code 1 if one came out otherwise.
    """
    project = find_project(Path.cwd())
    prepare(project)
    say("starting the embedded stack and deploying template.yaml …")
    with embedded_stack(project, fresh=True, port=port, name="demo") as stack:
        say(f"up at {stack.handle.endpoint}, stack {stack.handle.stack!r}")
        enter(stack.handle, stack.clients)
        running = Demo(stack)
        running.enqueue()
        follow(running, sys.stderr if as_json else sys.stdout)
        problems = running.problems()
    if as_json:
        print_json({"jobs": [summary_of(row) for row in running.rows], "problems": problems})
    else:
        show_outcome(running, problems)
    if problems:
        for problem in problems:
            complain(problem)
        raise typer.Exit(Exit.FAILED)


def prepare(project: Project) -> None:
    """
    Make what the embedded stack needs beside the project, saying so where it takes long.

    Raises:
        ConfigError: The extra `local` isn't installed.
        StackError: The emulator's environment can't be made.
    """
    if importlib.util.find_spec("samtranslator") is None or importlib.util.find_spec("watchfiles") is None:
        msg = "the embedded stack needs its extra: pip install 'lanework[local]'"
        raise ConfigError(msg)
    emulator_python(project.home, report=say)
