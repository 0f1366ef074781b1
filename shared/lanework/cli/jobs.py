"""Commands about jobs: enqueue, get, list, log, cancel, reschedule, signal."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, cast

import typer

from lanework.cli.connect import application, connected, informed
from lanework.cli.exits import Exit
from lanework.cli.options import (
    AsJson,
    Cursor,
    JobId,
    OnlyLane,
    OnlyQueue,
    OnlyType,
    PageOfJobs,
    duration_option,
    lane_option,
    payload_option,
    time_option,
    with_options,
    word_option,
)
from lanework.cli.output import answer, complain, fields_of, out, print_json, say_more, seconds, table_of
from lanework.cli.param_types import payload
from lanework.cli.times import stamp
from lanework.engine.operations.cancel import Cancelling
from lanework.engine.operations.signals import Signalling
from lanework.engine.queries.job_view import as_json as job_json
from lanework.engine.queries.jobs import ran_for, waited
from lanework.engine.queries.search import JobFilter, checked
from lanework.engine.sla.late_starts import Within
from lanework.model.json_view import iso
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import ENDED, State
from lanework.model.workflow.dependency import OnFailure

if TYPE_CHECKING:
    from rich.table import Table

    from lanework.engine.jobtypes.options import EnqueueOptions
    from lanework.model.lifecycle.states import JobRecord


JOB_COLUMNS: Final = ("id", "type", "lane", "attempts", "wait", "run", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What may be said of a job beside its type and payload, under the names of `EnqueueOptions`."""

    lane: Annotated[Lane | None, lane_option("Another lane than the type's")] = None
    delay: Annotated[timedelta | None, duration_option("Wait before it starts: 90, 10m, 1h30m.")] = None
    run_at: Annotated[datetime | None, time_option("When it starts, instead: 2026-12-24T18:00:00Z.", "--at")] = None
    start_by: Annotated[datetime | None, time_option("Not started by then, it is dead, cause expired.")] = None
    job_id: Annotated[str | None, typer.Option(help="Your own id; a repeated one enqueues nothing new.")] = None
    tenant: Annotated[
        str | None, typer.Option(help="The customer that it belongs to: lanes are shared fairly between tenants.")
    ] = None
    after: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A job that must have completed before; may be repeated.")
    ] = None
    on_failure: Annotated[
        OnFailure | None, word_option(OnFailure, "If one of these dies: wait (the default), cancel, run or die.")
    ] = None
    correlation_id: Annotated[str | None, typer.Option(help="A correlation id: log lines have it.")] = None
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="Address of a webhook for its completion or death.")
    ] = None
    unique_for: Annotated[
        timedelta | None, duration_option("Enqueue nothing if its key was enqueued within this time.")
    ] = None
    debounce: Annotated[
        timedelta | None, duration_option("Start after this time; a later one with its key replaces it.")
    ] = None

    def options(self) -> EnqueueOptions:
        """Return what was said."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        return cast("EnqueueOptions", {name: value for name, value in said.items() if value is not None})


@with_options
def enqueue(
    job_type: Annotated[str, typer.Argument(metavar="TYPE", help="Job type, such as user.signin.notification.")],
    payload_: Annotated[str, payload_option("The payload; - reads standard input.")] = "{}",
    *,
    how: How,
    as_json: AsJson = False,
) -> None:
    """
    Enqueue a job.

    Example: lanework enqueue user.otp -p '{"email": "bat@example.com", "code": "123456", "purpose": "sign-in"}'
    """
    receipt = application(changes=True).enqueue(job_type, payload(payload_), **how.options())
    if as_json:
        overdue = None if receipt.overdue is None else receipt.overdue.total_seconds()
        shown = {"jobId": receipt.job_id, "duplicate": receipt.duplicate, "payloadDiffers": receipt.payload_differs}
        print_json({**shown, "overdueSeconds": overdue})
        return
    other = " with another payload" if receipt.payload_differs else ""
    existed = f" (existed before{other}: nothing new was enqueued)" if receipt.duplicate else ""
    late = "" if receipt.overdue is None else " (that time is past: it starts now)"
    out().print(f"{receipt.job_id}{existed}{late}", markup=False)


def get(job_id: JobId, as_json: AsJson = False) -> None:
    """Show a job. Exit code 1 if there is none."""
    record = connected().get(job_id)
    if as_json:
        print_json(job_json(record))
        return
    shown = {name: value for name, value in job_json(record).items() if value is not False and name != "failures"}
    out().print(fields_of(shown))
    if record.failures:
        out().print()
        out().print(failures_of(record))


def failures_of(record: JobRecord) -> Table:
    """Return the failed attempts that a job's record keeps."""
    rows = ((one.life, one.attempt, stamp(one.at), one.error) for one in record.failures)
    return table_of(("life", "attempt", "failed at", "error"), rows)


