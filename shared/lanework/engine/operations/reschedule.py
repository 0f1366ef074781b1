"""Moving the start of a job that waits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.jobtypes.arguments import LONGEST_DELAY, check_durations, checked_moment
from lanework.engine.messaging.resend import dispatch_recorded
from lanework.errors import InvalidOptionError, JobNotWaitingError, is_a, shown
from lanework.model.events import Action
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.states import WAITING, State

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord

_HINTS: Final = {
    State.RUNNING: "it runs already",
    State.BLOCKED: "it starts when the jobs before it have ended",
    State.DEAD: "redrive it to run it again",
    State.COMPLETED: "enqueue it again",
    State.CANCELLED: "enqueue it again",
    State.UNKNOWN: "its record can't be read",
}


def start_of(run_at: datetime | None, delay: timedelta, *, now: datetime) -> datetime:
    """Return the new start that a caller asks for; InvalidOptionError if it lies further ahead than a job may."""
    check_durations(delay=delay)
    if run_at is None and not (is_a(delay, timedelta) and -LONGEST_DELAY <= delay <= LONGEST_DELAY):
        msg = f"delay must be between 0 and {LONGEST_DELAY.days} days, got {shown(delay)}"
        raise InvalidOptionError(msg)
    start = now + delay if run_at is None else checked_moment("run_at", run_at)
    if start - now > LONGEST_DELAY:
        msg = f"run_at must be within {LONGEST_DELAY.days} days, got {start.isoformat()}"
        raise InvalidOptionError(msg)
    return checked_moment("run_at", start)


def reschedule(job_id: str, *, at: datetime, ports: Ports) -> JobRecord:
    """
    Let a job that waits start at another time: a delayed one, one between two attempts, one that was snoozed.

    Args:
        job_id: Which job.
        at: Its new start; a time in the past is now.
        ports: Where the job is.

    Returns:
        The job as it stands then.

    Raises:
        JobNotFoundError: There is none.
        JobNotWaitingError: It runs or has ended.
        InvalidOptionError: The new start is not before the job's `start_by`.
        UnavailableError: Whether it was moved is not known; or it changes all the time.
    """

    def attempt() -> JobRecord | None:
        stored = ports.existing(job_id)
        if stored.state not in WAITING:
            raise JobNotWaitingError(job_id, state=stored.state, hint=_HINTS[stored.state])
        start = max(at, ports.clock())
        if not stored.is_worth_starting(start):
            msg = f"job {job_id!r} is not worth starting after {stored.start_by:%Y-%m-%d %H:%M:%S} UTC (start_by)"
            raise InvalidOptionError(msg)
        is_far = start - ports.clock() > ports.look_ahead
        answer = ports.ledger.change(job_id, operator_moves.reschedule(stored, at=start, is_far=is_far))
        if not isinstance(answer, Applied):
            return None
        return _sent(answer.record, stored.payload, ports, is_far=is_far)

    return ports.retry_conflicts(attempt, what=f"job {job_id!r}")


def _sent(record: JobRecord, payload: str | None, ports: Ports, *, is_far: bool) -> JobRecord:
    """Send the job for its new start, unless that is the sweep's or a pause's matter."""
    failed = None
    if not is_far and record.held_by is None and payload is not None:
        failed = dispatch_recorded(record, payload, ports)
    ports.emit(Action.JOB_RESCHEDULED, record, reason=failed)
    return record
