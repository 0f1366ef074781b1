"""What an exception that a job's code raised means for its attempt. Loaded when one is raised."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from traceback import extract_tb
from typing import TYPE_CHECKING, Final, cast

from lanework.engine.execution.outcome import Awaiting, Cancelled, Doomed, Failed, NoCodeError, Snoozed, is_exhausted
from lanework.engine.ports.code_runner import exited, is_from_outside
from lanework.errors import InvalidOptionError, InvalidPayloadError
from lanework.model.job.error_text import fault_of, members_of, traceback_of, type_of
from lanework.model.job.job_exceptions import (
    LONGEST_PARK,
    Cancel,
    Discard,
    RetryAfter,
    Snooze,
    Suspended,
    TimedOut,
    checked_wait,
)
from lanework.model.lifecycle.states import Cause
from lanework.model.retry.wait import asked_wait

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.engine.execution.outcome import Outcome
    from lanework.engine.execution.run_store import LedgerRunStore
    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord

MOST_FRAMES: Final = 12
"""The innermost frames of a stack that a job's log keeps; a deeper one is an endless recursion."""

_MOST_READ: Final = 3 * MOST_FRAMES

_MOST_MEMBERS: Final = 1_000
"""Members of an exception group that are looked at."""


_JUDGING: Final = timedelta(seconds=1)
"""How long may be spent on asking an exception what it says: its `__str__` is code of the job's, too."""


def judge(
    raised: BaseException, record: JobRecord, job_type: JobType | None, run_store: LedgerRunStore, ports: Ports
) -> Outcome:
    """Say how an attempt ended that raised; what the exception itself does when it is asked counts for nothing."""
    try:
        with ports.code_runner.limit(_JUDGING):
            error = meant_by(raised)
            outcome = of_error(error, record, job_type, now=ports.clock())
            if is_exhausted(outcome) and (stack := stack_of(error)):
                run_store.log(stack)
    except BaseException as problem:
        if is_from_outside(problem):
            raise
        return of_unknown(raised, record)
    if issubclass(type(error), TimedOut):
        ports.code_runner.renew()
    return outcome


def meant_by(raised: BaseException) -> BaseException:
    """
    Return what an exception group of a job's code means, as `asyncio.TaskGroup` raises one; others mean themselves.

    A group of one is that one. Several waits are the one that ends first; beside an error they count for nothing.
    """
    if issubclass(type(raised), SystemExit):
        return exited(cast("SystemExit", raised))
    if not issubclass(type(raised), BaseExceptionGroup):
        return raised
    members = tuple(islice(members_of(raised), _MOST_MEMBERS))
    errors = [one for one in members if not issubclass(type(one), Suspended)]
    if not errors:
        return min(cast("tuple[Suspended, ...]", members), key=lambda one: one.until)
    timed_out = next((one for one in errors if issubclass(type(one), TimedOut)), None)
    return timed_out or (meant_by(errors[0]) if len(errors) == 1 else raised)


def of_error(error: BaseException, record: JobRecord, job_type: JobType | None, *, now: datetime) -> Outcome:
    """Say what an exception means for the attempt that raised it."""
    try:
        asked = _asked(error, record, job_type, now)
    except InvalidOptionError as problem:  # a wait that was set by hand
        error, asked = problem, None
    except BaseException:  # noqa: BLE001 - it lies about its class, or has lost what it is to say
        asked = None
    if asked is not None:
        return asked
    fault = fault_of(error)
    discard_on = () if job_type is None else job_type.discard_on
    if issubclass(type(error), discard_on):
        return Doomed(Cause.DISCARDED, fault.said, fault.type)
    if record.attempts >= record.max_attempts:
        return Doomed(Cause.EXHAUSTED, fault.said, fault.type)
    return Failed(fault.said, _wait_after(error, now), fault.type)


def of_unknown(raised: BaseException, record: JobRecord) -> Outcome:
    """Say what becomes of an attempt that ended by an exception of which not even this can be said."""
    kind = type_of(raised)
    error = f"{kind}: (nothing more can be said of it)"
    is_last = record.attempts >= record.max_attempts
    return Doomed(Cause.EXHAUSTED, error, kind) if is_last else Failed(error, None, kind)


def _asked(error: BaseException, record: JobRecord, job_type: JobType | None, now: datetime) -> Outcome | None:
    """Return what an exception asks for that is no failure to try again after; None of one that is."""
    match error:
        case Snooze(wait=wait):
            return Snoozed(checked_wait("Snooze", wait))
        case RetryAfter(wait=wait):
            checked_wait("RetryAfter", wait)
        case Suspended():
            return _waiting(error, now)
        case Cancel():
            return Cancelled(fault_of(error).reason)
        case Discard():
            return _doomed(Cause.DISCARDED, error)
        case NoCodeError():
            return _doomed(Cause.UNKNOWN_TYPE, error)
        case InvalidPayloadError(job_type=name) if job_type is not None and name in (job_type.name, record.type):
            return _doomed(Cause.INVALID, error)
        case _:
            pass
    return None


def _wait_after(error: BaseException, now: datetime) -> timedelta | None:
    """Return when a failed attempt is to be followed by another, where its error says so."""
    if not issubclass(type(error), RetryAfter):
        return asked_wait(error, now=now)
    wait = getattr(error, "wait", None)
    return wait if isinstance(wait, timedelta) else None


def _doomed(cause: Cause, error: BaseException) -> Doomed:
    fault = fault_of(error)
    return Doomed(cause, fault.reason, fault.type)


def _waiting(suspended: Suspended, now: datetime) -> Snoozed | Awaiting:
    wait = min(max(suspended.until - now, timedelta(0)), LONGEST_PARK)
    return Snoozed(wait) if suspended.signal is None else Awaiting(str(suspended.signal), now + wait)


def stack_of(error: BaseException) -> str | None:
    """
    Return where an exception comes from, the innermost call last; None if the job's own code has raised nothing.

    What led to it stands under it, so that a long text leaves room for all of it here.
    """
    if issubclass(type(error), RetryAfter):  # it was asked for, and says why itself
        return None
    frames = [
        frame
        for frame in extract_tb(traceback_of(error), limit=-_MOST_READ)
        if "/lanework/engine/" not in frame.filename
    ]
    if not frames:
        return None
    fault = fault_of(error)
    lines = [f"  {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames[-MOST_FRAMES:]]
    return "\n".join((f"{fault.type} at", *lines, *fault.trail))
