"""How an attempt ended, as one of a closed set of values, and the outcome of a returned value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic_core import from_json, to_json

from lanework.model.lifecycle.states import Cause

if TYPE_CHECKING:
    from datetime import datetime, timedelta
from lanework.engine.limits.acquire import Booked, NoSlot

_READ_BY_ALL: Final = 400
"""Bytes of which any JSON can be read again: a longer one may nest over 200 levels, or hold over 4,300 digits."""

LARGEST_RESULT: Final = 256 * 1024
"""Bytes of JSON; with it an item stays under DynamoDB's 400 KB."""

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
        if len(text) > _READ_BY_ALL:
            from_json(text)
    except BaseException as error:  # noqa: BLE001 - how it is written may be code of the job's
        from lanework.model.job.error_text import fault_of  # noqa: PLC0415 - for what goes wrong
        from lanework.model.job.sqs_text import legible  # noqa: PLC0415

        fault = fault_of(error)
        is_ours = fault.type in _NOT_JSON
        return Returned(omitted=legible(f"not JSON: {fault.text if is_ours else fault.said}", most=200))
    size = len(text.encode())
    if size > LARGEST_RESULT:
        return Returned(omitted=f"{size:,} bytes, over the limit of {LARGEST_RESULT:,}")
    return Returned(result=text)
