"""What goes into a lane's dead-letter queue: tickets of dead jobs, and copies of what can't be decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.engine.delivery import Ack, Keep
from lanework.errors import UnavailableError
from lanework.model.events import Action, Event
from lanework.model.states import Cause

if TYPE_CHECKING:
    from lanework.engine.delivery import Delivery, Report
    from lanework.engine.journal import Journal
    from lanework.engine.ports import Ports
    from lanework.model.envelope import Envelope
    from lanework.model.states import JobRecord


def send_ticket(envelope: Envelope, record: JobRecord, ports: Ports, journal: Journal) -> Report:
    """
    Put a dead job's ticket into its lane's DLQ, stamped with the job's next life (rule 2).

    Returns:
        Ack once the ticket is there; otherwise Keep, so that the message comes back and this is repeated.
    """
    ticket = envelope.as_ticket(life=record.life + 1)
    cause = record.cause or Cause.EXHAUSTED
    try:
        ports.lanes.bury(record.lane, ticket.encode(), cause=cause, error=record.error or "")
    except UnavailableError as error:
        journal.note(Action.WRITE_FAILED, reason=f"ticket: {error}")
        return Keep()
    return Ack()


def set_aside(delivery: Delivery, problem: str, ports: Ports) -> Report:
    """
    Keep a copy of a message that can't be decoded in its lane's DLQ.

    Returns:
        Ack once the copy is there (rule 4); otherwise Keep.
    """
    try:
        ports.lanes.bury(delivery.lane, delivery.body, cause=Cause.INVALID, error=problem)
    except UnavailableError:
        return Keep()
    ports.events.emit(
        Event(action=Action.UNDECODABLE, at=ports.clock(), lane=delivery.lane, cause=Cause.INVALID, reason=problem)
    )
    return Ack()
