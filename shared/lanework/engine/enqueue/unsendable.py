"""The end of a job whose message SQS refuses for what it is: no later try could send it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.engine.dependencies.release_dependents import follow_up
from lanework.errors import UnavailableError
from lanework.model.events import Action, Event
from lanework.model.lifecycle import operator_moves, run_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.dependency_moves import NOTIFICATION_PENDING, notified, with_pending_notification

if TYPE_CHECKING:
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord


def end_unsendable(record: JobRecord, reason: str, ports: Ports) -> bool:
    """
    Give up on a job, cause `unsendable`, with what SQS said; False if it was claimed, ended or redriven meanwhile.

    No ticket is sent: it would be refused, too. A redrive by its record, with another payload, gives it another life.
    """
    now = ports.clock()
    death = operator_moves.die_unsent(
        record, error=reason, now=now, expires_at=run_moves.expiry(now=now, ever_died=True)
    )
    if ports.world.address_of(record) is not None:
        death = with_pending_notification(death, now=now)
    answer = ports.ledger.change(record.job_id, death)
    if not isinstance(answer, Applied):
        return False
    dead = answer.record
    ports.events.emit(Event.about(dead, Action.JOB_DEAD, at=now, cause=dead.cause, reason=reason))
    follow_up(dead, ports)
    if dead.held_by == NOTIFICATION_PENDING:
        _notify_webhook(dead, ports)
    return True


def _notify_webhook(dead: JobRecord, ports: Ports) -> None:
    """Notify of a death that has no message; what fails now is left to the clock."""
    try:
        ports.notify(dead)
        ports.ledger.change(dead.job_id, notified(dead))
    except UnavailableError as error:
        reason = f"telling of its end: {error}"
        ports.events.emit(Event.about(dead, Action.RUN_WRITE_FAILED, at=ports.clock(), reason=reason))
