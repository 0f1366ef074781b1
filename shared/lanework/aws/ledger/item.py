"""The items of the jobs table, as a pynamodb model that is made of `JobRecord`'s fields and their types."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import partial
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args, get_type_hints

from pynamodb.attributes import Attribute, BooleanAttribute, UnicodeAttribute
from pynamodb.constants import NUMBER, STRING
from pynamodb.models import Model

from lanework.engine.ports.index_keys import JobKey
from lanework.model.job.headers import Headers
from lanework.model.job.ids import SHARDS, held_shard, shard_of
from lanework.model.job.payload import is_apart
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause, Failure, JobRecord, State

if TYPE_CHECKING:
    from collections.abc import Callable

ValueT = TypeVar("ValueT")

JOB: Final = "job"
PAYLOAD: Final = "payload"
"""Sort keys of a job's items: the job, and a payload kept apart, since every update pays for the whole item."""

LIMITS_SHARD: Final = "limits"
"""Partition of the sparse index for the limits that jobs wait for."""


class _Stored(Attribute[ValueT]):
    """An attribute that DynamoDB keeps as a number or a text, and what writes and reads that."""

    def __init__(
        self, kind: str, write: Callable[[ValueT], str], read: Callable[[str], ValueT], *, null: bool = False
    ) -> None:
        super().__init__(null=null)
        self.attr_type, self._write, self._read = kind, write, read

    def serialize(self, value: ValueT) -> str:
        return self._write(value)

    def deserialize(self, value: str) -> ValueT:
        return self._read(value)


def _write_moment(moment: datetime) -> str:
    return str(round(moment.timestamp() * 1000))


def _read_moment(milliseconds: str | int) -> datetime:
    seconds, rest = divmod(int(milliseconds), 1000)
    return datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=rest)


def _write_failures(failures: tuple[Failure, ...]) -> str:
    rows = [[one.life, one.attempt, round(one.at.timestamp() * 1000), one.error, one.error_type] for one in failures]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def _read_failures(text: str) -> tuple[Failure, ...]:
    return tuple(
        Failure(life=life, attempt=attempt, at=_read_moment(at_ms), error=error, error_type=error_type)
        for life, attempt, at_ms, error, error_type in json.loads(text)
    )


def _read_headers(text: str) -> Headers:
    read = json.loads(text)
    if not all(isinstance(value, str) for value in read.values()):
        msg = "a header's value is no text"
        raise ValueError(msg)
    return tuple(read.items())


def _write_expiry(moment: datetime) -> str:
    return str(-int(-moment.timestamp() // 1))


def _read_expiry(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _write_duration(duration: timedelta) -> str:
    return str(duration // timedelta(milliseconds=1))


def _read_duration(milliseconds: str) -> timedelta:
    return timedelta(milliseconds=int(milliseconds))


_moment: Final = partial(_Stored[datetime], NUMBER, _write_moment, _read_moment)
_expiry: Final = partial(_Stored[datetime], NUMBER, _write_expiry, _read_expiry)

MOMENT: Final = _moment()
"""A moment, as milliseconds since 1970 (a number, so that conditions can compare it)."""

EXPIRY: Final = _expiry()
"""When the item may go, in seconds since 1970 as DynamoDB's TTL wants it."""

_BY_TYPE: Final[dict[Any, Callable[..., Attribute[Any]]]] = {
    str: UnicodeAttribute,
    int: partial(_Stored, NUMBER, str, int),
    bool: BooleanAttribute,
    datetime: _moment,
    timedelta: partial(_Stored, NUMBER, _write_duration, _read_duration),
    Lane: partial(_Stored, STRING, str, Lane),
    State: partial(_Stored, STRING, str, State),
    Cause: partial(_Stored, STRING, str, Cause),
    Headers: partial(_Stored, STRING, lambda headers: json.dumps(dict(headers), separators=(",", ":")), _read_headers),
    tuple[str, ...]: partial(_Stored, STRING, " ".join, lambda text: tuple(text.split(" "))),
    tuple[Failure, ...]: partial(_Stored, STRING, _write_failures, _read_failures),
}
"""
How a field of a job's record is stored, by its type; None and what is empty are left out.

Ids, none of which holds a space, are text: equal sets are equal text, so that a condition can compare them.
"""

_BY_NAME: Final = {"expires_at": _expiry}

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


def to_item(record: JobRecord, model: type[JobItem], *, shards: int = SHARDS) -> dict[str, Any]:
    """
    Return a new job's item, as DynamoDB takes it; what holds nothing is left out. `shards` spread its day's jobs.

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
        "recent_shard": recent_shard_of(record.created_at.date().isoformat(), shard_of(record.job_id, shards)),
        "recent_key": key.position,
        "attempts": record.attempts,
    }
    if record.sweep_at is not None:
        values["sweep_shard"] = sweep_shard_of(record.job_id, state=record.state, held_by=record.held_by)
    attributes = model.get_attributes()
    return {name: {attributes[name].attr_type: attributes[name].serialize(value)} for name, value in values.items()}
