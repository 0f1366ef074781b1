"""
Events as they arrive in a queue: what each is, and the id of its job, which every delivery of it has.

S3's notifications have URL-encoded keys, and a test event comes first; its events on EventBridge have the key as it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from lanework.aws_events.sources import EVENTS
from lanework.errors import UndecodableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_POWERTOOLS: Final = "aws_lambda_powertools."


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Object:
    """
    An object that was made.

    Attributes:
        key: Its key, decoded.
        size: Bytes.
        etag: Its entity tag; None if the event has none.
        version_id: Its version, in a bucket that keeps versions.
        sequencer: Hexadecimal; of two events of one key, the later one has the greater, padded to the same length.
        time: When it was made, in ISO 8601.
    """

    bucket: str
    key: str
    size: int
    etag: str | None
    version_id: str | None
    sequencer: str | None
    time: str | None

    def document(self) -> dict[str, object]:
        """Return it as the payload of a job whose model has some of these fields."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """
    One event.

    Attributes:
        id: Of its job: made of the event's own identity, so that it is the same however often the event is delivered.
        raw: The event as AWS sends it: what Powertools' parser models read.
        content: What it says: the S3 object, the SNS message, EventBridge's `detail`, or the SQS message's body.
        s3: The object, of an event of S3's.
        topic: The topic's ARN, of a message of SNS's.
        queue: The name of the queue, of one that others fill.
        is_of_bus: It came from EventBridge.
    """

    id: str
    raw: Mapping[str, Any]
    content: Any
    s3: S3Object | None = None
    topic: str | None = None
    queue: str | None = None
    is_of_bus: bool = False

    def payload_for(self, model: type) -> Any:  # noqa: ANN401 - of JSON
        """Return the payload of a job: all of the event for a parser model of Powertools', else what it says."""
        is_of_powertools = any(one.__module__.startswith(_POWERTOOLS) for one in model.__mro__)
        return self.raw if is_of_powertools else self.content

    def __str__(self) -> str:
        if self.s3 is not None:
            return f"an object made in bucket {self.s3.bucket!r}"
        if self.topic is not None:
            return f"a message of topic {self.topic}"
        if self.queue is not None:
            return f"a message of queue {self.queue!r}"
        return f"an event of source {str(self.raw.get('source', 'aws:s3'))[:100]!r}"


def events_of(record: Mapping[str, Any], *, queue: str) -> list[Event]:
    """
    Return the events that an SQS message holds; S3's test event is none.

    Args:
        record: The message, as Lambda gets it.
        queue: The name of its queue, without the stack's.

    Raises:
        UndecodableError: It is nothing that S3, SNS or EventBridge sends; nothing of it is repeated.
    """
    if queue != EVENTS:
        return [_of_queue(record, queue)]
    body = _json(record["body"])
    match body:
        case {"Type": "Notification", "TopicArn": str(topic), "MessageId": str(message_id), "Message": str(message)}:
            return [Event(id=f"sns-{message_id}", raw=body, content=_said(message), topic=topic)]
        case {"detail-type": str(kind), "source": str(source), "id": str(event_id), "detail": dict(detail)}:
            made = _s3_of_bus(body) if (source, kind) == ("aws.s3", "Object Created") else None
            own_id = f"event-{event_id}" if made is None else _id_of(made)
            content = detail if made is None else made.document()
            return [Event(id=own_id, raw=body, content=content, s3=made, is_of_bus=True)]
        case {"Event": "s3:TestEvent"}:
            return []
        case {"Records": [{"eventSource": "aws:s3"}, *_] as records}:
            return list(_of_notification(records))
    msg = "not an event of S3, SNS or EventBridge"
    raise UndecodableError(msg)


def _of_queue(record: Mapping[str, Any], queue: str) -> Event:
    attributes = record.get("attributes", {})
    same = {"ApproximateReceiveCount": "1", "ApproximateFirstReceiveTimestamp": attributes.get("SentTimestamp", "0")}
    # As it is in every delivery: another payload under one id would look like a mistake.
    raw = {**record, "receiptHandle": "", "attributes": {**attributes, **same}}
    return Event(id=f"sqs-{record['messageId']}", raw=raw, content=_said(record["body"]), queue=queue)


def _of_notification(records: list[Any]) -> Iterator[Event]:
    for one in records:
        match one:
            case {"eventName": str(name), "s3": {"bucket": {"name": str(bucket)}, "object": {"key": str(key)} as made}}:
                found = S3Object(
                    bucket=bucket,
                    key=unquote_plus(key),
                    size=made.get("size", 0),
                    etag=made.get("eTag"),
                    version_id=made.get("versionId"),
                    sequencer=made.get("sequencer"),
                    time=one.get("eventTime"),
                )
                is_created = name.removeprefix("s3:").startswith("ObjectCreated:")
                own_id = _id_of(found) if is_created else _id_of(found, name)
                content = found.document()
                yield Event(id=own_id, raw={"Records": [one]}, content=content, s3=found if is_created else None)
            case _:
                msg = "a notification of S3 without bucket, key and event name"
                raise UndecodableError(msg)


def _s3_of_bus(event: Mapping[str, Any]) -> S3Object:
    match event["detail"]:
        case {"bucket": {"name": str(bucket)}, "object": {"key": str(key)} as made}:
            return S3Object(
                bucket=bucket,
                key=key,
                size=made.get("size", 0),
                etag=made.get("etag"),
                version_id=made.get("version-id"),
                sequencer=made.get("sequencer"),
                time=event.get("time"),
            )
    msg = "an event of S3 without bucket and key"
    raise UndecodableError(msg)


def _id_of(made: S3Object, *more: str) -> str:
    identity = (made.bucket, made.key, made.version_id or "", made.sequencer or "", *more)
    return f"s3-{sha256(json.dumps(identity).encode()).hexdigest()[:40]}"


def _said(text: str) -> Any:  # noqa: ANN401 - of JSON
    """Return what a message says: JSON, or the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _json(text: str) -> Any:  # noqa: ANN401 - of JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        msg = "not an event of S3, SNS or EventBridge: no JSON"
        raise UndecodableError(msg) from None
