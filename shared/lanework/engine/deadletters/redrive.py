"""Giving a dead job another life by its record, or dropping it for good."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from lanework.engine.dependencies.release_dependents import Waiting, follow_up
from lanework.engine.messaging.resend import dispatch
from lanework.engine.webhooks.notify import notify_of_death
from lanework.model.events import Action, Event
from lanework.model.job.envelope import Envelope
from lanework.model.job.payload import Edit, parsed, written
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.change import Answer
    from lanework.model.lifecycle.states import JobRecord


class Fate(StrEnum):
    """What came of redriving or dropping one job."""

    REDRIVEN = "redriven"
    DROPPED = "dropped"
    NOT_DEAD = "not dead"
    NOT_FOUND = "not found"
    NO_PAYLOAD = "its payload is gone"


class Redriver:
    """Redrives and drops dead jobs, one at a time. Repeating either is safe."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def redrive(self, record: JobRecord, *, edit: Edit | None = None) -> Fate:
        """
        Give a dead job another life: attempts start over, the history of failures stays.

        First the record, entered for the sweep; then the message; then the entry is pushed on. So a crash in between
        delays the job by a minute at most.

        Args:
            record: The job as it was read; if it is no longer dead in that life, nothing happens.
            edit: Another payload, which `checked_edit` returned; None keeps the one it has.

        Returns:
            REDRIVEN, NOT_DEAD (somebody was faster), NOT_FOUND, or NO_PAYLOAD (it has none: give it one).

        Raises:
            UnavailableError: Whether it was redriven is not known; repeat it.
        """
        text = self._ports.ledger.payload_of(record) if edit is None else edit.payload
        if text is None:
            return Fate.NO_PAYLOAD
        notify_of_death(record, self._ports)  # its next life says nothing of its death
        change = operator_moves.redrive(record, now=self._ports.clock(), edit=edit)
        after = _after(self._ports.ledger.change(record.job_id, change))
        if isinstance(after, Fate):
            return after
        if after.state is State.BLOCKED:
            self._emit(Action.JOB_REDRIVEN, after, reason="it waits again for what it died of")
            Waiting(self._ports).look([after.job_id])
            return Fate.REDRIVEN
        reason = dispatch(after, Envelope.of(after, text), self._ports)
        self._emit(Action.JOB_REDRIVEN, after, reason=reason)
        return Fate.REDRIVEN

    def drop(self, record: JobRecord) -> Fate:
        """
        End a dead job as cancelled: it is out of the list, and moving its ticket changes nothing.

        Returns:
            DROPPED, NOT_DEAD or NOT_FOUND.

        Raises:
            UnavailableError: Whether it was dropped is not known; repeat it.
        """
        notify_of_death(record, self._ports)  # a cancelled job says nothing of its death
        change = self._ports.ending(operator_moves.drop(record, now=self._ports.clock()))
        after = _after(self._ports.ledger.change(record.job_id, change))
        if isinstance(after, Fate):
            return after
        self._emit(Action.JOB_DISCARDED_FROM_DLQ, after)
        follow_up(after, self._ports)
        return Fate.DROPPED

    def _emit(self, action: Action, record: JobRecord, *, reason: str | None = None) -> None:
        event = Event.about(record, action, at=self._ports.clock(), cause=record.cause, reason=reason)
        self._ports.events.emit(event)


def checked_edit(record: JobRecord, text: str, registry: Registry) -> Edit:
    """
    Return another payload for a job, as its type writes it.

    Raises:
        UnknownJobTypeError: The application has no code for the job.
        InvalidPayloadError, TooLargeError: The payload can't be used; the message says why.
    """
    job_type = registry.get(record.type)
    name, model = job_type.name, job_type.model
    return Edit(payload=written(name, model, parsed(name, model, text)), version=job_type.version)


def _after(answer: Answer) -> JobRecord | Fate:
    """Return the record that the change left, or why it left none."""
    if isinstance(answer, Applied):
        return answer.record
    return Fate.NOT_FOUND if answer.record is None else Fate.NOT_DEAD
