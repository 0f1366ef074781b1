"""Text messages, push notifications, and tickets that are told by them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jobs import app
from jobs.notifications import Push, Sms, send_push, send_sms
from jobs.tickets import Invoice, PaymentConfirmed, Reminder, Ticket, invoice_created, payment_received, remind
from lanework import State
from lanework.testing import a_run, app_in_memory
from tests.support.stores import Asked

TICKET = {"ticketId": "t-1", "landlordId": "l-1", "tenantId": "u-1", "title": "Leaking faucet", "priority": "MEDIUM"}


def test_a_text_message_goes_to_its_gateway_under_the_jobs_id() -> None:
    asked = Asked()
    send_sms(Sms(to="+97699112233", text="Hi"), a_run(job_id="sms-1"), to=lambda _: asked)

    assert asked.requests == [("sms-1", {"to": "+97699112233", "text": "Hi"})]


def test_a_push_notification_goes_to_its_gateway_under_the_jobs_id() -> None:
    asked = Asked()
    send_push(Push(user_id="u-1", title="Hi", body="x"), a_run(job_id="p-1"), to=lambda _: asked)

    assert asked.requests == [("p-1", {"userId": "u-1", "title": "Hi", "body": "x", "topic": "general"})]


@pytest.mark.parametrize("number", ["99112233", "+0123456789", "+976 9911", "+97699112233\n", ""])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(ValidationError):
        Sms(to=number, text="Hi")


def all_jobs() -> set[str]:
    return {one.job_id for one in app.inspector.page(limit=100).jobs}


@pytest.mark.parametrize("step", ["created", "quoted", "approved", "assigned"])
def test_each_step_of_a_ticket_is_told_to_those_concerned_and_a_retry_tells_nobody_twice(step: str) -> None:
    app_in_memory(app)
    job_type = app.registry.get(f"ticket.{step}")
    ticket = Ticket.model_validate({**TICKET, "notify": ["a@example.com"]})

    told = [job_type.function(ticket, a_run(job_id="t", attempt=attempt)) for attempt in (1, 2)]

    assert told == [3, 3]
    waiting = {one: app.get(one) for one in ("t.push.l-1", "t.push.u-1", "t.mail")}
    assert {one.state for one in waiting.values()} == {State.QUEUED}
    assert {one.type for one in waiting.values()} == {"push.send", "email.send"}
    assert all_jobs() == set(waiting)


@pytest.mark.parametrize(
    ("job", "payload", "ids"),
    [
        (invoice_created, Invoice(invoice_id="i-1", email="a@example.com", amount="EUR 5"), ["j.mail"]),
        (
            payment_received,
            PaymentConfirmed(payment_id="p-1", email="a@example.com", amount="EUR 5", phone="+97699112233"),
            ["j.mail", "j.sms"],
        ),
        (remind, Reminder(email="a@example.com", about="the rent"), ["j.mail"]),
    ],
)
def test_what_a_job_tells_is_enqueued_under_ids_of_its_own(job: Any, payload: Any, ids: list[str]) -> None:
    app_in_memory(app)

    job(payload, a_run(job_id="j"))

    assert [app.get(one).state for one in ids] == [State.QUEUED] * len(ids)
