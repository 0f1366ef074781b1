"""The consumer's side of the lanes on SQS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lanework.aws.clients import translated
from lanework.aws.queues import BATCH, Queues, ReceivedMessages, seconds
from lanework.engine.ports.consumer import Received

if TYPE_CHECKING:
    from datetime import timedelta

    from lanework.aws.clients import Clients
    from lanework.aws.queues import ReportFailure
    from lanework.model.lanes import Lane


class SqsConsumer(ReceivedMessages):
    """Implements the `MessageConsumer` port."""

    def __init__(self, clients: Clients, *, stack: str, report: ReportFailure) -> None:
        super().__init__(clients, Queues(clients, stack=stack), report)

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


def _received(message: dict[str, Any]) -> Received:
    attributes = message.get("Attributes", {})
    sent_ms = attributes.get("SentTimestamp")
    return Received(
        handle=message["ReceiptHandle"],
        body=message["Body"],
        message_id=message.get("MessageId"),
        receives=int(attributes.get("ApproximateReceiveCount", 1)),
        sent_at=None if sent_ms is None else datetime.fromtimestamp(int(sent_ms) / 1000, UTC),
    )
