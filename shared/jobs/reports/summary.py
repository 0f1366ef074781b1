"""A finished report's numbers, and its forms for readers: JSON for programs, a page with a chart for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jobs.store import Report

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_BARS: Final = 31
WIDTH: Final = 640
BAR: Final = 18
LABELS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """
    What a report says.

    Attributes:
        title: A single line.
        columns: The table's head.
        rows: The table, text.
        bars: The chart: label and length, 0 or more.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    bars: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar of the chart, in the SVG's own units."""

    label: str
    value: str
    y: int
    length: int


def forms(summary: Summary, job_id: str) -> tuple[Report, Report]:
    """Return a report as JSON and as a page."""
    rows = [dict(zip(summary.columns, row, strict=True)) for row in summary.rows]
    return (
        Report(job_id=job_id, form="json", content=json.dumps({"title": summary.title, "rows": rows})),
        Report(job_id=job_id, form="html", content=page(summary)),
    )


def page(summary: Summary) -> str:
    """Return a report as an HTML page that needs nothing else: the chart is SVG, and every value is escaped."""
    bars = bars_of(summary.bars)
    return (
        _environment()
        .get_template("page.html")
        .render(summary=summary, bars=bars, width=WIDTH, labels=LABELS, height=len(bars) * (BAR + 6), bar=BAR)
    )


def bars_of(values: tuple[tuple[str, float], ...]) -> tuple[Bar, ...]:
    """Return the chart's bars, the longest as wide as there is room; of more than 31 values the last ones."""
    shown = values[-MOST_BARS:]
    longest = max((value for _, value in shown), default=0.0)
    room = WIDTH - LABELS - 60
    return tuple(
        Bar(
            label=label,
            value=f"{value:g}",
            y=number * (BAR + 6),
            length=round(room * value / longest) if longest else 0,
        )
        for number, (label, value) in enumerate(shown)
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - 70 ms, for reports only

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
