"""Debouncing: a job that hasn't started yet does the work of a later one with its key, with the later one's payload."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lanework.engine.jobtypes.receipt import Receipt
from lanework.errors import ContendedError, UndecodableError
from lanework.model.events import Action
from lanework.model.job.envelope import Envelope
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.states import AT_ONCE, WAITING, State

if TYPE_CHECKING:
    from lanework.engine.enqueue.prepared_job import PreparedJob
    from lanework.engine.ports.ledger import Ledger
    from lanework.model.lifecycle.states import JobRecord


def supersede(pending_id: str, job: PreparedJob, ledger: Ledger) -> PreparedJob | None:
    """
    Give a job's payload and start to the pending job that has its key; return it as that one.

    None if the pending one doesn't wait for its first start any more, or no message can be made of it: then the later
    job is recorded itself, and the sweep ends the other. Raises ContendedError if it changed in between.

    A message that is under way will do as long as it comes before the new start: the claim is refused until then. The
    first time an entry is made beside it (rule 3), since the producer may have crashed before it sent that message.

    An enqueue that took long may come after one that began later. Its payload is the last that was accepted; the later
    start of the two counts, so that it doesn't shorten the other's window.
    """
    pending = ledger.get(pending_id)
    if pending is None or pending.state not in WAITING or pending.claim_id is not None:
        return None
    try:
        Envelope.of(pending, job.envelope.payload)
    except UndecodableError:
        return None
    later = _with_the_later_start(job.record, pending)
    is_far = later.state is State.SCHEDULED
    comes_late = pending.state is State.SCHEDULED or (pending.due_at or AT_ONCE) > later.run_at
    needs_entry = is_far or comes_late or pending.sweep_at is None or pending.held_by is not None
    change = operator_moves.supersede(pending, later, entry=later.run_at if needs_entry else None)
    answer = ledger.change(pending.job_id, change)
    if not isinstance(answer, Applied):
        msg = f"job {pending.job_id} changed meanwhile"
        raise ContendedError(msg)
    return replace(
        job,
        record=answer.record,
        message=Envelope.of(answer.record, job.envelope.payload) if comes_late and not is_far else None,
        receipt=Receipt(job_id=answer.record.job_id),
        action=Action.JOB_SUPERSEDED,
        reason=None,
    )


def _with_the_later_start(later: JobRecord, pending: JobRecord) -> JobRecord:
    if later.created_at >= pending.ordered_at or later.run_at >= pending.run_at:
        return later
    state = State.SCHEDULED if pending.state is State.SCHEDULED else later.state
    return replace(later, state=state, run_at=pending.run_at, due_at=pending.run_at)
