"""Guards of enqueueing, on every endpoint: marks and job are written together, and races have one winner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from pydantic import BaseModel

from lanework import App, Jobs, Quota, QuotaExceededError
from lanework.errors import ContendedError
from lanework.model.job.guard_items import GuardItem, GuardWrite
from lanework.model.lifecycle.states import State
from lanework.model.limits import Window
from lanework.testing import NOON
from lanework.wiring import utc_now
from tests.support.backends import Backend
from tests.support.factories import a_record

HOUR = timedelta(hours=1)
QUOTA = GuardItem(name="limit#quota:type:mail.code:user=3f2a:3600000ms", job_id="job-1", until=NOON + HOUR, window=None)
UNIQUE = GuardItem(name="unique#mail.code#3f2a", job_id="job-1", until=NOON + HOUR)

RACING = ["memory", "ministack"]
"""moto carries out two transactions on an item at once."""


class Mail(BaseModel):
    user: str = "bat"
    text: str = ""


def test_marks_are_written_with_the_job_and_come_back(backend: Backend) -> None:
    quota = replace(QUOTA, window=Window(first=29_459_520, counts=(2, 0, 1)))
    large = a_record(payload='"' + "x" * 5_000 + '"')

    assert backend.ports.ledger.marks([quota.name, UNIQUE.name]) == {}
    assert (
        backend.ports.ledger.put_guarded(large, [GuardWrite(mark=one, after=None) for one in (quota, UNIQUE)]) is None
    )

    assert backend.ports.ledger.marks([quota.name, UNIQUE.name]) == {quota.name: quota, UNIQUE.name: UNIQUE}
    assert backend.ports.ledger.get("job-1") == large


def test_a_mark_that_is_not_as_it_was_read_lets_nothing_be_written(backend: Backend) -> None:
    ledger = backend.ports.ledger
    ledger.put_guarded(a_record(), [GuardWrite(mark=UNIQUE, after=None)])
    later = replace(UNIQUE, job_id="job-2")

    for stale in (None, "job-0"):
        with pytest.raises(ContendedError):
            ledger.put_guarded(a_record(job_id="job-2"), [GuardWrite(mark=later, after=stale)])
    assert ledger.get("job-2") is None
    assert ledger.put_guarded(a_record(job_id="job-2"), [GuardWrite(mark=later, after="job-1")]) is None
    assert ledger.marks([UNIQUE.name]) == {UNIQUE.name: later}


def test_a_job_whose_id_is_used_marks_nothing_and_is_told(backend: Backend) -> None:
    backend.ports.ledger.put(a_record())

    assert backend.ports.ledger.put_guarded(a_record(), [GuardWrite(mark=UNIQUE, after=None)]) == a_record()

    assert backend.ports.ledger.marks([UNIQUE.name]) == {}


def family() -> Jobs:
    jobs = Jobs(queue="mail")

    @jobs.job("mail.code", quota=Quota(10, per=HOUR, key="user"))
    def code(_: Mail) -> None: ...

    @jobs.job("mail.digest", key="user", unique_for=HOUR)
    def digest(_: Mail) -> None: ...

    @jobs.job("mail.index", key="user", debounce=timedelta(seconds=30))
    def index(_: Mail) -> None: ...

    return jobs


def at_once(count: int, call: Callable[[int], object]) -> list[object]:
    """Let so many threads call at the same moment; return what each got, or what it raised."""
    start = Barrier(count)

    def one(number: int) -> object:
        start.wait()
        try:
            return call(number)
        except QuotaExceededError as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


@pytest.fixture(name="app")
def an_app(backend: Backend) -> App:
    app = App(family())
    app.use(replace(backend.ports, clock=utc_now))
    return app


@pytest.mark.parametrize("backend", RACING, indirect=True)
def test_of_twenty_at_once_under_a_quota_of_ten_ten_are_accepted(app: App) -> None:
    answers = at_once(20, lambda _: app.enqueue("mail.code", Mail()))

    assert Counter(type(one).__name__ for one in answers) == {"Receipt": 10, "QuotaExceededError": 10}


@pytest.mark.parametrize("backend", RACING, indirect=True)
def test_of_ten_at_once_with_one_key_one_is_enqueued_and_all_get_its_id(app: App) -> None:
    receipts = at_once(10, lambda _: app.enqueue("mail.digest", Mail()))

    assert len({one.job_id for one in receipts}) == 1  # type: ignore[attr-defined]
    assert sorted(one.duplicate for one in receipts) == [False] + [True] * 9  # type: ignore[attr-defined]


@pytest.mark.parametrize("backend", RACING, indirect=True)
def test_of_ten_at_once_that_are_debounced_one_waits_with_the_payload_of_one_of_them(app: App) -> None:
    receipts = at_once(10, lambda number: app.enqueue("mail.index", Mail(text=str(number))))

    (job_id,) = {one.job_id for one in receipts}  # type: ignore[attr-defined]
    assert app.get(job_id).state is State.QUEUED
    later = app.enqueue("mail.index", Mail(text="last"))
    assert later.job_id == job_id
    record = app.get(job_id)
    assert '"last"' in str(record.payload)
    assert record.due_at == record.run_at
