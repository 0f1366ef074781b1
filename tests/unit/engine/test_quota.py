"""Quotas: so many jobs are accepted within a time, and the next one is told when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import BaseModel

from lanework import TENANT, App, EnqueueError, Jobs, Quota, QuotaExceededError, State
from lanework.memory import MemoryLedger
from lanework.model.events import Action
from lanework.testing import NOON, Clock, EventList, app_in_memory, drain
from tests.support.fakes import break_ports, mend_ports

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


class Mail(BaseModel):
    user: str = "bat"


mails = Jobs(queue="mail", quota=Quota(5, per=HOUR))


@mails.job("mail.code", quota=Quota(2, per=HOUR, key="user"))
def send_code(_: Mail) -> None:
    """A mail of which a user gets two an hour."""


@mails.job("mail.news")
def send_news(_: Mail) -> None:
    """A mail that counts for the family's quota only."""


@pytest.fixture(name="clock")
def a_clock() -> Clock:
    return Clock()


@pytest.fixture(name="events")
def an_event_list() -> EventList:
    return EventList()


@pytest.fixture(name="app")
def an_app(clock: Clock, events: EventList) -> App:
    return app_in_memory(App(mails), clock, events=events)


def records(app: App) -> int:
    ledger = app.ports.ledger
    assert isinstance(ledger, MemoryLedger)
    return len(ledger.records)


def test_the_job_after_the_last_that_fits_is_refused_and_told_when(app: App, events: EventList) -> None:
    send_code.enqueue(Mail())
    send_code.enqueue(Mail())

    with pytest.raises(QuotaExceededError, match=r"is used up \(2 in 1:00:00\): one more fits from 2") as refused:
        send_code.enqueue(Mail())

    assert HOUR <= refused.value.retry_at - NOON <= HOUR + MINUTE
    assert refused.value.quota.startswith("quota:type:mail.code:user=")
    assert records(app) == 2
    assert events.actions[-1] == Action.JOB_OVER_QUOTA


def test_each_value_of_the_key_has_a_quota_of_its_own(app: App) -> None:
    for user in ("bat", "ada"):
        send_code.enqueue(Mail(user=user))
        send_code.enqueue(Mail(user=user))

    assert records(app) == 4


def test_at_the_time_that_was_told_one_more_fits(app: App, clock: Clock) -> None:
    send_code.enqueue(Mail())
    clock.advance(10 * MINUTE)
    send_code.enqueue(Mail())
    with pytest.raises(QuotaExceededError) as refused:
        send_code.enqueue(Mail())

    clock.advance(refused.value.retry_at - clock() - timedelta(milliseconds=1))
    with pytest.raises(QuotaExceededError):
        send_code.enqueue(Mail())
    clock.advance(timedelta(milliseconds=1))
    send_code.enqueue(Mail())
    with pytest.raises(QuotaExceededError):
        send_code.enqueue(Mail())

    assert records(app) == 3


def test_the_familys_quota_counts_all_its_types_and_is_named(app: App) -> None:
    for number in range(5):
        send_news.enqueue(Mail(user=str(number)))

    with pytest.raises(QuotaExceededError, match="quota:queue:mail is used up"):
        send_code.enqueue(Mail())

    assert records(app) == 5


def test_what_one_quota_refuses_another_does_not_count(app: App) -> None:
    send_code.enqueue(Mail())
    send_code.enqueue(Mail())
    for _ in range(4):
        with pytest.raises(QuotaExceededError, match="quota:type:mail"):
            send_code.enqueue(Mail())

    for _ in range(3):
        send_news.enqueue(Mail())
    assert records(app) == 5


def test_a_repeated_id_spends_nothing_and_is_a_duplicate_even_of_a_full_quota(app: App) -> None:
    first = send_code.enqueue(Mail(), job_id="code-1")
    again = send_code.enqueue(Mail(), job_id="code-1")
    send_code.enqueue(Mail())

    assert (first.duplicate, again.duplicate) == (False, True)
    assert send_code.enqueue(Mail(), job_id="code-1").duplicate
    drain(app)
    assert send_code.enqueue(Mail(), job_id="code-1").duplicate


def test_a_tenant_can_be_the_key() -> None:
    family = Jobs(queue="mail")
    job = family.job("mail.export", quota=Quota(1, per=HOUR, key=TENANT))(_export)
    app_in_memory(App(family))

    job.enqueue(Mail(), tenant="acme")
    job.enqueue(Mail(), tenant="umbrella")

    with pytest.raises(QuotaExceededError):
        job.enqueue(Mail(), tenant="acme")


def _export(_: Mail) -> None: ...


def test_of_many_those_that_fit_are_enqueued_and_the_others_named(app: App) -> None:
    requests = [send_code.request(Mail()) for _ in range(4)]

    with pytest.raises(QuotaExceededError, match=r"\(2 of 4 jobs were refused, the others were enqueued\)") as refused:
        app.enqueue_many(requests)

    assert refused.value.refused == (2, 3)
    assert records(app) == 2
    assert drain(app) == 2


def test_a_quota_is_not_got_around_by_a_ledger_that_is_out_of_reach(app: App) -> None:
    ledger, lanes = break_ports(app)
    ledger.broken = {"marks"}

    with pytest.raises(EnqueueError, match="can't be sent unrecorded"):
        send_code.enqueue(Mail())

    assert lanes.calls == []


def test_whoever_repeats_a_job_that_was_recorded_but_not_answered_spends_no_more(app: App) -> None:
    ledger, lanes = break_ports(app)
    ledger.mute = {"put_guarded"}
    with pytest.raises(EnqueueError):
        send_code.enqueue(Mail(), job_id="code-1")
    assert lanes.calls == []

    mend_ports(app)
    assert send_code.enqueue(Mail(), job_id="code-1").duplicate
    drain(app)
    assert app.get("code-1").state is State.COMPLETED
    send_code.enqueue(Mail())
    with pytest.raises(QuotaExceededError):
        send_code.enqueue(Mail())
