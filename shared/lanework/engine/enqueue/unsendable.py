"""The end of a job whose message SQS refuses for what it is: no later try could send it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.engine.dependencies.release_dependents import follow_up, notify_without_message
from lanework.model.events import Action
from lanework.model.lifecycle import operator_moves, run_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.dependency_moves import NOTIFICATION_PENDING, with_pending_notification

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
    if ports.webhooks.address_of(record) is not None:
        death = with_pending_notification(death, now=now)
    answer = ports.ledger.change(record.job_id, death)
    if not isinstance(answer, Applied):
        return False
    dead = answer.record
    ports.emit(Action.JOB_DEAD, dead, cause=dead.cause, reason=reason)
    follow_up(dead, ports)
    if dead.held_by == NOTIFICATION_PENDING:
        notify_without_message(dead, ports)
    return True
