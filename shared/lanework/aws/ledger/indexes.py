"""Reading the table's two indexes: the shards of a partition, merged, newest first."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from heapq import merge
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.ledger.item import JOB, MOMENT, dead_shard_of, job_id_of, pk_of, recent_shard_of
from lanework.aws.ledger.read_back import UNREADABLE, damage_of
from lanework.engine.ports.index_keys import EntryKey, JobKey, Page, Summary
from lanework.model.job.ids import SHARDS
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import AT_ONCE, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

_LEAST_PER_QUERY: Final = 50
_MOST_PER_QUERY: Final = 1000

_MARK: Final = "~"
"""How the entry of a day begins that says over how many shards it is spread; a job's begins with a digit."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MOMENT: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_LAST_MOMENT: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)

_ALWAYS: Final = (0, 10**14 - 1)
"""From and to, in milliseconds since 1970, where nothing is asked for."""


def recent_page(
    client: DynamoDBClient,
    table: str,
    *,
    day: str,
    before: str | None,
    limit: int,
    keep: Callable[[JobKey], bool] | None,
    shards: int = SHARDS,
) -> tuple[Page[JobKey], int]:
    """Return a page, and over how many shards the day is spread: as many as are given, or as its newest entry says."""
    condition, values = "recent_shard = :shard", {}
    if before is not None:
        condition, values = f"{condition} AND recent_key < :before", {":before": {"S": before}}
    query = _query(table, "recent", condition, values)
    query["Limit"] = max(limit + 1, _LEAST_PER_QUERY) if keep is None else _MOST_PER_QUERY
    found: list[JobKey] = []
    known_from = ""
    number = 0
    while number < shards:
        positions, is_cut = _shard(client, query, day, number)
        if number == 0 and positions and positions[0].startswith(_MARK):
            shards = max(shards, marked(positions.pop(0)))
        found += _job_keys(positions)
        if is_cut:
            known_from = max(known_from, positions[-1])
        number += 1
    return _known(found, known_from, limit=limit, keep=keep), shards


def _shard(client: DynamoDBClient, query: dict[str, Any], day: str, number: int) -> tuple[list[str], bool]:
    """Return what a shard of a day answers to a query: its entries' positions, and whether there are more."""
    values = {**query["ExpressionAttributeValues"], ":shard": {"S": recent_shard_of(day, number)}}
    answer = client.query(**query | {"ExpressionAttributeValues": values})
    positions = [item["recent_key"]["S"] for item in answer["Items"]]
    return positions, bool(positions) and "LastEvaluatedKey" in answer


def mark_of(shards: int) -> str:
    """Return the position of the entry that says over how many shards a day is spread: newer than any job's."""
    return f"{_MARK}{shards:04}"


def marked(position: str) -> int:
    """Return how many shards a day's mark says."""
    return int(position.removeprefix(_MARK))


def _job_keys(positions: Iterable[str]) -> Iterator[JobKey]:
    """Yield the keys that can be read; a job of another is found by its id only."""
    for position in positions:
        with suppress(ValueError):
            yield JobKey.at(position)


def _known(found: list[JobKey], known_from: str, *, limit: int, keep: Callable[[JobKey], bool] | None) -> Page[JobKey]:
    """Return a page of what was read back to the key where the first shard's answer ended: older ones have gaps."""
    in_order = sorted((key for key in found if key.position >= known_from), key=lambda key: key.position, reverse=True)
    kept = [key for key in in_order if keep is None or keep(key)]
    if len(kept) > limit or (known_from and len(kept) == limit):
        return Page(keys=tuple(kept[:limit]), cursor=kept[limit - 1].position if limit else None)
    return Page(keys=tuple(kept), cursor=known_from or None)


def enqueued_page(
    client: DynamoDBClient, table: str, *, day: str, after: str, until: datetime, shards: int
) -> Page[JobKey]:
    low = f"{after}\x00" if "#" in after else after
    high = until.isoformat(timespec="milliseconds")
    if high <= low:
        return Page(keys=(), cursor=None)
    condition = "recent_shard = :shard AND recent_key BETWEEN :low AND :high"
    query = _query(table, "recent", condition, {":low": {"S": low}, ":high": {"S": high}})
    found: list[JobKey] = []
    known_to: str | None = None
    for number in range(shards):
        forward = query | {"ScanIndexForward": True, "Limit": _MOST_PER_QUERY}
        positions, is_cut = _shard(client, forward, day, number)
        found += _job_keys(positions)
        if is_cut:
            known_to = min(known_to or positions[-1], positions[-1])
    known = (key for key in found if known_to is None or key.position <= known_to)
    return Page(keys=tuple(sorted(known, key=lambda key: key.position)), cursor=known_to)


