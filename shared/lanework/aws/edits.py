"""Writing a job and the item beside it in one: for an edited payload that is too large for the job's own item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lanework.aws.transactions import write_together

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def write_both(
    client: DynamoDBClient, update: dict[str, Any], beside: dict[str, Any]
) -> tuple[bool, dict[str, Any] | None]:
    """
    Update a job's item and put the one beside it, both or neither.

    Args:
        client: Sends it.
        update: Request of an UpdateItem, with its condition.
        beside: The item to put, into the same table, whatever is there.

    Returns:
        Whether it was written; if not, the item whose state refused it, None if there is none.

    Raises:
        ContendedError: Another write of the same item was under way.
        UnavailableError: DynamoDB was busy.
    """
    refused = write_together(client, [{"Update": update}, {"Put": {"TableName": update["TableName"], "Item": beside}}])
    return not refused, refused.get(0)
