"""The flags on DynamoDB: one item of the jobs table, with two sets of names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lanework.aws.clients import translated
from lanework.aws.writes import put_if
from lanework.engine.ports.flags import FlagSet

if TYPE_CHECKING:
    from lanework.aws.clients import Clients


def _bookmark(name: str) -> dict[str, Any]:
    return {"pk": {"S": "flags"}, "sk": {"S": f"bookmark#{name}"}}


_KEY: Final[dict[str, Any]] = {"pk": {"S": "flags"}, "sk": {"S": "flags"}}


class DynamoFlags:
    """Implements the `Flags` port on the table `<stack>-jobs`."""

    def __init__(self, clients: Clients, *, stack: str) -> None:
        self._clients = clients
        self._table = f"{stack}-jobs"

    def read(self) -> FlagSet:
        with translated("reading what is paused"):
            answer = self._clients.dynamodb.get_item(TableName=self._table, Key=_KEY, ConsistentRead=True)
        item = answer.get("Item", {})
        return FlagSet(
            paused=frozenset(item.get("paused", {}).get("SS", ())),
            resumed=frozenset(item.get("resumed", {}).get("SS", ())),
        )

    def pause(self, name: str) -> None:
        self._update("ADD paused :name DELETE resumed :name", name)

    def resume(self, name: str) -> None:
        self._update("ADD resumed :name DELETE paused :name", name)

    def forget(self, name: str) -> None:
        self._update("DELETE resumed :name", name)

    def bookmark(self, name: str) -> str | None:
        with translated(f"reading the bookmark of the {name}"):
            answer = self._clients.dynamodb.get_item(TableName=self._table, Key=_bookmark(name), ConsistentRead=True)
        return answer["Item"]["position"]["S"] if "Item" in answer else None

    def set_bookmark(self, name: str, position: str) -> None:
        with translated(f"keeping the bookmark of the {name}"):
            self._clients.dynamodb.put_item(
                TableName=self._table, Item={**_bookmark(name), "position": {"S": position}}
            )

    def move_bookmark(self, name: str, position: str, *, since: str | None) -> bool:
        with translated(f"moving the bookmark of the {name}"):
            request: dict[str, Any] = {
                "TableName": self._table,
                "Item": {**_bookmark(name), "position": {"S": position}},
                "ConditionExpression": "attribute_not_exists(pk)",
            }
            if since is not None:
                request |= {
                    "ConditionExpression": "#position = :since",
                    "ExpressionAttributeNames": {"#position": "position"},
                    "ExpressionAttributeValues": {":since": {"S": since}},
                }
            return put_if(self._clients.dynamodb.put_item, request)[0] is not None

    def _update(self, expression: str, name: str) -> None:
        with translated(f"writing the pause of {name}"):
            self._clients.dynamodb.update_item(
                TableName=self._table,
                Key=_KEY,
                UpdateExpression=expression,
                ExpressionAttributeValues={":name": {"SS": [name]}},
            )