def summary_of(item: Any) -> Summary:  # noqa: ANN401 - boto's attribute values
    """Return what a job's item says, of which only `SUMMARISED` was read; what can't be read is its `damage`."""
    try:
        return _whole_summary(item)
    except UNREADABLE as error:
        return Summary(job_id=job_id_of(item["pk"]["S"]), damage=damage_of(error))


def _whole_summary(item: Any) -> Summary:  # noqa: ANN401 - boto's attribute values
    return Summary(
        job_id=job_id_of(item["pk"]["S"]),
        type=item["type"]["S"],
        lane=Lane(item["lane"]["S"]),
        life=int(item["life"]["N"]),
        is_queued=item["state"]["S"] == State.QUEUED.value,
        is_unclaimed="claim_id" not in item,
        has_entry="sweep_at" in item,
        created_at=MOMENT.deserialize(item["created_at"]["N"]),
        due_at=MOMENT.deserialize(item["due_at"]["N"]) if "due_at" in item else AT_ONCE,
        tenant=item["tenant"]["S"] if "tenant" in item else None,
    )


SUMMARISED: Final = (
    "pk",
    "type",
    "lane",
    "life",
    "state",
    "claim_id",
    "sweep_at",
    "created_at",
    "due_at",
    "tenant",
)
"""What a summary needs; reading less costs the same, and is sent and read faster."""


def dead_page(
    client: DynamoDBClient,
    table: str,
    *,
    before: str | None,
    limit: int,
    since: datetime | None,
    until: datetime | None,
) -> Page[EntryKey]:
    low = _ALWAYS[0] if since is None else _milliseconds(since)
    high = _ALWAYS[1] if until is None else _milliseconds(until) - 1
    if before is not None:
        high = min(high, _milliseconds(EntryKey.at(before).time))
    if high < low:
        return Page(keys=(), cursor=None)

    def shard(number: int) -> Iterator[EntryKey]:
        condition = "sweep_shard = :shard AND sweep_at BETWEEN :low AND :high"
        values = {":shard": {"S": dead_shard_of(number)}, ":low": {"N": str(low)}, ":high": {"N": str(high)}}
        keys = (
            EntryKey(time=_moment_at(item["sweep_at"]["N"]), job_id=job_id_of(item["pk"]["S"]))
            for item in _items(client, _query(table, "sweep", condition, values), limit)
        )
        # Of one millisecond, the index keeps an order of its own; a cursor needs one that all shards share.
        for _, same in groupby(keys, key=lambda key: key.time):
            for key in sorted(same, key=lambda key: key.position, reverse=True):
                if before is None or key.position < before:
                    yield key

    newest = merge(*map(shard, range(SHARDS)), key=lambda key: key.position, reverse=True)
    found = tuple(islice(newest, limit))
    return Page(keys=found, cursor=found[-1].position if found and len(found) == limit else None)


def due_page(
    client: DynamoDBClient, table: str, shard: str, *, until: datetime, limit: int, after: str | None
) -> Page[EntryKey]:
    query: dict[str, Any] = {
        **_query(table, "sweep", "sweep_shard = :shard AND sweep_at <= :until", {}),
        "ExpressionAttributeValues": {":shard": {"S": shard}, ":until": {"N": str(_milliseconds(until))}},
        "ScanIndexForward": True,
        "Limit": limit,
    }
    if after is not None:
        last = EntryKey.at(after)
        entry = {"sweep_shard": {"S": shard}, "sweep_at": {"N": str(_milliseconds(last.time))}}
        query["ExclusiveStartKey"] = {**entry, "pk": {"S": pk_of(last.job_id)}, "sk": {"S": JOB}}
    answer = client.query(**query)
    keys = tuple(
        EntryKey(time=_moment_at(item["sweep_at"]["N"]), job_id=job_id_of(item["pk"]["S"])) for item in answer["Items"]
    )
    return Page(keys=keys, cursor=keys[-1].position if keys and "LastEvaluatedKey" in answer else None)


def _query(table: str, index: str, condition: str, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "TableName": table,
        "IndexName": index,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": False,
    }


def _items(client: DynamoDBClient, query: dict[str, Any], limit: int) -> Iterator[dict[str, Any]]:
    """Yield a query's items, reading page by page as they are asked for."""
    request = {**query, "Limit": max(limit + 1, _LEAST_PER_QUERY)}
    while True:
        answer = client.query(**request)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request |= {"ExclusiveStartKey": answer["LastEvaluatedKey"], "Limit": _MOST_PER_QUERY}


def _moment_at(milliseconds: str) -> datetime:
    """Return the moment of an index entry; one that no date can say is the nearest that can be said."""
    within = min(max(int(Decimal(milliseconds)), _FIRST_MOMENT), _LAST_MOMENT)
    return _EPOCH + timedelta(milliseconds=within)


def _milliseconds(moment: datetime) -> int:
    return int(MOMENT.serialize(moment))
