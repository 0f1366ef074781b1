"""The lanes on SQS: a queue and a dead-letter queue each, whose addresses follow from the stack's name."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lanework.aws.clients import translated
from lanework.aws.queues import BATCH, Queues, ReceivedMessages, seconds
from lanework.engine.ports.messages import LARGEST_MESSAGE, DeadLetter, Unsent, size_of
from lanework.errors import ConfigError, UnavailableError, UnsendableError, UnsupportedError
from lanework.model.job.sqs_text import printable
from lanework.model.lanes import LaneDepth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_sqs.type_defs import StartMessageMoveTaskRequestTypeDef

    from lanework.aws.clients import Clients
    from lanework.aws.queues import ReportFailure
    from lanework.engine.ports.messages import OutgoingMessage
    from lanework.model.lanes import Lane

_OF_THE_MESSAGE: Final = frozenset(
    {
        "InvalidMessageContents",
        "InvalidParameterValue",
        "InvalidAttributeName",
        "InvalidAttributeValue",
        "MissingParameter",
        "AWS.SimpleQueueService.BatchRequestTooLong",
        "BatchRequestTooLong",
    }
)
"""Codes by which SQS refuses a message, or a batch for one of its messages, for what it is (SQS, SendMessageBatch)."""

_NO_ACTION: Final = "InvalidAction"

_COUNTS: Final = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]


class SqsLanes:
    """Implements the `Lanes` port."""

    def __init__(self, clients: Clients, *, stack: str, report: ReportFailure) -> None:
        """Use the queues `<stack>-<lane>` and `<stack>-<lane>-dlq`."""
        self._clients = clients
        self._queues = Queues(clients, stack=stack)
        self._received = ReceivedMessages(clients, self._queues, report)

    def send(self, lane: str, sending: OutgoingMessage) -> None:
        with _sending(f"sending to lane {lane}"):
            self._clients.sqs.send_message(QueueUrl=self._queues.url(lane), **_message(sending))

    def send_many(self, lane: Lane, sendings: Sequence[OutgoingMessage]) -> dict[int, Unsent]:
        """A batch that SQS refuses as a whole for one of its messages is sent one by one."""
        batches = [{index: sendings[index] for index in batch} for batch in _batches(sendings)]
        if len(batches) == 1:
            return self._send_or_say(lane, batches[0])
        from lanework.aws.concurrent_calls import concurrently  # noqa: PLC0415 - most calls enqueue few jobs

        answers = concurrently(lambda batch: self._send_or_say(lane, batch), batches)
        return {index: unsent for answer in answers for index, unsent in answer.items()}

    def _send_or_say(self, lane: Lane, batch: Mapping[int, OutgoingMessage]) -> dict[int, Unsent]:
        try:
            return self._send_batch(lane, batch)
        except UnsendableError:
            return self._send_singly(lane, batch)
        except (UnavailableError, ConfigError) as error:
            return dict.fromkeys(batch, Unsent(error))

    def _send_batch(self, lane: Lane, batch: Mapping[int, OutgoingMessage]) -> dict[int, Unsent]:
        entries: Any = [{"Id": str(index), **_message(sending)} for index, sending in batch.items()]
        with _sending(f"sending {len(batch)} jobs to lane {lane}"):
            answer = self._clients.sqs.send_message_batch(QueueUrl=self._queues.url(lane), Entries=entries)
        unsent: dict[int, Unsent] = {}
        for one in answer.get("Failed", []):
            kind = UnsendableError if one["Code"] in _OF_THE_MESSAGE else UnavailableError
            unsent[int(one["Id"])] = Unsent(kind(one.get("Message", one["Code"])))
        return unsent

    def _send_singly(self, lane: Lane, batch: Mapping[int, OutgoingMessage]) -> dict[int, Unsent]:
        unsent: dict[int, Unsent] = {}
        for index, sending in batch.items():
            try:
                self.send(lane, sending)
            except (UnavailableError, UnsendableError, ConfigError) as error:
                unsent[index] = Unsent(error)
        return unsent

    def send_to_dlq(self, lane: str, body: str, *, cause: str, error: str) -> None:
        """Cause and error are message attributes too, so that the console shows them."""
        attributes = {"cause": cause, "error": error}
        with _sending(f"sending to the dead-letter queue of lane {lane}"):
            self._clients.sqs.send_message(
                QueueUrl=self._queues.url(lane, "-dlq"),
                MessageBody=body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": printable(value)}
                    for name, value in attributes.items()
                    if value
                },
            )

    def receive_dead(self, lane: str, *, limit: int, hide_for: timedelta) -> list[DeadLetter]:
        with translated(f"reading the dead-letter queue of lane {lane}"):
            answer = self._clients.sqs.receive_message(
                QueueUrl=self._queues.url(lane, "-dlq"),
                MaxNumberOfMessages=min(limit, BATCH),
                VisibilityTimeout=seconds(hide_for),
                WaitTimeSeconds=0,
                MessageSystemAttributeNames=["DeadLetterQueueSourceArn"],
                MessageAttributeNames=["error"],
            )
        return [
            DeadLetter(
                handle=one["ReceiptHandle"],
                body=one["Body"],
                was_moved_by_sqs="DeadLetterQueueSourceArn" in one.get("Attributes", {}),
                message_id=one.get("MessageId"),
                error=_error_of(one),
            )
            for one in answer.get("Messages", [])
        ]

    def show_dead(self, lane: str, handles: Sequence[str]) -> None:
        """What can't be shown now is shown when its hiding ends."""
        self._received.hide(lane, dict.fromkeys(handles, timedelta(0)), suffix="-dlq")

    def delete_dead(self, lane: str, handles: Sequence[str]) -> None:
        self._received.delete(lane, handles, suffix="-dlq")

    def change_visibility(self, lane: Lane, handle: str, after: timedelta) -> None:
        """A message that can't be hidden for longer comes back sooner, which is safe."""
        self._received.hide_one(lane, handle, after)

    def move_back(self, lane: Lane, *, rate: int | None) -> None:
        """Names the destination, since what a program sent to a DLQ has no recorded source."""
        request: StartMessageMoveTaskRequestTypeDef = {
            "SourceArn": self._attributes(lane, "-dlq", ["QueueArn"])["QueueArn"],
            "DestinationArn": self._attributes(lane, "", ["QueueArn"])["QueueArn"],
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

    def live(self, lane: Lane) -> LaneDepth:
        waiting, in_flight, delayed = self._counts(lane)
        return LaneDepth(waiting=waiting, in_flight=in_flight, delayed=delayed, dead=0)

    def counts(self, lane: Lane) -> LaneDepth:
        # A letter that the reconciler looks at is hidden for a while, and as dead as the others.
        return replace(self.live(lane), dead=sum(self._counts(lane, "-dlq")))

    def _counts(self, lane: Lane, suffix: str = "") -> tuple[int, int, int]:
        found = self._attributes(lane, suffix, _COUNTS)
        waiting, in_flight, delayed = (int(found.get(name, 0)) for name in _COUNTS)
        return waiting, in_flight, delayed

    def _attributes(self, lane: Lane, suffix: str, names: Sequence[Any]) -> Mapping[Any, str]:
        url = self._queues.url(lane, suffix)
        with translated(f"looking at {url.rpartition('/')[2]}"):
            return self._clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names).get("Attributes", {})


