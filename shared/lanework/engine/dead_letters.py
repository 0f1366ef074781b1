"""What goes into a lane's dead-letter queue: tickets of dead jobs, and copies of what can't be decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.engine.delivery import Ack, Keep
from lanework.errors import UnavailableError, UnsendableError
from lanework.model.envelope import Envelope
from lanework.model.events import Action, Event
from lanework.model.states import Cause

if TYPE_CHECKING:
    from lanework.engine.delivery import Delivery, Report
    from lanework.engine.journal import Journal
    from lanework.engine.ports import Ledger, Ports
    from lanework.model.states import JobRecord


def send_ticket(envelope: Envelope, record: JobRecord, ports: Ports, journal: Journal) -> Report:
    """
    Put a dead job's ticket into its lane's DLQ, stamped with the job's next life (rule 2).

    Returns:
        Ack once the ticket is there; otherwise Keep, so that the message comes back and this is repeated.
    """
    cause = record.cause or Cause.EXHAUSTED
    try:
        ticket = as_recorded(envelope, record, ports.ledger).as_ticket(life=record.life + 1)
        ports.lanes.bury(record.lane, ticket.encode(), cause=cause, error=record.error or "")
    except UnavailableError as error:
        journal.note(Action.WRITE_FAILED, reason=f"ticket: {error}")
        return Keep()
    except UnsendableError as error:  # the record is in the list of dead jobs, and its redrive needs no ticket
        journal.note(Action.WRITE_FAILED, reason=f"no ticket: {error}")
    return Ack()


def as_recorded(message: Envelope, record: JobRecord, ledger: Ledger) -> Envelope:
    """
    Return a message that says what the record says.

    One that couldn't be recorded may say something else, since another enqueue may have recorded the job; and so may
    one whose job was debounced since. The others are left alone: a payload that isn't in the record costs a read.

    Raises:
        UnavailableError: The payload can't be read.
    """
    if not (message.unrecorded or record.superseded_at):
        return message
    payload = ledger.payload_of(record) if record.payload is None else record.payload
    return Envelope.of(record, message.payload if payload is None else payload)


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
