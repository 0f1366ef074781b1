"""Giving a dead job another life by its record, or dropping it for good."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lanework.engine.dependencies.release_dependents import Waiting, follow_up
from lanework.engine.messaging.resend import dispatch_recorded
from lanework.engine.webhooks.notify import notify_of_death
from lanework.errors import NotRedrivenError, UndecodableError
from lanework.model.events import Action
from lanework.model.job.envelope import Envelope
from lanework.model.job.payload import Edit, parsed, written
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord

_LONGEST_REASON: Final = 200
_WAITS_AGAIN: Final = "it waits again for what it died of"


class RedriveResult(StrEnum):
    """What redriving or dropping one job did."""

    REDRIVEN = "redriven"
    DROPPED = "dropped"
    NOT_DEAD = "not dead"
    NOT_FOUND = "not found"
    NO_PAYLOAD = "its payload is gone"
    FAILED = "it can't be handled: worker.fault says where"


class Redriver:
    """Redrives and drops dead jobs, one at a time. Repeating either is safe."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def redrive(self, record: JobRecord, *, edit: Edit | None = None) -> RedriveResult:
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
            NotRedrivenError: No message can be made of it, which it would die of again, or its lane is gone; nothing
                was changed.
        """
        if record.lane not in self._ports.stack_lanes:
            raise NotRedrivenError(record.job_id, f"lane {record.lane} is left out of this stack")
        text = self._ports.ledger.payload_of(record) if edit is None else edit.payload
        if text is None:
            return RedriveResult.NO_PAYLOAD
        try:
            Envelope.of(record if edit is None else replace(record, version=edit.version), text)
        except UndecodableError as error:
            why = f"not sendable: {error}"[:_LONGEST_REASON]
            raise NotRedrivenError(record.job_id, why) from error
        notify_of_death(record, self._ports)  # its next life says nothing of its death
        change = operator_moves.redrive(record, now=self._ports.clock(), edit=edit)
        answer = self._ports.ledger.change(record.job_id, change)
        if not isinstance(answer, Applied):
            return RedriveResult.NOT_FOUND if answer.record is None else RedriveResult.NOT_DEAD
        after = answer.record
        is_blocked = after.state is State.BLOCKED
        reason = _WAITS_AGAIN if is_blocked else dispatch_recorded(after, text, self._ports)
        self._ports.emit(Action.JOB_REDRIVEN, after, cause=after.cause, reason=reason)
        if is_blocked:
            Waiting(self._ports).look([after.job_id])
        return RedriveResult.REDRIVEN

    def drop(self, record: JobRecord) -> RedriveResult:
        """
        End a dead job as cancelled: it is out of the list, and moving its ticket changes nothing.

        Returns:
            DROPPED, NOT_DEAD or NOT_FOUND.
        """
        notify_of_death(record, self._ports)  # a cancelled job says nothing of its death
        change = self._ports.ending(operator_moves.drop(record, now=self._ports.clock()))
        answer = self._ports.ledger.change(record.job_id, change)
        if not isinstance(answer, Applied):
            return RedriveResult.NOT_FOUND if answer.record is None else RedriveResult.NOT_DEAD
        after = answer.record
        self._ports.emit(Action.JOB_DISCARDED_FROM_DLQ, after, cause=after.cause)
        follow_up(after, self._ports)
        return RedriveResult.DROPPED


def checked_edit(record: JobRecord, text: str, registry: Registry) -> Edit:
    """Return another payload for a job, as its type writes it; an unknown type or an invalid payload is refused."""
    job_type = registry.get(record.type)
    name, model = job_type.name, job_type.model
    return Edit(payload=written(name, model, parsed(name, model, text)), version=job_type.version)
