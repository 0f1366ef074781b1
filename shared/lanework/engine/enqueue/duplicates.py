"""The answer to a job whose id, or whose key, another job has: what the caller gets to know, and what is sent again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lanework.engine.jobtypes.receipt import Receipt
from lanework.errors import EnqueueError, InvalidPayloadError, JobIdTakenError, UnavailableError, UndecodableError
from lanework.model.events import Action
from lanework.model.job.envelope import Envelope
from lanework.model.job.payload import digest_of, is_apart, parsed
from lanework.model.lifecycle.states import WAITING, State

if TYPE_CHECKING:
    from lanework.engine.enqueue.prepared_job import PreparedJob
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.ledger import Ledger
    from lanework.model.lifecycle.states import JobRecord


def duplicate_of(existing: JobRecord, job: PreparedJob, ledger: Ledger) -> PreparedJob:
    """
    Return a job as the duplicate of one that exists; if that was never claimed, its message may never have left.

    Raises:
        JobIdTakenError: The one that exists is of another type.
        EnqueueError: It may never have been sent, and its payload can't be read.
    """
    check_type(job.request, existing)
    differs = _differs(job, existing, ledger)
    return replace(
        job,
        record=existing,
        message=_message_again(existing, job, ledger),
        receipt=Receipt(job_id=existing.job_id, duplicate=True, payload_differs=differs),
        action=Action.JOB_REPEATED,
        reason="with another payload, which will not run" if differs else None,
    )


def duplicate_of_retired(job_id: str, job: PreparedJob) -> PreparedJob:
    """Return a job as the duplicate of one whose record is gone and whose key is still kept."""
    return replace(
        job,
        record=replace(job.record, job_id=job_id),
        message=None,
        receipt=Receipt(job_id=job_id, duplicate=True),
        action=Action.JOB_REPEATED,
        reason=None,
    )


def check_type(request: Request, existing: JobRecord) -> None:
    """Refuse, with JobIdTakenError, an id that a job of another type has."""
    if existing.type not in (request.type.name, *request.type.aliases):
        raise JobIdTakenError(existing.job_id, request.type.name, taken_by=existing.type)


def _differs(job: PreparedJob, existing: JobRecord, ledger: Ledger) -> bool:
    """
    Tell whether the job that exists was given something else than is asked for now.

    Equal digests need no read of a payload that is kept apart; unequal ones do, since what is written from a set may
    differ in its order only. Of what can't be known, nothing is said.
    """
    if job.request.digest is not None and existing.job_id == job.job_id:
        return existing.request_digest != job.request.digest
    is_open = existing.takes is not None or job.request.takes is not None  # another job's result is part of it
    if existing.retired or is_open or existing.digest == digest_of(job.envelope.payload):
        return False
    try:
        text = ledger.payload_of(existing)
    except UnavailableError:
        return existing.digest is not None
    return text is not None and not _is_same(text, existing.version, job)


def _is_same(text: str, version: int, job: PreparedJob) -> bool:
    """Tell whether a stored payload says what is asked for: word for word, or as the job's own model reads it."""
    if text == job.envelope.payload:
        return True
    job_type = job.request.type
    try:
        return parsed(job_type.name, job_type.model, job_type.current(text, version)) == job.request.payload
    except InvalidPayloadError:
        return False


def _message_again(existing: JobRecord, job: PreparedJob, ledger: Ledger) -> Envelope | None:
    """Return a message for a job that may have none, or whose payload was missing and is put back first."""
    is_unsent = existing.state is State.QUEUED and existing.life == 1 and existing.claim_id is None
    try:
        is_mended = _put_back(existing, job, ledger)
        if not (is_unsent or is_mended):
            return None
        payload = ledger.payload_of(existing)
        return Envelope.of(existing, job.envelope.payload if payload is None else payload)
    except (UnavailableError, UndecodableError) as error:
        reason, is_final = f"recorded before, but not sent again: {error}", isinstance(error, UndecodableError)
        raise EnqueueError(existing.job_id, reason, is_final=is_final) from error


def _put_back(existing: JobRecord, job: PreparedJob, ledger: Ledger) -> bool:
    """Put back the payload of a job that waits, if it lies beside the record and is missing; tell if it was."""
    is_beside = existing.payload is None and is_apart(job.envelope.payload)
    is_same = existing.digest in (None, job.record.digest)
    return (
        is_beside and is_same and existing.state in WAITING and ledger.put_back(existing.job_id, job.envelope.payload)
    )
