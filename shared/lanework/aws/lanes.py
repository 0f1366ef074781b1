"""The lanes on SQS: a queue and a dead-letter queue each, whose addresses follow from the stack's name."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lanework.aws.clients import translated
from lanework.aws.queues import BATCH, Queues, seconds
from lanework.engine.messages import DeadLetter, LaneCounts
from lanework.errors import ConfigError, UnavailableError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from mypy_boto3_sqs.type_defs import StartMessageMoveTaskRequestTypeDef

    from lanework.aws.clients import Clients
    from lanework.engine.messages import Sending
    from lanework.model.lanes import Lane

_BATCH_BYTES: Final = 1024 * 1024
"""Most bytes of a batch, all messages together (SQS quotas, "Message size")."""

_NO_ACTION: Final = "InvalidAction"

_COUNTS: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class SqsLanes:
    """Implements the `Lanes` port."""

    def __init__(self, clients: Clients, *, stack: str) -> None:
        """Use the queues `<stack>-<lane>` and `<stack>-<lane>-dlq`."""
        self._clients = clients
        self._queues = Queues(clients, stack=stack)

    def send(self, lane: Lane, sending: Sending) -> None:
        """See `Lanes.send`."""
        with translated(f"sending to lane {lane}"):
            self._clients.sqs.send_message(QueueUrl=self._queues.url(lane), **_message(sending))

    def send_many(self, lane: Lane, sendings: Sequence[Sending]) -> dict[int, str]:
        """See `Lanes.send_many`."""
        failed: dict[int, str] = {}
        for batch in _batches(sendings):
            entries: Any = [{"Id": str(index), **_message(sendings[index])} for index in batch]
            try:
                with translated(f"sending {len(batch)} jobs to lane {lane}"):
                    answer = self._clients.sqs.send_message_batch(QueueUrl=self._queues.url(lane), Entries=entries)
            except UnavailableError as error:
                failed |= dict.fromkeys(batch, str(error))
                continue
            failed |= {int(one["Id"]): one.get("Message", one["Code"]) for one in answer.get("Failed", [])}
        return failed

    def bury(self, lane: Lane, body: str, *, cause: str, error: str) -> None:
        """See `Lanes.bury`. Cause and error are message attributes too, so that the console shows them."""
        attributes = {"cause": cause, "error": error[:500]}
        with translated(f"sending to the dead-letter queue of lane {lane}"):
            self._clients.sqs.send_message(
                QueueUrl=self._queues.url(lane, "-dlq"),
                MessageBody=body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": _printable(value)}
                    for name, value in attributes.items()
                    if value
                },
            )

    def receive_dead(self, lane: Lane, *, limit: int, hide_for: timedelta) -> list[DeadLetter]:
        """See `Lanes.receive_dead`."""
        with translated(f"reading the dead-letter queue of lane {lane}"):
            answer = self._clients.sqs.receive_message(
                QueueUrl=self._queues.url(lane, "-dlq"),
                MaxNumberOfMessages=min(limit, BATCH),
                VisibilityTimeout=seconds(hide_for),
                WaitTimeSeconds=0,
                MessageSystemAttributeNames=["DeadLetterQueueSourceArn"],
            )
        return [
            DeadLetter(
                handle=one["ReceiptHandle"],
                body=one["Body"],
                was_moved_by_sqs="DeadLetterQueueSourceArn" in one.get("Attributes", {}),
            )
            for one in answer.get("Messages", [])
        ]

    def show_dead(self, lane: Lane, handles: Sequence[str]) -> None:
        """See `Lanes.show_dead`: what can't be shown now is shown when its hiding ends."""
        for start in range(0, len(handles), BATCH):
            with suppress(UnavailableError, ConfigError), translated(f"showing dead letters of lane {lane}"):
                self._clients.sqs.change_message_visibility_batch(
                    QueueUrl=self._queues.url(lane, "-dlq"),
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                        for index, handle in enumerate(handles[start : start + BATCH])
                    ],
                )

    def delete_dead(self, lane: Lane, handle: str) -> None:
        """See `Lanes.delete_dead`."""
        with suppress(UnavailableError, ConfigError), translated(f"deleting a dead letter of lane {lane}"):
            self._clients.sqs.delete_message(QueueUrl=self._queues.url(lane, "-dlq"), ReceiptHandle=handle)

    def change_visibility(self, lane: Lane, handle: str, after: timedelta) -> None:
        """See `Lanes.change_visibility`: a message that can't be hidden for longer comes back sooner, which is safe."""
        with suppress(UnavailableError, ConfigError), translated(f"changing visibility in lane {lane}"):
            self._clients.sqs.change_message_visibility(
                QueueUrl=self._queues.url(lane), ReceiptHandle=handle, VisibilityTimeout=seconds(after)
            )

    def move_back(self, lane: Lane, *, rate: int | None) -> None:
        """See `Lanes.move_back`: names the destination, since what a program sent to a DLQ has no recorded source."""
        request: StartMessageMoveTaskRequestTypeDef = {
            "SourceArn": self._arn(self._queues.url(lane, "-dlq")),
            "DestinationArn": self._arn(self._queues.url(lane)),
        }
        if rate is not None:
            request["MaxNumberOfMessagesPerSecond"] = rate
        try:
            with translated(f"moving the dead letters of lane {lane}"):
                self._clients.sqs.start_message_move_task(**request)
        except ConfigError as error:
            if isinstance(error.__cause__, ClientError) and error.__cause__.response["Error"]["Code"] == _NO_ACTION:
                msg = f"the SQS of {self._clients.sqs.meta.endpoint_url} has no StartMessageMoveTask"
                raise UnsupportedError(msg) from error
            raise

    def live(self, lane: Lane) -> LaneCounts:
        """See `Lanes.live`."""
        waiting, in_flight, delayed = self._counts(self._queues.url(lane))
        return LaneCounts(waiting=waiting, in_flight=in_flight, delayed=delayed, dead=0)

    def counts(self, lane: Lane) -> LaneCounts:
        """See `Lanes.counts`."""
        # A letter that the reconciler looks at is hidden for a while, and as dead as the others.
        return replace(self.live(lane), dead=sum(self._counts(self._queues.url(lane, "-dlq"))))

    def _arn(self, url: str) -> str:
        with translated(f"looking up {url.rpartition('/')[2]}"):
            answer = self._clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return answer["Attributes"]["QueueArn"]

    def _counts(self, url: str) -> tuple[int, int, int]:
        with translated(f"counting messages of {url.rpartition('/')[2]}"):
            answer = self._clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))
        found = answer.get("Attributes", {})
        waiting, in_flight, delayed = (int(found.get(name, 0)) for name in _COUNTS)
        return waiting, in_flight, delayed


def _batches(sendings: Sequence[Sending]) -> Iterator[list[int]]:
    """Split into batches that SQS takes, as lists of indexes."""
    batch: list[int] = []
    size = 0
    for index, sending in enumerate(sendings):
        length = len(sending.body.encode())
        if batch and (len(batch) == BATCH or size + length > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(index)
        size += length
    if batch:
        yield batch


def _printable(text: str) -> str:
    """Replace what a message attribute can't carry (SQS, "Message characters")."""
    return "".join(char if char in "\t\n\r" or (char >= " " and char not in "\ufffe\uffff") else "?" for char in text)


def _message(sending: Sending) -> Any:  # noqa: ANN401 - a part of boto's requests
    """Return what both ways of sending say of a message; a standard queue with groups is a fair queue."""
    group = {} if sending.tenant is None else {"MessageGroupId": sending.tenant}
    return {"MessageBody": sending.body, "DelaySeconds": seconds(sending.delay), **group}
