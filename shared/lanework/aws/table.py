"""The jobs table, as everything sees it that keeps items of its own there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lanework.aws.clients import translated
from lanework.aws.ledger.bulk_writes import read_all
from lanework.aws.ledger.item import MOMENT
from lanework.aws.writes import put_if, write_if

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from lanework.aws.clients import Clients

    Item = dict[str, Any]

ABSENT = "attribute_not_exists(pk)"
"""The condition of a put that must not replace an item."""


class Table:
    """
    A table of items with the keys `pk` and `sk`. `doing` says in an error what was being done; errors as `translated`.

    Attributes:
        name: The table's name.
    """

    def __init__(self, clients: Clients, name: str) -> None:
        self._clients = clients
        self.name = name

    def get(self, key: Item, *, doing: str) -> Item | None:
        """Return an item as it is now, by a consistent read; None if there is none."""
        with translated(doing):
            return self._clients.dynamodb.get_item(TableName=self.name, Key=key, ConsistentRead=True).get("Item")

    def read(
        self, keys: Sequence[Item], *, doing: str, is_consistent: bool = False, only: Sequence[str] = ()
    ) -> Iterator[Item]:
        """Yield those of many items that there are, in any order; arguments as in `read_all`."""
        with translated(doing):
            yield from read_all(self._clients, self.name, keys, is_consistent=is_consistent, only=only)

    def query(self, condition: str, values: Item, *, doing: str, **options: Any) -> Iterator[Item]:  # noqa: ANN401 - boto's
        """Yield the items that a key condition finds, reading page by page as they are asked for."""
        request: Any = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            **options,
        }
        with translated(doing):
            while True:
                answer = self._clients.dynamodb.query(**request)
                yield from answer["Items"]
                if "LastEvaluatedKey" not in answer:
                    return
                request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def due(self, shard: str, *, until: datetime | None, limit: int, doing: str) -> list[Item]:
        """Return the first entries of a partition of the sparse index, those up to a time; one call."""
        condition, values = "sweep_shard = :shard", {":shard": {"S": shard}}
        if until is not None:
            condition += " AND sweep_at <= :until"
            values[":until"] = {"N": MOMENT.serialize(until)}
        with translated(doing):
            answer = self._clients.dynamodb.query(
                TableName=self.name,
                IndexName="sweep",
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                Limit=limit,
            )
        return answer["Items"]

    def put(self, item: Item, *, doing: str) -> None:
        """Put an item, whatever is there."""
        with translated(doing):
            self._clients.dynamodb.put_item(TableName=self.name, Item=item)

    def putting_first(self, item: Item) -> Item:
        """Return the request of a put that must not replace an item."""
        returns = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        return {"TableName": self.name, "Item": item, "ConditionExpression": ABSENT, **returns}

    def put_first(self, item: Item, *, doing: str) -> tuple[Any, Item | None]:
        """Put an item unless there is one; returns what `writes.write_if` does."""
        with translated(doing):
            return write_if(self._clients.dynamodb.put_item, self.putting_first(item))

    def put_if(self, item: Item, condition: Item, *, doing: str) -> bool:
        """Put an item if a condition holds, as boto takes it; tell whether it did (`writes.put_if`)."""
        with translated(doing):
            request = {"TableName": self.name, "Item": item, **condition}
            return put_if(self._clients.dynamodb.put_item, request)[0] is not None

    def update(
        self, key: Item, update: Item, *, doing: str, is_own: Callable[[Item], bool] | None = None
    ) -> tuple[Any, Item | None]:
        """Update an item, as boto takes it; returns what `writes.write_if` does."""
        request = {"TableName": self.name, "Key": key, **update}
        with translated(doing):
            return write_if(self._clients.dynamodb.update_item, request, is_own=is_own)


def as_read(field: str, value: Item | None) -> Item:
    """Return the condition that a field is as it was read; None: that there was no item, and is none."""
    if value is None:
        return {"ConditionExpression": ABSENT}
    return {
        "ConditionExpression": "#read = :read",
        "ExpressionAttributeNames": {"#read": field},
        "ExpressionAttributeValues": {":read": value},
    }


def as_found(found: Item, wanted: Item) -> Item:
    """Return the condition that an item is as it was found, for one that takes its place: of what no field can tell."""
    names = {f"#n{at}": name for at, name in enumerate(sorted(found.keys() | wanted.keys()))}
    values = {f":{at[1:]}": found[name] for at, name in names.items() if name in found}
    terms = [f"{at} = :{at[1:]}" if name in found else f"attribute_not_exists({at})" for at, name in names.items()]
    return {
        "ConditionExpression": " AND ".join(terms),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
