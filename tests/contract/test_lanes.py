"""What every adapter of the lanes must do."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from lanework.engine.dlq_messages.tickets import send_to_dlq
from lanework.engine.ports.messages import LARGEST_MESSAGE, OutgoingMessage
from lanework.errors import UnavailableError, UnsendableError, UnsupportedError
from lanework.model.job.envelope import LARGEST_PAYLOAD, Envelope
from lanework.model.lanes import Lane
from tests.support.backends import Backend
from tests.support.factories import a_message


def test_a_message_arrives_in_its_own_lane_as_it_was_sent(backend: Backend) -> None:
    backend.ports.lanes.send(Lane.HIGH, OutgoingMessage(body='{"нэр":"Бат"}'))

    assert backend.receive(Lane.LOW) is None
    message = backend.receive(Lane.HIGH)
    assert message is not None
    assert message.body == '{"нэр":"Бат"}'


def test_many_messages_are_sent_at_once(backend: Backend) -> None:
    assert backend.ports.lanes.send_many(Lane.LOW, [OutgoingMessage(body=str(number)) for number in range(25)]) == {}

    assert backend.ports.lanes.counts(Lane.LOW).waiting == 25


def test_a_batch_never_exceeds_what_sqs_takes_at_once(backend: Backend) -> None:
    large = [OutgoingMessage(body=f"{number}{'x' * 250_000}") for number in range(9)]

    assert backend.ports.lanes.send_many(Lane.LOW, large) == {}

    assert backend.ports.lanes.counts(Lane.LOW).waiting == 9


def test_one_that_sqs_refuses_keeps_none_of_the_others_from_being_sent(backend: Backend) -> None:
    refused = {3: "no\uffff", 11: "no\x00", 13: "x" * (2**20 + 1)}
    sendings = [OutgoingMessage(body=refused.get(number, str(number))) for number in range(15)]

    unsent = backend.ports.lanes.send_many(Lane.LOW, sendings)

    assert set(unsent) == set(refused)
    assert {type(one.error) for one in unsent.values()} == {UnsendableError}
    assert backend.ports.lanes.counts(Lane.LOW).waiting == len(sendings) - len(refused)


def test_a_single_message_that_sqs_refuses_is_told_from_a_lane_that_takes_none(backend: Backend) -> None:
    with pytest.raises(UnsendableError):
        backend.ports.lanes.send(Lane.LOW, OutgoingMessage(body="x" * (2**20 + 1)))
    with pytest.raises(UnsendableError):
        backend.ports.lanes.send(Lane.LOW, OutgoingMessage(body="\ufffe"))


@pytest.mark.parametrize("text", ["\uffff", "\x00", "\x0b", "\ufdd0", "\U0001ffff", '\\"\uffff'])
def test_a_jobs_message_is_taken_whatever_its_payload_holds(backend: Backend, text: str) -> None:
    message = a_message(payload=json.dumps({"name": text}, ensure_ascii=False))

    backend.ports.lanes.send(Lane.HIGH, OutgoingMessage.of(message))
    backend.ports.lanes.send_to_dlq(Lane.HIGH, message.encode(), cause="exhausted", error=f"OSError: {text} \udcff")

    received = backend.receive(Lane.HIGH)
    assert received is not None
    assert Envelope.decode(received.body) == message
    assert backend.ports.lanes.counts(Lane.HIGH).dead == 1


def test_the_largest_payload_is_taken_whatever_it_holds(backend: Backend) -> None:
    for text in ("\uffff", '"', "\\", "\x01", "ж", "𝄞"):
        one = len(json.dumps(text, ensure_ascii=False).encode()) - 2
        payload = json.dumps({"name": text * ((LARGEST_PAYLOAD - 20) // one)}, ensure_ascii=False)
        backend.ports.lanes.send(Lane.LOW, OutgoingMessage.of(a_message(payload=payload)))

    assert backend.ports.lanes.counts(Lane.LOW).waiting == 6


def test_a_delayed_message_is_counted_as_delayed(backend: Backend) -> None:
    backend.ports.lanes.send(Lane.MEDIUM, OutgoingMessage(body="later", delay=timedelta(seconds=60)))

    counts = backend.ports.lanes.counts(Lane.MEDIUM)
    assert (counts.waiting, counts.delayed) == (0, 1)
    assert backend.ports.lanes.live(Lane.MEDIUM) == counts


def test_a_received_message_is_in_flight_and_comes_back_when_told(backend: Backend) -> None:
    backend.ports.lanes.send(Lane.HIGH, OutgoingMessage(body="again"))
    first = backend.receive(Lane.HIGH)
    assert first is not None
    assert backend.ports.lanes.counts(Lane.HIGH).in_flight == 1

    backend.ports.lanes.change_visibility(Lane.HIGH, first.handle, timedelta(0))

    again = backend.receive(Lane.HIGH)
    assert again is not None
    assert again.body == "again"


def test_a_stale_receipt_handle_does_nothing(backend: Backend) -> None:
    backend.ports.lanes.change_visibility(Lane.HIGH, "not-a-handle", timedelta(seconds=5))

    assert backend.ports.lanes.counts(Lane.HIGH).in_flight == 0


def test_what_is_buried_lies_in_the_dead_letter_queue_with_its_cause(backend: Backend) -> None:
    backend.ports.lanes.send_to_dlq(Lane.HIGH, "ticket", cause="exhausted", error="OSError: \x00 no")

    assert backend.ports.lanes.counts(Lane.HIGH).dead == 1
    assert backend.ports.lanes.live(Lane.HIGH).dead == 0
    (end_with_ticket,) = backend.dead(Lane.HIGH)
    assert end_with_ticket.body == "ticket"
    if backend.name != "memory":
        assert end_with_ticket.attributes == {"cause": "exhausted", "error": "OSError: ? no"}


def test_as_large_a_message_as_sqs_takes_is_buried_whole_and_without_what_would_make_it_too_large(
    backend: Backend,
) -> None:
    body = "x" * (LARGEST_MESSAGE - 100)

    send_to_dlq(backend.ports.lanes, Lane.HIGH, body, cause="invalid", error="OSError: " + "no " * 100)

    (end_with_ticket,) = backend.dead(Lane.HIGH)
    assert end_with_ticket.body == body
    if backend.name != "memory":
        assert end_with_ticket.attributes == {"cause": "invalid"}


def test_dead_letters_are_moved_back_or_the_endpoint_is_named_that_cannot(backend: Backend) -> None:
    backend.ports.lanes.send_to_dlq(Lane.HIGH, "ticket", cause="exhausted", error="OSError: no")

    if backend.name == "memory":
        backend.ports.lanes.move_back(Lane.HIGH, rate=None)
        moved = backend.receive(Lane.HIGH)
        assert moved is not None
        assert (moved.body, backend.ports.lanes.counts(Lane.HIGH).dead) == ("ticket", 0)
    elif backend.name == "ministack":  # known difference: no StartMessageMoveTask
        with pytest.raises(UnsupportedError, match=r"the SQS of http://127.* has no StartMessageMoveTask"):
            backend.ports.lanes.move_back(Lane.HIGH, rate=None)
    else:  # known difference: moto answers it with a server error
        with pytest.raises(UnavailableError, match="moving the dead letters of lane high: 500"):
            backend.ports.lanes.move_back(Lane.HIGH, rate=None)


def test_a_dead_letter_that_was_looked_at_is_hidden_until_it_is_shown_again_and_gone_once_deleted(
    backend: Backend,
) -> None:
    lanes = backend.ports.lanes
    lanes.send_to_dlq(Lane.HIGH, "ticket", cause="exhausted", error="no")
    (letter,) = lanes.receive_dead(Lane.HIGH, limit=10, hide_for=timedelta(minutes=5))
    assert (letter.body, letter.was_moved_by_sqs, letter.error) == ("ticket", False, "no")
    assert lanes.receive_dead(Lane.HIGH, limit=10, hide_for=timedelta(minutes=5)) == []

    lanes.show_dead(Lane.HIGH, [letter.handle])
    (again,) = lanes.receive_dead(Lane.HIGH, limit=10, hide_for=timedelta(minutes=5))
    assert again.message_id == letter.message_id is not None
    lanes.delete_dead(Lane.HIGH, [again.handle, "not-a-handle"])
    lanes.show_dead(Lane.HIGH, [again.handle])

    assert lanes.receive_dead(Lane.HIGH, limit=10, hide_for=timedelta(0)) == []
