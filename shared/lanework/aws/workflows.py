"""Workflows, and who waits for whom, on the table `<stack>-jobs`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lanework.aws.bulk import BulkPut, chunks
from lanework.aws.clients import translated
from lanework.aws.indexes import recent_page
from lanework.aws.items import ExpiryAttribute, MomentAttribute, pk_of, recent_shard_of
from lanework.engine.workflow_store import key_of
from lanework.model.ids import shard_of
from lanework.model.shard import Shard, place_of
from lanework.model.workflow import Kind, WorkflowRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lanework.aws.clients import Clients
    from lanework.engine.listing import JobKey, Page

_CHILD: Final = "child#"
_ROOT: Final = "workflow"
_SHARD: Final = "shard"
_NAMES: Final = "names"
_KEPT_FOR: Final = timedelta(days=90)
"""Longer than any workflow runs; after that what still waits is ended by its own look."""

_CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_MOMENT: Final = MomentAttribute()
_EXPIRY: Final = ExpiryAttribute()
_READ_AT_ONCE: Final = 100
"""Most keys of a BatchGetItem (DynamoDB, API reference)."""


class DynamoWorkflows:
    """
    Implements the `WorkflowStore` port.

    A workflow has an item of its own, and two for each shard: what was told, written at each end, and the names.
    """

    def __init__(self, clients: Clients, *, stack: str) -> None:
        """Use the stack's jobs table."""
        self._clients = clients
        self._table = f"{stack}-jobs"
        self._bulk = BulkPut(clients, self._table)

    def add_children(self, edges: Sequence[tuple[str, str]]) -> None:
        """See `WorkflowStore.add_children`: an item for each, in the partition of what is waited for."""
        expires_at = _expiry()
        items = [
            {"pk": {"S": pk_of(parent)}, "sk": {"S": f"{_CHILD}{child}"}, "expires_at": expires_at}
            for parent, child in sorted(set(edges))
        ]
        with translated("noting who waits for whom"):
            self._bulk.write(items)

    def children(self, parent: str, *, after: str | None, limit: int) -> list[str]:
        """See `WorkflowStore.children`: a cursor is the sort key's own order."""
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :parent AND sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": {
                ":parent": {"S": pk_of(parent)},
                ":low": {"S": _CHILD if after is None else f"{_CHILD}{after}\x00"},
                ":high": {"S": f"{_CHILD}~~"},
            },
            "ConsistentRead": True,
            "Limit": limit,
        }
        with translated(f"reading what waits for {parent}"):
            answer = self._clients.dynamodb.query(**query)
        return [item["sk"]["S"].removeprefix(_CHILD) for item in answer["Items"]]

    def get(self, workflow_id: str) -> WorkflowRecord | None:
        """See `WorkflowStore.get`."""
        with translated(f"reading workflow {workflow_id}"):
            answer = self._clients.dynamodb.get_item(
                TableName=self._table, Key=_root_key(workflow_id), ConsistentRead=True
            )
        return _record(answer["Item"]) if "Item" in answer else None

    def get_many(self, workflow_ids: Sequence[str]) -> dict[str, WorkflowRecord]:
        """See `WorkflowStore.get_many`."""
        with translated("reading workflows"):
            items = list(self._read([_root_key(one) for one in workflow_ids]))
        return {record.workflow_id: record for record in map(_record, items)}

    def _read(self, keys: Sequence[dict[str, Any]], *, consistent: bool = False) -> Iterator[dict[str, Any]]:
        """Yield the items that exist."""
        for start in range(0, len(keys), _READ_AT_ONCE):
            asked = {"Keys": keys[start : start + _READ_AT_ONCE], "ConsistentRead": consistent}
            wanted: Any = {self._table: asked}
            while wanted:
                answer: Any = self._clients.dynamodb.batch_get_item(RequestItems=wanted)
                yield from answer["Responses"].get(self._table, [])
                wanted = answer.get("UnprocessedKeys")

    def write(self, record: WorkflowRecord) -> WorkflowRecord | None:
        """See `WorkflowStore.write`."""
        written = replace(record, revision=record.revision + 1)
        request: dict[str, Any] = {"TableName": self._table, "Item": _root_item(written)}
        if record.revision == 0:
            request["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            request["ConditionExpression"] = "revision = :read"
            request["ExpressionAttributeValues"] = {":read": {"N": str(record.revision)}}
        with translated(f"writing workflow {record.workflow_id}"):
            answer, _ = _write(self._clients.dynamodb.put_item, request)
        return None if answer is None else written

    def recent(self, *, day: str, before: str | None, limit: int) -> Page[JobKey]:
        """See `WorkflowStore.recent`."""
        with translated("listing workflows"):
            return recent_page(
                self._clients.dynamodb, self._table, day=_day_of(day), before=before, limit=limit, keep=None
            )

    def make_shards(self, shards: Sequence[tuple[Shard, Sequence[str]]]) -> None:
        """See `WorkflowStore.make_shards`: 25 a call where the endpoint has PartiQL, one by one elsewhere."""
        items = [item for shard, names in shards for item in (_names_item(shard, names), _shard_item(shard))]
        with translated("making a workflow's shards"):
            for chunk in chunks(items):
                for item, is_made in zip(chunk, self._bulk.insert(chunk), strict=True):
                    if not is_made:
                        request = {
                            "TableName": self._table,
                            "Item": item,
                            "ConditionExpression": "attribute_not_exists(pk)",
                        }
                        _write(self._clients.dynamodb.put_item, request)

    def shards(self, workflow_id: str, numbers: Sequence[int]) -> list[Shard]:
        """See `WorkflowStore.shards`."""
        keys = [_key(workflow_id, number, _SHARD) for number in numbers]
        with translated(f"reading shards of workflow {workflow_id}"):
            return sorted(map(_shard, self._read(keys, consistent=True)), key=lambda shard: shard.number)

    def names(self, workflow_id: str, number: int) -> tuple[str, ...]:
        """See `WorkflowStore.names`."""
        with translated(f"reading the jobs of workflow {workflow_id}"):
            answer = self._clients.dynamodb.get_item(
                TableName=self._table, Key=_key(workflow_id, number, _NAMES), ConsistentRead=True
            )
        return tuple(answer["Item"]["names"]["S"].split(" ")) if "Item" in answer else ()

    def tell(self, workflow_id: str, slot: int, value: int) -> Shard | None:
        """See `WorkflowStore.tell`."""
        number, place = place_of(slot)
        request = {
            "TableName": self._table,
            "Key": _key(workflow_id, number, _SHARD),
            "UpdateExpression": "SET #place = :value",
            "ConditionExpression": "attribute_exists(pk) AND (attribute_not_exists(#place) OR #place < :value)",
            "ExpressionAttributeNames": {"#place": f"v{place}"},
            "ExpressionAttributeValues": {":value": {"N": str(value)}},
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        with translated(f"telling workflow {workflow_id} of an end"):
            answer, stored = _write(self._clients.dynamodb.update_item, request)
        item = stored if answer is None else answer["Attributes"]
        return None if item is None else _shard(item)

    def look_later(self, shard: Shard, at: datetime | None) -> None:
        """See `WorkflowStore.look_later`."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "Key": _key(shard.workflow_id, shard.number, _SHARD),
            "ConditionExpression": "attribute_exists(pk)",
            "UpdateExpression": "REMOVE sweep_shard, sweep_at",
        }
        if at is not None:
            request["UpdateExpression"] = "SET sweep_shard = :shard, sweep_at = :at"
            request["ExpressionAttributeValues"] = _entry(shard, at)
        with translated(f"writing a shard of workflow {shard.workflow_id}"):
            _write(self._clients.dynamodb.update_item, request)

    def due_shards(self, shard: int, *, until: datetime, limit: int) -> list[tuple[str, int]]:
        """See `WorkflowStore.due_shards`."""
        with translated("reading which workflows to look at"):
            answer = self._clients.dynamodb.query(
                TableName=self._table,
                IndexName="sweep",
                KeyConditionExpression="sweep_shard = :shard AND sweep_at <= :until",
                ExpressionAttributeValues={
                    ":shard": {"S": f"{_ROOT}#{shard}"},
                    ":until": {"N": _MOMENT.serialize(until)},
                },
                Limit=limit,
            )
        return [_shard_key(item["pk"]["S"]) for item in answer["Items"]]


def _write(call: Callable[..., Any], request: dict[str, Any]) -> tuple[Any, dict[str, Any] | None]:
    """Send a conditional write; return its answer, or the item whose state refused it."""
    try:
        return call(**request), None
    except ClientError as error:
        if error.response["Error"]["Code"] != _CONDITION_FAILED:
            raise
        refused: Any = error.response
        return None, refused.get("Item")


def _expiry() -> dict[str, str]:
    return {"N": _EXPIRY.serialize(datetime.now(UTC) + _KEPT_FOR)}


def _day_of(day: str) -> str:
    return f"workflows:{day}"


def _root_key(workflow_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"workflow#{workflow_id}"}, "sk": {"S": _ROOT}}


def _key(workflow_id: str, number: int, kind: str) -> dict[str, Any]:
    return {"pk": {"S": f"workflow#{workflow_id}#{number}"}, "sk": {"S": kind}}


def _shard_key(pk: str) -> tuple[str, int]:
    _, workflow_id, number = pk.split("#")
    return workflow_id, int(number)


def _entry(shard: Shard, at: datetime) -> dict[str, Any]:
    partition = shard_of(f"{shard.workflow_id}#{shard.number}")
    return {":shard": {"S": f"{_ROOT}#{partition}"}, ":at": {"N": _MOMENT.serialize(at)}}


def _names_item(shard: Shard, names: Sequence[str]) -> dict[str, Any]:
    key = _key(shard.workflow_id, shard.number, _NAMES)
    return {**key, "names": {"S": " ".join(names)}, "expires_at": _expiry()}


def _shard_item(shard: Shard) -> dict[str, Any]:
    item = {
        **_key(shard.workflow_id, shard.number, _SHARD),
        "size": {"N": str(shard.size)},
        "created_at": {"N": _MOMENT.serialize(shard.created_at)},
        "expires_at": _expiry(),
        **{f"v{place}": {"N": str(value)} for place, value in shard.told.items()},
    }
    if shard.look_at is not None:
        entry = _entry(shard, shard.look_at)
        item |= {"sweep_shard": entry[":shard"], "sweep_at": entry[":at"]}
    return item


def _shard(item: dict[str, Any]) -> Shard:
    workflow_id, number = _shard_key(item["pk"]["S"])
    return Shard(
        workflow_id=workflow_id,
        number=number,
        size=int(item["size"]["N"]),
        created_at=_MOMENT.deserialize(item["created_at"]["N"]),
        told={int(name[1:]): int(value["N"]) for name, value in item.items() if name[0] == "v"},
        look_at=_MOMENT.deserialize(item["sweep_at"]["N"]) if "sweep_at" in item else None,
    )


_MOMENTS: Final = ("closed_at", "completed_at", "cancelled_at")


def _root_item(record: WorkflowRecord) -> dict[str, Any]:
    key = key_of(record)
    day = _day_of(record.created_at.date().isoformat())
    item = {
        **_root_key(record.workflow_id),
        "recent_shard": {"S": recent_shard_of(day, shard_of(record.workflow_id))},
        "recent_key": {"S": key.position},
        "expires_at": {"N": _EXPIRY.serialize(record.expires_at)},
        "kind": {"S": record.kind.value},
        "created_at": {"N": _MOMENT.serialize(record.created_at)},
        "allotted_at": {"N": _MOMENT.serialize(record.allotted_at)},
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
            item[name] = {"N": _MOMENT.serialize(moment)}
    if record.parent is not None:
        item |= {"parent": {"S": record.parent}, "slot": {"N": str(record.slot)}}
    return item


def _record(item: dict[str, Any]) -> WorkflowRecord:
    moments = {name: _MOMENT.deserialize(item[name]["N"]) for name in _MOMENTS if name in item}
    return WorkflowRecord(
        workflow_id=item["pk"]["S"].removeprefix("workflow#"),
        kind=Kind(item["kind"]["S"]),
        created_at=_MOMENT.deserialize(item["created_at"]["N"]),
        jobs=int(item["jobs"]["N"]),
        shards=int(item["shards"]["N"]),
        allotted_at=_MOMENT.deserialize(item["allotted_at"]["N"]),
        expires_at=_EXPIRY.deserialize(item["expires_at"]["N"]),
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
