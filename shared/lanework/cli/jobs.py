"""Commands about jobs: enqueue, get, log, cancel, reschedule, signal; `list` is in list_jobs.py."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, cast

import typer

from lanework.cli.connect import application, connected
from lanework.cli.exits import Exit
from lanework.cli.list_jobs import list_
from lanework.cli.output import AsJson, complain, out, print_json, table_of
from lanework.cli.param_types import duration, lane, moment, one_of, payload
from lanework.cli.param_types import job_id as existing
from lanework.cli.times import stamp
from lanework.engine.operations.cancel import Cancelling
from lanework.engine.operations.signals import Signalling
from lanework.engine.queries.job_view import as_json
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import ENDED, State
from lanework.model.workflow.dependency import OnFailure

if TYPE_CHECKING:
    from lanework.engine.jobtypes.options import EnqueueOptions
    from lanework.model.workflow.dependency import OnFailureName


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for name, command in (
        ("enqueue", enqueue),
        ("get", get),
        ("list", list_),
        ("log", log),
        ("cancel", cancel),
        ("reschedule", reschedule),
        ("signal", signal),
    ):
        app.command(name)(command)


def enqueue(  # noqa: PLR0913, PLR0917 - one parameter is one option
    job_type: Annotated[str, typer.Argument(metavar="TYPE", help="Job type, such as user.signin.notification.")],
    payload_: Annotated[
        str, typer.Option("--payload", "-p", metavar="JSON|@FILE|-", help="The payload; - reads standard input.")
    ] = "{}",
    lane_: Annotated[
        Lane | None,
        typer.Option(
            "--lane", parser=lane, metavar="LANE", help="Another lane than the type's: critical … batch, or 1 to 5."
        ),
    ] = None,
    delay: Annotated[
        timedelta | None,
        typer.Option(parser=duration, metavar="DURATION", help="Wait before it starts: 90, 10m, 1h30m."),
    ] = None,
    at: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="When it starts, instead: 2026-12-24T18:00:00Z."),
    ] = None,
    start_by: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="Not started by then, it is dead, cause expired."),
    ] = None,
    job_id: Annotated[str | None, typer.Option(help="Your own id; a repeated one enqueues nothing new.")] = None,
    tenant: Annotated[str | None, typer.Option(help="On whose behalf: lanes share themselves between tenants.")] = None,
    after: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A job that must have completed before; may be repeated.")
    ] = None,
    on_failure: Annotated[
        OnFailure | None,
        typer.Option(
            parser=one_of(OnFailure),
            metavar="WORD",
            help="If one of these dies: wait (the default), cancel, run or die.",
        ),
    ] = None,
    correlation_id: Annotated[str | None, typer.Option(help="What it belongs to: log lines name it.")] = None,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="Address of a webhook for its completion or death.")
    ] = None,
    unique_for: Annotated[
        timedelta | None,
        typer.Option(parser=duration, metavar="DURATION", help="Enqueue nothing if its key was within this time."),
    ] = None,
    debounce: Annotated[
        timedelta | None,
        typer.Option(
            parser=duration, metavar="DURATION", help="Start after this, unless a later one with its key does."
        ),
    ] = None,
    as_json_: AsJson = False,
) -> None:
    """
    Enqueue a job.

    Example: lanework enqueue user.otp -p '{"email": "bat@example.com", "code": "123456", "purpose": "sign-in"}'
    """
    options: EnqueueOptions = {
        "delay": delay,
        "run_at": at,
        "start_by": start_by,
        "job_id": job_id,
        "tenant": tenant,
        "after": after,
        "on_failure": cast("OnFailureName | None", on_failure),
        "correlation_id": correlation_id,
        "webhook": webhook,
    }
    if lane_ is not None:
        options["lane"] = lane_
    if unique_for is not None:
        options["unique_for"] = unique_for
    if debounce is not None:
        options["debounce"] = debounce
    receipt = application().enqueue(job_type, payload(payload_), **options)
    if as_json_:
        overdue = None if receipt.overdue is None else receipt.overdue.total_seconds()
        print_json(
            {
                "jobId": receipt.job_id,
                "duplicate": receipt.duplicate,
                "payloadDiffers": receipt.payload_differs,
                "overdueSeconds": overdue,
            }
        )
        return
    other = " with another payload" if receipt.payload_differs else ""
    existed = f" (existed before{other}: nothing new was enqueued)" if receipt.duplicate else ""
    late = "" if receipt.overdue is None else " (that time is past: it starts now)"
    out().print(f"{receipt.job_id}{existed}{late}", markup=False)


def get(
    job_id: Annotated[str, typer.Argument(metavar="ID", parser=existing)],
    as_json_: AsJson = False,
) -> None:
    """Show where a job stands. Exit code 1 if there is none."""
    record = connected().get(job_id)
    if as_json_:
        print_json(as_json(record))
        return
    shown = {name: value for name, value in as_json(record).items() if value not in (None, []) and value is not False}
    shown.pop("failures", None)
    out().print(table_of(("field", "value"), ((name, str(value)) for name, value in shown.items())))
    if record.failures:
        rows = ((one.life, one.attempt, stamp(one.at), one.error) for one in record.failures)
        out().print()
        out().print(table_of(("life", "attempt", "failed at", "error"), rows))


def log(
    job_id: Annotated[str, typer.Argument(metavar="ID", parser=existing)],
    as_json_: AsJson = False,
) -> None:
    """Print what a job said through `run.log`: the last 100 lines, at most 16 KB."""
    lines = connected().inspector.log(job_id)
    if as_json_:
        print_json(list(lines))
        return
    for line in lines:
        out().print(line, markup=False)


def cancel(
    job_id: Annotated[str, typer.Argument(metavar="ID", parser=existing)],
    as_json_: AsJson = False,
) -> None:
    """Cancel a job: one that waits ends at once, a running one is asked to stop. Exit code 1 if it has ended."""
    outcome = connected().cancel(job_id)
    if as_json_:
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
    job_id: Annotated[str, typer.Argument(metavar="ID", parser=existing)],
    at: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="Its new start, such as 2026-12-24T18:00:00+01:00."),
    ] = None,
    delay: Annotated[
        timedelta | None,
        typer.Option(parser=duration, metavar="DURATION", help="Its new start from now: 90, 10m, 1h30m."),
    ] = None,
    as_json_: AsJson = False,
) -> None:
    """
    Let a job that waits start at another time: now, if none is given. Exit code 1 if it runs or has ended.

    Example: lanework reschedule signin-7f3a --delay 10m
    """
    if at is not None and delay is not None:
        msg = "give --at or --delay, not both"
        raise typer.BadParameter(msg)
    record = connected().reschedule(job_id, run_at=at, delay=delay or timedelta(0))
    if as_json_:
        print_json(as_json(record))
        return
    held = f", once {record.held_by} lets it go" if record.held_by is not None and record.state not in ENDED else ""
    out().print(f"{job_id}: starts at {stamp(record.run_at)}{held}", markup=False)


def signal(
    job_id: Annotated[str, typer.Argument(metavar="ID", parser=existing)],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The signal, as the job calls it: approved.")],
    payload_: Annotated[
        str, typer.Option("--payload", "-p", metavar="JSON|@FILE|-", help="What it brings; - reads standard input.")
    ] = "null",
    as_json_: AsJson = False,
) -> None:
    """
    Send a job a signal that it waits for, or will. Exit code 1 if it has ended, or waits no more.

    Example: lanework signal refund-42 approved -p '{"by": "bat@example.com"}'
    """
    text = payload(payload_)
    try:
        brought = json.loads(text)
    except ValueError as error:
        msg = f"--payload is not JSON: {error}"
        raise typer.BadParameter(msg) from None
    outcome = connected().signal(job_id, name, brought)
    if as_json_:
        print_json({"jobId": job_id, "outcome": outcome})
        return
    said = {Signalling.KEPT: "kept", Signalling.REPEATED: "one had come before, and counts"}
    out().print(f"{job_id}: {name}: {said[outcome]}", markup=False)
