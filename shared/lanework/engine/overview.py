"""How everything does, at a glance. Whatever the table holds, it is five calls of SQS and five of DynamoDB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lanework.engine.standing import lanes_standing
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.engine.ports import Ports
    from lanework.engine.schedules import ScheduleDesk
    from lanework.engine.standing import LaneStanding
    from lanework.engine.statistics import Overview, Statistics
    from lanework.model.schedules import ScheduleRecord

_DUE_NEXT: Final = 5


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

    lanes: tuple[LaneStanding, ...]
    paused: frozenset[str]
    numbers: Overview
    due: tuple[tuple[datetime, ScheduleRecord], ...]


def glance(ports: Ports, statistics: Statistics, schedules: ScheduleDesk) -> Glance:
    """Read how everything does."""
    numbers, paused = statistics.overview(), ports.flags.read().paused
    counts = {lane: ports.lanes.live(lane) for lane in Lane}
    return Glance(
        lanes=lanes_standing(numbers, counts, paused=paused),
        paused=paused,
        numbers=numbers,
        due=schedules.upcoming(_DUE_NEXT),
    )
