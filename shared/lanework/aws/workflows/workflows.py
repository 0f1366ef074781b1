"""Workflows, and who waits for whom, on the table `<stack>-jobs`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.clients import translated
from lanework.aws.ledger.bulk_writes import BulkPut, chunks
from lanework.aws.ledger.indexes import recent_page
from lanework.aws.ledger.item import may_exist, pk_of
from lanework.aws.table import ABSENT, Table, as_read
from lanework.aws.workflows.workflow_items import (
    NAMES,
    ROOT,
    SHARD,
    day_of,
    entry_of,
    expiry,
    names_item,
    part_key,
    record_of,
    root_item,
    root_key,
    shard_item,
    shard_named,
    shard_of_item,
)
from lanework.model.workflow.shard import Shard, place_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lanework.aws.clients import Clients
    from lanework.engine.ports.index_keys import JobKey, Page
    from lanework.model.workflow.workflow import WorkflowRecord

_CHILD: Final = "child#"


class DynamoWorkflows:
    """
    Implements the `WorkflowStore` port.

    A workflow has an item of its own, and two for each shard: the recorded ends, written at each end, and the names.
    """

    def __init__(self, clients: Clients, *, stack: str) -> None:
        self._clients = clients
        self._table = Table(clients, f"{stack}-jobs")
        self._bulk = BulkPut(clients, self._table.name)

    def add_children(self, edges: Sequence[tuple[str, str]]) -> None:
        """An item for each, in the partition of what is waited for."""
        expires_at = expiry()
        items = [
            {"pk": {"S": pk_of(parent)}, "sk": {"S": f"{_CHILD}{child}"}, "expires_at": expires_at}
            for parent, child in sorted(set(edges))
        ]
        with translated("recording which job waits for which"):
            self._bulk.write(items)

    def children(self, parent: str, *, after: str | None, limit: int) -> list[str]:
        """A cursor is the sort key's own order."""
        with translated(f"reading the jobs that wait for {parent}"):
            answer = self._clients.dynamodb.query(
                TableName=self._table.name,
                KeyConditionExpression="pk = :parent AND sk BETWEEN :low AND :high",
                ExpressionAttributeValues={
                    ":parent": {"S": pk_of(parent)},
                    ":low": {"S": _CHILD if after is None else f"{_CHILD}{after}\x00"},
                    ":high": {"S": f"{_CHILD}~~"},
                },
                ConsistentRead=True,
                Limit=limit,
            )
        return [item["sk"]["S"].removeprefix(_CHILD) for item in answer["Items"]]

    def get(self, workflow_id: str) -> WorkflowRecord | None:
        if not may_exist(workflow_id):
            return None
        item = self._table.get(root_key(workflow_id), doing=f"reading workflow {workflow_id}")
        return None if item is None else record_of(item)

    def get_many(self, workflow_ids: Sequence[str]) -> dict[str, WorkflowRecord]:
        items = self._table.read([root_key(one) for one in workflow_ids], doing="reading workflows")
        return {record.workflow_id: record for record in map(record_of, items)}

    def write(self, record: WorkflowRecord) -> WorkflowRecord | None:
        written = replace(record, revision=record.revision + 1)
        unchanged = as_read("revision", {"N": str(record.revision)} if record.revision else None)
        doing = f"writing workflow {record.workflow_id}"
        return written if self._table.put_if(root_item(written), unchanged, doing=doing) else None

    def recent(self, *, day: str, before: str | None, limit: int) -> Page[JobKey]:
        with translated("listing workflows"):
            client, table = self._clients.dynamodb, self._table.name
            return recent_page(client, table, day=day_of(day), before=before, limit=limit, keep=None)[0]

    def make_shards(self, shards: Sequence[tuple[Shard, Sequence[str]]]) -> None:
        """25 a call where the endpoint has PartiQL, one by one elsewhere."""
        items = [item for shard, names in shards for item in (names_item(shard, names), shard_item(shard))]
        doing = "making a workflow's shards"
        for chunk in chunks(items):
            with translated(doing):
                made = self._bulk.insert(chunk)
            for item, is_made in zip(chunk, made, strict=True):
                if not is_made:
                    self._table.put_if(item, {"ConditionExpression": ABSENT}, doing=doing)

    def shards(self, workflow_id: str, numbers: Sequence[int]) -> list[Shard]:
        keys = [part_key(workflow_id, number, SHARD) for number in numbers]
        found = self._table.read(keys, doing=f"reading shards of workflow {workflow_id}", is_consistent=True)
        return sorted(map(shard_of_item, found), key=lambda shard: shard.number)

    def names(self, workflow_id: str, number: int) -> tuple[str, ...]:
        key = part_key(workflow_id, number, NAMES)
        item = self._table.get(key, doing=f"reading the jobs of workflow {workflow_id}")
        return () if item is None else tuple(item["names"]["S"].split(" "))

    def record_end(self, workflow_id: str, slot: int, value: int) -> Shard | None:
        number, place = place_of(slot)
        update = {
            "UpdateExpression": "SET #place = :value",
            "ConditionExpression": "attribute_exists(pk) AND (attribute_not_exists(#place) OR #place < :value)",
            "ExpressionAttributeNames": {"#place": f"v{place}"},
            "ExpressionAttributeValues": {":value": {"N": str(value)}},
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        key = part_key(workflow_id, number, SHARD)
        answer, stored = self._table.update(key, update, doing=f"recording an end in workflow {workflow_id}")
        item = stored if answer is None else answer["Attributes"]
        return None if item is None else shard_of_item(item)

    def look_later(self, shard: Shard, at: datetime | None) -> None:
        update: dict[str, Any] = {
            "ConditionExpression": "attribute_exists(pk)",
            "UpdateExpression": "REMOVE sweep_shard, sweep_at",
        }
        if at is not None:
            update["UpdateExpression"] = "SET sweep_shard = :shard, sweep_at = :at"
            update["ExpressionAttributeValues"] = entry_of(shard, at)
        key = part_key(shard.workflow_id, shard.number, SHARD)
        self._table.update(key, update, doing=f"writing a shard of workflow {shard.workflow_id}")

    def due_shards(self, shard: int, *, until: datetime, limit: int) -> list[tuple[str, int]]:
        found = self._table.due(f"{ROOT}#{shard}", until=until, limit=limit, doing="reading which workflows to look at")
        return [shard_named(item["pk"]["S"]) for item in found]
