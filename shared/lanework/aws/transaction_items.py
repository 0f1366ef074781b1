"""
The application's own items of a transaction, in the form that its code has them in, as DynamoDB takes them.

An entry comes with plain Python values, as boto3's table resource takes them, or with typed ones, `{"S": "text"}`, as
boto3's client does. A key is a text, a number or bytes, so that which of the two it is shows in the entry's key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from lanework.aws.item_size import LARGEST_ITEM, size_of
from lanework.engine.ports.transaction_items import TransactionItems
from lanework.errors import InvalidOptionError, ItemConditionError, TooLargeError, did_you_mean, is_a, shown
from lanework.model.job.payload import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_TYPES: Final = frozenset({"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"})
_SETS: Final = frozenset({"SS", "NS", "BS"})
_HOW: Final = (
    "an entry of TransactWriteItems has one of Put, Update, Delete and ConditionCheck, such as "
    '{"Put": {"TableName": "orders", "Item": {"id": "o-1"}}}'
)

_MAY: Final = frozenset(
    {
        "TableName",
        "ConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ReturnValuesOnConditionCheckFailure",
    }
)
_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "Put": ("TableName", "Item"),
    "Update": ("TableName", "Key", "UpdateExpression"),
    "Delete": ("TableName", "Key"),
    "ConditionCheck": ("TableName", "Key", "ConditionExpression"),
}
"""What each kind of entry must have (DynamoDB, TransactWriteItems)."""


def transaction_items(given: Iterable[Mapping[str, Any]]) -> TransactionItems:
    """
    Return a caller's entries as DynamoDB takes them.

    Raises:
        InvalidOptionError: One is none, or has a value that DynamoDB can't keep; the message has its position.
        TooLargeError: A put's item is over 400 KB.
    """
    if is_a(given, Mapping) or is_a(given, str):
        msg = f"items is a list of entries: {_HOW}"
        raise InvalidOptionError(msg)
    entries = tuple(given)
    typed = tuple(_typed(f"items[{at}]", one) for at, one in enumerate(entries))
    return TransactionItems(
        given=entries,
        entries=typed,
        size=sum(map(_size, typed)),
        digest=digest_of(json.dumps(typed, default=repr, sort_keys=True)),
    )


def condition_error(
    job_id: str, items: TransactionItems, refused: Mapping[int, dict[str, Any] | None]
) -> ItemConditionError:
    """Return the error of entries whose conditions didn't hold, by position, with the items that were met."""
    at, met = next(iter(sorted(refused.items())))
    kind, request = next(iter(items.entries[at].items()))
    if met is not None and not _is_typed(_keyed(items.given[at][kind])):
        deserializer = TypeDeserializer()
        met = {name: deserializer.deserialize(value) for name, value in met.items()}
    return ItemConditionError(
        job_id,
        index=at,
        entry=f"{kind} on {request['TableName']}",
        condition=str(request.get("ConditionExpression")),
        item=met,
        failed=tuple(sorted(refused)),
    )


def _typed(where: str, entry: object) -> dict[str, Any]:
    """Return an entry with typed values, after the checks of its form."""
    if not (isinstance(entry, Mapping) and len(entry) == 1):
        msg = f"{where}: {_HOW}; got {shown(entry)}"
        raise InvalidOptionError(msg)
    kind, request = next(iter(entry.items()))
    if kind not in _NEEDS:
        msg = f"{where}: unknown entry {shown(kind)}{did_you_mean(kind, _NEEDS)}"
        raise InvalidOptionError(msg)
    _check_request(f"{where}.{kind}", request, _NEEDS[kind])
    is_typed = _is_typed(_keyed(request))
    found = dict(request)
    for name in ("Item", "Key", "ExpressionAttributeValues"):
        values = request.get(name)
        if not values:
            continue
        if _is_typed(values) != is_typed:
            msg = f"{where}.{kind}: the key and {name} must both be plain values, or both typed as {{'S': 'text'}}"
            raise InvalidOptionError(msg)
        found[name] = {
            key: (_checked if is_typed else _serialized)(f"{where}.{kind}.{name}.{key}", value)
            for key, value in values.items()
        }
    if kind == "Put" and (size := size_of(found["Item"])) > LARGEST_ITEM:
        what = f"{where}.Put.Item"
        raise TooLargeError(what, size=size, limit=LARGEST_ITEM, why="an item of DynamoDB's")
    return {kind: found}


def _check_request(where: str, request: object, needs: tuple[str, ...]) -> None:
    if not isinstance(request, Mapping):
        msg = f"{where}: is a mapping with {', '.join(needs)}; got {shown(request)}"
        raise InvalidOptionError(msg)
    for name in request:
        if name not in _MAY and name not in needs:
            msg = f"{where}: unknown parameter {shown(name)}{did_you_mean(name, [*needs, *sorted(_MAY)])}"
            raise InvalidOptionError(msg)
    for name in needs:
        if not request.get(name):
            msg = f"{where}: {name} is missing"
            raise InvalidOptionError(msg)
    for name in ("Item", "Key", "ExpressionAttributeValues"):
        if name in request and not isinstance(request[name], Mapping):
            msg = f"{where}.{name}: is a mapping of names to values; got {shown(request[name])}"
            raise InvalidOptionError(msg)
    for name in ("TableName", "ConditionExpression", "UpdateExpression"):
        if name in request and not isinstance(request[name], str):
            msg = f'{where}.{name}: is text, such as "attribute_not_exists(id)"; got {type(request[name]).__name__}'
            raise InvalidOptionError(msg)


def _keyed(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what holds an entry's key."""
    found: Mapping[str, Any] = request["Item"] if "Item" in request else request["Key"]
    return found


def _is_typed(values: Mapping[str, Any]) -> bool:
    """Tell whether values have their types with them, `{"S": "text"}`; of plain ones a key is none of this form."""
    return all(isinstance(one, Mapping) and len(one) == 1 and next(iter(one)) in _TYPES for one in values.values())


def _checked(where: str, value: Mapping[str, Any]) -> dict[str, Any]:
    kind, inner = next(iter(value.items()))
    if kind in ("S", "N") and not isinstance(inner, str):
        msg = f"{where}: a typed value of {kind} is text, such as {{'{kind}': '5'}}; got {shown(inner)}"
        raise InvalidOptionError(msg)
    return _sorted(value)


def _serialized(where: str, value: object) -> dict[str, Any]:
    try:
        return _sorted(TypeSerializer().serialize(value))
    except (TypeError, ArithmeticError) as error:
        what = f"DynamoDB keeps no {type(value).__name__}" if "Unsupported" in str(error) else str(error)
        msg = f"{where}: {what or 'a number of more than 38 digits'}"
        raise InvalidOptionError(msg) from None


def _sorted(value: Any) -> dict[str, Any]:  # noqa: ANN401 - boto's attribute value
    """Return a typed value; a set's members in order, so that the same set is the same text."""
    kind, inner = next(iter(value.items()))
    return {kind: sorted(inner)} if kind in _SETS else value


def _size(entry: dict[str, Any]) -> int:
    request = next(iter(entry.values()))
    return sum(size_of(request.get(name) or {}) for name in ("Item", "Key", "ExpressionAttributeValues"))
