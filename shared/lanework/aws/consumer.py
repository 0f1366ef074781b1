"""The consumer's side of the lanes on SQS."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lanework.aws.clients import translated
from lanework.aws.lanes import BATCH, Queues, seconds
from lanework.engine.ports.consumer import Received
from lanework.errors import ConfigError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from lanework.aws.clients import Clients
    from lanework.model.lanes import Lane


class SqsConsumer:
    """Implements the `MessageConsumer` port."""

    def __init__(self, clients: Clients, *, stack: str) -> None:
        self._clients = clients
        self._queues = Queues(clients, stack=stack)

    def receive(self, lane: Lane, *, limit: int, wait: timedelta, hide_for: timedelta) -> list[Received]:
        with translated(f"receiving from lane {lane}"):
            answer: Any = self._clients.sqs.receive_message(
                QueueUrl=self._queues.url(lane),
                MaxNumberOfMessages=min(limit, BATCH),
                WaitTimeSeconds=seconds(wait),
                VisibilityTimeout=seconds(hide_for),
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
        return [_received(one) for one in answer.get("Messages", [])]

    def delete(self, lane: Lane, handles: Sequence[str]) -> None:
        for start in range(0, len(handles), BATCH):
            entries: Any = [
                {"Id": str(index), "ReceiptHandle": handle}
                for index, handle in enumerate(handles[start : start + BATCH])
            ]
            with suppress(UnavailableError, ConfigError), translated(f"deleting from lane {lane}"):
                self._clients.sqs.delete_message_batch(QueueUrl=self._queues.url(lane), Entries=entries)

    def hide(self, lane: Lane, handles: Mapping[str, timedelta]) -> None:
        wanted = list(handles.items())
        for start in range(0, len(wanted), BATCH):
            entries: Any = [
                {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": seconds(after)}
                for index, (handle, after) in enumerate(wanted[start : start + BATCH])
            ]
            with suppress(UnavailableError, ConfigError), translated(f"changing visibility in lane {lane}"):
                self._clients.sqs.change_message_visibility_batch(QueueUrl=self._queues.url(lane), Entries=entries)


def _received(message: dict[str, Any]) -> Received:
    attributes = message.get("Attributes", {})
    sent_ms = attributes.get("SentTimestamp")
    return Received(
        handle=message["ReceiptHandle"],
        body=message["Body"],
        receives=int(attributes.get("ApproximateReceiveCount", 1)),
        sent_at=None if sent_ms is None else datetime.fromtimestamp(int(sent_ms) / 1000, UTC),
    )
