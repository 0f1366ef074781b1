"""The table's stream: each write of a job's item, as DynamoDB hands it to a function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lanework.aws.ledger.item import JOB, JobItem
from lanework.aws.ledger.read_back import to_record

if TYPE_CHECKING:
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
        UNREADABLE: This code can't read it: a later version's, after a rollback; or it is no such record.
    """
    change = one["dynamodb"]
    if change.get("NewImage", {}).get("sk") != {"S": JOB}:
        return None
    return Written(
        before=_whole(change["OldImage"]) if change.get("OldImage") else None,
        after=_whole(change["NewImage"]),
        at=datetime.fromtimestamp(float(change["ApproximateCreationDateTime"]), UTC),
        sequence=change["SequenceNumber"],
    )


def sequence_of(one: object) -> str | None:
    """Return the number of the write that a record tells of; None if it says none."""
    change = one.get("dynamodb") if isinstance(one, Mapping) else None
    return change.get("SequenceNumber") if isinstance(change, Mapping) else None


def _whole(image: dict[str, Any]) -> JobRecord:
    record = to_record(image, JobItem)
    if record.damage is not None:
        raise ValueError(record.damage)
    return record
