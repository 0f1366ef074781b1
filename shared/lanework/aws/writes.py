"""Conditional writes on DynamoDB: of one item, or of several together, all or none (TransactWriteItems)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from lanework.errors import ConfigError, ContendedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

_CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_ONE_FAILED: Final = "ConditionalCheckFailed"
_CONFLICT: Final = "TransactionConflict"
_INVALID: Final = "ValidationError"


def put_if(
    call: Callable[..., Any], request: dict[str, Any], *, is_repeated: bool = False
) -> tuple[Any, dict[str, Any] | None]:
    """Do as `write_if` with a put; what is refused by the very item it was to put is refused by its own first try."""
    item = request["Item"]
    request = {**request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return write_if(call, request, is_own=lambda found: found == item, is_repeated=is_repeated)


def write_if(
    call: Callable[..., Any],
    request: dict[str, Any],
    *,
    is_own: Callable[[dict[str, Any]], bool] | None = None,
    is_repeated: bool = False,
) -> tuple[Any, dict[str, Any] | None]:
    """
    Send a conditional write; errors other than its refusal are raised.

    The client repeats a call whose answer was lost, and the second try then meets what the first has left (rule 17).

    Args:
        call: `put_item` or `update_item` of a client.
        request: What it is called with. `ReturnValuesOnConditionCheckFailure` lets a refusal say what it found.
        is_own: Tells whether an item is what this write would leave; asked only where the call was repeated.
        is_repeated: It may have landed before, in another call.

    Returns:
        Its answer and None; or, if its condition didn't hold, None and the item as it stands, None where there is none.
        Of a write that had landed the item, as `Attributes`, and None.
    """
    try:
        return call(**request), None
    except ClientError as error:
        if error.response["Error"]["Code"] != _CONDITION_FAILED:
            raise
        refused: Any = error.response
        found = refused.get("Item")
        if found is not None and is_own is not None and (is_repeated or was_repeated(refused)) and is_own(found):
            return {"Attributes": found}, None
        return None, found


def was_repeated(response: Any) -> bool:  # noqa: ANN401 - boto's response
    """Tell whether the client had sent the call before: a try, or its answer, was lost."""
    return bool(response.get("ResponseMetadata", {}).get("RetryAttempts"))


def write_together(
    client: DynamoDBClient, items: Sequence[dict[str, Any]], *, of_callers: int = 0
) -> dict[int, dict[str, Any] | None]:
    """
    Write items, all or none.

    Args:
        client: Sends them.
        items: At most 100, each as `{"Put": request}` or `{"Update": request}`, no item twice.
        of_callers: How many of the first are an application's own. They may be equal to what another has put, and so
            don't show that a repeated call has landed.

    Returns:
        Nothing if they were written. Otherwise the positions of those whose condition didn't hold, with the item that
        stood in the way, if its request asked for it.

    Raises:
        ContendedError: One of the items was being written by somebody else.
        UnavailableError: DynamoDB was busy.
        ConfigError: DynamoDB refuses one for what it is.
    """
    try:
        client.transact_write_items(TransactItems=cast("Any", items))
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        reasons: list[dict[str, Any]] = cast("Any", error.response).get("CancellationReasons", [])
        failed = {at: one.get("Item") for at, one in enumerate(reasons) if one.get("Code") == _ONE_FAILED}
        ours = [(items[at], found) for at, found in failed.items() if at >= of_callers]
        if was_repeated(error.response) and any(_is_own(item, found) for item, found in ours):
            return {}
        if failed:
            return failed
        codes = [str(one.get("Code")) for one in reasons]
        if _INVALID in codes:
            at = codes.index(_INVALID)
            msg = f"writing items together: items[{at}]: {reasons[at].get('Message')}"
            raise ConfigError(msg) from error
        msg = f"writing items together: {', '.join(codes) or error}"
        raise (ContendedError if _CONFLICT in codes else UnavailableError)(msg) from error
    return {}


def _is_own(item: dict[str, Any], found: dict[str, Any] | None) -> bool:
    """
    Tell whether a put was refused by itself: the client repeated the call, whose answer had been lost (rule 17).

    AWS knows a repeated transaction by its token (TransactWriteItems, ClientRequestToken); not every emulator does.
    """
    return found is not None and "Put" in item and found == item["Put"]["Item"]
