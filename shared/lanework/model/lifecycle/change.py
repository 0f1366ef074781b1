"""
A conditional write to one job's item, as a value.

The moves say what must hold and what is written; the ledger's adapters carry it out, in memory or as one DynamoDB
UpdateItem. So the protocol is written once and every adapter can be held to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, assert_never

from lanework.model.job.payload import is_apart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.model.lifecycle.states import JobRecord, State


@dataclass(frozen=True, slots=True)
class Equals:
    """The field has this value; None: it holds nothing."""

    name: str
    value: object


@dataclass(frozen=True, slots=True)
class InStates:
    """The job's state is one of these."""

    states: frozenset[State]


@dataclass(frozen=True, slots=True)
class DueBy:
    """`due_at` is set and not later than this."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class WorthStarting:
    """The job has begun before, or its `start_by` isn't over at this moment."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class AttemptsLeft:
    """Fewer attempts were begun than are allowed."""


@dataclass(frozen=True, slots=True)
class NotSet:
    """The flag or optional field holds nothing."""

    name: Literal[
        "cancel_asked", "claim_id", "crashed", "first_started_at", "open_parents", "retired", "signal_id", "sweep_at"
    ]


Condition = Equals | InStates | DueBy | AttemptsLeft | WorthStarting | NotSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    One conditional write.

    Attributes:
        name: The move, for logs and errors.
        require: All of these must hold of the stored item, which must exist.
        write: Field and new value; None removes the field.
        write_once: Field and value that is written only where the field holds nothing yet.
        attempts: Added to the attempt count.
    """

    name: str
    require: tuple[Condition, ...]
    write: Mapping[str, object] = field(default_factory=dict)
    write_once: Mapping[str, object] = field(default_factory=dict)
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Applied:
    """The write landed; `record` is the item after it."""

    record: JobRecord


@dataclass(frozen=True, slots=True)
class Refused:
    """A condition did not hold, and nothing was written; `record` is the item as it stands, None if there is none."""

    record: JobRecord | None


Answer = Applied | Refused


@dataclass(frozen=True, slots=True)
class StepExists:
    """Nothing was written, since the step that was to be kept with it is kept already; `text` is what it left."""

    text: str


_NOT_SHOWN: Final = frozenset({"payload", "expires_at"})
"""What a record may hold elsewhere than it was written, or rounded; of a payload what it does hold is compared."""

_ROUNDING: Final = timedelta(milliseconds=1)


def holds(condition: Condition, stored: JobRecord) -> bool:
    """Tell whether a condition holds of a record."""
    match condition:
        case Equals(name, value):
            return bool(getattr(stored, name) == value)
        case InStates(states):
            return stored.state in states
        case DueBy(moment):
            return stored.due_at is not None and stored.due_at <= moment
        case AttemptsLeft():
            return stored.attempts < stored.max_attempts
        case WorthStarting(moment):
            return stored.is_worth_starting(moment)
        case NotSet(name):
            return not getattr(stored, name)
        case unreachable:
            assert_never(unreachable)


def has_landed(change: Change, stored: JobRecord) -> bool:
    """
    Tell whether the record that refused a change shows that very change: it landed, and its answer was lost (rule 17).

    All that it writes must be there (a claim id, a time, an id of its own), and each condition on what it doesn't write
    must hold: the claim id that a run's writes require, for one, is then still that run's.
    """
    shown = change.write.keys() - _NOT_SHOWN
    touched = {*change.write, *change.write_once} | ({"attempts"} if change.attempts else set())
    return (
        bool(shown)
        and all(_is_shown(change.write[name], getattr(stored, name)) for name in shown)
        and ("payload" not in change.write or stored.payload == _kept_inside(change.write["payload"]))
        and all(holds(one, stored) for one in change.require if touched.isdisjoint(_read_by(one)))
    )


def _kept_inside(payload: Any) -> str | None:  # noqa: ANN401 - what a change writes is of any type
    return None if is_apart(payload) else payload


def _read_by(condition: Condition) -> set[str]:
    match condition:
        case Equals(name) | NotSet(name):
            return {name}
        case InStates():
            return {"state"}
        case DueBy():
            return {"due_at"}
        case AttemptsLeft():
            return {"attempts"}
        case WorthStarting():
            return {"first_started_at"}
        case unreachable:
            assert_never(unreachable)


def _is_shown(written: object, stored: object) -> bool:
    if isinstance(written, datetime) and isinstance(stored, datetime):
        return abs(written - stored) <= _ROUNDING
    return (written or None) == (stored or None)
