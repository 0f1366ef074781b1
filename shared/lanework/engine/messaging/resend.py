"""Sending a job that the sweep has an entry for, ahead of the sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.engine.ports.messages import OutgoingMessage
from lanework.errors import ConfigError, UnavailableError, UndecodableError, UnsendableError
from lanework.model.job.envelope import Envelope
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord


def readable(records: Iterable[JobRecord], ports: Ports) -> list[JobRecord]:
    """Return the held jobs that can be read; the entries of the others go to the sweep, so that they hold up nobody."""
    found: list[JobRecord] = []
    for record in records:
        if record.state is not State.UNKNOWN:
            found.append(record)
        elif record.held_by is not None and record.sweep_at is not None:
            ports.ledger.change(record.job_id, operator_moves.let_go(record, now=ports.clock()))
    return found


def dispatch(record: JobRecord, message: Envelope, ports: Ports) -> str | None:
    """
    Send the message of an entered job, due within 15 minutes, held back until then, and push its entry on.

    Returns None, or what failed: the entry carries the job then.
    """
    now = ports.clock()
    start = max(record.due_at or now, now)
    try:
        ports.lanes.send(record.lane, OutgoingMessage.of(message, delay=start - now))
        ports.ledger.change(record.job_id, operator_moves.push_on(record, to=operator_moves.sent_again_at(start)))
    except (UnavailableError, UnsendableError, ConfigError) as error:
        return f"left to the sweep: {error}"
    return None


def dispatch_recorded(record: JobRecord, payload: str, ports: Ports) -> str | None:
    """Send an entered job as its record says; the sweep ends one of which no message can be made."""
    try:
        message = Envelope.of(record, payload)
    except UndecodableError as error:
        return f"left to the sweep: no message can be made of it: {error}"
    return dispatch(record, message, ports)
