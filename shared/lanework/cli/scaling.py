"""The command that says how many workers a lane needs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from lanework.cli.connect import connected
from lanework.cli.options import AsJson, LaneName, duration_option
from lanework.cli.output import answer, seconds
from lanework.engine.queries.scaling import Scaling, run_time_in
from lanework.errors import InvalidOptionError
from lanework.model.lanes import LANES


def scaling(
    which: LaneName,
    concurrency: Annotated[
        int, typer.Option("--concurrency", "-c", min=1, help="How many jobs a worker runs at once.")
    ] = 4,
    within: Annotated[
        timedelta | None,
        duration_option("In which time what waits is to start; default: the lane's SLA."),
    ] = None,
    run_time: Annotated[
        timedelta | None,
        duration_option("How long a job takes; the mean of the last ones if not said."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    Say how many `lanework worker` processes a lane's backlog asks for, and the target for an autoscaler.

    Example: lanework scaling low --concurrency 4
    """
    target = within or LANES[which].start_within
    if not target:
        msg = f"lane {which} promises no start: say in which time its backlog is to be gone, such as --within 1h"
        raise InvalidOptionError(msg)
    app = connected()
    each = run_time or run_time_in(which, app.runtime.search)
    if not each:
        msg = f"no job of lane {which} has completed of late: say how long one takes, such as --run-time 2s"
        raise InvalidOptionError(msg)
    waiting = app.inspector.counts_of(which).waiting
    found = Scaling(lane=which, waiting=waiting, run_time=each, within=target, slots=concurrency)
    answer(_json(found), _text(found), as_json=as_json)


def _json(found: Scaling) -> dict[str, object]:
    return {
        "lane": found.lane,
        "waiting": found.waiting,
        "runSeconds": found.run_time.total_seconds(),
        "withinSeconds": found.within.total_seconds(),
        "backlogPerWorker": found.per_worker,
        "workers": found.workers,
    }


def _text(found: Scaling) -> str:
    each, within = seconds(found.run_time), seconds(found.within)
    return (
        f"{found.waiting:,} wait in lane {found.lane}; a job takes {each}, {found.slots} at once a worker\n"
        f"backlog per worker: {found.per_worker:,} start within {within} (the autoscaler's target)\n"
        f"workers needed now: {found.workers:,}"
    )
