"""The items of the jobs table, as a pynamodb model that is made of `JobRecord`'s fields and their types."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, get_args, get_type_hints

from pynamodb.attributes import Attribute, BooleanAttribute, UnicodeAttribute
from pynamodb.constants import NUMBER, STRING
from pynamodb.models import Model

from lanework.engine.ports.index_keys import JobKey
from lanework.model.job.headers import Headers
from lanework.model.job.ids import held_shard, shard_of
from lanework.model.job.payload import is_apart
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause, Failure, JobRecord, State

if TYPE_CHECKING:
    from collections.abc import Callable

EnumT = TypeVar("EnumT", bound=StrEnum)

JOB: Final = "job"
PAYLOAD: Final = "payload"
"""Sort keys of a job's items: the job, and a payload kept apart, since every update pays for the whole item."""

LIMITS_SHARD: Final = "limits"
"""Partition of the sparse index for the limits that jobs wait for."""


class MomentAttribute(Attribute[datetime]):
    """A moment, as milliseconds since 1970 (a number, so that conditions can compare it)."""

    attr_type = NUMBER

    def serialize(self, value: datetime) -> str:
        """Return what DynamoDB stores."""
        return str(round(value.timestamp() * 1000))

    def deserialize(self, value: str) -> datetime:
        """Return what was stored."""
        seconds, milliseconds = divmod(int(value), 1000)
        return datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=milliseconds)


