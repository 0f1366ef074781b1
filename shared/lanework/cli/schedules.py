"""Commands about schedules: add, list, pause, resume, remove, run, next."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, cast

import typer

from lanework.cli.connect import application, connected, project_here
from lanework.cli.exits import EPILOG
from lanework.cli.output import AsJson, out, print_json, say, table_of
from lanework.cli.param_types import duration, one_of, payload
from lanework.cli.times import local, stamp
from lanework.engine.schedules.service import Listed, next_of
from lanework.engine.schedules.view import Schedule
from lanework.model.schedule.schedule import CatchUp, Overlap
from lanework.model.schedule.timetable import zone_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lanework.app import App
    from lanework.model.schedule.schedule import CatchUpName, OverlapName, ScheduleRecord
    from lanework.model.schedule.timetable import Timetable

app = typer.Typer(
    name="schedules",
    help="Jobs that are enqueued by themselves: look at their schedules, add some, pause them, run one now.",
    epilog=EPILOG,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The schedule; a declared one has its job type's name.")]


@app.command()
def add(  # noqa: PLR0913, PLR0917 - an option for each word of a schedule
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower-case letters, digits, . _ and -; at most 64.")],
    job_type: Annotated[str, typer.Argument(metavar="TYPE", help="Job type to enqueue at each tick.")],
    payload_: Annotated[
        str, typer.Option("--payload", "-p", metavar="JSON|@FILE|-", help="The payload; - reads standard input.")
    ] = "{}",
    cron: Annotated[str | None, typer.Option(help="Five fields, or EventBridge's six: '0 2 * * *'.")] = None,
    every: Annotated[
        timedelta | None,
        typer.Option(parser=duration, metavar="DURATION", help="Instead: an interval of whole minutes: 10m, 6h, 1d."),
    ] = None,
    tz: Annotated[str | None, typer.Option(metavar="ZONE", help="Zone of the cron: Asia/Tokyo. Default UTC.")] = None,
    overlap: Annotated[
        Overlap | None,
        typer.Option(
            parser=one_of(Overlap),
            metavar="WORD",
            help="While the previous run has not ended: skip (the default) or allow.",
        ),
    ] = None,
    catch_up: Annotated[
        CatchUp | None,
        typer.Option(
            parser=one_of(CatchUp),
            metavar="WORD",
            help="Of missed ticks: latest (the default), skip, or all (with --overlap allow).",
        ),
    ] = None,
    as_json_: AsJson = False,
) -> None:
    """
    Add a schedule, or change one that was added. Safe to repeat: only another timetable starts anew, from now.

    Example: lanework schedules add greeting demo.greet -p '{"name": "Bat"}' --cron '0 9 * * MON' --tz Asia/Ulaanbaatar
    """
    app_ = application()
    added = app_.schedules.add(
        name,
        job_type,
        payload(payload_),
        cron=cron,
        every=every,
        tz=tz,
        overlap=cast("OverlapName | None", overlap),
        catch_up=cast("CatchUpName | None", catch_up),
    )
    if not added.is_prodded:
        say("this endpoint has no EventBridge Scheduler: the minute tick starts it, up to a minute late")
    _print(app_, added.record, said=f"{name}: {_when(added.record.schedule.timetable)}", as_json_=as_json_)


@app.command("list")
def list_(as_json_: AsJson = False) -> None:
    """
    List every schedule: when it fires next, what became of its last run.

    Example: lanework schedules list --json
    """
    app_ = _app()
    found, now = app_.schedules.list(), app_.ports.clock()
    if as_json_:
        print_json([Schedule.of(one, now=now).to_json() for one in found])
        return
    if not found:
        out().print("there are no schedules")
        return
    columns = ("name", "type", "when", "next", "next in UTC", "last run", "state", "")
    out().print(table_of(columns, [_row(one, now) for one in found]))


@app.command()
def pause(name: Name, as_json_: AsJson = False) -> None:
    """
    Let a schedule fire no more until it is resumed. Jobs that it has enqueued run.

    Example: lanework schedules pause cleanup.expired-tokens
    """
    app_ = _app()
    _print(app_, app_.schedules.pause(name), said=f"{name}: paused", as_json_=as_json_)


@app.command()
def resume(name: Name, as_json_: AsJson = False) -> None:
    """
    Let a schedule fire again, from now: what the pause held up is not caught up with.

    Example: lanework schedules resume cleanup.expired-tokens
    """
    app_ = _app()
    record = app_.schedules.resume(name)
    upcoming = next_of(record, app_.ports.clock())
    said = f"{name}: resumed, next {_local(upcoming, record.schedule.timetable)}"
    _print(app_, record, said=said, as_json_=as_json_)


@app.command()
def remove(name: Name, as_json_: AsJson = False) -> None:
    """
    Remove a schedule that was added. Jobs that it has enqueued stay.

    Example: lanework schedules remove greeting
    """
    _app().schedules.remove(name)
    if as_json_:
        print_json({"removed": name})
    else:
        out().print(f"{name}: removed", markup=False)


@app.command()
def run(name: Name, as_json_: AsJson = False) -> None:
    """
    Enqueue a schedule's job now, beside its ticks.

    Example: lanework schedules run cleanup.expired-tokens
    """
    receipt = application().schedules.run(name)
    if as_json_:
        print_json({"jobId": receipt.job_id, "duplicate": receipt.duplicate})
    else:
        out().print(receipt.job_id, markup=False)


@app.command("next")
def next_(
    name: Name,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1000, help="How many ticks, 1 to 1,000.")] = 5,
    as_json_: AsJson = False,
) -> None:
    """
    Show when a schedule fires next, in its own zone and in UTC.

    Example: lanework schedules next cleanup.expired-tokens -n 10
    """
    schedules = _app().schedules
    ticks, timetable = schedules.next(name, count), schedules.get(name).schedule.timetable
    if as_json_:
        print_json([f"{tick:%Y-%m-%dT%H:%MZ}" for tick in ticks])
        return
    out().print(table_of((timetable.tz, "UTC"), [(_local(tick, timetable), stamp(tick)) for tick in ticks]))


def _app() -> App:
    """Return the project's application, which knows what was declared just now; elsewhere the table says enough."""
    return connected() if project_here() is None else application()


def _print(app_: App, record: ScheduleRecord, *, said: str, as_json_: bool) -> None:
    if as_json_:
        shown = Schedule.of(Listed(record=record, last_state=None), now=app_.ports.clock()).to_json()
        print_json({name: value for name, value in shown.items() if name != "lastStatus"})  # which nobody has looked up
    else:
        out().print(said, markup=False)


def _row(listed: Listed, now: datetime) -> Sequence[object]:
    record, timetable = listed.record, listed.record.schedule.timetable
    upcoming = next_of(record, now)
    return (
        record.schedule.name,
        record.schedule.job_type,
        _when(timetable),
        _local(upcoming, timetable),
        stamp(upcoming),
        record.last_run,
        listed.last_state,
        "paused" if record.paused else "",
    )


def _when(timetable: Timetable) -> str:
    return timetable.words if timetable.every is not None else f"{timetable.words}, {timetable.tz}"


def _local(tick: datetime | None, timetable: Timetable) -> str:
    return "" if tick is None else local(tick, zone_of(timetable.tz))
