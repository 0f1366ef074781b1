"""Cancelling: a job that waits ends at once, a running one is asked to stop."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from lanework.engine.dependencies.release_dependents import follow_up
from lanework.errors import JobNotFoundError, is_a
from lanework.model.events import Action
from lanework.model.lifecycle import operator_moves, run_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord


class Cancelling(StrEnum):
    """What came of asking to cancel a job."""

    CANCELLED = "cancelled"
    ASKED = "asked"
    TOO_LATE = "too late"


def cancel(job_id: str, ports: Ports) -> Cancelling:
    """
    Cancel a job.

    Returns:
        CANCELLED: It ended, or had ended so before. ASKED: It runs; unless it completes, it ends cancelled.
        TOO_LATE: It has completed or died.

    Raises:
        JobNotFoundError: There is none.
    """
    if not is_a(job_id, str):
        raise JobNotFoundError(job_id)

    def attempt() -> Cancelling | None:
        now = ports.clock()
        expires_at = run_moves.expiry(now=now, ever_died=True)
        waiting = operator_moves.cancel_waiting(now=now, expires_at=expires_at)
        answer = ports.ledger.change(job_id, ports.ending(waiting))
        if isinstance(answer, Applied):
            return _cancelled(answer.record, ports)
        stored = answer.record
        if stored is None or stored.is_expired(now):
            raise JobNotFoundError(job_id)
        match stored.state:
            case State.CANCELLED:
                return Cancelling.CANCELLED
            case State.COMPLETED | State.DEAD | State.UNKNOWN:
                return Cancelling.TOO_LATE
            case State.RUNNING if stored.due_at is not None and stored.due_at <= now:
                ending = run_moves.cancel_abandoned(stored, now=now, expires_at=expires_at)
                over = ports.ledger.change(job_id, ports.ending(ending))
                if isinstance(over, Applied):
                    return _cancelled(over.record, ports)
            case _:
                if isinstance(ports.ledger.change(job_id, operator_moves.ask_to_cancel()), Applied):
                    return Cancelling.ASKED
        return None

    return ports.retry_conflicts(attempt, what=f"job {job_id!r}")


def _cancelled(record: JobRecord, ports: Ports) -> Cancelling:
    ports.emit(Action.JOB_CANCELLED, record)
    follow_up(record, ports)
    return Cancelling.CANCELLED
