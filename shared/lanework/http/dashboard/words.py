"""Times, durations and numbers in words, as the pages show them. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from math import floor
from typing import Final
from zoneinfo import ZoneInfo

from lanework.model.job.payload import as_values

SECOND: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

_IN_THOUSANDS: Final = 10_000
"""From here on a number is shown in thousands; 9,999 is still written out."""

_IN_MILLIONS: Final = 999_950
"""From here on a number is shown in millions: in thousands, it would round to 1,000k."""


def duration(value: timedelta | None) -> str:
    """Return a duration in two units at most: `320 ms`, `1.2 s`, `4 min 10 s`, `2 h`; a dash for None."""
    if value is None:
        return "–"
    seconds = value.total_seconds()
    milliseconds = round(seconds * 1000)
    if milliseconds < 1000:  # noqa: PLR2004 - a second
        return f"{milliseconds} ms"
    if seconds < 10:  # noqa: PLR2004 - from then on, tenths tell nothing
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    for unit, smaller, length in (("d", "h", DAY), ("h", "min", HOUR), ("min", "s", MINUTE)):
        if value >= length:
            parts = {"h": HOUR, "min": MINUTE, "s": SECOND}
            rest = (value % length) // parts[smaller]
            return f"{value // length} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{floor(seconds)} s"


def ago(moment: datetime | None, now: datetime) -> str:
    """Return how far a moment is from now, in one unit: `12 s ago`, `in 5 min`, `now`; a dash for None."""
    if moment is None:
        return "–"
    away = abs(now - moment)
    if away < SECOND:
        return "now"
    length, unit = next(
        (length, unit) for length, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")) if away >= length
    )
    word = f"{away // length} {unit}"
    return f"{word} ago" if moment < now else f"in {word}"


def stamp(moment: datetime | None) -> str:
    """Return a moment in UTC to the second, such as `2026-01-02 12:00:05 UTC`; a dash for None."""
    return "–" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def zoned(moment: datetime, tz: str) -> str:
    """Return a moment in a zone to the minute, with the zone's name as of then, such as `2026-07-01 09:00 CEST`."""
    return f"{moment.astimezone(ZoneInfo(tz)):%Y-%m-%d %H:%M %Z}"


def machine(moment: datetime) -> str:
    """Return a moment as HTML's `datetime` wants it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def number(value: int) -> str:
    """Return a number that a narrow column holds: `1,234`, `12.3k`, `4.5M`."""
    if value < _IN_THOUSANDS:
        return f"{value:,}"
    size, unit = (1_000, "k") if value < _IN_MILLIONS else (1_000_000, "M")
    return f"{value / size:,.1f}".removesuffix(".0") + unit


def share(value: float | None) -> str:
    """Return a share, 0.0 to 1.0, in percent; what isn't all of it never reads as 100 %. A dash for None."""
    if value is None:
        return "–"
    if value in (0, 1):
        return f"{round(value * 100)} %"
    return f"{min(max(value * 100, 0.1), 99.9):.1f} %"


def plural(count: int, word: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 job`, `2 jobs`."""
    return f"{count:,} {word if count == 1 else many or word + 's'}"


def pretty(text: str | None) -> str:
    """Return JSON text laid out for reading; what isn't JSON stays as it is."""
    value, problem = as_values(text or "null")
    return json.dumps(value, indent=2, ensure_ascii=False) if problem is None else text or ""


def plain(value: object) -> str:
    """Return a payload's value: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def usd(value: float | None) -> str:
    """Return US dollars: cents, or as many digits as it takes to see that it isn't nothing. A dash for None."""
    if value is None:
        return "–"
    if value == 0 or value >= 0.01:  # noqa: PLR2004 - a cent
        return f"${value:,.2f}"
    return f"${value:.2g}" if value >= 0.0001 else "< $0.0001"  # noqa: PLR2004 - where digits end to be of use


FILTERS: Final = {
    one.__name__: one for one in (ago, duration, machine, number, plain, plural, pretty, share, stamp, usd, zoned)
}
"""What templates call them by."""
