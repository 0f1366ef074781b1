"""The items of workflows on DynamoDB: the workflow's own, and for each shard its recorded ends and its names."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.ledger.item import EXPIRY, MOMENT, recent_shard_of
from lanework.engine.ports.workflows import key_of
from lanework.model.job.ids import shard_of
from lanework.model.workflow.shard import Shard
from lanework.model.workflow.workflow import Kind, WorkflowRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = "workflow"
SHARD: Final = "shard"
NAMES: Final = "names"
"""Sort keys of a workflow's items."""

_KEPT_FOR: Final = timedelta(days=90)
"""Longer than any workflow runs; after that what still waits is ended by its own look."""


def expiry() -> dict[str, str]:
    """Return when an item may go, as seconds since 1970."""
    return {"N": EXPIRY.serialize(datetime.now(UTC) + _KEPT_FOR)}


def day_of(day: str) -> str:
    """Return by which name workflows of a day are in the index of recent things."""
    return f"workflows:{day}"


def root_key(workflow_id: str) -> dict[str, Any]:
    """Return the key of a workflow's own item."""
    return {"pk": {"S": f"workflow#{workflow_id}"}, "sk": {"S": ROOT}}


def part_key(workflow_id: str, number: int, kind: str) -> dict[str, Any]:
    """Return the key of one of a shard's items."""
    return {"pk": {"S": f"workflow#{workflow_id}#{number}"}, "sk": {"S": kind}}


def shard_named(pk: str) -> tuple[str, int]:
    """Return the workflow and the number that a partition key belongs to."""
    _, workflow_id, number = pk.split("#")
    return workflow_id, int(number)


def entry_of(shard: Shard, at: datetime) -> dict[str, Any]:
    """Return a shard's place in the sparse index."""
    partition = shard_of(f"{shard.workflow_id}#{shard.number}")
    return {":shard": {"S": f"{ROOT}#{partition}"}, ":at": {"N": MOMENT.serialize(at)}}


def names_item(shard: Shard, names: Sequence[str]) -> dict[str, Any]:
    """Return the item that names a shard's jobs."""
    key = part_key(shard.workflow_id, shard.number, NAMES)
    return {**key, "names": {"S": " ".join(names)}, "expires_at": expiry()}


def shard_item(shard: Shard) -> dict[str, Any]:
    """Return the item of a shard's recorded ends."""
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
    """Return the shard that an item holds."""
    workflow_id, number = shard_named(item["pk"]["S"])
    return Shard(
        workflow_id=workflow_id,
        number=number,
        size=int(item["size"]["N"]),
        created_at=MOMENT.deserialize(item["created_at"]["N"]),
        outcomes={int(name[1:]): int(value["N"]) for name, value in item.items() if name[0] == "v"},
        look_at=MOMENT.deserialize(item["sweep_at"]["N"]) if "sweep_at" in item else None,
    )


_MOMENTS: Final = ("closed_at", "completed_at", "cancelled_at")


def root_item(record: WorkflowRecord) -> dict[str, Any]:
    """Return a workflow's own item."""
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
    """Return the workflow that an item holds."""
    moments = {name: MOMENT.deserialize(item[name]["N"]) for name in _MOMENTS if name in item}
    return WorkflowRecord(
        workflow_id=item["pk"]["S"].removeprefix("workflow#"),
        kind=Kind(item["kind"]["S"]),
        created_at=MOMENT.deserialize(item["created_at"]["N"]),
        jobs=int(item["jobs"]["N"]),
        shards=int(item["shards"]["N"]),
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
        revision=int(item["revision"]["N"]),
        **moments,
    )
