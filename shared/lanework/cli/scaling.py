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
        duration_option("The time within which waiting jobs should start; default: the lane's SLA."),
    ] = None,
    run_time: Annotated[
        timedelta | None,
        duration_option("How long a job takes; default: the mean of the last ones."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    Compute how many `lanework worker` processes a lane's backlog needs, and the target for an autoscaler.

    Example: lanework scaling low --concurrency 4
    """
    target = within or LANES[which].start_within
    if not target:
        msg = f"lane {which} has no SLA: give the time within which its backlog should start, such as --within 1h"
        raise InvalidOptionError(msg)
    app = connected()
    each = run_time or run_time_in(which, app.runtime.search)
    if not each:
        msg = f"no job of lane {which} has completed lately: give how long one takes, such as --run-time 2s"
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
