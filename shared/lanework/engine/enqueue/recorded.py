"""Where an order stands once it is recorded, or found to be a repetition: what is sent, what the caller is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.enqueue.uniqueness_and_quota import Existing, New
from lanework.engine.jobtypes.receipt import Receipt
from lanework.errors import EnqueueError, InvalidPayloadError, JobIdTakenError, UnavailableError
from lanework.model.events import Action
from lanework.model.job.envelope import Envelope
from lanework.model.job.ids import OURS, needs_record
from lanework.model.job.payload import digest_of, is_apart, parsed
from lanework.model.lifecycle.states import WAITING, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.engine.enqueue.guards import Guards
    from lanework.engine.enqueue.prepared_job import Order
    from lanework.engine.enqueue.uniqueness_and_quota import Gate, Superseded
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.ledger import Ledger
    from lanework.model.lifecycle.states import JobRecord


_CARRIED_BY_ENTRY: Final = frozenset({State.SCHEDULED, State.BLOCKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """
    An order that was recorded, or found to be a repetition.

    Attributes:
        receipt: For the caller.
        record: The job that it is about: the order's own, or the one that stands in its way.
        message: What is to be sent; None where something durable carries the job already.
        action: What to tell of it.
        reason: In words, where there is something to say.
        public: The public fields of the payload that was ordered.
    """

    receipt: Receipt[Any]
    record: JobRecord
    message: Envelope | None
    action: Action
    reason: str | None = None
    public: Mapping[str, object]

    def repeated_by(self, first: Order, second: Order) -> Receipt[Any]:
        """Return the receipt of a second order of the same call for this job."""
        differs = self.receipt.payload_differs or first.envelope.payload != second.envelope.payload
        return replace(self.receipt, duplicate=True, payload_differs=differs)


class Placer:
    """Says what follows from how a put went."""

    def __init__(self, ledger: Ledger, gate: Gate) -> None:
        """Take the ledger, and the gate for jobs that have guards."""
        self._ledger = ledger
        self._gate = gate

    def after_put(self, order: Order, existing: JobRecord | None) -> Placed:
        """
        Return what follows from a put.

        Raises:
            EnqueueError: The id was used before by a job that may never have been sent, and its payload can't be read.
        """
        if existing is not None and not order.is_ours:
            return self._repeated(order, existing.job_id, existing)
        return Placed(
            receipt=Receipt(job_id=order.envelope.id, overdue=order.overdue),
            record=order.record,
            message=None if order.record.state in _CARRIED_BY_ENTRY else order.envelope,
            action=Action.JOB_ENQUEUED,
            reason=None if order.overdue is None else f"its start lay {order.overdue} in the past: it starts now",
            public=order.public,
        )

    def unrecorded(self, order: Order, reason: str) -> Placed:
        """
        Return the message that tells its worker to make the record: the ledger is out of reach (rule 6).

        Raises:
            EnqueueError: The job waits for others, which a message can't; or it, or its id, is one of Lanework's own.
        """
        if order.envelope.type.startswith(OURS):  # no worker would take it: anybody who may send could write it
            raise EnqueueError(order.envelope.id, f"{reason}; Lanework's own jobs are not sent unrecorded")
        if order.record.after or order.record.has_children or order.record.workflow is not None:
            why = f"{reason}; a job that waits for others or that others wait for is not sent unrecorded"
            raise EnqueueError(order.envelope.id, why)
        if needs_record(order.envelope.id):  # of such a message, which anybody could have sent, no worker makes one
            why = f"{reason}; a job under an id of Lanework's own is not sent unrecorded"
            raise EnqueueError(order.envelope.id, why)
        return Placed(
            receipt=Receipt(job_id=order.envelope.id, overdue=order.overdue),
            record=order.record,
            message=order.envelope.model_copy(update={"unrecorded": True}),
            action=Action.JOB_ENQUEUED,
            reason=f"unrecorded: {reason}",
            public=order.public,
        )

    def under_guards(self, order: Order, guards: Guards) -> Placed:
        """
        Record a job that has guards.

        Raises:
            QuotaExceededError: A quota is used up.
            EnqueueError: Whether it was recorded is not known, or others were faster again and again.
        """
        match self._gate.put(order, guards):
            case New():
                return self.after_put(order, None)
            case Existing(job_id=job_id, record=record):
                return self._repeated(order, job_id, record)
            case superseded:
                return self._superseded(order, superseded)

    def _repeated(self, order: Order, job_id: str, existing: JobRecord | None) -> Placed:
        """
        Answer a repeated id or key; what was never claimed is sent again, since its message may never have left.

        Raises:
            JobIdTakenError: The id is that of another type's job.
        """
        differs = False
        if existing is not None:
            check_type(order.request, existing)
            differs = self._differs(order, existing)
        return Placed(
            receipt=Receipt(job_id=job_id, duplicate=True, payload_differs=differs),
            record=replace(order.record, job_id=job_id) if existing is None else existing,
            message=None if existing is None else self._message_again(existing, order),
            action=Action.JOB_REPEATED,
            reason="with another payload, which will not run" if differs else None,
            public=order.public,
        )

    def _differs(self, order: Order, existing: JobRecord) -> bool:
        """
        Tell whether a job was given something else than is asked for now.

        Equal digests need no read of a payload that is kept apart; unequal ones do, since what is written from a set
        may differ in its order only. Of what can't be known, nothing is said.
        """
        if order.request.digest is not None and existing.job_id == order.envelope.id:
            return existing.request_digest != order.request.digest
        is_open = existing.takes is not None or order.request.takes is not None  # another job's result is part of it
        if existing.retired or is_open or existing.digest == digest_of(order.envelope.payload):
            return False
        try:
            text = self._ledger.payload_of(existing)
        except UnavailableError:
            return existing.digest is not None
        return text is not None and not _is_same(text, order)

    def _message_again(self, existing: JobRecord, order: Order) -> Envelope | None:
        """Return a message for a job that may have none, or whose payload was missing and is put back first."""
        is_unsent = existing.state is State.QUEUED and existing.life == 1 and existing.claim_id is None
        try:
            is_mended = self._puts_back(existing, order)
            if not (is_unsent or is_mended):
                return None
            payload = self._ledger.payload_of(existing)
        except UnavailableError as error:
            raise EnqueueError(existing.job_id, f"recorded before, but not sent again: {error}") from error
        return Envelope.of(existing, order.envelope.payload if payload is None else payload)

    def _puts_back(self, existing: JobRecord, order: Order) -> bool:
        """Put back the payload of a job that waits, if it lies beside the record and is missing; tell if it was."""
        is_beside = existing.payload is None and is_apart(order.envelope.payload)
        is_same = existing.digest in (None, order.record.digest)
        return (
            is_beside
            and is_same
            and existing.state in WAITING
            and self._ledger.put_back(existing.job_id, order.envelope.payload)
        )

    def _superseded(self, order: Order, superseded: Superseded) -> Placed:
        record = superseded.record
        return Placed(
            receipt=Receipt(job_id=record.job_id),
            record=record,
            message=Envelope.of(record, order.envelope.payload) if superseded.needs_message else None,
            action=Action.JOB_SUPERSEDED,
            public=order.public,
        )


def check_type(request: Request, existing: JobRecord) -> None:
    """
    Refuse an id that a job of another type has.

    Raises:
        JobIdTakenError: One has.
    """
    if existing.type not in (request.type.name, *request.type.aliases):
        raise JobIdTakenError(existing.job_id, request.type.name, taken_by=existing.type)


def _is_same(text: str, order: Order) -> bool:
    """Tell whether a stored payload says what is ordered: word for word, or as the job's own model reads it."""
    if text == order.envelope.payload:
        return True
    job_type = order.request.type
    try:
        return parsed(job_type.name, job_type.model, text) == order.request.payload
    except InvalidPayloadError:
        return False
