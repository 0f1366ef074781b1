"""One write with a condition: it lands, or nothing does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

_CONDITION_FAILED: Final = "ConditionalCheckFailedException"


def put_if(
    call: Callable[..., Any], request: dict[str, Any], *, is_repeated: bool = False
) -> tuple[Any, dict[str, Any] | None]:
    """
    Send a conditional put; what refuses it is its own first try if it is the very item that was to be put.

    Args:
        call: As in `write_if`.
        request: The same; it asks for what it finds.
        is_repeated: It may have landed before, in another call.

    Returns:
        As in `write_if`.
    """
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
