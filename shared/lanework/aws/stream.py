"""The table's stream: each write of a job's item, as DynamoDB hands it to a function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lanework.aws.items import JOB, JobItem, to_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lanework.model.states import JobRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """
    One write of a job's item.

    Attributes:
        before: The job as it was; None if there was none.
        after: The job as it is.
        at: When, in whole seconds.
        sequence: The write's number, which is the same however often it is handed over.
    """

    before: JobRecord | None
    after: JobRecord
    at: datetime
    sequence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """
    A write of a job's item that this code can't read: a later version's, after a rollback.

    Attributes:
        sequence: Its number.
        reason: What is wrong with it.
    """

    sequence: str
    reason: str


def writes_in(event: Mapping[str, Any]) -> Iterator[Written | Unreadable]:
    """
    Yield the writes of jobs that an event holds, in their order; removals and other items are passed over.

    Source: DynamoDB Streams, StreamRecord (view type NEW_AND_OLD_IMAGES).
    """
    for one in event["Records"]:
        change = one["dynamodb"]
        if change.get("NewImage", {}).get("sk") == {"S": JOB}:
            try:
                yield _written(change)
            except (KeyError, TypeError, ValueError) as error:
                yield Unreadable(sequence=change["SequenceNumber"], reason=f"{type(error).__name__}: {error}")


def _written(change: Mapping[str, Any]) -> Written:
    return Written(
        before=_record(change.get("OldImage")),
        after=to_record(change["NewImage"], JobItem),
        at=datetime.fromtimestamp(float(change["ApproximateCreationDateTime"]), UTC),
        sequence=change["SequenceNumber"],
    )


def _record(image: dict[str, Any] | None) -> JobRecord | None:
    return to_record(image, JobItem) if image else None
