"""The table's stream: each write of a job's item, as DynamoDB hands it to a function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lanework.aws.ledger.item import JOB, JobItem
from lanework.aws.ledger.read_back import to_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.model.lifecycle.states import JobRecord


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


def written(one: Mapping[str, Any]) -> Written | None:
    """
    Return the write that a record of the stream tells of; None of a removal, and of an item that is no job.

    Source: DynamoDB Streams, StreamRecord (view type NEW_AND_OLD_IMAGES).

    Raises:
        KeyError, TypeError, ValueError: This code can't read it: a later version's, after a rollback.
    """
    change = one["dynamodb"]
    if change.get("NewImage", {}).get("sk") != {"S": JOB}:
        return None
    return Written(
        before=_record(change.get("OldImage")),
        after=_whole(change["NewImage"]),
        at=datetime.fromtimestamp(float(change["ApproximateCreationDateTime"]), UTC),
        sequence=change["SequenceNumber"],
    )


def _record(image: dict[str, Any] | None) -> JobRecord | None:
    return _whole(image) if image else None


def _whole(image: dict[str, Any]) -> JobRecord:
    record = to_record(image, JobItem)
    if record.damage is not None:
        raise ValueError(record.damage)
    return record
