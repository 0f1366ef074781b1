"""Where jobs stand, for people: the one source of what the CLI, the API and the pages show."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lanework.async_calls import async_twin
from lanework.engine.execution.run_store import fitting
from lanework.engine.queries.recent import check_limit, recent_pages
from lanework.model.lanes import LaneDepth

if TYPE_CHECKING:
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.index_keys import JobKey
    from lanework.engine.queries.recent import JobPage
    from lanework.model.lanes import Lane, LaneDepth
    from lanework.model.lifecycle.states import JobRecord


class Inspector:
    """Reads the ledger and the lanes; writes nothing."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def get(self, job_id: str) -> JobRecord:
        """Return a job's record, its payload included; JobNotFoundError if there is none."""
        return self._ports.existing(job_id)

    def page(
        self, *, type_: str | None = None, queue: str | None = None, limit: int = 20, cursor: str | None = None
    ) -> JobPage:
        """
        Return jobs, newest first, in five reads whatever the table holds.

        A page is of one day (UTC) and may be short, even empty, and still have a cursor: the day before it, or, where
        few jobs are of the type or the queue, what comes after the 4,000 that were looked at.

        Args:
            type_: Only this job type.
            queue: Only this queue.
            limit: Most jobs to return, 1 to 100.
            cursor: `cursor` of the page before.

        Raises:
            InvalidOptionError: The limit or the cursor can't be used.
        """
        check_limit(limit)

        def keep(key: JobKey) -> bool:
            return type_ in (None, key.type) and queue in (None, key.queue)

        everything = type_ is None and queue is None
        return next(recent_pages(self._ports, keep=None if everything else keep, limit=limit, cursor=cursor))

    def log(self, job_id: str) -> tuple[str, ...]:
        """Return what a job said through `run.log`, all attempts, oldest first: the last 100 lines, at most 16 KB."""
        self.get(job_id)
        return fitting(self._ports.ledger.log_of(job_id))

    def counts(self) -> dict[Lane, LaneDepth]:
        """Return what SQS says of every lane, approximately."""
        return {lane: self.counts_of(lane) for lane in self._ports.stack_lanes}

    def counts_of(self, lane: Lane) -> LaneDepth:
        """Return what SQS says of one lane, approximately; LaneLeftOutError if the stack doesn't have it."""
        self._ports.check_lane(lane)
        return self._ports.lanes.counts(lane)

    get_async = async_twin(get)
    page_async = async_twin(page)
    log_async = async_twin(log)
    counts_async = async_twin(counts)
    counts_of_async = async_twin(counts_of)


def waited(record: JobRecord) -> timedelta | None:
    """Return the wait from the asked start to the first start (on two machines' clocks); None before it."""
    if record.first_started_at is None:
        return None
    return max(record.first_started_at - record.run_at, timedelta(0))


def ran_for(record: JobRecord) -> timedelta | None:
    """Return how long the latest attempt took; None while it runs, or before the first."""
    if record.ended_at is None or record.started_at is None:
        return None
    return record.ended_at - record.started_at
