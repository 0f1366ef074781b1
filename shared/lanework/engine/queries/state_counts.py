"""How many jobs stand where, from the newest of them: for what SQS can't count, such as jobs that are completed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from lanework.engine.queries.recent import LONGEST_PAGE, recent_pages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lanework.engine.ports.bundle import Ports
    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.states import State

MOST_COUNTED: Final = 1_000
"""Jobs that are counted; each page of 100 costs five reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCounts:
    """The newest jobs by where they stand, `since` the oldest was enqueued; None if all that are kept are counted."""

    by_lane: Mapping[tuple[Lane, State], int]
    by_queue: Mapping[tuple[str, State], int]
    since: datetime | None


def state_counts(ports: Ports, *, queue: str | None = None) -> StateCounts:
    """Count the newest 1,000 jobs, of all queues or of one."""
    lanes: Counter[tuple[Lane, State]] = Counter()
    queues: Counter[tuple[str, State]] = Counter()
    since: datetime | None = None
    keep = None if queue is None else lambda key: key.queue == queue
    for page in islice(recent_pages(ports, keep=keep), MOST_COUNTED // LONGEST_PAGE):
        lanes.update((one.lane, one.state) for one in page.jobs)
        queues.update((one.queue, one.state) for one in page.jobs)
        since = None if page.cursor is None else min((one.created_at for one in page.jobs), default=since)
    return StateCounts(by_lane=lanes, by_queue=queues, since=since)
