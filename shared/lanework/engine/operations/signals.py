"""Sending a job a signal that it waits for, or will."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pydantic_core import PydanticSerializationError, from_json, to_json

from lanework.engine.jobtypes.run import TIMED_OUT, signal_step
from lanework.engine.messaging.resend import dispatch_recorded
from lanework.errors import (
    InvalidOptionError,
    JobEndedError,
    SignalTooLateError,
    TooLargeError,
)
from lanework.model.events import Action
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Applied, StepExists
from lanework.model.lifecycle.states import ENDED, State

if TYPE_CHECKING:
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord

LARGEST: Final = 64 * 1024
"""Bytes of JSON."""

_HINTS: Final = {
    State.COMPLETED: "it has run to its end without",
    State.CANCELLED: "it was not wanted any more",
    State.DEAD: "redrive it first",
    State.UNKNOWN: "its record can't be read",
}


class Signalling(StrEnum):
    """What came of sending a signal."""

    KEPT = "kept"
    REPEATED = "repeated"


def signal(job_id: str, name: str, payload: object, ports: Ports) -> Signalling:
    """
    Send a job a signal. It is kept with the job, and noted in its record, in one write.

    Returns:
        KEPT: The job goes on, if it waits for it; otherwise it finds it when it will.
        REPEATED: One of this name had come before, and counts.

    Raises:
        JobNotFoundError: There is none.
        JobEndedError: It has ended.
        SignalTooLateError: It has waited as long as it would.
        InvalidOptionError, TooLargeError: The name or the payload can't be used.
        UnavailableError: Whether it was kept is not known, repeat it; or the job changes all the time.
    """
    step, text = signal_step(name), _written(payload)

    def attempt() -> Signalling | None:
        stored = ports.existing(job_id)
        if stored.state in ENDED or stored.state is State.UNKNOWN:
            raise JobEndedError(job_id, state=stored.state, hint=_HINTS[stored.state])
        change = operator_moves.signal(stored, name, signal_id=ports.new_id(), now=ports.clock())
        match ports.ledger.change_and_keep(job_id, change, step=step, text=text):
            case StepExists(text=before) if before == TIMED_OUT:
                raise SignalTooLateError(job_id, name)
            case StepExists():
                return Signalling.REPEATED
            case Applied(record):
                _go_on(stored, record, name, ports)
                return Signalling.KEPT
            case _:
                return None

    return ports.retry_conflicts(attempt, what=f"job {job_id!r}")


def _go_on(before: JobRecord, record: JobRecord, name: str, ports: Ports) -> None:
    """Send a job that was parked for a signal; if that fails, its entry carries it."""
    failed = None
    if before.awaits != record.awaits and before.payload is not None:
        failed = dispatch_recorded(record, before.payload, ports)
    reason = name if failed is None else f"{name}; {failed}"
    ports.emit(Action.JOB_SIGNALLED, record, reason=reason)


def _written(payload: object) -> str:
    try:
        text = to_json(payload).decode()
        from_json(text, allow_inf_nan=False)  # whoever waits for it reads it so
    except (PydanticSerializationError, ValueError, TypeError, RecursionError) as error:
        msg = f"the signal's payload is not JSON: {type(error).__name__}"
        raise InvalidOptionError(msg) from None
    size = len(text.encode())
    if size > LARGEST:
        raise TooLargeError("signal", size=size, limit=LARGEST, why="keep the data in S3 and send its key")
    return text
