"""Dates as Mongolian readers write them. By hand: Babel would add 10 MB to a Lambda layer for this one pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import datetime

ULAANBAATAR: Final = ZoneInfo("Asia/Ulaanbaatar")


def date_and_time(moment: datetime) -> str:
    """Return an aware time in Ulaanbaatar's time: year, month and day in words, then `15:00:00`."""
    local = moment.astimezone(ULAANBAATAR)
    return f"{local.year} оны {local.month}-р сарын {local.day}, {local:%H:%M:%S}"
