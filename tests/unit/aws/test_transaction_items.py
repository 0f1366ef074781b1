"""The forms in which an application has the items of a transaction."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lanework.aws.transaction_items import transaction_items
from lanework.aws.writes import write_together
from lanework.errors import ConfigError, InvalidOptionError, TooLargeError

TYPED: dict[str, Any] = {
    "Put": {
        "TableName": "orders",
        "Item": {"id": {"S": "o-1"}, "total": {"N": "5.20"}, "tags": {"SS": ["a", "b"]}},
        "ConditionExpression": "attribute_not_exists(id)",
    }
}
PLAIN: dict[str, Any] = {
    "Put": {**TYPED["Put"], "Item": {"id": "o-1", "total": Decimal("5.20"), "tags": {"b", "a"}}},
}


def test_plain_and_typed_values_mean_the_same() -> None:
    plain, typed = transaction_items([PLAIN]), transaction_items([TYPED])

    assert plain.entries == typed.entries == (TYPED,)
    assert (plain.digest, plain.size) == (typed.digest, typed.size)
    assert plain.given == (PLAIN,)


def test_every_kind_of_entry_may_be_plain() -> None:
    key, names = {"TableName": "stock", "Key": {"id": "s-1"}}, {"#n": "left"}
    found = transaction_items(
        [
            {
                "Update": {**key, "UpdateExpression": "SET #n = :n", "ExpressionAttributeNames": names}
                | {"ExpressionAttributeValues": {":n": 3}}
            },
            {"Delete": key},
            {"ConditionCheck": {**key, "ConditionExpression": "attribute_exists(id)"}},
        ]
    )

    update, delete, check = found.entries
    assert update["Update"]["ExpressionAttributeValues"] == {":n": {"N": "3"}}
    assert update["Update"]["ExpressionAttributeNames"] == names
    assert delete["Delete"]["Key"] == check["ConditionCheck"]["Key"] == {"id": {"S": "s-1"}}


@pytest.mark.parametrize(
    ("items", "says"),
    [
        (PLAIN, "items is a list of entries"),
        ([{"id": "o-1", "total": 5}], r"items\[0\]: an entry of TransactWriteItems has one of Put"),
        ([PLAIN, {"put": {}}], r"items\[1\]: unknown entry 'put', did you mean 'Put'\?"),
        ([{"Put": {"TableName": "orders"}}], r"items\[0\]\.Put: Item is missing"),
        ([{"Put": {"Table": "orders", "Item": {"id": "1"}}}], r"unknown parameter 'Table', did you mean 'TableName'\?"),
        ([{"Update": {"TableName": "o", "Key": {"id": "1"}}}], r"items\[0\]\.Update: UpdateExpression is missing"),
        ([{"Put": {"TableName": "o", "Item": "o-1"}}], r"items\[0\]\.Put\.Item: is a mapping"),
        ([{"Put": {"TableName": "o", "Item": {"id": "1", "total": 5.2}}}], r"Put\.Item\.total: Float types are not"),
        (
            [{"Put": {"TableName": "o", "Item": {"id": "1", "at": object()}}}],
            r"Put\.Item\.at: DynamoDB keeps no object",
        ),
        ([{"Put": {"TableName": "o", "Item": {"id": Decimal("1." + "1" * 40)}}}], r"items\[0\]\.Put\.Item\.id"),
        (
            [{"Put": {**TYPED["Put"], "ExpressionAttributeValues": {":n": 3}}}],
            "must both be plain values, or both typed",
        ),
        ([{"Put": {**PLAIN["Put"], "ConditionExpression": object()}}], r"ConditionExpression: is text, such as"),
    ],
)
def test_what_can_not_be_written_is_refused_by_its_place(items: Any, says: str) -> None:
    with pytest.raises(InvalidOptionError, match=says):
        transaction_items(items)


def test_an_item_over_400_kb_is_refused_by_its_place() -> None:
    with pytest.raises(TooLargeError, match=r"items\[1\]\.Put\.Item is 410,0.* bytes, over the limit of 409,600"):
        transaction_items([PLAIN, {"Put": {"TableName": "o", "Item": {"id": "o-1", "text": "x" * 410_000}}}])


def test_an_item_that_dynamodb_refuses_for_what_it_is_is_told_by_its_place() -> None:
    class Refusing:
        def transact_write_items(self, **_: Any) -> None:
            reasons = [{"Code": "None"}, {"Code": "ValidationError", "Message": "Missing the key id in the item"}]
            answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(answer, "TransactWriteItems")

    client: Any = Refusing()
    with pytest.raises(ConfigError, match=r"items\[1\]: Missing the key id in the item"):
        write_together(client, [TYPED, TYPED], of_callers=2)
