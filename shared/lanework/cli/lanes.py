"""Commands about lanes, queues and types: pause, resume, drain."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from lanework.cli.connect import application, connected
from lanework.cli.exits import Exit
from lanework.cli.output import AsJson, complain, out, print_json, say
from lanework.cli.param_types import duration
from lanework.cli.param_types import lane as lane_
from lanework.cli.progress import bar
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from lanework.engine.ports.messages import LaneCounts


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for name, command in (("pause", pause), ("resume", resume), ("drain", drain)):
        app.command(name)(command)


LaneOption = Annotated[
    Lane | None, typer.Option("--lane", parser=lane_, metavar="LANE", help="A lane: critical … batch, or 1 to 5.")
]
QueueOption = Annotated[str | None, typer.Option("--queue", help="A queue, such as email.")]
TypeOption = Annotated[str | None, typer.Option("--type", help="A job type.")]


def pause(
    lane: LaneOption = None, queue: QueueOption = None, type_: TypeOption = None, as_json_: AsJson = False
) -> None:
    """Pause a lane, a queue or a job type: within seconds none of its jobs starts. Without any, show what is paused."""
    app = application() if queue or type_ else connected()
    if (lane, queue, type_) == (None, None, None):
        names = sorted(app.ports.flags.read().paused)
        if as_json_:
            print_json(names)
        else:
            out().print("\n".join(names) or "nothing is paused", markup=False)
        return
    name = app.pause(lane=lane, queue=queue, job_type=type_)
    if as_json_:
        print_json({"paused": name})
    else:
        out().print(f"paused {name}", markup=False)


def resume(
    lane: LaneOption = None, queue: QueueOption = None, type_: TypeOption = None, as_json_: AsJson = False
) -> None:
    """Take a pause away; what it held is sent by the next minute's tick."""
    app = application() if queue or type_ else connected()
    held = app.resume(lane=lane, queue=queue, job_type=type_)
    if as_json_:
        print_json({"held": held})
    else:
        out().print(f"resumed; {held} held jobs start within a minute", markup=False)


def drain(
    lane: Annotated[Lane, typer.Argument(metavar="LANE", parser=lane_, help="critical … batch, or 1 to 5.")],
    timeout: Annotated[
        timedelta, typer.Option(parser=duration, metavar="DURATION", help="How long to wait at most.")
    ] = "10m",  # type: ignore[assignment]  # typer parses the default, too
    as_json_: AsJson = False,
) -> None:
    """
    Wait until a lane holds no message: none waiting, none delayed, none running or between retries.

    What is delayed by over 15 minutes, snoozed for long or paused is in no lane. Exit code 1 if time runs out.
    """
    app = connected()
    deadline = time.monotonic() + timeout.total_seconds()
    counts = app.inspector.counts_of(lane)
    most, before = _held(counts), None
    with bar(f"draining {lane}", total=most) as show:
        while counts.holds_anything:
            if time.monotonic() > deadline:
                complain(f"lane {lane} still holds messages after {timeout.total_seconds():g} s: {_described(counts)}")
                raise typer.Exit(Exit.FAILED)
            if counts != before and not sys.stderr.isatty():
                say(f"{lane}: {_described(counts)}")
            before, most = counts, max(most, _held(counts))
            show(most - _held(counts))
            time.sleep(1)
            counts = app.inspector.counts_of(lane)
    if as_json_:
        print_json({"lane": lane, "drained": True})
    else:
        out().print(f"{lane}: drained", markup=False)


def _held(counts: LaneCounts) -> int:
    return counts.waiting + counts.in_flight + counts.delayed


def _described(counts: LaneCounts) -> str:
    return f"{counts.waiting} waiting, {counts.in_flight} in flight, {counts.delayed} delayed"
