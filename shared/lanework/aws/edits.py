"""Writing a job and the item beside it in one: for an edited payload that is too large for the job's own item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from lanework.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CONDITION_FAILED: Final = "ConditionalCheckFailed"


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
        UnavailableError: Another write of the same item was under way, or DynamoDB was busy.
    """
    try:
        client.transact_write_items(
            TransactItems=[
                {"Update": cast("Any", update)},
                {"Put": {"TableName": update["TableName"], "Item": beside}},
            ]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        reasons: list[dict[str, Any]] = cast("Any", error.response).get("CancellationReasons", [])
        if not reasons or reasons[0].get("Code") != _CONDITION_FAILED:
            msg = f"writing a job and its payload: {', '.join(str(one.get('Code')) for one in reasons) or error}"
            raise UnavailableError(msg) from error
        return False, reasons[0].get("Item")
    return True, None
