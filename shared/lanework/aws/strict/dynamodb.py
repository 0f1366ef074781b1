"""What DynamoDB refuses (DynamoDB developer guide, "Quotas"), as far as a call shows it by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lanework.aws.item_size import LARGEST_ITEM, size_of
from lanework.aws.strict.refusal import Refusal, out_of_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.aws.strict.refusal import Parameters, Rule

_INVALID: Final = "ValidationException"
_TRANSACTION_BYTES: Final = 4 * 1024 * 1024
_EXPRESSION_BYTES: Final = 4096
_TRANSACTION_ITEMS: Final = 100
_BATCH_WRITES: Final = 25
_BATCH_KEYS: Final = 100
_STATEMENTS: Final = 25
_DIGITS: Final = 38
_EXPRESSIONS: Final = (
    "ConditionExpression",
    "UpdateExpression",
    "KeyConditionExpression",
    "FilterExpression",
    "ProjectionExpression",
)


def _request(call: Parameters) -> Refusal | None:
    """Judge a put, an update, a query and the like, or one of a transaction."""
    return _expressions(call) or _item(call.get("Item") or {}) or _numbers(call.get("ExpressionAttributeValues") or {})


def _expressions(call: Parameters) -> Refusal | None:
    for name in _EXPRESSIONS:
        size = len(str(call.get(name, "")).encode())
        if size > _EXPRESSION_BYTES:
            problem = f"Invalid {name}: Expression size has exceeded the maximum allowed size; expression size: {size}"
            return Refusal(_INVALID, problem)
    return None


def _item(item: Parameters) -> Refusal | None:
    if size_of(item) > LARGEST_ITEM:
        return Refusal(_INVALID, "Item size has exceeded the maximum allowed size")
    return _numbers(item)


def _numbers(values: Parameters) -> Refusal | None:
    for number in _numbers_in({"M": values}):
        if len(number) > _DIGITS and _digits(number) > _DIGITS:
            return Refusal(_INVALID, f"Attempting to store more than {_DIGITS} significant digits in a Number")
    return None


def _digits(number: str) -> int:
    """Return how many digits are between a number's outer zeros."""
    return len(number.upper().partition("E")[0].replace(".", "").lstrip("+-0").rstrip("0"))


def _numbers_in(value: Any) -> Iterator[str]:  # noqa: ANN401 - DynamoDB's JSON
    for kind, one in value.items():
        if kind == "N":
            yield str(one)
        elif kind == "NS":
            yield from map(str, one)
        elif kind == "M":
            for inner in one.values():
                yield from _numbers_in(inner)
        elif kind == "L":
            for inner in one:
                yield from _numbers_in(inner)


def _transaction(call: Parameters) -> Refusal | None:
    items = call.get("TransactItems") or []
    if len(items) > _TRANSACTION_ITEMS:
        return out_of_range("transactItems", "[…]", f"have length less than or equal to {_TRANSACTION_ITEMS}")
    requests = [request for one in items for request in one.values()]
    if sum(size_of(request.get("Item") or {}) for request in requests) > _TRANSACTION_BYTES:
        return Refusal(_INVALID, "Transaction size exceeds limits: the items are larger than 4 MB together")
    return next((refusal for one in requests if (refusal := _request(one)) is not None), None)


def _batch_write(call: Parameters) -> Refusal | None:
    requests = [one for table in (call.get("RequestItems") or {}).values() for one in table]
    if len(requests) > _BATCH_WRITES:
        bound = f"have length less than or equal to {_BATCH_WRITES}, and greater than or equal to 1"
        return out_of_range("requestItems", "{…}", bound)
    items = (one.get("PutRequest", {}).get("Item") or {} for one in requests)
    return next((refusal for one in items if (refusal := _item(one)) is not None), None)


def _batch_get(call: Parameters) -> Refusal | None:
    count = sum(len(one.get("Keys") or []) for one in (call.get("RequestItems") or {}).values())
    if count > _BATCH_KEYS:
        return Refusal(_INVALID, "Too many items requested for the BatchGetItem call")
    return None


def _statements(call: Parameters) -> Refusal | None:
    if len(call.get("Statements") or []) > _STATEMENTS:
        return out_of_range("statements", "[…]", f"have length less than or equal to {_STATEMENTS}")
    return None


RULES: Final[dict[str, Rule]] = {
    **{f"dynamodb.{name}": _request for name in ("PutItem", "UpdateItem", "DeleteItem", "Query", "Scan")},
    "dynamodb.TransactWriteItems": _transaction,
    "dynamodb.BatchWriteItem": _batch_write,
    "dynamodb.BatchGetItem": _batch_get,
    "dynamodb.BatchExecuteStatement": _statements,
}
