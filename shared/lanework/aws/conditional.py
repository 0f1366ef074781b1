"""One write with a condition: it lands, or nothing does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

_CONDITION_FAILED: Final = "ConditionalCheckFailedException"


def write_if(call: Callable[..., Any], request: dict[str, Any]) -> tuple[Any, dict[str, Any] | None]:
    """
    Send a conditional write; errors other than its refusal are raised.

    Args:
        call: `put_item` or `update_item` of a client.
        request: What it is called with. `ReturnValuesOnConditionCheckFailure` lets a refusal say what it found.

    Returns:
        Its answer and None; or, if its condition didn't hold, None and the item as it stands, None where there is none.
    """
    try:
        return call(**request), None
    except ClientError as error:
        if error.response["Error"]["Code"] != _CONDITION_FAILED:
            raise
        refused: Any = error.response
        return None, refused.get("Item")
