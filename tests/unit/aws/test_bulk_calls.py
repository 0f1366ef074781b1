"""Bulk enqueues: calls that go out side by side, and what comes back."""

from __future__ import annotations

from contextvars import ContextVar
from threading import Barrier, Lock
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError

from lanework.aws.clients import Clients
from lanework.aws.concurrent_calls import AT_ONCE, concurrently
from lanework.aws.lanes import SqsLanes
from lanework.aws.ledger.ledger import DynamoLedger
from lanework.engine.ports.ledger import UnavailableOne
from lanework.engine.ports.messages import OutgoingMessage
from lanework.errors import UnavailableError
from lanework.model.lanes import Lane
from tests.support.factories import a_record

whose: ContextVar[str] = ContextVar("whose", default="nobody's")


def test_three_are_under_way_at_once_and_no_more_and_answers_keep_their_order() -> None:
    meet, lock, under_way, most = Barrier(AT_ONCE), Lock(), 0, 0

    def call(part: int) -> tuple[int, str]:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        meet.wait(10)  # fails unless as many come
        with lock:
            under_way -= 1
        return part, whose.get()

    token = whose.set("a trace's")
    answers = concurrently(call, range(5 * AT_ONCE))
    whose.reset(token)

    assert answers == [(part, "a trace's") for part in range(5 * AT_ONCE)]
    assert most == AT_ONCE


def test_the_error_of_the_first_part_that_fails_is_raised() -> None:
    def call(part: int) -> None:
        if part in {3, 7}:
            raise UnavailableError(str(part))

    with pytest.raises(UnavailableError, match="3"):
        concurrently(call, range(20))


class Down:
    """Clients of services that don't answer; counts what is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.dynamodb = self.sqs = SimpleNamespace(
            batch_execute_statement=self._fail, send_message_batch=self._fail, meta=SimpleNamespace(endpoint_url="")
        )

    def _fail(self, **_: Any) -> None:
        self.asked += 1
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1")


def test_a_bulk_enqueue_does_not_ask_a_dynamodb_that_is_down_for_each_of_its_chunks() -> None:
    clients = Down()
    ledger = DynamoLedger(cast("Clients", clients), stack="shop", region="eu-west-1")

    answers = ledger.put_many([a_record(job_id=f"job-{number}") for number in range(1000)])

    assert len(answers) == 1000
    assert all(isinstance(one, UnavailableOne) for one in answers)
    assert clients.asked <= AT_ONCE


class Sqs:
    """An SQS that refuses every seventh message for now, whatever call it is in."""

    class meta:  # noqa: N801 - boto's name
        endpoint_url = "https://sqs.eu-west-1.amazonaws.com"

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send_message_batch(self, *, Entries: list[dict[str, Any]], **_: object) -> dict[str, Any]:  # noqa: N803 - boto's
        bad = [one["Id"] for one in Entries if int(one["MessageBody"]) % 7 == 0]
        self.sent += [one["MessageBody"] for one in Entries if one["Id"] not in bad]
        return {"Failed": [{"Id": one, "Code": "ServiceUnavailable", "SenderFault": False} for one in bad]}


def test_each_message_that_was_not_sent_is_named_by_its_place() -> None:
    sqs = Sqs()
    clients = cast("Clients", SimpleNamespace(sqs=sqs, account="000000000000"))
    lanes = SqsLanes(clients, stack="shop", report=lambda *_: None)

    unsent = lanes.send_many(Lane.LOW, [OutgoingMessage(body=str(number)) for number in range(100)])

    assert sorted(unsent) == list(range(0, 100, 7))
    assert sorted(map(int, sqs.sent)) == [number for number in range(100) if number % 7]
