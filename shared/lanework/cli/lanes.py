"""Commands about lanes, queues and types: pause, resume, drain."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from lanework.cli.connect import application, connected
from lanework.cli.exits import Exit
from lanework.cli.options import AsJson, LaneName, Yes, duration_option, lane_option
from lanework.cli.output import answer, complain, say
from lanework.cli.production import confirm_in_production
from lanework.cli.progress import bar
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from lanework.model.lanes import LaneDepth


LaneOption = Annotated[Lane | None, lane_option("A lane")]
QueueOption = Annotated[str | None, typer.Option("--queue", help="A queue, such as email.")]
TypeOption = Annotated[str | None, typer.Option("--type", help="A job type.")]


def pause(
    lane: LaneOption = None,
    queue: QueueOption = None,
    type_: TypeOption = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """
    Pause a lane, a queue or a job type: within seconds none of its jobs starts. Without any, show what is paused.

    Of a production stack it asks for the name first.
    """
    chosen = next((one for one in (lane, queue, type_) if one is not None), None)
    app = (application if queue or type_ else connected)(changes=chosen is not None)
    if chosen is None:
        names = sorted(app.ports.flags.read().paused)
        answer(names, "\n".join(names) or "nothing is paused", as_json=as_json)
        return
    confirm_in_production(f"Pause {chosen}?", yes=yes)
    name = app.pause(lane=lane, queue=queue, job_type=type_)
    answer({"paused": name}, f"paused {name}", as_json=as_json)


def resume(
    lane: LaneOption = None, queue: QueueOption = None, type_: TypeOption = None, as_json: AsJson = False
) -> None:
    """Resume a lane, a queue or a job type; jobs that it held are sent within a minute."""
    app = (application if queue or type_ else connected)(changes=True)
    held = app.resume(lane=lane, queue=queue, job_type=type_)
    answer({"held": held}, f"resumed; {held} held jobs start within a minute", as_json=as_json)


def drain(
    lane: LaneName,
    timeout: Annotated[timedelta, duration_option("How long to wait at most.")] = "10m",  # type: ignore[assignment]  # typer parses the default, too
    as_json: AsJson = False,
) -> None:
    """
    Wait until a lane holds no message: none waiting, none delayed, none running or between retries.

    Jobs that are delayed by over 15 minutes, snoozed for long or paused are in no lane. Exit code 1 if time runs out.
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
    answer({"lane": lane, "drained": True}, f"{lane}: drained", as_json=as_json)


def _held(counts: LaneDepth) -> int:
    return counts.waiting + counts.in_flight + counts.delayed


def _described(counts: LaneDepth) -> str:
    return f"{counts.waiting} waiting, {counts.in_flight} in flight, {counts.delayed} delayed"
