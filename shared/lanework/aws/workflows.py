"""Who waits for whom, on DynamoDB: an item for each, in the partition of what is waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.bulk import BulkPut
from lanework.aws.clients import translated
from lanework.aws.items import pk_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework.aws.clients import Clients

_CHILD: Final = "child#"
_KEPT_FOR: Final = timedelta(days=90)
"""Longer than any job waits that isn't rescheduled; after that its own look finds what it waits for."""


class DynamoWorkflows:
    """Implements the `WorkflowStore` port on the table `<stack>-jobs`."""

    def __init__(self, clients: Clients, *, stack: str) -> None:
        """Use the stack's jobs table."""
        self._clients = clients
        self._table = f"{stack}-jobs"
        self._bulk = BulkPut(clients, self._table)

    def add_children(self, edges: Sequence[tuple[str, str]]) -> None:
        """See `WorkflowStore.add_children`."""
        expires_at = {"N": str(round((datetime.now(UTC) + _KEPT_FOR).timestamp()))}
        items = [
            {"pk": {"S": pk_of(parent)}, "sk": {"S": f"{_CHILD}{child}"}, "expires_at": expires_at}
            for parent, child in sorted(set(edges))
        ]
        with translated("noting who waits for whom"):
            self._bulk.write(items)

    def children(self, parent: str, *, after: str | None, limit: int) -> list[str]:
        """See `WorkflowStore.children`: a cursor is the sort key's own order."""
        low = _CHILD if after is None else f"{_CHILD}{after}\x00"
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :parent AND sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": {
                ":parent": {"S": pk_of(parent)},
                ":low": {"S": low},
                ":high": {"S": f"{_CHILD}~~"},
            },
            "ConsistentRead": True,
            "Limit": limit,
        }
        with translated(f"reading what waits for {parent}"):
            answer = self._clients.dynamodb.query(**query)
        return [item["sk"]["S"].removeprefix(_CHILD) for item in answer["Items"]]
