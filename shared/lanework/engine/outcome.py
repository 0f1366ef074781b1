"""How an attempt ended, as one of a closed set of values, and how that is told from what a job returned or raised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pydantic_core import PydanticSerializationError, to_json

from lanework.errors import InvalidPayloadError
from lanework.model.outcomes import Cancel, Discard, RetryAfter, Snooze, Suspended, TimedOut
from lanework.model.retry_after import asked_wait
from lanework.model.states import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from lanework.engine.registry import JobType
    from lanework.model.states import JobRecord

LARGEST_RESULT: Final = 256 * 1024
"""Bytes of JSON; with it an item stays under DynamoDB's 400 KB."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The job's code returned; its value as JSON text, or why that can't be kept."""

    result: str | None = None
    omitted: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed and another may follow: after `wait`, or after the backoff's wait if None."""

    error: str
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Doomed:
    """No further attempt follows."""

    cause: Cause
    error: str


@dataclass(frozen=True, slots=True)
class Snoozed:
    """The job asked to come back later; the attempt doesn't count."""

    wait: timedelta


@dataclass(frozen=True, slots=True)
class Awaiting:
    """The job waits for a signal, until then at most; the attempt doesn't count."""

    signal: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The job ended itself as no longer wanted."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoSlot:
    """The job's code was not begun: all `n` slots of this concurrency limit are held."""

    limit: str
    n: int


@dataclass(frozen=True, slots=True)
class Booked:
    """The job's code was not begun: this rate reserved a later start for it."""

    limit: str
    start: datetime


Outcome = Returned | Failed | Doomed | Snoozed | Awaiting | Cancelled | NoSlot | Booked


def is_exhausted(outcome: Outcome | None) -> bool:
    """Tell whether the last attempt of a job went wrong."""
    return isinstance(outcome, Doomed) and outcome.cause is Cause.EXHAUSTED


class NoCodeError(Exception):
    """Raised when the deployed application has no code for a job."""

    def __init__(self, name: str, version: int) -> None:
        super().__init__(f"no code for job type {name!r}, version {version}, is deployed")


def meant_by(raised: BaseException) -> BaseException:
    """
    Return what an exception group of a job's code means, as `asyncio.TaskGroup` raises one; others mean themselves.

    A group of one is that one. Several waits are the one that ends first; beside an error they count for nothing.

    Raises:
        BaseExceptionGroup: It holds what is no job's to raise, such as `KeyboardInterrupt`.
    """
    if not isinstance(raised, BaseExceptionGroup):
        return raised
    errors = raised.split(Suspended)[1]
    leaves = tuple(_leaves(raised if errors is None else errors))
    if errors is None:
        return min((one for one in leaves if isinstance(one, Suspended)), key=lambda one: one.until)
    if timed_out := [one for one in leaves if isinstance(one, TimedOut)]:
        return timed_out[0]
    if not isinstance(errors, Exception):
        raise raised
    return leaves[0] if len(leaves) == 1 else errors


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for one in group.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from _leaves(one)
        else:
            yield one


def of_error(error: BaseException, record: JobRecord, job_type: JobType | None, *, now: datetime) -> Outcome:
    """Say what an exception means for the attempt that raised it."""
    text = f"{type(error).__name__}: {error}"
    discard_on = () if job_type is None else job_type.discard_on
    outcome: Outcome
    match error:
        case Snooze(wait=wait):
            outcome = Snoozed(wait)
        case Suspended():
            outcome = _waiting(error, now)
        case Cancel():
            outcome = Cancelled(str(error))
        case Discard():
            outcome = Doomed(Cause.DISCARDED, str(error))
        case NoCodeError():
            outcome = Doomed(Cause.UNKNOWN_TYPE, str(error))
        case InvalidPayloadError(job_type=name) if name == record.type:
            outcome = Doomed(Cause.INVALID, str(error))
        case _ if isinstance(error, discard_on):
            outcome = Doomed(Cause.DISCARDED, text)
        case _ if record.attempts >= record.max_attempts:
            outcome = Doomed(Cause.EXHAUSTED, text)
        case RetryAfter(wait=wait):
            outcome = Failed(text, wait)
        case _:
            outcome = Failed(text, asked_wait(error, now=now))
    return outcome


def _waiting(suspended: Suspended, now: datetime) -> Snoozed | Awaiting:
    if suspended.signal is None:
        return Snoozed(max(suspended.until - now, timedelta(0)))
    return Awaiting(suspended.signal, suspended.until)


def of_value(value: object) -> Returned:
    """Write a result as JSON text; what can't be kept doesn't undo what was done (rule 13)."""
    if value is None:
        return Returned()
    try:
        text = to_json(value).decode()
    except (PydanticSerializationError, ValueError) as error:
        return Returned(omitted=f"not JSON: {error}"[:200])
    size = len(text.encode())
    if size > LARGEST_RESULT:
        return Returned(omitted=f"{size:,} bytes, over the limit of {LARGEST_RESULT:,}")
    return Returned(result=text)
