"""How many jobs stand where, from the newest of them: for what SQS can't count, such as jobs that are completed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lanework.engine.queries.jobs import LONGEST_PAGE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lanework.engine.queries.jobs import Inspector
    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.states import State

MOST_COUNTED: Final = 1_000
"""Jobs that are counted; each page of 100 costs five reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCounts:
    """
    The newest jobs by where they stand.

    Attributes:
        by_lane: How many of each lane and state.
        by_queue: How many of each queue and state.
        since: When the oldest of them was enqueued; None if all jobs that are kept are counted.
    """

    by_lane: Mapping[tuple[Lane, State], int]
    by_queue: Mapping[tuple[str, State], int]
    since: datetime | None


def state_counts(inspector: Inspector, *, queue: str | None = None) -> StateCounts:
    """Count the newest 1,000 jobs, of all queues or of one."""
    lanes: Counter[tuple[Lane, State]] = Counter()
    queues: Counter[tuple[str, State]] = Counter()
    cursor: str | None = None
    since: datetime | None = None
    for _ in range(MOST_COUNTED // LONGEST_PAGE):
        page = inspector.page(queue=queue, limit=LONGEST_PAGE, cursor=cursor)
        lanes.update((one.lane, one.state) for one in page.jobs)
        queues.update((one.queue, one.state) for one in page.jobs)
        since = min((one.created_at for one in page.jobs), default=since)
        cursor = page.cursor
        if cursor is None:
            return StateCounts(by_lane=lanes, by_queue=queues, since=None)
    return StateCounts(by_lane=lanes, by_queue=queues, since=since)
