"""The lanes, live: a screen that somebody on call leaves open."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from lanework.cli.connect import connected
from lanework.cli.exits import Exit
from lanework.cli.output import complain, seconds, table_of
from lanework.cli.times import stamp, time_of_day
from lanework.engine.stats.overview import stack_overview
from lanework.errors import UnavailableError
from lanework.model.stats.alerts import Alerts
from lanework.model.stats.buckets import Kind
from lanework.model.stats.numbers import Count

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lanework.engine.stats.overview import LaneOverview, StackOverview

_LOOK_AGAIN_S: Final = 2.0
_BARS: Final = " ▁▂▃▄▅▆▇█"
_INCIDENTS: Final = 8
_RECENTLY: Final = timedelta(minutes=5)


def top() -> None:
    """Show the lanes live: waiting, running and dead jobs, speed, late starts, and active alerts. Ctrl-C ends it."""
    if not sys.stdout.isatty():
        complain("top needs a terminal; in a pipe use lanework stats --watch --json")
        raise typer.Exit(Exit.FAILED)
    app = connected()
    console = Console(highlight=False)
    with Live(console=console, screen=True, auto_refresh=False) as live:
        try:
            while True:
                try:
                    live.update(screen(stack_overview(app.ports), app.ports.clock()), refresh=True)
                except UnavailableError as error:
                    live.update(Text(f"no answer, still trying: {error}", style="red"), refresh=True)
                time.sleep(_LOOK_AGAIN_S)
        except KeyboardInterrupt:
            return


def screen(now: StackOverview, at: datetime) -> RenderableType:
    """Return the screen: alerts, lanes, and the latest late and dead jobs."""
    return Group(
        Text(f"lanework   {stamp(at)}   the last hour, a bar is two minutes of starts", style="dim"),
        *_alerts(now),
        Text(),
        _lanes(now),
        Text(),
        *_paused(now),
        *_incidents(now),
    )


def _alerts(now: StackOverview) -> list[Text]:
    active = Alerts.at_text(now.overview.alerts).active
    return [Text(f"▲ {one.text}   {one.next_step}", style="bold red") for one in active]


def _lanes(now: StackOverview) -> RenderableType:
    columns = ("lane", "waiting", "active", "delayed", "dead", "a minute", "starts", "in time", "p95 wait", "p95 run")
    recent = now.overview.hour.latest(_RECENTLY)
    minutes = max((recent.now - recent.begins) / timedelta(minutes=1), 1.0)
    started = dict.fromkeys((one.lane for one in now.lanes), 0)
    for key, one in recent.numbers.items():
        started[key.lane] += one[Count.STARTED]
    rows = (
        (
            *(_name(one), _amount(one.waiting, "yellow"), _amount(one.active, "blue"), _amount(one.delayed, "")),
            *(_amount(one.failed, "red"), f"{started[one.lane] / minutes:.1f}", sparkline(one.starts), _in_time(one)),
            *(seconds(one.sla.p95), seconds(one.last_hour.runs.quantile(0.95))),
        )
        for one in now.lanes
    )
    return table_of(columns, rows)


def _name(one: LaneOverview) -> Text:
    if one.is_paused:
        return Text(f"{one.lane} (paused)", style="magenta")
    return Text(f"{one.lane} ({one.unsent} never sent)", style="red") if one.unsent else Text(one.lane, style="bold")


def _amount(count: int, style: str) -> Text:
    return Text(f"{count:,}", style=style if count else "dim")


def _in_time(one: LaneOverview) -> Text:
    if one.sla.kept_share is None:
        return Text("")
    return Text(f"{one.sla.kept_share:.1%}", style="red" if one.sla.late else "green")


def _paused(now: StackOverview) -> list[Text]:
    return [Text(f"paused: {', '.join(sorted(now.paused))}", style="magenta")] if now.paused else []


def _incidents(now: StackOverview) -> list[Text]:
    lines = []
    for one in now.overview.hour.incidents[:_INCIDENTS]:
        is_death = one.kind is Kind.DEATH
        how = f"died, {one.cause}" if is_death else f"started after {seconds(one.waited)}"
        text = f"{time_of_day(one.at)}  {one.lane:<8}  {one.type}  {one.job_id}  {how}"
        lines.append(Text(text, style="red" if is_death else "yellow", no_wrap=True, overflow="ellipsis"))
    return lines


def sparkline(values: tuple[int, ...]) -> str:
    """Return values as a line of bars, two of them a bar, the highest as high as a line."""
    pairs = [sum(values[index : index + 2]) for index in range(0, len(values), 2)]
    most = max(pairs, default=0)
    return "".join(_BARS[-(-value * (len(_BARS) - 1) // most)] if most else _BARS[0] for value in pairs)