class ExpiryAttribute(Attribute[datetime]):
    """When the item may go, in seconds since 1970 as DynamoDB's TTL wants it."""

    attr_type = NUMBER

    def serialize(self, value: datetime) -> str:
        """Return what DynamoDB stores."""
        return str(-int(-value.timestamp() // 1))

    def deserialize(self, value: str) -> datetime:
        """Return what was stored."""
        return datetime.fromtimestamp(int(value), UTC)


class DurationAttribute(Attribute[timedelta]):
    """A duration in milliseconds."""

    attr_type = NUMBER

    def serialize(self, value: timedelta) -> str:
        """Return what DynamoDB stores."""
        return str(value // timedelta(milliseconds=1))

    def deserialize(self, value: str) -> timedelta:
        """Return what was stored."""
        return timedelta(milliseconds=int(value))


class WordAttribute(Attribute[EnumT], Generic[EnumT]):
    """A word of a closed set."""

    attr_type = STRING

    def __init__(self, words: type[EnumT], **options: Any) -> None:  # noqa: ANN401 - handed on to pynamodb
        super().__init__(**options)
        self._words = words

    def serialize(self, value: EnumT) -> str:
        """Return what DynamoDB stores."""
        return value.value

    def deserialize(self, value: str) -> EnumT:
        """Return what was stored."""
        return self._words(value)


class IdsAttribute(Attribute[tuple[str, ...]]):
    """Ids, none of which holds a space, as text: equal sets are equal text, so that a condition can compare them."""

    attr_type = STRING

    def serialize(self, value: tuple[str, ...]) -> str:
        """Return what DynamoDB stores."""
        return " ".join(value)

    def deserialize(self, value: str) -> tuple[str, ...]:
        """Return what was stored."""
        return tuple(value.split(" "))


class FailuresAttribute(Attribute[tuple[Failure, ...]]):
    """The failed attempts, as JSON text."""

    attr_type = STRING

    def serialize(self, value: tuple[Failure, ...]) -> str:
        """Return what DynamoDB stores."""
        rows = [[one.life, one.attempt, round(one.at.timestamp() * 1000), one.error, one.error_type] for one in value]
        return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))

    def deserialize(self, value: str) -> tuple[Failure, ...]:
        """Return what was stored."""
        return tuple(
            Failure(
                life=life,
                attempt=attempt,
                at=datetime.fromtimestamp(at_ms // 1000, UTC) + timedelta(milliseconds=at_ms % 1000),
                error=error,
                error_type=error_type,
            )
            for life, attempt, at_ms, error, error_type in json.loads(value)
        )


class HeadersAttribute(Attribute[Headers]):
    """What goes along with a job, as a JSON object."""

    attr_type = STRING

    def serialize(self, value: Headers) -> str:
        """Return what DynamoDB stores."""
        return json.dumps(dict(value), separators=(",", ":"))

    def deserialize(self, value: str) -> Headers:
        """Return what was stored."""
        read = json.loads(value)
        if not all(isinstance(text, str) for text in read.values()):
            msg = "a header's value is no text"
            raise ValueError(msg)
        return tuple(read.items())


class WholeNumberAttribute(Attribute[int]):
    """A whole number."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        """Return what DynamoDB stores."""
        return str(value)

    def deserialize(self, value: str) -> int:
        """Return what was stored."""
        return int(value)


MOMENT: Final = MomentAttribute()
EXPIRY: Final = ExpiryAttribute()

_BY_TYPE: Final[dict[Any, Callable[..., Attribute[Any]]]] = {
    str: UnicodeAttribute,
    int: WholeNumberAttribute,
    bool: BooleanAttribute,
    datetime: MomentAttribute,
    timedelta: DurationAttribute,
    Lane: partial(WordAttribute, Lane),
    State: partial(WordAttribute, State),
    Cause: partial(WordAttribute, Cause),
    Headers: HeadersAttribute,
    tuple[str, ...]: IdsAttribute,
    tuple[Failure, ...]: FailuresAttribute,
}
"""How a field of a job's record is stored, by its type; None and what is empty are left out."""

_BY_NAME: Final = {"expires_at": ExpiryAttribute}

_EMPTY: Final = (None, False, (), 0)

_HINTS: Final = get_type_hints(JobRecord, localns={"Lane": Lane, "Headers": Headers})

FIELDS: Final = tuple(one.name for one in fields(JobRecord) if one.name != "damage")

NEEDED: Final = tuple(
    one.name
    for one in fields(JobRecord)
    if NoneType not in get_args(_HINTS[one.name]) and (one.name == "attempts" or one.default not in _EMPTY)
)
"""The fields that every job's item has."""


def _attribute_of(name: str) -> Attribute[Any]:
    hint = _HINTS[name]
    of_type = next((one for one in get_args(hint) if isinstance(hint, UnionType) and one is not NoneType), hint)
    return (_BY_NAME.get(name) or _BY_TYPE[of_type])(null=True)


class JobItem(Model):
    """
    A job, and what its two indexes are made of: an attribute for each field of `JobRecord`, and these.

    `recent` lists jobs by the time of their enqueue: `recent_shard` is `<day>#<shard>`, `recent_key` is
    `created#queue#type#id`; neither ever changes, so a state's change costs no index write. `sweep` is sparse:
    `sweep_shard` is `sweep#<shard>` for a job that no message carries, and `dead#<shard>` for a dead one.
    """

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    recent_shard = UnicodeAttribute(null=True)
    recent_key = UnicodeAttribute(null=True)
    sweep_shard = UnicodeAttribute(null=True)

    vars().update({name: _attribute_of(name) for name in FIELDS})


def items_of(table: str, *, region: str) -> type[JobItem]:
    class Meta:
        table_name = table

    Meta.region = region  # type: ignore[attr-defined]
    return type("JobItem", (JobItem,), {"Meta": Meta})


_LONGEST_NAME: Final = 512
"""Bytes; a partition key may have 2,048, a sort key 1,024 (DynamoDB, "Constraints"). Names we accept are shorter."""


def may_exist(name: str) -> bool:
    """Tell whether a name fits a key. DynamoDB answers a read of a longer key with an error, not with nothing."""
    try:
        return len(name.encode()) <= _LONGEST_NAME
    except (AttributeError, UnicodeEncodeError):  # a lone surrogate, which no name has
        return False


def pk_of(job_id: str) -> str:
    return f"job#{job_id}"


def job_id_of(pk: str) -> str:
    return pk.removeprefix("job#")


def sweep_shard_of(job_id: str, *, state: object, held_by: object = None) -> str:
    if held_by is not None:
        return held_shard_of(str(held_by), held_shard(str(held_by), job_id))
    return dead_shard_of(shard_of(job_id)) if state is State.DEAD else f"sweep#{shard_of(job_id)}"


def dead_shard_of(shard: int) -> str:
    return f"dead#{shard}"


def held_shard_of(name: str, shard: int) -> str:
    return f"held:{name}#{shard}"


def recent_shard_of(day: str, shard: int) -> str:
    return f"{day}#{shard}"


def to_item(record: JobRecord, model: type[JobItem]) -> dict[str, Any]:
    """
    Return a new job's item, as DynamoDB takes it; what holds nothing is left out.

    Written out, since an instance of the model would fill all of its attributes first, for each job.
    """
    values = {name: getattr(record, name) for name in FIELDS}
    values = {name: value for name, value in values.items() if value not in _EMPTY}
    if is_apart(record.payload):
        del values["payload"]
    key = JobKey(created_at=record.created_at, queue=record.queue, type=record.type, job_id=record.job_id)
    values |= {
        "pk": pk_of(record.job_id),
        "sk": JOB,
        "recent_shard": recent_shard_of(record.created_at.date().isoformat(), shard_of(record.job_id)),
        "recent_key": key.position,
        "attempts": record.attempts,
    }
    if record.sweep_at is not None:
        values["sweep_shard"] = sweep_shard_of(record.job_id, state=record.state, held_by=record.held_by)
    attributes = model.get_attributes()
    return {name: {attributes[name].attr_type: attributes[name].serialize(value)} for name, value in values.items()}