def list_(
    type_: OnlyType = None,
    queue: OnlyQueue = None,
    lane: OnlyLane = None,
    status: Annotated[State | None, typer.Option(help="Only jobs in this state.")] = None,
    late: Annotated[
        Within | None, typer.Option(help="Only jobs that missed their lane's SLA, within this time.")
    ] = None,
    limit: PageOfJobs = 20,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """
    List jobs, newest first; the dead by their death, the late by their start.

    Example: lanework list --status dead --lane critical
    """
    app = informed(type_, queue)
    which = JobFilter(type=type_, queue=queue, lane=lane, state=status, late=late)
    page = app.runtime.search.newest(which, limit=limit, cursor=cursor)
    if cursor is None and app.registry.types:
        checked(which, page, app.registry)
    if as_json:
        jobs = [job_json(record) for record in page.jobs]
        print_json({"jobs": jobs, "cursor": page.cursor, "seenUntil": iso(page.seen_until)})
        return
    if page.jobs:
        rows = ((*cells_of(one), stamp(one.created_at)) for one in page.jobs)
        out().print(table_of((*JOB_COLUMNS, "created"), rows))
        say_more(page.cursor)
    else:
        back = "" if page.cursor is None else f"; to look further back: --cursor '{page.cursor}'"
        out().print(f"no such jobs {which.order} since {stamp(page.seen_until)}{back}", markup=False)


def cells_of(one: JobRecord) -> tuple[object, ...]:
    """Return what a table shows of a job below the columns `JOB_COLUMNS`."""
    times = (seconds(waited(one)), seconds(ran_for(one)))
    return (one.job_id, one.type, one.lane, one.attempts, *times, one.state)


def log(job_id: JobId, as_json: AsJson = False) -> None:
    """Print a job's log lines (`run.log`): the last 100, at most 16 KB."""
    lines = connected().inspector.log(job_id)
    if as_json:
        print_json(list(lines))
        return
    for line in lines:
        out().print(line, markup=False)


def cancel(job_id: JobId, as_json: AsJson = False) -> None:
    """Cancel a job: one that waits ends at once, a running one is asked to stop. Exit code 1 if it has ended."""
    outcome = connected(changes=True).cancel(job_id)
    if as_json:
        print_json({"jobId": job_id, "outcome": outcome})
    elif outcome is not Cancelling.TOO_LATE:
        said = {Cancelling.CANCELLED: "cancelled", Cancelling.ASKED: "asked to stop"}
        out().print(f"{job_id}: {said[outcome]}", markup=False)
    if outcome is Cancelling.TOO_LATE:
        state = connected().get(job_id).state
        hint = f"; to give it up for good: lanework dlq drop {job_id}" if state is State.DEAD else ""
        complain(f"job {job_id!r} is {state} and can't be cancelled{hint}")
        raise typer.Exit(Exit.FAILED)


def reschedule(
    job_id: JobId,
    at: Annotated[datetime | None, time_option("Its new start, such as 2026-12-24T18:00:00+01:00.")] = None,
    delay: Annotated[timedelta | None, duration_option("Its new start from now: 90, 10m, 1h30m.")] = None,
    as_json: AsJson = False,
) -> None:
    """
    Change when a waiting job starts: now, if no time is given. Exit code 1 if it runs or has ended.

    Example: lanework reschedule signin-7f3a --delay 10m
    """
    if at is not None and delay is not None:
        msg = "give --at or --delay, not both"
        raise typer.BadParameter(msg)
    record = connected(changes=True).reschedule(job_id, run_at=at, delay=delay or timedelta(0))
    held = f", once {record.held_by} lets it go" if record.held_by is not None and record.state not in ENDED else ""
    answer(job_json(record), f"{job_id}: starts at {stamp(record.run_at)}{held}", as_json=as_json)


def signal(
    job_id: JobId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The signal, as the job calls it: approved.")],
    payload_: Annotated[str, payload_option("What it brings; - reads standard input.")] = "null",
    as_json: AsJson = False,
) -> None:
    """
    Send a job a signal, also before it waits for it. Exit code 1 if it has ended, or no longer waits.

    Example: lanework signal refund-42 approved -p '{"by": "bat@example.com"}'
    """
    text = payload(payload_)
    try:
        brought = json.loads(text)
    except ValueError as error:
        msg = f"--payload is not JSON: {error}"
        raise typer.BadParameter(msg) from None
    outcome = connected(changes=True).signal(job_id, name, brought)
    said = {Signalling.KEPT: "kept", Signalling.REPEATED: "one had come before, and counts"}
    answer({"jobId": job_id, "outcome": outcome}, f"{job_id}: {name}: {said[outcome]}", as_json=as_json)
