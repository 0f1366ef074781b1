"""Many items in few calls: reads, inserts that require absence, by PartiQL, and plain writes for what has no rival."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import ClientError

from lanework.aws.writes import was_repeated
from lanework.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lanework.aws.clients import Clients

T = TypeVar("T")

STATEMENTS: Final = 25
"""Most statements of a BatchExecuteStatement, and most writes of a BatchWriteItem (DynamoDB, API reference)."""

_KEYS: Final = 100
"""Most keys of a BatchGetItem (DynamoDB, API reference)."""

_WRITE_ROUNDS: Final = 5
_READ_ROUNDS: Final = 6
_PAUSE_S: Final = 0.05


def read_all(
    clients: Clients,
    table: str,
    keys: Sequence[dict[str, Any]],
    *,
    is_consistent: bool = False,
    only: Sequence[str] = (),
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[dict[str, Any]]:
    """
    Yield the items that exist, in any order.

    A table that is too busy answers in part (BatchGetItem, "UnprocessedKeys"): what it left out must not be taken for
    what isn't there, and is asked for again, each time after twice the pause.

    Args:
        keys: Which items, each once.
        is_consistent: What was written a moment ago is to be seen.
        only: The attributes to read; all if none are named.

    Raises:
        UnavailableError: The table is too busy for some of them.
    """
    asked: Any = {"ConsistentRead": is_consistent}
    if only:
        asked["ProjectionExpression"] = ", ".join(f"#{name}" for name in only)
        asked["ExpressionAttributeNames"] = {f"#{name}": name for name in only}
    for chunk in chunks(keys, _KEYS):
        wanted: Any = {table: {"Keys": chunk, **asked}}
        for number in range(_READ_ROUNDS):
            if number:
                pause(_PAUSE_S * 2 ** (number - 1))
            answer = clients.dynamodb.batch_get_item(RequestItems=wanted)
            yield from answer["Responses"].get(table, [])
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                break
        else:
            msg = f"DynamoDB is too busy: {len(wanted[table]['Keys'])} of {len(keys)} items were not read"
            raise UnavailableError(msg)


class BulkPut:
    """Writes many items of one table."""

    def __init__(self, clients: Clients, table: str) -> None:
        self._clients = clients
        self._table = table
        self._has_partiql = True

    def insert(self, items: Sequence[dict[str, Any]]) -> list[bool | None]:
        """
        Insert items that must not exist.

        Returns:
            True for each that was made. False for one to be asked for singly; None for one that is, too, and may have
            been made, by a call whose answer was lost.
        """
        made: list[bool | None] = []
        for chunk in chunks(items):
            made += self._insert_chunk(chunk) if self._has_partiql else [False] * len(chunk)
        return made

    def _insert_chunk(self, chunk: Sequence[dict[str, Any]]) -> list[bool | None]:
        statements = [insertion(self._table, item) for item in chunk]
        try:
            answer = self._clients.dynamodb.batch_execute_statement(Statements=statements)
        except ClientError as error:
            from lanework.aws.errors import is_transient, is_unknown_to_the_endpoint  # noqa: PLC0415 - rarely needed

            if not (is_transient(error) or is_unknown_to_the_endpoint(error)):
                raise
            # Single puts do the same everywhere. An endpoint that can't do it isn't asked again; a busy one is.
            self._has_partiql = not is_unknown_to_the_endpoint(error)
            return [None if self._has_partiql else False] * len(chunk)
        refused = None if was_repeated(answer) else False
        return [True if "Error" not in one else refused for one in answer["Responses"]]

    def write(self, items: Sequence[dict[str, Any]]) -> None:
        for request in self._do([{"PutRequest": {"Item": item}} for item in items]):
            self._clients.dynamodb.put_item(TableName=self._table, Item=request["PutRequest"]["Item"])

    def delete(self, keys: Sequence[dict[str, Any]]) -> None:
        """Delete items that also expire by themselves: what the table is too busy for is left to that."""
        list(self._do([{"DeleteRequest": {"Key": key}} for key in keys]))

    def _do(self, requests: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Carry requests out, 25 a call; yield those that the table is too busy for."""
        for chunk in chunks(requests):
            wanted: Any = {self._table: chunk}
            for _ in range(_WRITE_ROUNDS):
                wanted = self._clients.dynamodb.batch_write_item(RequestItems=wanted).get("UnprocessedItems")
                if not wanted:
                    break
            yield from (wanted or {}).get(self._table, [])


def insertion(table: str, item: dict[str, Any]) -> Any:  # noqa: ANN401 - boto's statement
    """Return the statement that inserts an item which must not exist."""
    names = ", ".join(f"'{name}': ?" for name in item)
    return {"Statement": f'INSERT INTO "{table}" VALUE {{{names}}}', "Parameters": list(item.values())}


def chunks(items: Sequence[T], size: int = STATEMENTS) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
