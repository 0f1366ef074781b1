from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanework.errors import UndecodableError
from lanework.model.job.envelope import Envelope
from lanework.model.lifecycle.run_moves import new_record
from lanework.testing import NOON
from tests.support.factories import a_message, a_record


@given(
    payload=st.text(max_size=200),
    attempts=st.integers(min_value=1, max_value=100),
    backoff_ms=st.integers(min_value=0, max_value=10**7),
    is_ticket=st.booleans(),
    delay_ms=st.none() | st.integers(min_value=1, max_value=10**9),
)
def test_a_message_survives_the_way(
    payload: str, attempts: int, backoff_ms: int, is_ticket: bool, delay_ms: int | None
) -> None:
    message = a_message(
        payload=payload,
        attempts=attempts,
        backoff=timedelta(milliseconds=backoff_ms),
        ticket=is_ticket,
        run_at=None if delay_ms is None else NOON + timedelta(milliseconds=delay_ms),
    )

    assert Envelope.decode(message.encode()) == message


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "body: Invalid JSON"),
        ("[]", "body: Input should be an object"),
        ('{"id":"x"}', "type: Field required"),
        (a_message().encode().replace('"high"', '"urgent"'), "lane: Input should be"),
        (a_message().encode().replace('{"id"', '{"v":2,"id"'), "v: Input should be 1"),
    ],
)
def test_what_is_no_message_is_refused_saying_where(body: str, problem: str) -> None:
    with pytest.raises(UndecodableError) as refused:
        Envelope.decode(body)

    assert problem in str(refused.value)


def test_a_refusal_repeats_nothing_of_the_message() -> None:
    with pytest.raises(UndecodableError) as refused:
        Envelope.decode('{"id": 5, "type": "secret@example.com"}')

    assert "secret" not in str(refused.value)


def test_a_field_of_a_newer_producer_is_passed_over() -> None:
    assert Envelope.decode(a_message().encode()[:-1] + ',"newer":1}') == a_message()


def test_an_immediate_job_carries_no_start_of_its_producer() -> None:
    assert Envelope.of(a_record(), "{}").run_at is None
    assert Envelope.of(a_record(run_at=NOON + timedelta(hours=1)), "{}").run_at == NOON + timedelta(hours=1)


def test_a_ticket_names_the_next_life() -> None:
    ticket = a_message(unrecorded=True).as_ticket(life=2)

    assert (ticket.life, ticket.ticket, ticket.unrecorded) == (2, True, False)


def test_a_message_of_a_record_makes_that_record() -> None:
    record = new_record(
        a_message(
            run_at=NOON + timedelta(hours=1),
            start_by=NOON + timedelta(hours=2),
            timeout=timedelta(seconds=7),
            version=3,
            life=2,
            tenant="shop-1",
            headers=(("correlation-id", "order-7"),),
            webhook="https://example.com/",
            request_digest="0123456789abcdef",
            nonce="n-1",
        )
    )

    assert new_record(Envelope.of(record, record.payload or "")) == record
