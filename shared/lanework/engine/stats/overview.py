"""How lanes and queues stand now, from five counts of SQS's and what `Statistics.overview` read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.stats.statistics import Statistics, by_lane, by_queue, lanes_of
from lanework.engine.stats.unsent import unsent_now
from lanework.model.sla.results import SlaResult, sla_by_lane
from lanework.model.stats.numbers import Count, Numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lanework.engine.ports.bundle import Ports
    from lanework.engine.stats.statistics import Overview, Window
    from lanework.model.lanes import Lane, LaneDepth


_LOOKED_AT: Final = 50
"""Jobs that a glance reads: pages renew themselves, and each costs half a read unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneOverview:
    """
    How a lane stands.

    Attributes:
        waiting, active, delayed: Messages that are ready, handed out, or sent with a delay: SQS's numbers, approximate.
        completed: Jobs that ever completed, since the stack began to count.
        failed: Tickets in its dead-letter queue at the clock's last tick, and the deaths since, less those of them that
            were redriven or dropped since.
        oldest: How long the oldest message waits at least, in whole minutes, if the lane hands out the oldest first;
            None if nothing waits.
        starts: How many runs started in each minute of the last hour, oldest first.
        sla: How its SLA was met in the last hour.
        unsent: Of the newest jobs, those that are queued while the lane is empty: recorded, and never sent.
    """

    lane: Lane
    is_paused: bool
    waiting: int
    active: int
    completed: int
    failed: int
    delayed: int
    oldest: timedelta | None
    last_hour: Numbers
    starts: tuple[int, ...]
    sla: SlaResult
    unsent: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.waiting + self.active + self.completed + self.failed + self.delayed


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOverview:
    """
    How a queue stands.

    Attributes:
        waiting, active, delayed: Its part of what its lanes hold, as large as its part of their starts in the last day:
            exact where a lane serves one queue only, an estimate elsewhere.
    """

    queue: str
    is_paused: bool
    waiting: int
    active: int
    delayed: int
    last_hour: Numbers
    last_day: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOverview:
    """
    How everything stands, from five counts of SQS's, four reads, and a look at the newest jobs.

    Lanes have the most urgent first; what is paused reads `lane:low`, `queue:email` or `type:user.otp`.
    """

    overview: Overview
    lanes: tuple[LaneOverview, ...]
    queues: tuple[QueueOverview, ...]
    paused: frozenset[str]


def stack_overview(ports: Ports, *, queues: Iterable[str] = ()) -> StackOverview:
    """Read how everything stands; `queues` are named also if they did nothing of late."""
    overview, paused = Statistics(ports).overview(), ports.flags.read().paused
    counts = {lane: ports.lanes.live(lane) for lane in ports.stack_lanes}
    return StackOverview(
        overview=overview,
        lanes=lanes_overview(overview, counts, paused=paused, unsent=unsent_now(ports, counts, look_at=_LOOKED_AT)),
        queues=queues_overview(overview, counts, paused=paused, queues=queues),
        paused=paused,
    )


def lanes_overview(
    overview: Overview,
    counts: Mapping[Lane, LaneDepth],
    *,
    paused: frozenset[str],
    unsent: Mapping[Lane, Sequence[str]],
) -> tuple[LaneOverview, ...]:
    """Return how every lane that was counted stands, in that order. The counts' `dead` isn't looked at."""
    hour, ever = lanes_of(overview.hour.numbers), lanes_of(overview.total)
    slas = {one.lane: one for one in sla_by_lane(hour)}
    steps = overview.hour.series(by_lane)
    nothing = (Numbers(),) * len(overview.hour.buckets)
    return tuple(
        LaneOverview(
            lane=lane,
            is_paused=f"lane:{lane}" in paused,
            waiting=counts[lane].waiting,
            active=counts[lane].in_flight,
            completed=ever.get(lane, Numbers())[Count.COMPLETED],
            failed=_dead_now(lane, overview.hour),
            delayed=counts[lane].delayed,
            oldest=oldest_wait(lane, overview.hour) if counts[lane].waiting else None,
            last_hour=hour.get(lane, Numbers()),
            starts=tuple(step[Count.STARTED] for step in steps.get(lane, nothing)),
            sla=slas[lane],
            unsent=len(unsent.get(lane, ())),
        )
        for lane in counts
    )


def queues_overview(
    overview: Overview,
    counts: Mapping[Lane, LaneDepth],
    *,
    paused: frozenset[str],
    queues: Iterable[str] = (),
) -> tuple[QueueOverview, ...]:
    """Return how queues stand, by name: those that did anything within a day, and the named ones."""
    hour, day = overview.hour.sums(by_queue), overview.day.sums(by_queue)
    shares = _shares(overview)
    return tuple(
        QueueOverview(
            queue=queue,
            is_paused=f"queue:{queue}" in paused,
            waiting=_part(queue, shares, {lane: one.waiting for lane, one in counts.items()}),
            active=_part(queue, shares, {lane: one.in_flight for lane, one in counts.items()}),
            delayed=_part(queue, shares, {lane: one.delayed for lane, one in counts.items()}),
            last_hour=hour.get(queue, Numbers()),
            last_day=day.get(queue, Numbers()),
        )
        for queue in sorted({*queues, *day})
    )


def oldest_wait(lane: Lane, hour: Window) -> timedelta:
    """
    Return how long the oldest message of a lane has waited at least, if its jobs start in the order of their messages.

    What waited at a minute's tick and more than has started since is still there.
    """
    started = 0
    for bucket in reversed(hour.buckets):
        started += sum(one[Count.STARTED] for key, one in bucket.numbers.items() if key.lane is lane)
        depth = bucket.depths.get(lane)
        if depth is not None and depth.waiting <= started:
            return max(hour.now - bucket.at - 2 * hour.step, timedelta(0))
    seen = [bucket for bucket in hour.buckets if lane in bucket.depths]
    return hour.now - seen[0].at - hour.step if seen else timedelta(0)


def _dead_now(lane: Lane, hour: Window) -> int:
    """Return how many lay there at the last tick, with who died since, less those that were redriven or dropped."""
    since = 0
    for bucket in reversed(hour.buckets):
        depth: LaneDepth | None = bucket.depths.get(lane)
        if depth is not None:
            return max(depth.dead + since, 0)
        of_lane = [one for key, one in bucket.numbers.items() if key.lane is lane]
        since += sum(one[Count.DEAD] - one[Count.DEALT_WITH] for one in of_lane)
    return max(since, 0)


def _shares(overview: Overview) -> dict[Lane, dict[str, float]]:
    """Return which share of each lane's starts within a day each queue had."""
    starts: dict[Lane, dict[str, int]] = {}
    for key, one in overview.day.numbers.items():
        if key.queue and one[Count.STARTED]:
            of_lane = starts.setdefault(key.lane, {})
            of_lane[key.queue] = of_lane.get(key.queue, 0) + one[Count.STARTED]
    return {
        lane: {queue: count / sum(of_lane.values()) for queue, count in of_lane.items()}
        for lane, of_lane in starts.items()
    }


def _part(queue: str, shares: Mapping[Lane, Mapping[str, float]], held: Mapping[Lane, int]) -> int:
    return round(sum(count * shares.get(lane, {}).get(queue, 0.0) for lane, count in held.items()))
