"""Old logs: archived as gzip when they are 30 days old, and the archives are deleted at 90."""

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Final, Protocol, TypedDict

from pydantic import Field

from jobs.cleanup.family import cleanup
from jobs.clock import utc_now
from jobs.payloads import Payload
from jobs.store import Archive, Archives, Row, Rows, app_store
from lanework import Public, Run

LOG: Final = "log"
PAGE_SIZE: Final = 200
PART_BYTES: Final = 300 * 1024
"""Lines of a part before they are compressed, so that what doesn't shrink fits into an item, too (400 KB)."""


class OldLogs(Payload):
    """
    Which logs to archive.

    Attributes:
        older_than_days: 1 to 3,650, default 30.
    """

    older_than_days: Public[int] = Field(default=30, ge=1, le=3650)


class OldArchives(Payload):
    """
    Which archives to delete.

    Attributes:
        older_than_days: 1 to 3,650, default 90; counted from the logs' own day.
    """

    older_than_days: Public[int] = Field(default=90, ge=1, le=3650)


class Archived(TypedDict):
    """
    What an archiving job answers.

    Attributes:
        days: Days whose logs were archived and deleted.
        lines: Lines in them.
        parts: Archives written.
    """

    days: int
    lines: int
    parts: int


class Store(Rows, Archives, Protocol):
    """What this job needs of the store."""


@cleanup.job("cleanup.old-logs", cron="0 3 * * *", timeout=timedelta(minutes=10))
def archive_old_logs(
    which: OldLogs, run: Run, *, store: Callable[[], Store] = app_store, now: Callable[[], datetime] = utc_now
) -> Archived:
    """
    Archive the logs of old days and delete them, day by day: a day goes only when all of its archive is kept.

    A run that died half-way is continued by the next: the day it was at is archived anew, under the same keys.
    """
    kept = store()
    days = kept.days_before(LOG, now().date() - timedelta(days=which.older_than_days))
    lines = parts = 0
    for number, day in enumerate(days, start=1):
        for archive, count in _archives(kept, day):
            kept.put_archive(archive)
            lines, parts = lines + count, parts + 1
        kept.delete_rows(LOG, day)
        run.progress(100 * number // len(days), f"{day} archived")
    return Archived(days=len(days), lines=lines, parts=parts)


@cleanup.job("cleanup.old-archives", cron="0 2 * * *")
def delete_old_archives(
    which: OldArchives, *, store: Callable[[], Archives] = app_store, now: Callable[[], datetime] = utc_now
) -> int:
    """Delete the archives of days that are old enough, and return how many parts they were."""
    return store().delete_archives(LOG, before=now().date() - timedelta(days=which.older_than_days))


def lines_of(archive: Archive) -> list[dict[str, object]]:
    """Return the rows that an archive holds, as they were written."""
    return [json.loads(line) for line in gzip.decompress(archive.content).splitlines()]


def _archives(kept: Rows, day: date) -> Iterator[tuple[Archive, int]]:
    """Yield a day's rows as archives of bounded size, each with the number of its lines."""
    chunk: list[bytes] = []
    size, part = 0, 1
    for page in kept.rows_between(LOG, day, day, page_size=PAGE_SIZE):
        for row in page:
            line = _line(row)
            if chunk and size + len(line) > PART_BYTES:
                yield _packed(day, part, chunk), len(chunk)
                chunk, size, part = [], 0, part + 1
            chunk.append(line)
            size += len(line)
    if chunk:
        yield _packed(day, part, chunk), len(chunk)


def _line(row: Row) -> bytes:
    shown = {"id": row.id, "at": row.at.isoformat(), **row.fields}
    return json.dumps(shown, ensure_ascii=False).encode() + b"\n"


def _packed(day: date, part: int, lines: list[bytes]) -> Archive:
    return Archive(kind=LOG, day=day, part=part, content=gzip.compress(b"".join(lines), mtime=0))
