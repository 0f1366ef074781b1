"""
Why moto's DynamoDB takes one call at a time here: its updates are not atomic among threads, as DynamoDB's are.

Two threads once got one start of a rate from it. That was moto's race: a thread reads an item, another updates it, and
the first then writes what it makes of the item that it has read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from tests.support.stacks import REGION

if TYPE_CHECKING:
    import pytest

INTERVAL = 1000


def test_an_update_of_another_thread_between_its_read_and_its_write_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the lock of the tests' server `test_twenty_at_once_get_twenty_different_starts` would meet it."""
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        client.create_table(
            TableName="limits",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        table: Any = next(iter(dynamodb_backends.values()))[REGION].tables["limits"]
        put, others = table.put_item, []

        def put_and_be_overtaken(*args: Any, **kwargs: Any) -> Any:
            """Put the item that wasn't there when it was read: another thread's whole update comes first."""
            del table.put_item
            others.append(_next_start(client))
            return put(*args, **kwargs)

        table.put_item = put_and_be_overtaken

        assert [_next_start(client), *others] == [INTERVAL, INTERVAL], "on DynamoDB one of them is twice that"


def _next_start(client: Any) -> int:
    """Ask as a rate's queue does: what is free from now on, or behind what is reserved."""
    answer = client.update_item(
        TableName="limits",
        Key={"pk": {"S": "limit#rate"}},
        UpdateExpression="SET free_from = if_not_exists(free_from, :now) + :interval",
        ExpressionAttributeValues={":now": {"N": "0"}, ":interval": {"N": str(INTERVAL)}},
        ReturnValues="ALL_NEW",
    )
    return int(answer["Attributes"]["free_from"]["N"])
