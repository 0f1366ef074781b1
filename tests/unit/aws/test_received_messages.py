"""What SQS didn't do with received messages is tried again where that helps, and reported once for each kind."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lanework import Lane
from lanework.aws.consumer import SqsConsumer
from lanework.aws.lanes import SqsLanes

SECOND = timedelta(seconds=1)
HANDLES = ["a", "b", "c"]
EXPIRED = ("ReceiptHandleIsInvalid", True)
INTERNAL = ("InternalError", False)


class Sqs:
    """
    As much of an SQS client as a consumer needs.

    Attributes:
        fails: Receipt handles that fail, with the code, whether it is the sender's fault, and how often.
        denies: Whether every call is refused for want of a permission.
        done: What was done, by handle.
        calls: How often each operation was called.
        messages: What is received.
    """

    class meta:  # noqa: N801 - boto's name
        endpoint_url = "https://sqs.eu-west-1.amazonaws.com"

    def __init__(self) -> None:
        self.fails: dict[str, tuple[tuple[str, bool], int]] = {}
        self.denies = False
        self.done: list[str] = []
        self.calls: Counter[str] = Counter()
        self.messages: list[dict[str, Any]] = []

    def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        return self._batch("DeleteMessageBatch", request["Entries"])

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        return self._batch("ChangeMessageVisibilityBatch", request["Entries"])

    def change_message_visibility(self, **request: Any) -> None:
        self._ask("ChangeMessageVisibility")
        self.done.append(request["ReceiptHandle"])

    def _ask(self, operation: str) -> None:
        self.calls[operation] += 1
        if self.denies:
            answer: Any = {"Error": {"Code": "AccessDenied", "Message": f"not authorized to perform sqs:{operation}"}}
            raise ClientError(answer, operation)

    def _batch(self, operation: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
        self._ask(operation)
        failed = []
        for one in entries:
            handle = one["ReceiptHandle"]
            (code, is_senders), times = self.fails.get(handle, (EXPIRED, 0))
            if times:
                self.fails[handle] = ((code, is_senders), times - 1)
                failed.append({"Id": one["Id"], "Code": code, "SenderFault": is_senders, "Message": "it failed"})
            else:
                self.done.append(handle)
        return {"Failed": failed}

    def receive_message(self, **_: Any) -> dict[str, Any]:
        return {"Messages": self.messages}


class Clients:
    account = "123456789012"

    def __init__(self, sqs: Sqs) -> None:
        self.sqs = sqs


class Stack:
    """A worker's adapters, and what they reported: event, lane and reason."""

    def __init__(self) -> None:
        self.sqs = Sqs()
        self.reported: list[tuple[str, str, str]] = []
        clients: Any = Clients(self.sqs)
        self.consumer = SqsConsumer(clients, stack="shop", report=self._report)
        self.lanes = SqsLanes(clients, stack="shop", report=self._report)

    def _report(self, action: str, lane: str, reason: str) -> None:
        self.reported.append((action, lane, reason))


@pytest.fixture(name="stack")
def a_stack() -> Stack:
    return Stack()


CALLS: dict[str, tuple[str, Any]] = {
    "a worker deletes": ("message.delete_failed", lambda stack: stack.consumer.delete(Lane.HIGH, HANDLES)),
    "a worker hides": (
        "message.visibility_failed",
        lambda stack: stack.consumer.hide(Lane.HIGH, dict.fromkeys(HANDLES, SECOND)),
    ),
    "Lambda hides": ("message.visibility_failed", lambda stack: stack.lanes.change_visibility(Lane.HIGH, "a", SECOND)),
    "the reconciler deletes": ("message.delete_failed", lambda stack: stack.lanes.delete_dead(Lane.HIGH, HANDLES)),
    "the reconciler shows": ("message.visibility_failed", lambda stack: stack.lanes.show_dead(Lane.HIGH, HANDLES)),
}
BATCHES = {name: one for name, one in CALLS.items() if name != "Lambda hides"}


@pytest.mark.parametrize(("event", "call"), CALLS.values(), ids=CALLS)
def test_a_missing_permission_is_reported_once_and_not_for_each_message(stack: Stack, event: str, call: Any) -> None:
    stack.sqs.denies = True

    for _ in range(3):
        call(stack)

    ((action, lane, reason),) = stack.reported
    assert (action, lane) == (event, Lane.HIGH)
    assert "not authorized to perform sqs:" in reason


@pytest.mark.parametrize(("event", "call"), BATCHES.values(), ids=BATCHES)
def test_an_entry_that_sqs_failed_to_do_by_its_own_fault_is_tried_once_more(
    stack: Stack, event: str, call: Any
) -> None:
    stack.sqs.fails["b"] = (INTERNAL, 1)

    call(stack)

    assert (stack.sqs.done, stack.reported) == (["a", "c", "b"], [])
    assert set(stack.sqs.calls.values()) == {2}

    stack.sqs.fails["b"] = (INTERNAL, 2)
    call(stack)

    assert stack.reported == [(event, Lane.HIGH, "InternalError: it failed")]


@pytest.mark.parametrize(("event", "call"), BATCHES.values(), ids=BATCHES)
def test_an_expired_receipt_handle_is_reported_once_and_never_tried_again(stack: Stack, event: str, call: Any) -> None:
    stack.sqs.fails = {"a": (EXPIRED, 2), "b": (EXPIRED, 1)}

    call(stack)
    call(stack)

    assert set(stack.sqs.calls.values()) == {2}, "one call each time"
    assert stack.reported == [(event, Lane.HIGH, "ReceiptHandleIsInvalid: it failed")]


def test_each_kind_of_failure_is_reported(stack: Stack) -> None:
    stack.sqs.fails = {"a": (EXPIRED, 1), "b": (INTERNAL, 2)}
    stack.consumer.delete(Lane.HIGH, HANDLES)
    stack.sqs.denies = True
    stack.consumer.delete(Lane.LOW, HANDLES)
    stack.consumer.hide(Lane.LOW, {"a": SECOND})

    assert [(action, lane) for action, lane, _ in stack.reported] == [
        ("message.delete_failed", Lane.HIGH),
        ("message.delete_failed", Lane.HIGH),
        ("message.delete_failed", Lane.LOW),
        ("message.visibility_failed", Lane.LOW),
    ]


def test_a_worker_receives_the_id_that_sqs_gave_a_message(stack: Stack) -> None:
    """An open message without an id of its own runs under it, in a worker process as in Lambda."""
    stack.sqs.messages = [{"MessageId": "m-1", "ReceiptHandle": "r-1", "Body": "{}"}]

    (received,) = stack.consumer.receive(Lane.HIGH, limit=1, wait=SECOND, hide_for=SECOND)

    assert (received.message_id, received.handle, received.receives) == ("m-1", "r-1", 1)
