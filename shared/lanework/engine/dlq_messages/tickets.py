"""
What goes into a lane's dead-letter queue: tickets of dead jobs, and copies of what can't be decoded.

SQS counts a message's attributes towards its largest size. So a copy of what was sent without any may be too large with
the two that say why it is there: they go first, and then the body is cut, with a note of what it was.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.messaging.delivery import Ack, Nack
from lanework.engine.ports.messages import LARGEST_MESSAGE, size_of
from lanework.errors import ConfigError, UnavailableError, UndecodableError, UnsendableError
from lanework.model.events import Action, Event
from lanework.model.job.envelope import Envelope
from lanework.model.lifecycle.states import Cause

if TYPE_CHECKING:
    from lanework.engine.messaging.delivery import Delivery, Report
    from lanework.engine.messaging.message_events import MessageEvents
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.lanes import Lanes
    from lanework.engine.ports.ledger import Ledger
    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.states import JobRecord


LONGEST_ERROR: Final = 500
"""Characters of an error that go along as an attribute."""

_CUT: Final = "lanework-cut"
_KEPT_OF_BODY: Final = 100 * 1024
"""Bytes of a body that was cut: enough to see what it was, and less than any queue takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOf:
    """
    What a message in a dead-letter queue stands for: a job, and the life that it would begin.

    Once the job has come to that life, or has ended for good, it does nothing.
    """

    job_id: str
    life: int


def send_to_dlq(lanes: Lanes, lane: str, body: str, *, cause: str, error: str) -> str | None:
    """
    Send a body to a lane's dead-letter queue; return None if all of it is there, otherwise why it was cut.

    Raises:
        UnavailableError, UnsendableError, ConfigError: It was not sent, as far as is known.
    """
    error = error[:LONGEST_ERROR]
    for attributes in ({"cause": cause, "error": error}, {"cause": cause, "error": ""}, {"cause": "", "error": ""}):
        if size_of(body, attributes) <= LARGEST_MESSAGE:
            break
    else:
        return _send_cut_to_dlq(lanes, lane, body, cause, error, f"{size_of(body):,} bytes are over SQS's limit")
    try:
        lanes.send_to_dlq(lane, body, **attributes)
    except UnsendableError as refusal:
        if size_of(body) <= _KEPT_OF_BODY:
            raise
        # A queue of somebody's own making may take less. If that isn't it, the cut copy is refused as well.
        return _send_cut_to_dlq(lanes, lane, body, cause, error, str(refusal))
    return None


def ticket_of(body: str) -> TicketOf | None:
    """Return what a message of a dead-letter queue stands for, also if it was cut; None if that can't be read."""
    try:
        message = Envelope.decode(body)
    except UndecodableError:
        return _ticket_of_cut(body)
    return TicketOf(job_id=message.id, life=message.life if message.ticket else message.life + 1)


def send_ticket(envelope: Envelope, record: JobRecord, ports: Ports, events: MessageEvents) -> Report:
    """
    Put a dead job's ticket into its lane's DLQ, stamped with the job's next life (rule 2).

    Ack once it is there; otherwise Nack, so that the message comes back and this is repeated.
    """
    cause = record.cause or Cause.EXHAUSTED
    try:
        ticket = as_recorded(envelope, record, ports.ledger).as_ticket(life=record.life + 1)
        cut = send_to_dlq(ports.lanes, record.lane, ticket.encode(), cause=cause, error=record.error or "")
    except (UnavailableError, ConfigError) as error:
        events.note(Action.RUN_WRITE_FAILED, reason=f"ticket: {error}")
        return Nack()
    except (
        UnsendableError,
        UndecodableError,
    ) as error:  # its record is redriven without a ticket
        events.note(Action.RUN_WRITE_FAILED, reason=f"no ticket: {error}")
        return Ack()
    if cut is not None:
        events.note(Action.MESSAGE_QUARANTINED, reason=f"its ticket was cut, {cut}: redrive it by its record")
    return Ack()


def as_recorded(message: Envelope, record: JobRecord, ledger: Ledger) -> Envelope:
    """
    Return a message that says what the record says.

    One of another enqueue under its id may say something else; so may one whose job was debounced since, and one that
    somebody else wrote. The others are left alone: a payload that isn't in the record costs a read.
    """
    if message.speaks_for(record) and not record.superseded_at:
        return message
    payload = ledger.payload_of(record) if record.payload is None else record.payload
    return Envelope.of(record, message.payload if payload is None else payload)


def quarantine(delivery: Delivery, problem: str, ports: Ports) -> Report:
    """Keep a copy of a message that can't be decoded in its lane's DLQ; Ack once it is there (rule 4), else Nack."""
    try:
        note_undecodable(delivery.lane, delivery.body, problem, ports)
    except (UnavailableError, UnsendableError, ConfigError) as error:
        reason = f"{problem}; and no copy of it was kept: {error}"
        ports.events.emit(Event(action=Action.MESSAGE_NOT_HANDLED, at=ports.clock(), lane=delivery.lane, reason=reason))
        return Nack()
    return Ack()


def note_undecodable(lane: Lane, body: str, problem: str, ports: Ports) -> None:
    """Keep a copy of a message that can't be decoded in its lane's DLQ, cut if it must be, and emit an event."""
    cut = send_to_dlq(ports.lanes, lane, body, cause=Cause.INVALID, error=problem)
    reason = problem if cut is None else f"{problem}; its copy was cut: {cut}"
    ports.events.emit(
        Event(action=Action.MESSAGE_UNDECODABLE, at=ports.clock(), lane=lane, cause=Cause.INVALID, reason=reason)
    )


def _send_cut_to_dlq(lanes: Lanes, lane: str, body: str, cause: str, error: str, why: str) -> str:
    """Send as much of a body as any queue takes, and say what it was; return why."""
    ticket = ticket_of(body)
    kept = body.encode()[:_KEPT_OF_BODY].decode(errors="ignore")
    note: dict[str, Any] = {
        _CUT: why,
        "bytes": size_of(body),
        "sha256": sha256(body.encode()).hexdigest(),
        "job": None if ticket is None else [ticket.job_id[:200], ticket.life],
        "begins": kept,
    }
    lanes.send_to_dlq(lane, json.dumps(note, ensure_ascii=False), cause=cause, error=error)
    return why


def _ticket_of_cut(body: str) -> TicketOf | None:
    if not body.startswith(f'{{"{_CUT}"'):
        return None
    match json.loads(body):
        case {"job": [str(job_id), int(life)]}:
            return TicketOf(job_id=job_id, life=life)
    return None
