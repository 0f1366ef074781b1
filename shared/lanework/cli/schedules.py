"""Commands about schedules: add, list, pause, resume, remove, run, next."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from lanework.cli.connect import application, informed
from lanework.cli.options import AsJson, duration_option, group, payload_option, with_options, word_option
from lanework.cli.output import answer, out, print_json, say, table_of
from lanework.cli.param_types import payload
from lanework.cli.times import local, stamp
from lanework.engine.schedules.service import Listed, next_of
from lanework.engine.schedules.view import Schedule
from lanework.model.schedule.schedule import CatchUp, Overlap
from lanework.model.schedule.timetable import zone_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lanework.app import App
    from lanework.model.schedule.schedule import ScheduleRecord
    from lanework.model.schedule.timetable import Timetable

app = group(
    "schedules", "Jobs that are enqueued by themselves: look at their schedules, add some, pause them, run one now."
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The schedule; a declared one has its job type's name.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """When a schedule fires, and what becomes of ticks that come too soon or were missed."""

    cron: Annotated[str | None, typer.Option(help="Five fields, or EventBridge's six: '0 2 * * *'.")] = None
    every: Annotated[timedelta | None, duration_option("Instead: an interval of whole minutes: 10m, 6h, 1d.")] = None
    tz: Annotated[str | None, typer.Option(metavar="ZONE", help="Zone of the cron: Asia/Tokyo. Default UTC.")] = None
    overlap: Annotated[
        Overlap | None, word_option(Overlap, "While the previous run has not ended: skip (the default) or allow.")
    ] = None
    catch_up: Annotated[
        CatchUp | None,
        word_option(CatchUp, "Of missed ticks: latest (the default), skip, or all (with --overlap allow)."),
    ] = None


@app.command()
@with_options
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower-case letters, digits, . _ and -; at most 64.")],
    job_type: Annotated[str, typer.Argument(metavar="TYPE", help="Job type to enqueue at each tick.")],
    payload_: Annotated[str, payload_option("The payload; - reads standard input.")] = "{}",
    *,
    terms: Terms,
    as_json: AsJson = False,
) -> None:
    """
    Add a schedule, or change one that was added. Safe to repeat: only a changed timetable starts again, from now.

    Example: lanework schedules add greeting demo.greet -p '{"name": "Bat"}' --cron '0 9 * * MON' --tz Asia/Ulaanbaatar
    """
    app_ = application(changes=True)
    added = app_.schedules.add(name, job_type, payload(payload_), **asdict(terms))
    if not added.is_connected:
        say("this endpoint has no EventBridge Scheduler: the minute tick starts it, up to a minute late")
    _print(app_, added.record, said=f"{name}: {_when(added.record.schedule.timetable)}", as_json=as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """
    List every schedule: when it fires next, what became of its last run.

    Example: lanework schedules list --json
    """
    app_ = informed()
    found, now = app_.schedules.list(), app_.ports.clock()
    if as_json:
        print_json([Schedule.of(one, now=now).to_json() for one in found])
        return
    if not found:
        out().print("there are no schedules")
        return
    columns = ("name", "type", "when", "next", "next in UTC", "last run", "state", "")
    out().print(table_of(columns, [_row(one, now) for one in found]))


@app.command()
def pause(name: Name, as_json: AsJson = False) -> None:
    """
    Pause a schedule: it doesn't fire until it is resumed. Jobs that it has enqueued run.

    Example: lanework schedules pause cleanup.expired-tokens
    """
    app_ = informed(changes=True)
    _print(app_, app_.schedules.pause(name), said=f"{name}: paused", as_json=as_json)


@app.command()
def resume(name: Name, as_json: AsJson = False) -> None:
    """
    Resume a schedule from now: ticks of the time of the pause are not made up for.

    Example: lanework schedules resume cleanup.expired-tokens
    """
    app_ = informed(changes=True)
    record = app_.schedules.resume(name)
    upcoming = next_of(record, app_.ports.clock())
    said = f"{name}: resumed, next {_local(upcoming, record.schedule.timetable)}"
    _print(app_, record, said=said, as_json=as_json)


@app.command()
def remove(name: Name, as_json: AsJson = False) -> None:
    """
    Remove a schedule that was added. Jobs that it has enqueued stay.

    Example: lanework schedules remove greeting
    """
    informed(changes=True).schedules.remove(name)
    answer({"removed": name}, f"{name}: removed", as_json=as_json)


@app.command()
def run(name: Name, as_json: AsJson = False) -> None:
    """
    Enqueue a schedule's job now, beside its ticks.

    Example: lanework schedules run cleanup.expired-tokens
    """
    receipt = application(changes=True).schedules.run(name)
    answer({"jobId": receipt.job_id, "duplicate": receipt.duplicate}, receipt.job_id, as_json=as_json)


@app.command("next")
def next_(
    name: Name,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1000, help="How many ticks, 1 to 1,000.")] = 5,
    as_json: AsJson = False,
) -> None:
    """
    Show when a schedule fires next, in its own zone and in UTC.

    Example: lanework schedules next cleanup.expired-tokens -n 10
    """
    schedules = informed().schedules
    ticks, timetable = schedules.next(name, count), schedules.get(name).schedule.timetable
    if as_json:
        print_json([f"{tick:%Y-%m-%dT%H:%MZ}" for tick in ticks])
        return
    out().print(table_of((timetable.tz, "UTC"), [(_local(tick, timetable), stamp(tick)) for tick in ticks]))


def _print(app_: App, record: ScheduleRecord, *, said: str, as_json: bool) -> None:
    shown = Schedule.of(Listed(record=record, last_state=None), now=app_.ports.clock()).to_json()
    del shown["lastStatus"]  # which nobody has looked up
    answer(shown, said, as_json=as_json)


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