def _error_of(message: Any) -> str | None:  # noqa: ANN401 - a part of boto's answer
    found: str | None = message.get("MessageAttributes", {}).get("error", {}).get("StringValue")
    return found


def _batches(sendings: Sequence[OutgoingMessage]) -> Iterator[list[int]]:
    """Split into batches that SQS takes, as lists of indexes."""
    batch: list[int] = []
    size = 0
    for index, sending in enumerate(sendings):
        length = size_of(sending.body)
        if batch and (len(batch) == BATCH or size + length > LARGEST_MESSAGE):
            yield batch
            batch, size = [], 0
        batch.append(index)
        size += length
    if batch:
        yield batch


@contextmanager
def _sending(doing: str) -> Iterator[None]:
    """
    Turn boto's errors of a send into Lanework's.

    Raises:
        UnavailableError, ConfigError: See `translated`.
        UnsendableError: SQS refuses what is sent, whoever sends it.
    """
    try:
        with translated(doing):
            yield
    except ConfigError as error:
        cause = error.__cause__
        if isinstance(cause, ClientError) and cause.response["Error"]["Code"] in _OF_THE_MESSAGE:
            raise UnsendableError(str(error)) from cause
        raise


def _message(sending: OutgoingMessage) -> Any:  # noqa: ANN401 - a part of boto's requests
    """Return what both ways of sending say of a message; a standard queue with groups is a fair queue."""
    group = {} if sending.tenant is None else {"MessageGroupId": sending.tenant}
    return {"MessageBody": sending.body, "DelaySeconds": seconds(sending.delay), **group}
