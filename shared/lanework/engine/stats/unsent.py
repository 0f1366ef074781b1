"""A look at jobs that are queued while their lane is empty: what the doctor and the overview show."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.index_keys import JobKey
    from lanework.model.lanes import Lane, LaneDepth

_SENT_WITHIN: Final = timedelta(minutes=1)
"""A producer has sent its job by then, and SQS counts it."""

_LOOKS_BACK: Final = timedelta(days=1)


def unsent_now(ports: Ports, counts: Mapping[Lane, LaneDepth], *, look_at: int) -> dict[Lane, tuple[str, ...]]:
    """
    Return the jobs that are queued while their lane is empty, by lane: of those that were enqueued over a minute ago.

    At most `look_at` jobs are read, the newest first: this is a look, and the clock's walk misses none.
    """
    empty = {lane for lane, one in counts.items() if not (one.waiting or one.delayed)}
    now = ports.clock()
    latest = now - _SENT_WITHIN
    before = latest.isoformat(timespec="milliseconds")
    keys: list[JobKey] = []
    for day in dict.fromkeys((latest.date(), (latest - _LOOKS_BACK).date())):
        if empty and len(keys) < look_at:
            page = ports.ledger.recent(day=day.isoformat(), before=before, limit=look_at - len(keys))
            keys += page.keys
    found: dict[Lane, tuple[str, ...]] = {}
    for one in ports.ledger.summaries([key.job_id for key in keys]):
        if one.is_unsent and one.lane in empty and one.due_at <= now:
            found[one.lane] = (*found.get(one.lane, ()), one.job_id)
    return found
