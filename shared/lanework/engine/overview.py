"""How all lanes do, at a glance. Whatever the table holds, it is five calls of SQS and five of DynamoDB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lanework.engine.statistics import by_lane, lanes_of
from lanework.model.buckets import MINUTE, Depth
from lanework.model.lanes import LANES, Lane
from lanework.model.numbers import Count, Numbers
from lanework.model.sla import kept_by_lane

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from lanework.engine.messages import LaneCounts
    from lanework.engine.ports import Ports
    from lanework.engine.schedules import ScheduleDesk
    from lanework.engine.statistics import Overview, Statistics
    from lanework.model.schedules import ScheduleRecord
    from lanework.model.sla import Kept

_SEEN_WITHIN: Final = 2 * MINUTE
"""A depth that the clock noted longer ago says nothing about now; without any, a lane held nothing."""

_DUE_NEXT: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneNow:
    """
    Where a lane's jobs stand.

    Attributes:
        waiting, active, delayed: Messages, as SQS counts them now (approximately); active ones run or are about to
            be tried again.
        completed: Jobs, since the stack began to count.
        failed: Dead jobs, at the clock's latest tick.
        is_paused: None of them starts.
        kept: How the lane's promise was kept in the last hour.
        backlog_for: For how long each tick of the last hour has found something waiting; None: the latest didn't.
        starts: How many jobs started in each minute of the last hour, oldest first.
    """

    lane: Lane
    waiting: int
    active: int
    completed: int
    failed: int
    delayed: int
    is_paused: bool
    kept: Kept
    backlog_for: timedelta | None
    starts: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of them."""
        return self.waiting + self.active + self.completed + self.failed + self.delayed


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """
    Everything that somebody who is on call wants to see first.

    Attributes:
        lanes: Each lane, the most urgent first.
        paused: What is paused, such as `queue:email`.
        numbers: The last hour, the last day, and all of it.
        due: The schedules that fire next, and when.
    """

    lanes: tuple[LaneNow, ...]
    paused: frozenset[str]
    numbers: Overview
    due: tuple[tuple[datetime, ScheduleRecord], ...]


def glance(ports: Ports, statistics: Statistics, schedules: ScheduleDesk) -> Glance:
    """Read how everything does."""
    numbers, paused = statistics.overview(), ports.flags.read().paused
    return Glance(
        lanes=lanes_now(ports, numbers, paused), paused=paused, numbers=numbers, due=schedules.upcoming(_DUE_NEXT)
    )


def lanes_now(ports: Ports, numbers: Overview, paused: frozenset[str]) -> tuple[LaneNow, ...]:
    """Return how each lane does, the most urgent first: one call of SQS each."""
    hour, total = numbers.hour, lanes_of(numbers.total)
    kept = {one.lane: one for one in kept_by_lane(lanes_of(hour.numbers))}
    starts = hour.series(by_lane)
    none = (Numbers(),) * len(hour.buckets)
    return tuple(
        _lane_now(
            ports.lanes.live(lane),
            lane=lane,
            completed=total.get(lane, Numbers())[Count.COMPLETED],
            depths=[bucket.depths.get(lane) for bucket in hour.buckets],
            is_paused=f"lane:{lane}" in paused,
            kept=kept[lane],
            starts=tuple(one[Count.STARTED] for one in starts.get(lane, none)),
        )
        for lane in LANES
    )


def _lane_now(
    live: LaneCounts,
    *,
    lane: Lane,
    completed: int,
    depths: Sequence[Depth | None],
    is_paused: bool,
    kept: Kept,
    starts: tuple[int, ...],
) -> LaneNow:
    seen = next((one for one in reversed(depths[-(_SEEN_WITHIN // MINUTE) :]) if one is not None), Depth())
    return LaneNow(
        lane=lane,
        waiting=live.waiting,
        active=live.in_flight,
        completed=completed,
        failed=seen.dead,
        delayed=live.delayed,
        is_paused=is_paused,
        kept=kept,
        backlog_for=_backlog(depths) if live.waiting else None,
        starts=starts,
    )


def _backlog(depths: Sequence[Depth | None]) -> timedelta | None:
    """Return for how long, up to now, each tick has found something waiting; the present minute may have had none."""
    passed = list(reversed(depths))
    if passed and passed[0] is None:
        passed = passed[1:]
    minutes = next((index for index, one in enumerate(passed) if one is None or not one.waiting), len(passed))
    return minutes * MINUTE if minutes else None
