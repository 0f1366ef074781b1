"""
Enqueueing a job together with the application's own items: record and items in one transaction, then the message.

A crash between the two leaves a job that was recorded and never sent, which the clock looks for (docs/decisions/0036).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lanework.engine.enqueue.uniqueness_and_quota import record_limited
from lanework.engine.ports.transaction_items import LARGEST_TRANSACTION, MOST_ITEMS
from lanework.errors import EnqueueError, InvalidOptionError, ItemsNotWrittenError, TooLargeError, UnavailableError
from lanework.model.job.payload import digest_of, is_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework.engine.enqueue.prepared_job import PreparedJob
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.transaction_items import TransactionItems

_MARK: Final = 512
"""Bytes of a guard's item, at most."""


def bound_to(jobs: Sequence[PreparedJob], items: TransactionItems) -> list[PreparedJob]:
    """
    Return the job that is to be recorded with items, marked with what it came with; nothing is written yet.

    Raises:
        InvalidOptionError, TooLargeError: They can't be written together.
    """
    if len(jobs) != 1:
        msg = f"enqueue_with records one job with its items, and middleware made {len(jobs)} of it"
        raise InvalidOptionError(msg)
    job = jobs[0]
    if job.request.runs_inline or job.request.debounce is not None:
        what = "fallback='inline'" if job.request.runs_inline else "a debounced type, whose job may be one that waits"
        msg = f"enqueue_with makes a record together with the items: it can't be combined with {what}"
        raise InvalidOptionError(msg)
    if job.is_recorded_at_start:
        from lanework.engine.jobtypes.recorded_at_start import refuse  # noqa: PLC0415 - few job types say it

        raise refuse(job.request.type.name, "enqueue_with")
    ours = 1 + is_apart(job.envelope.payload) + len(job.quotas) + (job.key is not None)
    if not 1 <= len(items.entries) <= MOST_ITEMS - ours:
        msg = (
            f"items has {len(items.entries)} entries, and may have 1 to {MOST_ITEMS - ours}: a transaction has "
            f"{MOST_ITEMS} at most (DynamoDB), of which the job takes {ours}"
        )
        raise InvalidOptionError(msg)
    size = items.size + len(job.envelope.encode().encode()) + _MARK * ours
    if size > LARGEST_TRANSACTION:
        raise TooLargeError(
            "items", size=size, limit=LARGEST_TRANSACTION, why="a transaction, the job's own items counted"
        )
    return [_with_digest(job, digest_of(f"{job.envelope.payload}\n{items.digest}"))]


def record_with(job: PreparedJob, items: TransactionItems, ports: Ports) -> PreparedJob:
    """
    Record a job and write its items, all or nothing; return it, or the duplicate that the same call has left before.

    Raises:
        ItemConditionError: A condition of the items didn't hold.
        ItemsNotWrittenError: The job exists, and came with something else.
        QuotaExceededError, JobIdTakenError, EnqueueError: As `record_limited`.
    """
    try:
        recorded = record_limited(job, ports, items)
    except EnqueueError:
        if _has_landed(job, ports):
            return job
        raise
    if not recorded.receipt.duplicate:
        return recorded
    is_the_same = recorded.record.nonce != job.record.nonce and recorded.record.request_digest == job.request.digest
    if not is_the_same:
        raise ItemsNotWrittenError(recorded.record.job_id)
    return recorded


def _has_landed(job: PreparedJob, ports: Ports) -> bool:
    """Tell whether a job was recorded though the answer was lost: its record shows its own nonce (rule 17)."""
    try:
        existing = ports.ledger.get(job.job_id)
    except UnavailableError:
        return False
    return existing is not None and existing.nonce is not None and existing.nonce == job.record.nonce


def _with_digest(job: PreparedJob, digest: str) -> PreparedJob:
    envelope = job.envelope.model_copy(update={"request_digest": digest})
    return replace(
        job,
        request=replace(job.request, digest=digest),
        record=replace(job.record, request_digest=digest),
        envelope=envelope,
        message=None if job.message is None else envelope,
    )
