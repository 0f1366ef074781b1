"""Where jobs stand, for people: the one source of what the CLI, the API and the pages show."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.execution.run_store import fitting
from lanework.engine.ports.index_keys import JobKey
from lanework.errors import InvalidOptionError, JobNotFoundError, foreign_cursor
from lanework.model.lanes import Lane
from lanework.model.stats.buckets import Depth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.messages import LaneCounts
    from lanework.model.lifecycle.states import JobRecord

_CURSOR: Final = re.compile(r"(\d{4}-\d{2}-\d{2})\|(.*)")
DAYS_KEPT: Final = 15
"""No record outlives its job's end by more (the DLQ's retention and a day), so a list looks no further back."""

LONGEST_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """
    Part of a list of jobs.

    Attributes:
        jobs: The latest first.
        cursor: Give it to get the next page; None after the last.
        seen_until: What came later than this is in the pages so far.
    """

    jobs: tuple[JobRecord, ...]
    cursor: str | None
    seen_until: datetime


class Inspector:
    """Reads the ledger and the lanes; writes nothing."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def get(self, job_id: str) -> JobRecord:
        """
        Return a job's record, its payload included.

        Raises:
            JobNotFoundError: There is none.
        """
        record = self._ports.ledger.get(job_id)
        if record is None or record.is_expired(self._ports.clock()):
            raise JobNotFoundError(job_id)
        return record

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

        today = self._ports.clock().date()
        day, before = (today.isoformat(), None) if cursor is None else read_cursor(cursor, today=today)
        everything = type_ is None and queue is None
        page = self._ports.ledger.recent(day=day, before=before, limit=limit, keep=None if everything else keep)
        jobs = self._records(page.keys)
        if page.cursor is not None:
            return JobPage(jobs=jobs, cursor=f"{day}|{page.cursor}", seen_until=JobKey.at(page.cursor).created_at)
        oldest = (today - timedelta(days=DAYS_KEPT)).isoformat()
        return JobPage(jobs=jobs, cursor=f"{day_before(day)}|" if day > oldest else None, seen_until=start_of(day))

    def log(self, job_id: str) -> tuple[str, ...]:
        """
        Return what a job said through `run.log`, all attempts, oldest first: the last 100 lines, at most 16 KB.

        Raises:
            JobNotFoundError: There is none.
        """
        self.get(job_id)
        return fitting(self._ports.ledger.log_of(job_id))

    def counts(self) -> dict[Lane, LaneCounts]:
        """Return what SQS says of every lane, approximately."""
        return {lane: self.counts_of(lane) for lane in Lane}

    def depths(self, counts: Mapping[Lane, LaneCounts] | None = None) -> dict[Lane, Depth]:
        """Return what `counts` does, or did a moment ago, as it is kept with a minute's numbers."""
        return {
            lane: Depth(waiting=one.waiting, in_flight=one.in_flight, delayed=one.delayed, dead=one.dead)
            for lane, one in (counts or self.counts()).items()
        }

    def counts_of(self, lane: Lane) -> LaneCounts:
        """Return what SQS says of one lane, approximately."""
        return self._ports.lanes.counts(lane)

    def _records(self, keys: tuple[JobKey, ...]) -> tuple[JobRecord, ...]:
        found = self._ports.ledger.get_many([key.job_id for key in keys]) if keys else {}
        now = self._ports.clock()
        records = (found[key.job_id] for key in keys if key.job_id in found)
        # A job that was just retired may still be in the index.
        return tuple(record for record in records if not record.retired and not record.is_expired(now))


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


def check_limit(limit: int) -> None:
    """
    Refuse a page's length that is out of bounds.

    Raises:
        InvalidOptionError: It lies outside of 1 to 100.
    """
    if not 1 <= limit <= LONGEST_PAGE:
        msg = f"limit must lie between 1 and {LONGEST_PAGE}, got {limit}"
        raise InvalidOptionError(msg)


def day_before(day: str) -> str:
    """Return the day before a day, both as `2026-11-22`."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def start_of(day: str) -> datetime:
    """Return when a day begins, in UTC."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def read_cursor(cursor: str, *, today: date) -> tuple[str, str | None]:
    """
    Return the day and the position that a cursor stands for. One of another time would walk through all of it.

    Raises:
        InvalidOptionError: It is of another list, or of a time of which nothing is kept.
    """
    day, _, position = cursor.partition("|")
    if _CURSOR.fullmatch(cursor) is None or not _is_kept(day, today) or not (position == "" or _is_of(day, position)):
        raise foreign_cursor(cursor)
    return day, position or None


def _is_kept(day: str, today: date) -> bool:
    """Tell whether jobs of a day may be listed; the clock that gave out a cursor may have been ahead by a day."""
    try:
        return timedelta(days=-1) <= today - date.fromisoformat(day) <= timedelta(days=DAYS_KEPT + 1)
    except ValueError:
        return False


def _is_of(day: str, position: str) -> bool:
    try:
        return JobKey.at(position).created_at.date().isoformat() == day
    except ValueError:
        return False
