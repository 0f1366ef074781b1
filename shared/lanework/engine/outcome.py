"""How an attempt ended, as one of a closed set of values, and how that is told from what a job's code returned."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from inspect import isasyncgen, isawaitable, iscoroutine, isgenerator
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from lanework.model.states import Cause

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_LONGEST_NUMBER: Final = 4_300
"""Digits that Python reads; a result that holds a longer number could never be read again."""

LARGEST_RESULT: Final = 256 * 1024
"""Bytes of JSON; with it an item stays under DynamoDB's 400 KB."""

_MOST_NESTED: Final = 10
"""How often what was awaited may be awaitable itself."""

_LAZY: Final = (map, filter)

_NOT_JSON: Final = frozenset({"PydanticSerializationError", "ValueError"})
"""What the writer itself raises of a value that is no JSON."""


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
    error_type: str | None = None


@dataclass(frozen=True, slots=True)
class Doomed:
    """No further attempt follows."""

    cause: Cause
    error: str
    error_type: str | None = None


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


def of_value(value: object) -> Returned:
    """Write a result as JSON text; what can't be kept doesn't undo what was done (rule 13)."""
    if value is None:
        return Returned()
    try:
        text = to_json(value, inf_nan_mode="strings").decode()  # NaN is no JSON, and a float reads it from text
        if len(text) > _LONGEST_NUMBER:
            from_json(text)
    except BaseException as error:  # noqa: BLE001 - how it is written may be code of the job's
        from lanework.engine.fault import fault_of  # noqa: PLC0415 - for what goes wrong

        fault = fault_of(error)
        is_ours = fault.type in _NOT_JSON
        return Returned(omitted=f"not JSON: {fault.text if is_ours else fault.said}"[:200])
    size = len(text.encode())
    if size > LARGEST_RESULT:
        return Returned(omitted=f"{size:,} bytes, over the limit of {LARGEST_RESULT:,}")
    return Returned(result=text)


class NotRunError(Exception):
    """Raised when a job's code, or a step of it, returned code that was yet to be run."""


async def awaited(value: object) -> object:
    """
    Return a value, awaited if it can be.

    Raises:
        NotRunError: It is code that was not run.
    """
    for _ in range(_MOST_NESTED):
        if not isawaitable(value):
            break
        value = await value
    return ran(value)


def ran(value: object) -> object:
    """
    Return a value that a job's code returned.

    Raises:
        NotRunError: It is code that was not run. It is closed.
    """
    what = _unrun(value)
    if what is None:
        return value
    if isgenerator(value) or iscoroutine(value):
        value.close()
    msg = f"it returned {what}, so its code has not run: {_HINTS[what]}"
    raise NotRunError(msg)


_HINTS: Final = {
    "a generator": "leave out `yield`, or collect in the job what it gives, as in list(…)",
    "an asynchronous generator": "leave out `yield`, or collect in the job what it gives: [one async for one in …]",
    "an iterator that computes as it goes": "collect in the job what it gives, as in list(…)",
    "a future": "wait in the job for its result()",
    "an awaitable": "await it in the job, declared with `async def`",
}


def _unrun(value: Any) -> str | None:  # noqa: ANN401 - whatever was returned
    """Return what a value is that stands for code which has not run; None of others."""
    if isgenerator(value):
        return "a generator"
    if isasyncgen(value):
        return "an asynchronous generator"
    if isinstance(value, _LAZY):
        return "an iterator that computes as it goes"
    if isinstance(value, Future):
        return "a future"
    return "an awaitable" if isawaitable(value) else None
