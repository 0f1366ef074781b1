"""Commands about numbers: stats, sla, costs, alerts."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from lanework.cli.connect import connected
from lanework.cli.exits import Exit
from lanework.cli.options import AsJson, OnlyLane
from lanework.cli.output import out, print_json, seconds, table_of
from lanework.cli.times import stamp
from lanework.engine.stats import view
from lanework.engine.stats.overview import LaneOverview, StackOverview, stack_overview
from lanework.engine.stats.statistics import by_type, lanes_of
from lanework.model.sla.results import SlaResult, late_jobs, sla_by_lane, sla_by_type
from lanework.model.stats.numbers import Count, Numbers

if TYPE_CHECKING:
    from rich.table import Table

    from lanework.app import App
    from lanework.engine.stats.statistics import Window
    from lanework.model.stats.alerts import Alert

_LOOK_AGAIN_S: Final = 2.0
_MOST_LATE: Final = 20


class By(StrEnum):
    """What numbers are added up by."""

    LANE = "lane"
    QUEUE = "queue"
    TYPE = "type"


Day = Annotated[bool, typer.Option("--day", help="The last 24 hours instead of the last 60 minutes.")]


def stats(
    by: Annotated[By, typer.Option(help="Lane by lane, queue by queue or type by type.")] = By.LANE,
    day: Day = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Repeat every two seconds, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """
    Show what lanes hold, as SQS counts it (approximately), and what jobs did in the last hour.

    A queue's waiting and running jobs are an estimate where a lane serves several queues.

    Example: lanework stats --by type --day --watch
    """
    app = connected()
    if not watch:
        _print_stats(app, by, is_day=day, as_json=as_json)
    elif as_json or not sys.stdout.isatty():
        while True:
            _print_stats(app, by, is_day=day, as_json=as_json)
            sys.stdout.flush()
            time.sleep(_LOOK_AGAIN_S)
    else:
        with Live(console=Console(highlight=False), auto_refresh=False) as live:
            while True:
                live.update(_stats_table(_counted(app), by, is_day=day), refresh=True)
                time.sleep(_LOOK_AGAIN_S)


def sla(
    only: OnlyLane = None,
    day: Day = False,
    as_json: AsJson = False,
) -> None:
    """
    Show how lanes met their SLA: which share of jobs started in time, and which started late.

    Example: lanework sla --lane critical --day
    """
    app = connected()
    shown = app.ports.stack_lanes if only is None else (only,)
    overview = app.runtime.statistics.overview()
    window = overview.day if day else overview.hour
    lanes = [one for one in sla_by_lane(lanes_of(window.numbers)) if one.lane in shown]
    types = [one for one in sla_by_type(window.numbers) if only in (None, one.lane)]
    late = late_jobs(window.incidents, lane=only)
    if as_json:
        kept = {"lanes": tuple(map(view.Sla.of, lanes)), "types": tuple(map(view.Sla.of, types))}
        print_json(view.SlaReport(**kept, late_jobs=tuple(map(view.LateJob.of, late))).to_json())
        return
    columns = ("lane", "type", "SLA", "starts", "late", "in time", "median", "p95", "p99")
    out().print(table_of(columns, (_kept_cells(one) for one in (*lanes, *types))))
    if late:
        out().print("\nLate jobs, the latest first:", markup=False)
        rows = ((stamp(one.at), one.lane, one.type, seconds(one.waited), one.job_id) for one in late[:_MOST_LATE])
        out().print(table_of(("started", "lane", "type", "waited", "id"), rows))


def costs(
    hour: Annotated[bool, typer.Option("--hour", help="The last 60 minutes instead of the last 24 hours.")] = False,
    as_json: AsJson = False,
) -> None:
    """
    Estimate what job types cost on AWS, with the part of retries and idle polling.

    Example: lanework costs --json
    """
    app = connected()
    overview = app.runtime.statistics.overview()
    window = overview.hour if hour else overview.day
    found = app.runtime.costs(window)
    if as_json:
        print_json(view.Costs.of(found).to_json())
        return
    used = ("SQS requests", "write units", "GB-seconds", "log KB")
    columns = ("type", "jobs", *used, "USD", "of it retries", "USD a million")
    rows = (
        (
            *(one.type, one.jobs, round(one.usage.sqs_requests), round(one.usage.write_units)),
            *(round(one.usage.gb_seconds, 1), round(one.usage.log_bytes / 1024)),
            *(_usd(one.usd), _usd(one.retries_usd), _usd(one.usd_per_million)),
        )
        for one in found.types
    )
    out().print(table_of(columns, rows))
    prices = f"AWS's prices of {found.prices.as_of} in {found.prices.region}"
    hours = found.over / timedelta(hours=1)
    out().print(
        f"\nAn estimate for {hours:.1f} h, by {prices}: {_usd(found.usd)} USD in all,\n"
        f"of it {_usd(found.retries_usd)} for retries, and at most {_usd(found.idle_usd)} for polling empty lanes.\n"
        f"The write units: {_usd(found.writes_usd)} USD of it on demand, "
        f"{_usd(found.provisioned_writes_usd)} provisioned (TableCapacity), at this load if it is steady.",
        markup=False,
    )


def alerts(as_json: AsJson = False) -> None:
    """Show which alerts are active, and which are over. Exit code 1 if any is active."""
    found = connected().runtime.alerts()
    if as_json:
        print_json(view.Alerts.of(found).to_json())
    elif not (found.active or found.resolved):
        out().print("no alerts")
    else:
        out().print(Text("\n").join(map(_told, (*found.active, *found.resolved))), soft_wrap=True)
    if found.active:
        raise typer.Exit(Exit.FAILED)


def _counted(app: App) -> StackOverview:
    """Return how everything stands, with the dead-letter queues asked, too."""
    now, counts = stack_overview(app.ports), app.inspector.counts()
    return replace(now, lanes=tuple(replace(one, failed=counts[one.lane].dead) for one in now.lanes))


def _print_stats(app: App, by: By, *, is_day: bool, as_json: bool) -> None:
    now = _counted(app)
    if not as_json:
        out().print(_stats_table(now, by, is_day=is_day))
    elif by is By.LANE:
        print_json({one.lane: view.LaneReport.of(one).to_json() for one in now.lanes})
    elif by is By.QUEUE:
        print_json({one.queue: view.QueueStats.of(one).to_json() for one in now.queues})
    else:
        sums = _window(now, is_day=is_day).sums(by_type)
        print_json({name: view.Numbers.of(one).to_json() for name, one in sums.items()})


def _stats_table(now: StackOverview, by: By, *, is_day: bool) -> Table:
    done = ("started", "completed", "retried", "died", "late", "mean wait", "mean run")
    held = ("waiting", "in flight", "delayed")
    window = _window(now, is_day=is_day)
    if by is By.TYPE:
        return table_of(("type", *done), ((name, *_done(one)) for name, one in window.sums(by_type).items()))
    if by is By.QUEUE:
        rows = (
            (one.queue, one.waiting, one.active, one.delayed, *_done(one.last_day if is_day else one.last_hour))
            for one in now.queues
        )
        return table_of(("queue", *held, *done), rows)
    numbers = lanes_of(window.numbers)
    lanes = (
        (
            *(f"{one.lane}{_remark(one)}", one.waiting, one.active, one.delayed, one.failed),
            *(_about(one.oldest), seconds(one.sla.start_within), *_done(numbers.get(one.lane, Numbers()))),
        )
        for one in now.lanes
    )
    return table_of(("lane", *held, "dead", "oldest", "starts within", *done), lanes)


def _remark(one: LaneOverview) -> str:
    """Return what else there is to say of a lane."""
    if one.is_paused:
        return " (paused)"
    return f" ({one.unsent} never sent)" if one.unsent else ""


def _window(now: StackOverview, *, is_day: bool) -> Window:
    return now.overview.day if is_day else now.overview.hour


def _done(one: Numbers) -> tuple[object, ...]:
    return (
        *(one[Count.STARTED], one[Count.COMPLETED], one[Count.FAILED], one[Count.DEAD], one[Count.LATE]),
        *(seconds(one.waits.mean), seconds(one.runs.mean)),
    )


def _kept_cells(one: SlaResult) -> tuple[object, ...]:
    share = "" if one.kept_share is None else f"{one.kept_share:.1%}"
    quantiles = (seconds(one.median), seconds(one.p95), seconds(one.p99))
    late = None if one.start_within is None else one.late
    return (one.lane, one.type or "all of it", seconds(one.start_within), one.starts, late, share, *quantiles)


def _told(one: Alert) -> Text:
    """Return an alert in lines that no table cuts off: its next step is there to be pasted."""
    if one.until is None:
        head = Text(f"active since {stamp(one.since)}", style="bold red")
    else:
        head = Text(f"over, from {stamp(one.since)} to {stamp(one.until)}", style="green")
    return Text.assemble(head, f"\n  {one.text}\n  look: {one.next_step}")


def _about(oldest: timedelta | None) -> str:
    """Return an age that is known by whole minutes."""
    if oldest is None:
        return ""
    minutes = oldest // timedelta(minutes=1)
    return f"> {minutes} min" if minutes else "< 3 min"


def _usd(amount: float | None) -> str:
    return "" if amount is None else f"{amount:.6f}" if amount < 0.01 else f"{amount:,.2f}"  # noqa: PLR2004 - a cent
