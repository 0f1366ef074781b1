"""Several items written together, all of them or none (DynamoDB, TransactWriteItems)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from lanework.aws.conditional import was_repeated
from lanework.errors import ContendedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

_CONDITION_FAILED: Final = "ConditionalCheckFailed"
_CONFLICT: Final = "TransactionConflict"


def write_together(client: DynamoDBClient, items: Sequence[dict[str, Any]]) -> dict[int, dict[str, Any] | None]:
    """
    Write items of one table, all or none.

    Args:
        client: Sends them.
        items: At most 100, each as `{"Put": request}` or `{"Update": request}`, no item twice.

    Returns:
        Nothing if they were written. Otherwise the positions of those whose condition didn't hold, with the item that
        stood in the way, if its request asked for it.

    Raises:
        ContendedError: One of the items was being written by somebody else.
        UnavailableError: DynamoDB was busy.
    """
    try:
        client.transact_write_items(TransactItems=cast("Any", items))
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        reasons: list[dict[str, Any]] = cast("Any", error.response).get("CancellationReasons", [])
        failed = {at: one.get("Item") for at, one in enumerate(reasons) if one.get("Code") == _CONDITION_FAILED}
        if was_repeated(error.response) and any(_is_own(items[at], found) for at, found in failed.items()):
            return {}
        if failed:
            return failed
        codes = [str(one.get("Code")) for one in reasons]
        msg = f"writing items together: {', '.join(codes) or error}"
        raise (ContendedError if _CONFLICT in codes else UnavailableError)(msg) from error
    return {}


def _is_own(item: dict[str, Any], found: dict[str, Any] | None) -> bool:
    """
    Tell whether a put was refused by itself: the client repeated the call, whose answer had been lost (rule 17).

    AWS knows a repeated transaction by its token (TransactWriteItems, ClientRequestToken); not every emulator does.
    """
    return found is not None and "Put" in item and found == item["Put"]["Item"]
