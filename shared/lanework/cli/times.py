"""How the command prints times to people: each says its zone, which is UTC but for a schedule's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo


def stamp(moment: datetime | None) -> str | None:
    """Return a moment in UTC to the second, such as `2026-01-02 12:00:05Z`, which `--at` reads; None for None."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def time_of_day(moment: datetime) -> str:
    """Return a moment of today in UTC, such as `12:00:05Z`, for lines that follow one another."""
    return f"{moment.astimezone(UTC):%H:%M:%SZ}"


def local(moment: datetime, zone: tzinfo) -> str:
    """Return a moment in a zone to the minute, such as `2026-01-02 20:00 +08`."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"
