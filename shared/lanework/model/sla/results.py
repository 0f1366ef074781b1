"""How the lanes' SLAs were met. What misses one is `misses_sla` in `model/lanes.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lanework.model.lanes import LANES
from lanework.model.stats.buckets import Kind
from lanework.model.stats.numbers import Count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta

    from lanework.model.lanes import Lane
    from lanework.model.stats.buckets import Incident
    from lanework.model.stats.numbers import Key, Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaResult:
    """
    How a lane's SLA was met for one job type, or as a whole (None).

    Attributes:
        start_within: Within which time a job's first attempt is to start; None if the lane has no SLA.
        starts: How many jobs started for the first time, and how many of them `late`.
        median, p95, p99: Waits that half, 95 % and 99 % of them didn't exceed; None if none started.
    """

    lane: Lane
    type: str | None
    start_within: timedelta | None
    starts: int
    late: int
    median: timedelta | None
    p95: timedelta | None
    p99: timedelta | None

    @property
    def kept_share(self) -> float | None:
        """Which share of the starts met the SLA, 0.0 to 1.0; None where none was made or nothing started."""
        return None if self.start_within is None or self.starts == 0 else 1 - self.late / self.starts


def sla_by_lane(numbers: Mapping[Lane, Numbers]) -> tuple[SlaResult, ...]:
    """Return how each lane's SLA was met, the most urgent lane first; also of lanes in which nothing started."""
    return tuple(_result(lane, None, numbers.get(lane)) for lane in LANES)


def sla_by_type(numbers: Mapping[Key, Numbers]) -> tuple[SlaResult, ...]:
    """Return how SLAs were met for each job type that started, lane by lane."""
    order = {lane: index for index, lane in enumerate(LANES)}
    keys = sorted(numbers, key=lambda key: (order[key.lane], key.type))
    return tuple(_result(key.lane, key.type, numbers[key]) for key in keys if numbers[key][Count.FIRST_STARTS])


def late_jobs(incidents: Iterable[Incident], *, lane: Lane | None = None) -> tuple[Incident, ...]:
    """Return the late jobs among what is known by name, the latest first."""
    found = [one for one in incidents if one.kind is Kind.LATE and lane in (None, one.lane)]
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


def _result(lane: Lane, type_: str | None, numbers: Numbers | None) -> SlaResult:
    waits = None if numbers is None else numbers.waits
    return SlaResult(
        lane=lane,
        type=type_,
        start_within=LANES[lane].start_within,
        starts=0 if numbers is None else numbers[Count.FIRST_STARTS],
        late=0 if numbers is None else numbers[Count.LATE],
        median=None if waits is None else waits.quantile(0.5),
        p95=None if waits is None else waits.quantile(0.95),
        p99=None if waits is None else waits.quantile(0.99),
    )
