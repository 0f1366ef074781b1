"""The walk over recent jobs: day by day, page by page, each page read when it is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from lanework.engine.queries.recent import recent_pages
from lanework.memory import MemoryLedger
from lanework.testing import NOON, memory_ports
from tests.support.factories import a_record

if TYPE_CHECKING:
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.index_keys import JobKey, Page


def holding(**days_ago: int) -> Ports:
    """Return ports with jobs that were enqueued so many days ago."""
    ports = memory_ports()
    for job_id, days in days_ago.items():
        created = NOON - timedelta(days=days)
        ports.ledger.put(a_record(job_id=job_id, created_at=created, run_at=created))
    return ports


def walked(ports: Ports, **options: int) -> list[str]:
    return [one.job_id for page in recent_pages(ports, **options) for one in page.jobs]  # type: ignore[arg-type]


def test_a_walk_goes_from_the_newest_job_back_to_the_oldest_day_that_is_listed() -> None:
    assert walked(holding(today=0, yesterday=1, oldest=15, gone=16)) == ["today", "yesterday", "oldest"]


def test_a_walk_goes_on_within_a_day_that_holds_more_than_a_page() -> None:
    assert walked(holding(one=0, two=0, three=0), limit=2) == walked(holding(one=0, two=0, three=0))


def test_a_walk_goes_on_after_any_of_its_pages() -> None:
    ports = holding(one=0, two=0, three=0, yesterday=1)
    pages = list(recent_pages(ports, limit=2))

    for number, page in enumerate(pages[:-1], start=1):
        assert list(recent_pages(ports, limit=2, cursor=page.cursor)) == pages[number:]
    assert pages[-1].cursor is None


def test_a_walk_that_is_broken_off_has_read_no_further() -> None:
    days: list[str] = []

    class Watched(MemoryLedger):
        """Notes which days are read."""

        def recent(self, *, day: str, **options: Any) -> Page[JobKey]:
            days.append(day)
            return super().recent(day=day, **options)

    ports = replace(memory_ports(), ledger=Watched())

    list(islice(recent_pages(ports), 2))

    assert days == ["2026-01-02", "2026-01-01"]


def test_what_was_retired_or_has_expired_is_in_no_page() -> None:
    ports = holding(today=0)
    ports.ledger.put(a_record(job_id="retired", retired=True))
    ports.ledger.put(a_record(job_id="expired", expires_at=NOON))

    assert walked(ports) == ["today"]
