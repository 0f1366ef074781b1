"""The items of workflows on DynamoDB: the workflow's own, and for each shard its recorded ends and its names."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.ledger.item import EXPIRY, MOMENT, recent_shard_of
from lanework.aws.ledger.read_back import UNREADABLE, damage_of
from lanework.engine.ports.workflows import key_of
from lanework.model.job.ids import shard_of
from lanework.model.workflow.shard import SHARD as SHARD_SIZE
from lanework.model.workflow.shard import Shard
from lanework.model.workflow.workflow import MOST_JOBS, MOST_SHARDS, Kind, WorkflowRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = "workflow"
SHARD: Final = "shard"
NAMES: Final = "names"
"""Sort keys of a workflow's items."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
_MOST_WRITES: Final = 10**15

_KEPT_FOR: Final = timedelta(days=90)
"""Longer than any workflow runs; after that what still waits is ended by its own look."""


def expiry() -> dict[str, str]:
    return {"N": EXPIRY.serialize(datetime.now(UTC) + _KEPT_FOR)}


def day_of(day: str) -> str:
    return f"workflows:{day}"


def root_key(workflow_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"workflow#{workflow_id}"}, "sk": {"S": ROOT}}


def part_key(workflow_id: str, number: int, kind: str) -> dict[str, Any]:
    return {"pk": {"S": f"workflow#{workflow_id}#{number}"}, "sk": {"S": kind}}


def shard_named(pk: str) -> tuple[str, int]:
    _, workflow_id, number = pk.split("#")
    return workflow_id, int(number)


def entry_of(shard: Shard, at: datetime) -> dict[str, Any]:
    partition = shard_of(f"{shard.workflow_id}#{shard.number}")
    return {":shard": {"S": f"{ROOT}#{partition}"}, ":at": {"N": MOMENT.serialize(at)}}


def names_item(shard: Shard, names: Sequence[str]) -> dict[str, Any]:
    key = part_key(shard.workflow_id, shard.number, NAMES)
    return {**key, "names": {"S": " ".join(names)}, "expires_at": expiry()}


def shard_item(shard: Shard) -> dict[str, Any]:
    item = {
        **part_key(shard.workflow_id, shard.number, SHARD),
        "size": {"N": str(shard.size)},
        "created_at": {"N": MOMENT.serialize(shard.created_at)},
        "expires_at": expiry(),
        **{f"v{place}": {"N": str(value)} for place, value in shard.outcomes.items()},
    }
    if shard.look_at is not None:
        entry = entry_of(shard, shard.look_at)
        item |= {"sweep_shard": entry[":shard"], "sweep_at": entry[":at"]}
    return item


def shard_of_item(item: dict[str, Any]) -> Shard:
    """Return the shard that an item holds; one that this code can't read says so."""
    try:
        return _whole_shard(item)
    except UNREADABLE as error:
        workflow_id, number = shard_named(item["pk"]["S"])
        return Shard(workflow_id=workflow_id, number=number, size=0, created_at=_EPOCH, damage=damage_of(error))


def _whole_shard(item: dict[str, Any]) -> Shard:
    workflow_id, number = shard_named(item["pk"]["S"])
    return Shard(
        workflow_id=workflow_id,
        number=number,
        size=_count(item["size"], most=SHARD_SIZE),
        created_at=MOMENT.deserialize(item["created_at"]["N"]),
        outcomes={int(name[1:]): int(value["N"]) for name, value in item.items() if name[0] == "v"},
        look_at=MOMENT.deserialize(item["sweep_at"]["N"]) if "sweep_at" in item else None,
    )


_MOMENTS: Final = ("closed_at", "completed_at", "cancelled_at")


def root_item(record: WorkflowRecord) -> dict[str, Any]:
    key = key_of(record)
    day = day_of(record.created_at.date().isoformat())
    item = {
        **root_key(record.workflow_id),
        "recent_shard": {"S": recent_shard_of(day, shard_of(record.workflow_id))},
        "recent_key": {"S": key.position},
        "expires_at": {"N": EXPIRY.serialize(record.expires_at)},
        "kind": {"S": record.kind.value},
        "created_at": {"N": MOMENT.serialize(record.created_at)},
        "allotted_at": {"N": MOMENT.serialize(record.allotted_at)},
        "jobs": {"N": str(record.jobs)},
        "shards": {"N": str(record.shards)},
        "sealed": {"BOOL": record.sealed},
        "given_up": {"BOOL": record.given_up},
        "ended": {"S": json.dumps(sorted(record.ended), separators=(",", ":"))},
        "completed": {"S": json.dumps(sorted(record.completed), separators=(",", ":"))},
        "has_failed": {"BOOL": record.has_failed},
        "has_cancelled": {"BOOL": record.has_cancelled},
        "revision": {"N": str(record.revision)},
    }
    for name in _MOMENTS:
        moment: datetime | None = getattr(record, name)
        if moment is not None:
            item[name] = {"N": MOMENT.serialize(moment)}
    if record.parent is not None:
        item |= {"parent": {"S": record.parent}, "slot": {"N": str(record.slot)}}
    return item


def record_of(item: dict[str, Any]) -> WorkflowRecord:
    """Return the workflow that an item holds; one that this code can't read says so, and stands among the others."""
    try:
        return _whole_record(item)
    except UNREADABLE as error:
        return WorkflowRecord(
            workflow_id=item["pk"]["S"].removeprefix("workflow#"),
            kind=Kind.BATCH,
            created_at=_EPOCH,
            jobs=0,
            shards=0,
            allotted_at=_EPOCH,
            expires_at=_NEVER,
            damage=damage_of(error),
        )


def _count(value: Mapping[str, str], *, most: int, least: int = 0) -> int:
    """
    Return a number.

    Raises:
        ValueError: Nothing of ours writes it: to go through so many things would never end.
    """
    found = int(value["N"])
    if not least <= found <= most:
        msg = f"a number is not between {least} and {most:,}"
        raise ValueError(msg)
    return found


def _whole_record(item: dict[str, Any]) -> WorkflowRecord:
    moments: dict[str, Any] = {name: MOMENT.deserialize(item[name]["N"]) for name in _MOMENTS if name in item}
    return WorkflowRecord(
        workflow_id=item["pk"]["S"].removeprefix("workflow#"),
        kind=Kind(item["kind"]["S"]),
        created_at=MOMENT.deserialize(item["created_at"]["N"]),
        jobs=_count(item["jobs"], most=MOST_JOBS),
        shards=_count(item["shards"], most=MOST_SHARDS),
        allotted_at=MOMENT.deserialize(item["allotted_at"]["N"]),
        expires_at=EXPIRY.deserialize(item["expires_at"]["N"]),
        sealed=item["sealed"]["BOOL"],
        given_up=item["given_up"]["BOOL"],
        ended=frozenset(json.loads(item["ended"]["S"])),
        completed=frozenset(json.loads(item["completed"]["S"])),
        has_failed=item["has_failed"]["BOOL"],
        has_cancelled=item["has_cancelled"]["BOOL"],
        parent=item["parent"]["S"] if "parent" in item else None,
        slot=int(item["slot"]["N"]) if "slot" in item else None,
        revision=_count(item["revision"], most=_MOST_WRITES, least=1),
        **moments,
    )
