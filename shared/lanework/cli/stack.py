"""Commands about the embedded stack: demo, dev, check."""

from __future__ import annotations

import importlib.util
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lanework.cli.follow import follow, show_outcome
from lanework.cli.log_lines import readable
from lanework.cli.output import AsJson, complain, out, print_json, say
from lanework.errors import ConfigError
from lanework.local import embedded_stack, find_project, redeploy_on_change
from lanework.local.check import check_template
from lanework.local.demo import Demo, summary_of
from lanework.local.logs import LogTail
from lanework.local.surroundings import enter

if TYPE_CHECKING:
    from lanework.local import RunningStack

Port = Annotated[int | None, typer.Option(help="Port to use if it is free; else another one is taken. Default 4566.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for name, command in (("demo", demo), ("dev", dev), ("check", check)):
        app.command(name)(command)


def demo(port: Port = None, as_json: AsJson = False) -> None:
    """
    Start the embedded stack, run real jobs through all five lanes, check every outcome, stop.

    Exit code 1 if one came out otherwise.
    """
    _need_the_local_extra()
    project = find_project(Path.cwd())
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
        raise typer.Exit(1)


def dev(port: Port = None) -> None:
    """Keep the embedded stack up until Ctrl-C: deploys again when a file changes, and shows what the workers write."""
    _need_the_local_extra()
    project = find_project(Path.cwd())
    say("starting the embedded stack and deploying template.yaml …")
    with embedded_stack(project, port=port) as stack:
        _greet(stack)
        stop = threading.Event()
        tail = threading.Thread(target=_show_logs, args=(stack, stop), daemon=True)
        tail.start()
        try:
            for change in redeploy_on_change(stack, stop):
                files = ", ".join(change.changed)
                say(f"deployed {files}" if change.problem is None else f"not deployed: {change.problem}")
        except KeyboardInterrupt:
            say("\nstopping: jobs that run may finish (Ctrl-C again to stop at once) …")
        finally:
            stop.set()
            tail.join()
    say("stopped; nothing is left running")


def check() -> None:
    """Check template.yaml: the SAM transform, then cfn-lint on what it makes."""
    project = find_project(Path.cwd())
    problems = check_template(project.template)
    for problem in problems:
        complain(f"{project.template.name}: {problem}")
    if problems:
        raise typer.Exit(1)
    out().print(f"{project.template.name}: nothing to complain about")


def _greet(stack: RunningStack) -> None:
    say(
        f"""up at {stack.handle.endpoint}, stack {stack.handle.stack!r}; edit a job and it is deployed. Try, elsewhere:
  lanework enqueue demo.greet --payload '{{"name": "Bat"}}'
  lanework enqueue demo.flaky --job-id try-1; lanework get try-1
  lanework list
  lanework stats
Ctrl-C stops it."""
    )


def _show_logs(stack: RunningStack, stop: threading.Event) -> None:
    tail = LogTail(clients=stack.clients, stack=stack.handle.stack, since=datetime.now(UTC))
    while not stop.wait(0.5):
        for line in tail.read():
            lane = line.function.rpartition("-")[2]
            sys.stdout.write(f"{line.at:%H:%M:%S}  {lane:<8}  {readable(line.text)}\n")
            sys.stdout.flush()


def _need_the_local_extra() -> None:
    if importlib.util.find_spec("ministack") is None:
        msg = "the embedded stack needs its extra: pip install 'lanework[local]'"
        raise ConfigError(msg)
