"""Finding jobs by what they are: each filter by the index that answers it, and how far it looked where none does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lanework.engine.deadletters.query import DeadJobs
from lanework.engine.ports.index_keys import EntryKey, JobKey
from lanework.engine.queries.jobs import Inspector
from lanework.engine.queries.recent import LONGEST_PAGE, JobPage, check_limit, listed, recent_keys, start_of_list
from lanework.engine.sla.late_starts import Within, late_keys, read_late_cursor
from lanework.errors import UnknownJobTypeError, UnknownNameError
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.lifecycle.states import JobRecord, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.index_keys import Page
    from lanework.model.lanes import Lane

MOST_LOOKED_AT: Final = 1_000
"""Jobs whose records are read for one page of those that stand somewhere, which no index knows."""


class By(StrEnum):
    """In which order a list is, the latest first."""

    ENQUEUED = "enqueued"
    DIED = "died"
    STARTED = "started"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """
    Which jobs are asked for: those of which all of this is true. What is None says nothing.

    Attributes:
        lane, type, queue: Of this lane, job type, queue.
        state: They stand there.
        late: They started later than their lane's SLA, within this time.
    """

    lane: Lane | None = None
    state: State | None = None
    type: str | None = None
    queue: str | None = None
    late: Within | None = None

    @property
    def is_of_records(self) -> bool:
        """Whether only a job's record knows, and no key of the index of recent jobs."""
        return (self.lane, self.state) != (None, None)

    @property
    def order(self) -> By:
        """In which order they are listed."""
        if self.late is not None:
            return By.STARTED
        return By.DIED if self.state is State.DEAD else By.ENQUEUED

    def has_key(self, key: JobKey) -> bool:
        """Tell whether a job may be meant, by what the index holds of it."""
        return self.type in (None, key.type) and self.queue in (None, key.queue)

    def matches(self, record: JobRecord) -> bool:
        """Tell whether a job is meant, but for how late it was."""
        return all(
            asked in (None, is_)
            for asked, is_ in (
                (self.lane, record.lane),
                (self.state, record.state),
                (self.type, record.type),
                (self.queue, record.queue),
            )
        )


ALL: Final = JobFilter()


