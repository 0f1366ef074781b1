"""Jobs that missed their lane's SLA (`LaneTerms.misses_sla`), by name: from the numbers of the last hour and day."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lanework.engine.stats.statistics import Statistics, lanes_of
from lanework.errors import foreign_cursor
from lanework.model.sla.results import late_jobs
from lanework.model.stats.numbers import Count, Numbers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lanework.engine.ports.bundle import Ports
    from lanework.engine.stats.statistics import Window
    from lanework.model.lanes import Lane

_MARK: Final = "late|"


class Within(StrEnum):
    """Within which time something happened."""

    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class LateKey:
    """What the numbers keep of a job that started late: when that was, and its id."""

    at: datetime
    job_id: str

    @property
    def position(self) -> str:
        """Orders by time, and is a cursor."""
        return f"{_MARK}{round(self.at.timestamp() * 1000):014}|{self.job_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LateCount:
    """How many jobs started late, and how many are `named`: 100 a minute, of an hour past 100, deaths included."""

    counted: int
    named: int


def late_keys(
    ports: Ports, within: Within, *, lane: Lane | None = None, before: str | None = None
) -> tuple[Sequence[LateKey], datetime]:
    """Return the late jobs that are known by name, the latest start first, and since when they are looked at."""
    window = _window(ports, within)
    found = {LateKey(at=one.at, job_id=one.job_id) for one in late_jobs(window.incidents, lane=lane)}
    ordered = sorted(found, key=lambda key: key.position, reverse=True)
    return [key for key in ordered if before is None or key.position < before], window.begins


def late_count(ports: Ports, within: Within, *, lane: Lane | None = None) -> LateCount:
    """Return how many jobs started late, of all lanes or of one."""
    window = _window(ports, within)
    lanes = lanes_of(window.numbers)
    counted = sum((lanes.get(one, Numbers()))[Count.LATE] for one in lanes if lane in (None, one))
    return LateCount(counted=counted, named=len(late_jobs(window.incidents, lane=lane)))


def read_late_cursor(cursor: str) -> str:
    """Return the position that a cursor stands for; InvalidOptionError if it is of another list."""
    mark, _, rest = cursor.partition("|")
    milliseconds = rest.partition("|")[0]
    if f"{mark}|" != _MARK or not (milliseconds.isascii() and milliseconds.isdigit()) or len(milliseconds) > 14:  # noqa: PLR2004 - of `position`
        raise foreign_cursor(cursor)
    return cursor


def _window(ports: Ports, within: Within) -> Window:
    statistics = Statistics(ports)
    return statistics.last_hour() if within is Within.HOUR else statistics.overview().day
