"""Reading a job's item back, whatever it holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.ledger.item import FIELDS, NEEDED, job_id_of
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import JobRecord, State

if TYPE_CHECKING:
    from lanework.aws.ledger.item import JobItem

_SPARED: Final = frozenset(
    {"failures", "headers", "progress", "progress_note", "error", "cause", "result", "result_omitted", "webhook"}
)
UNREADABLE: Final = (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)
"""What reading a value raises that isn't one of ours: a word or a number out of range, another type, no JSON."""

_LONGEST: Final = 200
_THEN: Final = datetime.fromtimestamp(0, UTC)


def damage_of(error: Exception) -> str:
    """Say what one of `UNREADABLE` found wrong with an item."""
    return f"{type(error).__name__}: {error}"[:_LONGEST]


def to_record(raw: dict[str, Any], model: type[JobItem]) -> JobRecord:
    """
    Return the record that an item holds, as DynamoDB returned it.

    An item that this code can't read, such as one of a later release, is a record all the same: of state `unknown`,
    with what could be read, and what could not be. So it stops nobody who reads it among others. What runs and moves
    don't need, such as the failures, is only left out.
    """
    attributes = model.get_attributes()
    values: dict[str, Any] = {"due_at": None}
    damage = {name: "is missing" for name in NEEDED if name not in raw}
    for name in raw.keys() & set(FIELDS):
        try:
            values[name] = attributes[name].deserialize(attributes[name].get_value(raw[name]))
        except UNREADABLE as error:
            damage[name] = str(error)[:_LONGEST]
    if "pk" in raw and values.get("job_id") != job_id_of(raw["pk"]["S"]):  # the key is what every write names it by
        damage.setdefault("job_id", "is not that of the key")
        values["job_id"] = job_id_of(raw["pk"]["S"])
    if damage:
        values["damage"] = "; ".join(f"{name}: {what}" for name, what in sorted(damage.items()))
    return JobRecord(**values) if _SPARED.issuperset(damage) else _unknown(values, raw)


def _unknown(values: dict[str, Any], raw: dict[str, Any]) -> JobRecord:
    """Return the record of an item that can't be read, with something in each place that must not be empty."""
    created_at = values.get("created_at") or _THEN
    instead: dict[str, Any] = {
        "job_id": job_id_of(raw.get("pk", {}).get("S", "")),
        "type": "unknown",
        "queue": "unknown",
        "lane": Lane.MEDIUM,
        "max_attempts": 1,
        "backoff_base": timedelta(seconds=2),
        "created_at": created_at,
        "run_at": created_at,
    }
    error = f"its record can't be read: {values['damage']}"
    return JobRecord(**instead | values | {"state": State.UNKNOWN, "error": error})
