"""The five lanes, their SLAs and what they allow. template.yaml holds the same table; a test compares them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

from lanework.errors import UnknownLaneError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LaneName = Literal["critical", "high", "medium", "normal", "low", "batch", 1, 2, 3, 4, 5]


class Lane(StrEnum):
    """How soon a job starts: an SQS queue, its dead-letter queue and a worker function of its own."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    BATCH = "batch"


ALL_LANES: Final = tuple(Lane)
"""The most urgent first. A stack has these, or some of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneDepth:
    """
    How many messages a lane's two queues hold at one moment, as SQS says (approximately).

    Attributes:
        waiting: Ready to be received.
        in_flight: Received, neither deleted nor visible again: running, or waiting for a retry.
        delayed: Sent with a delay that isn't over.
        dead: Tickets in the dead-letter queue.
    """

    waiting: int = 0
    in_flight: int = 0
    delayed: int = 0
    dead: int = 0

    @property
    def holds_anything(self) -> bool:
        """Whether any message is left to be dealt with; dead ones are dealt with."""
        return bool(self.waiting or self.in_flight or self.delayed)

    def or_more(self, other: LaneDepth) -> LaneDepth:
        """Return the larger of each number."""
        return LaneDepth(**{one.name: max(getattr(self, one.name), getattr(other, one.name)) for one in fields(self)})


WRITE_MARGIN: Final = timedelta(seconds=5)
"""What an invocation keeps back for starting up and for writing a job's outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTerms:
    """
    What a lane gives to the jobs in it, unless a family, a type or a call says otherwise.

    Attributes:
        start_within: The SLA for a job's first start; None: the lane has none.
        workers: Most invocations of the lane's function at once (the mapping's MaximumConcurrency).
        attempts: Most attempts of a job, the first included.
        batch_size: Most messages that one invocation is handed.
        timeout: The function's timeout; no job of the lane may take longer.
    """

    start_within: timedelta | None
    workers: int
    attempts: int
    batch_size: int
    timeout: timedelta

    def misses_sla(self, waited: timedelta) -> bool:
        """Tell whether a first start after this long misses the SLA."""
        return self.start_within is not None and waited > self.start_within

    @property
    def longest_job(self) -> timedelta:
        """The longest that a job of the lane may take: its function's timeout, less what writing the outcome needs."""
        return self.timeout - WRITE_MARGIN

    @property
    def usual_job(self) -> timedelta:
        """How long a job may take that says nothing of it: where batches are handed over, others must fit in, too."""
        return self.longest_job if self.batch_size == 1 else self.longest_job / 2


LANES: Final[Mapping[Lane, LaneTerms]] = {
    Lane.CRITICAL: LaneTerms(
        start_within=timedelta(seconds=1), workers=20, attempts=5, batch_size=1, timeout=timedelta(seconds=30)
    ),
    Lane.HIGH: LaneTerms(
        start_within=timedelta(seconds=5), workers=10, attempts=3, batch_size=1, timeout=timedelta(seconds=30)
    ),
    Lane.MEDIUM: LaneTerms(
        start_within=timedelta(seconds=30), workers=5, attempts=2, batch_size=5, timeout=timedelta(seconds=60)
    ),
    Lane.LOW: LaneTerms(
        start_within=timedelta(minutes=5), workers=2, attempts=1, batch_size=1, timeout=timedelta(minutes=15)
    ),
    Lane.BATCH: LaneTerms(start_within=None, workers=2, attempts=1, batch_size=1, timeout=timedelta(minutes=15)),
}

LARGEST_PAYLOAD: Final = 256 * 1024
"""Bytes of JSON. The payload's item (at most 400 KB) and the message (at most 1 MiB) then fit with room to spare."""

MOST_ATTEMPTS: Final = 100
"""More would meet the queue's maxReceiveCount (1,000), since throttles and waits are receives too."""

LONGEST_IN_LAMBDA: Final = max(terms.longest_job for terms in LANES.values())
"""A job that may take longer needs a worker process."""

LONGEST_IN_WORKER: Final = timedelta(hours=11)
"""The longest that a job may take in a worker process: a message can be hidden for 12 h in all (SQS quotas)."""

QUEUE_RETENTION: Final = timedelta(days=7)
"""How long a lane's queue keeps a message."""

DLQ_RETENTION: Final = timedelta(days=14)
"""How long a dead-letter queue keeps one, counted from the first enqueue: the most that SQS allows."""

_ALIASES: Final[Mapping[str, Lane]] = {
    "normal": Lane.MEDIUM,
    **{str(number): lane for number, lane in enumerate(Lane, start=1)},
}


_NUMBERS: Final = range(1, len(Lane) + 1)


def lane_of(name: str | int) -> Lane:
    """
    Return the lane that a user's word means: its name, `normal` for medium, or 1 to 5 from critical to batch.

    Raises:
        UnknownLaneError: The word is none of these; the message names the nearest lane.
    """
    word = str(name).lower() if isinstance(name, str) or name in _NUMBERS else ""
    alias = None if isinstance(name, bool) else _ALIASES.get(word)
    if alias is not None:
        return alias
    try:
        return Lane(word)
    except ValueError:
        raise UnknownLaneError("lane", name, [lane.value for lane in Lane]) from None


def lanes_of(names: Iterable[str | int]) -> tuple[Lane, ...]:
    """Return the lanes that a user's words mean, each once, the most urgent first. Errors as in `lane_of`."""
    named = {lane_of(name) for name in names}
    return tuple(lane for lane in Lane if lane in named)


def nearest_lane(lane: Lane, lanes: Sequence[Lane]) -> Lane:
    """Return the lane where a stack has it; else the next less urgent one that it has, else the next more urgent."""
    less, more = ALL_LANES[ALL_LANES.index(lane) :], ALL_LANES[: ALL_LANES.index(lane)]
    return next(one for one in (*less, *reversed(more)) if one in lanes)
