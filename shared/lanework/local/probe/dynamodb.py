"""Probes of DynamoDB: one for each line of the table that begins with `dynamodb_`."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lanework.local.probe.lab import TAG, DiffersError, check, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.local.probe.lab import Lab

INVALID: Final = "ValidationException"
CANCELLED: Final = "TransactionCanceledException"
LOST: Final = "ConditionalCheckFailedException"
NEW: Final = "attribute_not_exists(pk)"
INDEX: Final = "by_group"
ITEM: Final = 400 * 1024

_Item = dict[str, Any]


def _make_table(lab: Lab) -> str:
    dynamodb, name = lab.client("dynamodb"), lab.name()
    lab.delete_later(f"DynamoDB table {name}", lambda: dynamodb.delete_table(TableName=name))
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in ("pk", "sk", "g")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": INDEX,
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        Tags=[{"Key": TAG, "Value": lab.prefix}],
    )

    def is_active() -> bool:
        return bool(dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE")

    lab.wait_for(is_active, what="the table didn't become active")
    ttl = {"AttributeName": "expires_at", "Enabled": True}
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
    return name


def _table(lab: Lab) -> str:
    return str(lab.shared("table", lambda: _make_table(lab)))


def _key(pk: str) -> _Item:
    return {"pk": {"S": pk}, "sk": {"S": "-"}}


def _put(lab: Lab, item: _Item, **options: Any) -> None:  # noqa: ANN401 - as boto has them
    lab.client("dynamodb").put_item(TableName=_table(lab), Item=item, **options)


def _get(lab: Lab, pk: str) -> _Item:
    found: _Item = (
        lab.client("dynamodb").get_item(TableName=_table(lab), Key=_key(pk), ConsistentRead=True).get("Item", {})
    )
    return found


def _update(lab: Lab, pk: str, **options: Any) -> None:  # noqa: ANN401 - as boto has them
    lab.client("dynamodb").update_item(TableName=_table(lab), Key=_key(pk), **options)


def _transact(lab: Lab, *puts: _Item, **options: Any) -> None:  # noqa: ANN401 - as boto has them
    items = [{"Put": {"TableName": _table(lab), **put}} for put in puts]
    lab.client("dynamodb").transact_write_items(TransactItems=items, **options)


def _size_of(item: Mapping[str, Mapping[str, str]]) -> int:
    return sum(len(name.encode()) + len(next(iter(value.values())).encode()) for name, value in item.items())


def dynamodb_item_size(lab: Lab) -> str:
    item = _key("large") | {"text": {"S": ""}}
    item["text"] = {"S": "x" * (ITEM - _size_of(item) + 1)}
    return refused(lambda: _put(lab, item), INVALID)


def dynamodb_largest_item(lab: Lab) -> str:
    item = _key("largest") | {"text": {"S": ""}}
    item["text"] = {"S": "x" * (ITEM - _size_of(item))}
    _put(lab, item)
    return "409,600 bytes, names included, written"


def dynamodb_item_size_by_update(lab: Lab) -> str:
    _put(lab, _key("grows") | {"text": {"S": "x" * (ITEM // 2)}})
    more = {":more": {"S": "y" * (ITEM // 2)}}
    return refused(
        lambda: _update(lab, "grows", UpdateExpression="SET more = :more", ExpressionAttributeValues=more), INVALID
    )


def dynamodb_empty_key(lab: Lab) -> str:
    return refused(lambda: _put(lab, _key("")), INVALID)


def dynamodb_key_size(lab: Lab) -> str:
    return refused(lambda: _put(lab, _key("k" * 2049)), INVALID)


def dynamodb_index_key_type(lab: Lab) -> str:
    return refused(lambda: _put(lab, _key("typed") | {"g": {"N": "1"}}), INVALID)


def dynamodb_empty_index_key(lab: Lab) -> str:
    return refused(lambda: _put(lab, _key("typed") | {"g": {"S": ""}}), INVALID)


def dynamodb_number_precision(lab: Lab) -> str:
    return refused(lambda: _put(lab, _key("precise") | {"n": {"N": "1" * 39}}), INVALID)


def dynamodb_reserved_word(lab: Lab) -> str:
    options: _Item = {"UpdateExpression": "SET status = :s", "ExpressionAttributeValues": {":s": {"S": "x"}}}
    return refused(lambda: _update(lab, "reserved", **options), INVALID)


def dynamodb_expression_size(lab: Lab) -> str:
    condition = " OR ".join(["attribute_not_exists(pk)"] * 200)
    return refused(lambda: _put(lab, _key("expression"), ConditionExpression=condition), INVALID)


def dynamodb_consistent_index(lab: Lab) -> str:
    options: _Item = {"KeyConditionExpression": "g = :g", "ExpressionAttributeValues": {":g": {"S": "x"}}}
    query = lab.client("dynamodb").query
    return refused(lambda: query(TableName=_table(lab), IndexName=INDEX, ConsistentRead=True, **options), INVALID)


def dynamodb_old_item(lab: Lab) -> str:
    item = _key("old") | {"state": {"S": "running"}}
    _put(lab, item)
    try:
        _put(lab, item, ConditionExpression=NEW, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    except ClientError as error:
        found = error.response
        check(found["Error"]["Code"] == LOST, f"refused with {found['Error']['Code']}")
        check(found.get("Item") == item, "without the old item")
        return "the old item came with the refusal"
    problem = "accepted"
    raise DiffersError(problem)


def dynamodb_transaction_items(lab: Lab) -> str:
    puts = [{"Item": _key(f"t{number}")} for number in range(101)]
    return refused(lambda: _transact(lab, *puts), INVALID)


def dynamodb_transaction_size(lab: Lab) -> str:
    puts = [{"Item": _key(f"s{number}") | {"text": {"S": "x" * 399_000}}} for number in range(11)]
    return refused(lambda: _transact(lab, *puts), INVALID, CANCELLED)


def dynamodb_transaction_same_item(lab: Lab) -> str:
    return refused(lambda: _transact(lab, *[{"Item": _key("same")}] * 2), INVALID)


def dynamodb_transaction_reasons(lab: Lab) -> str:
    there = _key("there") | {"state": {"S": "running"}}
    _put(lab, there)
    kept = {"ConditionExpression": NEW, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    try:
        _transact(lab, {"Item": _key("not-there"), **kept}, {"Item": there, **kept})
    except ClientError as error:
        reasons = error.response.get("CancellationReasons", [])
        codes = [one.get("Code") for one in reasons]
        check(codes == ["None", "ConditionalCheckFailed"], f"reasons: {codes}")
        check(reasons[1].get("Item") == there, "without the old item")
        return "a reason for each item, with the old one"
    problem = "accepted"
    raise DiffersError(problem)


def dynamodb_transaction_token(lab: Lab) -> str:
    token = lab.name()
    for _ in range(2):
        _transact(lab, {"Item": _key(token), "ConditionExpression": NEW}, ClientRequestToken=token)
    return "repeated, and written once"


def dynamodb_transaction_conflict(lab: Lab) -> str:
    """Count up by transactions at once: each that is accepted counts."""
    _put(lab, _key("counter") | {"n": {"N": "0"}})
    tries, at_once = 12, 6
    seen: list[str] = []

    def count_up(_: int) -> bool:
        before = _get(lab, "counter")["n"]
        after = {"N": str(int(before["N"]) + 1)}
        put = {"Item": _key("counter") | {"n": after}, "ConditionExpression": "n = :n"}
        try:
            _transact(lab, put | {"ExpressionAttributeValues": {":n": before}})
        except ClientError as error:
            seen.extend(str(one.get("Code")) for one in error.response.get("CancellationReasons", []))
            return False
        return True

    with ThreadPoolExecutor(at_once) as pool:
        counted = sum(pool.map(count_up, range(tries)))
    total = int(_get(lab, "counter")["n"]["N"])
    check(total == counted, "two transactions on an item were carried out at once")
    return f"{counted} of {tries} accepted, {seen.count('TransactionConflict')} in conflict"


def dynamodb_batch_write_items(lab: Lab) -> str:
    requests = [{"PutRequest": {"Item": _key(f"b{number}")}} for number in range(26)]
    write = lab.client("dynamodb").batch_write_item
    return refused(lambda: write(RequestItems={_table(lab): requests}), INVALID)


def dynamodb_batch_write_same_item(lab: Lab) -> str:
    requests = [{"PutRequest": {"Item": _key("twice")}}] * 2
    write = lab.client("dynamodb").batch_write_item
    return refused(lambda: write(RequestItems={_table(lab): requests}), INVALID)


def dynamodb_batch_get_items(lab: Lab) -> str:
    keys = [_key(f"g{number}") for number in range(101)]
    get = lab.client("dynamodb").batch_get_item
    return refused(lambda: get(RequestItems={_table(lab): {"Keys": keys}}), INVALID)


def _statements(lab: Lab, *statements: str) -> list[_Item]:
    answer = lab.client("dynamodb").batch_execute_statement(
        Statements=[{"Statement": one, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"} for one in statements]
    )
    responses: list[_Item] = answer["Responses"]
    return responses


def dynamodb_partiql_conditions(lab: Lab) -> str:
    item = _key("partiql") | {"n": {"N": "1"}}
    _put(lab, item)
    update = f"UPDATE \"{_table(lab)}\" SET n=2 WHERE pk='partiql' AND sk='-' AND n="
    held, lost = (_statements(lab, f"{update}{number}")[0] for number in (1, 5))
    check("Error" not in held, f"refused with {held.get('Error', {}).get('Code')}")
    check(lost.get("Error", {}).get("Code") == "ConditionalCheckFailed", "a condition that doesn't hold is ignored")
    check(lost["Error"].get("Item", {}).get("n") == {"N": "2"}, "without the old item")
    return "refused with ConditionalCheckFailed and the old item"


def dynamodb_partiql_duplicate(lab: Lab) -> str:
    insert = f"INSERT INTO \"{_table(lab)}\" VALUE {{'pk': 'duplicate', 'sk': '-'}}"
    codes = [_statements(lab, insert)[0].get("Error", {}).get("Code") for _ in range(2)]
    check(codes == [None, "DuplicateItem"], f"answered {codes[1]}")
    return "DuplicateItem"


def dynamodb_partiql_statements(lab: Lab) -> str:
    statements = [f"INSERT INTO \"{_table(lab)}\" VALUE {{'pk': 'p{number}', 'sk': '-'}}" for number in range(26)]
    return refused(lambda: _statements(lab, *statements), INVALID)


def dynamodb_page_size(lab: Lab) -> str:
    for number in range(3):
        _put(lab, {"pk": {"S": "page"}, "sk": {"S": str(number)}, "text": {"S": "x" * 390_000}})
    options: _Item = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "page"}}}
    page = lab.client("dynamodb").query(TableName=_table(lab), ConsistentRead=True, **options)
    check("LastEvaluatedKey" in page, f"{len(page['Items'])} items of 390 KB in one page")
    return f"{len(page['Items'])} items of 390 KB in the first page"


def dynamodb_index_lag(lab: Lab) -> str:
    group, begun = lab.name(), time.monotonic()
    _put(lab, _key("indexed") | {"g": {"S": group}})
    options: _Item = {"KeyConditionExpression": "g = :g", "ExpressionAttributeValues": {":g": {"S": group}}}

    def found() -> bool:
        return bool(lab.client("dynamodb").query(TableName=_table(lab), IndexName=INDEX, **options)["Items"])

    lab.wait_for(found, what="the index never had the item")
    return f"in the index after {time.monotonic() - begun:.2f} s"


def dynamodb_ttl_lag(lab: Lab) -> str:
    _put(lab, _key("expired") | {"expires_at": {"N": str(int(time.time()) - 60)}})
    check(_get(lab, "expired"), "an expired item is gone at once")
    return "an item that has expired is still read"


def dynamodb_unknown_table(lab: Lab) -> str:
    get = lab.client("dynamodb").get_item
    return refused(lambda: get(TableName=f"{lab.prefix}-none", Key=_key("x")), "ResourceNotFoundException")
