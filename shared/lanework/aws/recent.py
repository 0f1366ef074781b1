"""Reading the index of recent jobs: the shards of one day, merged, newest first."""

from __future__ import annotations

from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.items import recent_shard_of
from lanework.engine.ports import JobKey, Page
from lanework.model.ids import SHARDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

MOST_KEYS: Final = 10_000
"""Keys that one page looks at before it is returned as it is, so that a filter that matches little stays bounded."""

_LEAST_PER_QUERY: Final = 50


def page(
    client: DynamoDBClient,
    table: str,
    *,
    day: str,
    before: str | None,
    limit: int,
    keep: Callable[[JobKey], bool],
) -> Page:
    """See `Ledger.recent`."""
    if limit <= 0:
        return Page(keys=(), cursor=None)
    shards = [_newest_first(client, table, recent_shard_of(day, shard), before, limit) for shard in range(SHARDS)]
    kept: list[JobKey] = []
    position: str | None = None
    for seen, position in enumerate(islice(merge(*shards, reverse=True), MOST_KEYS), start=1):
        key = JobKey.at(position)
        if keep(key):
            kept.append(key)
        if len(kept) == limit or seen == MOST_KEYS:
            return Page(keys=tuple(kept), cursor=position)
    return Page(keys=tuple(kept), cursor=None)


def _newest_first(client: DynamoDBClient, table: str, shard: str, before: str | None, limit: int) -> Iterator[str]:
    """Yield one shard's positions from the newest back, reading page by page as they are asked for."""
    condition = "recent_shard = :shard"
    values: dict[str, Any] = {":shard": {"S": shard}}
    if before is not None:
        condition += " AND recent_key < :before"
        values[":before"] = {"S": before}
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": "recent",
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": False,
        "Limit": max(limit + 1, _LEAST_PER_QUERY),
    }
    while True:
        answer = client.query(**request)
        for item in answer["Items"]:
            yield item["recent_key"]["S"]
        if "LastEvaluatedKey" not in answer:
            return
        request |= {"ExclusiveStartKey": answer["LastEvaluatedKey"], "Limit": 1000}
