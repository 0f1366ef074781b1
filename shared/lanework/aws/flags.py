"""The flags on DynamoDB: one item of the jobs table, with two sets of names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lanework.aws.table import Table, as_read
from lanework.engine.ports.flags import FlagSet

if TYPE_CHECKING:
    from lanework.aws.clients import Clients


def _bookmark(name: str) -> dict[str, Any]:
    return {"pk": {"S": "flags"}, "sk": {"S": f"bookmark#{name}"}}


_KEY: Final[dict[str, Any]] = {"pk": {"S": "flags"}, "sk": {"S": "flags"}}


class DynamoFlags:
    """Implements the `Flags` port on the table `<stack>-jobs`."""

    def __init__(self, clients: Clients, *, stack: str) -> None:
        self._table = Table(clients, f"{stack}-jobs")

    def read(self) -> FlagSet:
        item = self._table.get(_KEY, doing="reading what is paused") or {}
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
        item = self._table.get(_bookmark(name), doing=f"reading the bookmark of the {name}")
        return None if item is None else item["position"]["S"]

    def set_bookmark(self, name: str, position: str) -> None:
        item = {**_bookmark(name), "position": {"S": position}}
        self._table.put(item, doing=f"keeping the bookmark of the {name}")

    def move_bookmark(self, name: str, position: str, *, since: str | None) -> bool:
        item = {**_bookmark(name), "position": {"S": position}}
        unmoved = as_read("position", None if since is None else {"S": since})
        return self._table.put_if(item, unmoved, doing=f"moving the bookmark of the {name}")

    def _update(self, expression: str, name: str) -> None:
        update = {"UpdateExpression": expression, "ExpressionAttributeValues": {":name": {"SS": [name]}}}
        self._table.update(_KEY, update, doing=f"writing the pause of {name}")
