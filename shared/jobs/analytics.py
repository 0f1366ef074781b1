"""The family `analytics`: what is added up at leisure, the backup, and the queues' own health."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final, Literal, Protocol, TypedDict

from jobs.clock import utc_now
from jobs.payloads import Payload
from jobs.store import Archive, Archives, Row, Rows, Transaction, Transactions, app_store
from lanework import Concurrency, Jobs, Public, Run

analytics = Jobs(queue="analytics", lane="low", attempts=3, concurrency=2, keep_completed=100, keep_failed=500)

BACKUP: Final = "transactions"
PAGE_SIZE: Final = 200
PART_ROWS: Final = 1_000
DAYS: Final[dict[str, int]] = {"full": 31, "incremental": 1}

MOST_FAILED: Final = 100
MOST_WAITING: Final = 1_000


class Backup(Payload):
    """
    What to back up.

    Attributes:
        type: `full` is the last 31 days, `incremental` yesterday.
    """

    type: Public[Literal["full", "incremental"]] = "full"


class EventsOf(Payload):
    """
    Which day to add up.

    Attributes:
        day: In UTC.
    """

    day: Public[date]


class HealthCheck(Payload):
    """
    When to warn.

    Attributes:
        failed: More dead jobs in a lane than this.
        waiting: More waiting messages in a lane than this.
    """

    failed: Public[int] = MOST_FAILED
    waiting: Public[int] = MOST_WAITING


class Numbers(Protocol):
    """How a lane stands."""

    @property
    def waiting(self) -> int:
        """Messages that wait."""

    @property
    def dead(self) -> int:
        """Dead jobs."""


class BackedUp(TypedDict):
    """
    What a backup's job answers.

    Attributes:
        days: Days that were looked at.
        rows: Transactions in them.
        parts: Archives written.
    """

    days: int
    rows: int
    parts: int


class Store(Transactions, Archives, Protocol):
    """What the backup needs of the store."""


def lanes_of_the_app() -> Mapping[str, Numbers]:
    """Return how every lane of this application stands."""
    from jobs import app  # noqa: PLC0415 - the application is made of this module, too

    return {str(lane): counts for lane, counts in app.inspector.counts().items()}


@analytics.job("health-check", cron="* * * * *")
def check_health(
    when: HealthCheck, run: Run, *, lanes: Callable[[], Mapping[str, Numbers]] = lanes_of_the_app
) -> list[str]:
    """Look whether lanes are backing up or failing; return the warnings, which are in the job's log, too."""
    warnings = []
    for lane, counts in lanes().items():
        if counts.dead > when.failed:
            warnings.append(f"high failure rate in {lane}: {counts.dead} failed")
        if counts.waiting > when.waiting:
            warnings.append(f"{lane} is backing up: {counts.waiting} waiting")
    for warning in warnings:
        run.log(warning)
    return warnings


@analytics.job("daily-backup", cron="0 1 * * *", timeout=timedelta(minutes=10))
def back_up(
    what: Backup, run: Run, *, store: Callable[[], Store] = app_store, now: Callable[[], datetime] = utc_now
) -> BackedUp:
    """Keep the transactions of days that are over as gzipped JSON lines; a repeated day is replaced."""
    kept, rows, parts = store(), 0, 0
    today, days = now().date(), DAYS[what.type]
    for number in range(days, 0, -1):
        day = today - timedelta(days=number)
        for archive, count in _archives(kept, day):
            kept.put_archive(archive)
            rows, parts = rows + count, parts + 1
        run.progress(100 * (days - number + 1) // days, f"{day}")
    return BackedUp(days=days, rows=rows, parts=parts)


@analytics.job("analytics.rollup", concurrency=Concurrency(1, key="day"))
def roll_up(of: EventsOf, run: Run, *, store: Callable[[], Rows] = app_store) -> dict[str, int]:
    """Count a day's events by kind, keep the counts as a row, and return them; one at a time for each day."""
    kept = store()
    run.progress(25, "reading")
    pages = kept.rows_between("event", of.day, of.day, page_size=PAGE_SIZE)
    counts = Counter(row.fields["event"] for page in pages for row in page)
    run.progress(75, "writing")
    at = datetime.combine(of.day, datetime.min.time(), tzinfo=utc_now().tzinfo)
    fields = {event: str(number) for event, number in sorted(counts.items())}
    kept.add_row(Row(kind="rollup", id="events", at=at, fields=fields))
    run.progress(100, "done")
    return dict(counts)


def _archives(kept: Transactions, day: date) -> Iterator[tuple[Archive, int]]:
    for part, page in enumerate(kept.transactions_between(day, day, page_size=PART_ROWS), start=1):
        content = gzip.compress(b"".join(map(_line, page)), mtime=0)
        yield Archive(kind=BACKUP, day=day, part=part, content=content), len(page)


def _line(one: Transaction) -> bytes:
    shown = {"id": one.id, "at": one.at.isoformat(), "amount": str(one.amount), "currency": one.currency}
    return json.dumps({**shown, "description": one.description, "userId": one.user_id}).encode() + b"\n"
