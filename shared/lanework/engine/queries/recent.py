"""The walk over an index of recent things, jobs or workflows: day by day, page by page, the newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.ports.index_keys import JobKey
from lanework.errors import InvalidOptionError, foreign_cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.index_keys import Page
    from lanework.model.lifecycle.states import JobRecord

_CURSOR: Final = re.compile(r"(\d{4}-\d{2}-\d{2})\|(.*)")
DAYS_KEPT: Final = 15
"""No record outlives its job's end by more (the DLQ's retention and a day), so a list looks no further back."""

LONGEST_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPage:
    """
    What one read of the index gave, of one day.

    Attributes:
        keys: The latest first.
        cursor: Where the walk goes on; None after the oldest day.
        seen_until: What came later than this is in the pages so far.
    """

    keys: tuple[JobKey, ...]
    cursor: str | None
    seen_until: datetime

    @property
    def ends_a_day(self) -> bool:
        """Whether it is the last page of its day."""
        return self.cursor is None or self.cursor.endswith("|")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """Part of a list of jobs, the latest first; cursor and seen_until as in `KeyPage`."""

    jobs: tuple[JobRecord, ...]
    cursor: str | None
    seen_until: datetime


def recent_keys(
    read: Callable[[str, str | None], Page[JobKey]], *, today: date, cursor: str | None = None
) -> Iterator[KeyPage]:
    """
    Walk an index from the newest key back, over 15 days; each page is read when it is asked for.

    Args:
        read: Reads a page of a day, such as `2026-11-22`, from before a position on; None is the day's newest.
        today: Where the walk begins, in UTC.
        cursor: `cursor` of the page that it goes on after; InvalidOptionError if it is of another list, or too old.
    """
    day, before = (today.isoformat(), None) if cursor is None else _read(cursor, today=today)
    oldest = (today - timedelta(days=DAYS_KEPT)).isoformat()
    while True:
        page = read(day, before)
        before = page.cursor
        if before is not None:
            yield KeyPage(keys=page.keys, cursor=f"{day}|{before}", seen_until=JobKey.at(before).created_at)
        elif day > oldest:
            begins, day = _start_of(day), _day_before(day)
            yield KeyPage(keys=page.keys, cursor=f"{day}|", seen_until=begins)
        else:
            yield KeyPage(keys=page.keys, cursor=None, seen_until=_start_of(day))
            return


def recent_pages(
    ports: Ports, *, keep: Callable[[JobKey], bool] | None = None, limit: int = 100, cursor: str | None = None
) -> Iterator[JobPage]:
    """
    Walk over the recent jobs: five reads a page, of one day; a page may be short, even empty.

    What `keep` refuses costs no read of an item; None keeps all. Cursors as in `recent_keys`.
    """

    def read(day: str, before: str | None) -> Page[JobKey]:
        return ports.ledger.recent(day=day, before=before, limit=limit, keep=keep)

    for page in recent_keys(read, today=ports.clock().date(), cursor=cursor):
        jobs = listed([key.job_id for key in page.keys], ports)
        yield JobPage(jobs=tuple(jobs), cursor=page.cursor, seen_until=page.seen_until)


def listed(job_ids: Sequence[str], ports: Ports) -> list[JobRecord]:
    """Return the jobs that lists show, in the order of their ids: one just retired may still be in the index."""
    found = ports.ledger.get_many(job_ids)
    now = ports.clock()
    records = (found[one] for one in job_ids if one in found)
    return [record for record in records if not record.retired and not record.is_expired(now)]


def start_of_list(today: date) -> datetime:
    """Return when the oldest day begins of which jobs are listed."""
    return _start_of((today - timedelta(days=DAYS_KEPT)).isoformat())


def check_limit(limit: int) -> None:
    """Refuse a page's length outside of 1 to 100."""
    if not 1 <= limit <= LONGEST_PAGE:
        msg = f"limit must be between 1 and {LONGEST_PAGE}, got {limit}"
        raise InvalidOptionError(msg)


def _day_before(day: str) -> str:
    """Return the day before a day, both as `2026-11-22`."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def _start_of(day: str) -> datetime:
    """Return when a day begins, in UTC."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def _read(cursor: str, *, today: date) -> tuple[str, str | None]:
    """Return the day and the position that a cursor stands for. One of another time would walk through all of it."""
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
