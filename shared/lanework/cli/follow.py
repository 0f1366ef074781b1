"""A demo's jobs on their way: a table that updates in a terminal, a line for each change elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.live import Live

from lanework.cli.output import out, seconds, table_of
from lanework.engine.queries.jobs import ran_for, waited

if TYPE_CHECKING:
    from rich.table import Table

    from lanework.local.demo.demo import Demo, Row

COLUMNS = ("id", "type", "lane", "attempts", "wait", "run", "state", "shows")


def follow(demo: Demo, stream: TextIO) -> None:
    """Show the demo's jobs on a stream until they are over."""
    if stream.isatty():
        _follow_live(demo, stream)
    else:
        _follow_in_lines(demo, stream)


def show_outcome(demo: Demo, problems: list[str]) -> None:
    """Print the table of what came of every job, and whether it is what should have."""
    wrong = {problem.partition(":")[0] for problem in problems}
    out().print(_table(demo.rows))
    out().print(f"\n{len(demo.rows) - len(wrong)} of {len(demo.rows)} jobs came out as they should")


def _follow_live(demo: Demo, stream: TextIO) -> None:
    # Transient: the outcome's table takes its place.
    with Live(console=Console(file=stream, highlight=False), transient=True, auto_refresh=False) as live:
        for rows in demo.follow():
            live.update(_table(rows), refresh=True)


def _follow_in_lines(demo: Demo, stream: TextIO) -> None:
    begun = time.monotonic()
    shown: dict[str, str] = {}
    for rows in demo.follow():
        for row in rows:
            line = _line(row)
            if shown.get(row.job_id) != line:
                shown[row.job_id] = line
                stream.write(f"{time.monotonic() - begun:6.1f} s  {line}\n")
                stream.flush()


def _table(rows: list[Row]) -> Table:
    return table_of(COLUMNS, (_cells(row) for row in rows))


def _cells(row: Row) -> tuple[object, ...]:
    record = row.record
    name = row.expected.request.type.name
    if record is None:
        return (row.job_id, name, "", 0, "", "", "", row.expected.shows)
    return (
        row.job_id,
        name,
        record.lane,
        record.attempts,
        seconds(waited(record)),
        seconds(ran_for(record)),
        record.state,
        row.expected.shows,
    )


def _line(row: Row) -> str:
    record = row.record
    if record is None:
        return f"{row.job_id}: not recorded yet"
    progress = "" if record.progress is None else f", {record.progress} %"
    cause = "" if record.cause is None else f" ({record.cause}: {record.error})"
    where = f"{row.job_id:<14} {record.type:<26} {record.lane:<8}"
    return f"{where} {record.state} (attempt {record.attempts}{progress}){cause}"