class Search:
    """Finds jobs; writes nothing."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def page(self, which: JobFilter = ALL, *, limit: int = 20, cursor: str | None = None) -> JobPage:
        """
        Return jobs, in the order that `which.order` says.

        The dead and those that started late have an index of their own, types and queues are in the keys of the one of
        recent jobs. By lane, and by where else they stand, 1,000 records are read, over the days: a page may be short,
        even empty, and have a cursor; `seen_until` says how far it has looked. Without any filter a page is of one day.

        Args:
            which: What is asked for.
            limit: Most jobs to return, 1 to 100.
            cursor: `cursor` of the page before, of the same order.

        Raises:
            InvalidOptionError: The limit or the cursor can't be used.
        """
        if which == ALL:
            return Inspector(self._ports).page(limit=limit, cursor=cursor)
        return self.newest(which, limit=limit, cursor=cursor)

    def newest(self, which: JobFilter = ALL, *, limit: int = 20, cursor: str | None = None) -> JobPage:
        """Return a page as `page` does, and go on over the days until it is full also where nothing is asked for."""
        check_limit(limit)
        match which.order:
            case By.STARTED:
                return self._late(which, limit, cursor)
            case By.DIED:
                return self._dead(which, limit, cursor)
            case By.ENQUEUED:
                return self._recent(which, limit, cursor)

    def _dead(self, which: JobFilter, limit: int, cursor: str | None) -> JobPage:
        asked = DeadFilter(lane=which.lane, type=which.type, queue=which.queue)
        found = DeadJobs(self._ports).page(asked, limit=limit, cursor=cursor)
        begins = start_of_list(self._ports.clock().date())
        seen_until = begins if found.cursor is None else EntryKey.at(found.cursor).time
        return JobPage(jobs=found.jobs, cursor=found.cursor, seen_until=seen_until)

    def _late(self, which: JobFilter, limit: int, cursor: str | None) -> JobPage:
        assert which.late is not None  # noqa: S101 - narrows
        before = None if cursor is None else read_late_cursor(cursor)
        keys, begins = late_keys(self._ports, which.late, lane=which.lane, before=before)
        jobs: list[JobRecord] = []
        for start in range(0, len(keys), LONGEST_PAGE):
            chunk = keys[start : start + LONGEST_PAGE]
            records = self._records([key.job_id for key in chunk])
            for key in chunk:
                record = records.get(key.job_id)
                if record is not None and which.matches(record):
                    jobs.append(record)
                if len(jobs) == limit and key != keys[-1]:
                    return JobPage(jobs=tuple(jobs), cursor=key.position, seen_until=key.at)
        return JobPage(jobs=tuple(jobs), cursor=None, seen_until=begins)

    def _recent(self, which: JobFilter, limit: int, cursor: str | None) -> JobPage:
        """Walk from the newest job back, day by day, until the page is full or enough was looked at."""
        keep = None if (which.type, which.queue) == (None, None) else which.has_key
        jobs: list[JobRecord] = []
        looked_at = 0

        def read(day: str, before: str | None) -> Page[JobKey]:
            most = MOST_LOOKED_AT - looked_at if which.is_of_records else limit - len(jobs)
            return self._ports.ledger.recent(day=day, before=before, limit=most, keep=keep)

        for found in recent_keys(read, today=self._ports.clock().date(), cursor=cursor):
            for start in range(0, len(found.keys), LONGEST_PAGE):
                chunk = found.keys[start : start + LONGEST_PAGE]
                last = self._add(jobs, chunk, which, limit)
                if last is not None and (last != found.keys[-1] or not found.ends_a_day):
                    return JobPage(jobs=tuple(jobs), cursor=_cursor(last), seen_until=last.created_at)
            looked_at += len(found.keys)
            is_enough = len(jobs) == limit or (which.is_of_records and looked_at >= MOST_LOOKED_AT)
            if is_enough or not found.ends_a_day:
                break
        return JobPage(jobs=tuple(jobs), cursor=found.cursor, seen_until=found.seen_until)

    def _add(self, jobs: list[JobRecord], keys: Sequence[JobKey], which: JobFilter, limit: int) -> JobKey | None:
        """Add the jobs of these keys that are meant; return the key of the one that filled the page, if one did."""
        records = self._records([key.job_id for key in keys])
        for key in keys:
            record = records.get(key.job_id)
            if record is not None and which.matches(record):
                jobs.append(record)
                if len(jobs) == limit:
                    return key
        return None

    def _records(self, job_ids: Sequence[str]) -> dict[str, JobRecord]:
        return {one.job_id: one for one in listed(job_ids, self._ports)}


def checked(which: JobFilter, page: JobPage, registry: Registry) -> JobPage:
    """
    Return a first page, unless it is empty for want of a type or a queue that the application has.

    UnknownJobTypeError or UnknownNameError, which name the nearest. Jobs of a type that was removed from the code are
    found as long as they are kept.
    """
    if not page.jobs:
        check_names(registry, type_=which.type, queue=which.queue)
    return page


def check_names(registry: Registry, *, type_: str | None, queue: str | None) -> None:
    """Refuse a type or a queue that the application doesn't have; the error names the nearest."""
    types, queues = [one.name for one in registry.types], list(registry.queues)
    if type_ is not None and registry.find(type_) is None:
        kind = "job type"
        raise UnknownJobTypeError(kind, type_, types)
    known = {*queues, *(one.queue for one in registry.types)}
    if queue is not None and queue not in known:
        kind = "queue"
        raise UnknownNameError(kind, queue, sorted(known))


def _cursor(key: JobKey) -> str:
    return f"{key.created_at.date().isoformat()}|{key.position}"
