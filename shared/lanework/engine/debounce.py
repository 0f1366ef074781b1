"""Debounced work: a job that waits and was never claimed does the work of the latest one with its key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lanework.errors import ContendedError
from lanework.model import interventions
from lanework.model.change import Applied
from lanework.model.states import AT_ONCE, WAITING, State

if TYPE_CHECKING:
    from lanework.engine.ports import Ledger
    from lanework.model.states import JobRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """
    A pending job does the work now.

    Attributes:
        record: That job, as it stands.
        needs_message: The messages that it has come too late for its new start.
    """

    record: JobRecord
    needs_message: bool


def supersede(pending_id: str, later: JobRecord, ledger: Ledger) -> Superseded | None:
    """
    Let a pending job do a later one's work.

    A message that is under way will do as long as it comes before the new start: the claim is refused until then. The
    first time an entry is made beside it (rule 3), since the producer may have crashed before it sent that message.

    An enqueue that took long may come after one that began later. Its payload is the last that was accepted; the later
    start of the two counts, so that it doesn't shorten the other's window.

    Args:
        pending_id: The job that had the key last.
        later: The record that a job of its own would have.
        ledger: Holds both.

    Returns:
        None if it doesn't wait for its first start any more: a job of its own has to be made.

    Raises:
        ContendedError: It changed in between.
        UnavailableError: Whether it was written is not known.
    """
    pending = ledger.get(pending_id)
    if pending is None or pending.state not in WAITING or pending.claim_id is not None:
        return None
    later = _after(pending, later)
    is_far = later.state is State.SCHEDULED
    comes_late = pending.state is State.SCHEDULED or (pending.due_at or AT_ONCE) > later.run_at
    needs_entry = is_far or comes_late or pending.sweep_at is None or pending.held_by is not None
    change = interventions.supersede(pending, later, entry=later.run_at if needs_entry else None)
    answer = ledger.change(pending.job_id, change)
    if not isinstance(answer, Applied):
        msg = f"job {pending.job_id} changed meanwhile"
        raise ContendedError(msg)
    return Superseded(record=answer.record, needs_message=comes_late and not is_far)


def _after(pending: JobRecord, later: JobRecord) -> JobRecord:
    """Return the record of a later job with the start that it is to have."""
    if later.created_at >= pending.ordered_at or later.run_at >= pending.run_at:
        return later
    state = State.SCHEDULED if pending.state is State.SCHEDULED else later.state
    return replace(later, state=state, run_at=pending.run_at, due_at=pending.run_at)
