"""A job and the application's own items on DynamoDB: written together, or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any
from uuid import uuid4

import boto3
import pytest
from pydantic import BaseModel

from lanework import (
    App,
    ConfigError,
    InvalidOptionError,
    ItemConditionError,
    ItemsNotWrittenError,
    JobNotFoundError,
    Jobs,
)
from lanework.aws.clients import Clients
from lanework.settings import Settings
from lanework.testing import app_in_memory
from lanework.wiring import aws_ports
from tests.support.endpoints import endpoints
from tests.support.lost_answers import Wire
from tests.support.stacks import REGION, make_stack

ABSENT = "attribute_not_exists(id)"


class Order(BaseModel):
    id: str
    note: str = ""


class Shop:
    """An application with a table of its own."""

    def __init__(self, endpoint: str, *, in_memory: bool) -> None:
        self.table = f"orders-{uuid4().hex[:8]}"
        self.stack = f"with-{uuid4().hex[:8]}"
        resource = boto3.resource("dynamodb", region_name=REGION, endpoint_url=endpoint)
        self.orders: Any = resource.create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        family = Jobs(queue="order")
        self.wire = Wire()

        @family.job("order.ship")
        def ship(_: Order) -> None: ...

        self.ship = ship
        if in_memory:
            client = boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint)
            self.app = app_in_memory(App(family), dynamodb=client)
            return
        make_stack(self.stack, endpoint)
        settings = Settings(stack=self.stack, region=REGION, endpoint=endpoint)
        clients = Clients(settings)
        self.wire.stand_before(clients.dynamodb)
        self.app = App(family)
        self.app.use(aws_ports(settings, clients=clients))

    def put(self, order: str, **more: Any) -> dict[str, Any]:
        item = {"id": order, "total": Decimal("5.2"), "lines": [{"sku": "a", "n": 1}]}
        return {"Put": {"TableName": self.table, "Item": item, "ConditionExpression": ABSENT, **more}}

    def order(self, order: str) -> Any:
        return self.orders.get_item(Key={"id": order}, ConsistentRead=True).get("Item")


@pytest.fixture(name="shop", params=["memory", *endpoints("moto", "ministack")])
def a_shop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Shop:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    where = "moto" if request.param == "memory" else request.param
    return Shop(request.getfixturevalue(f"{where}_endpoint"), in_memory=request.param == "memory")


def test_both_are_there(shop: Shop) -> None:
    receipt = shop.app.enqueue_with(shop.ship.request(Order(id="o-1", note="x" * 2_000)), items=[shop.put("o-1")])

    assert shop.app.get(receipt.job_id).type == "order.ship"
    assert shop.order("o-1") == {"id": "o-1", "total": Decimal("5.2"), "lines": [{"sku": "a", "n": 1}]}


def test_a_condition_that_does_not_hold_is_told_with_its_place_and_what_it_met(shop: Shop) -> None:
    shop.orders.put_item(Item={"id": "o-2", "total": 7})
    items = [shop.put("o-1"), shop.put("o-2", ReturnValuesOnConditionCheckFailure="ALL_OLD")]

    with pytest.raises(
        ItemConditionError, match=r"condition of items\[1\], Put on orders-.*attribute_not_exists"
    ) as told:
        shop.app.enqueue_with(shop.ship.request(Order(id="o-1"), job_id="ship-1"), items=items)

    assert (told.value.index, told.value.failed, told.value.job_id) == (1, (1,), "ship-1")
    assert told.value.item == {"id": "o-2", "total": 7}
    assert shop.order("o-1") is None
    with pytest.raises(JobNotFoundError):
        shop.app.get("ship-1")


def test_a_repetition_is_a_duplicate_though_the_items_condition_no_longer_holds(shop: Shop) -> None:
    request = shop.ship.request(Order(id="o-1"), job_id="ship-1")
    shop.app.enqueue_with(request, items=[shop.put("o-1")])

    assert shop.app.enqueue_with(request, items=[shop.put("o-1")]).duplicate


def test_a_job_that_exists_lets_no_item_be_written(shop: Shop) -> None:
    request = shop.ship.request(Order(id="o-1"), job_id="ship-1")
    shop.app.enqueue_request(request)

    with pytest.raises(ItemsNotWrittenError, match="none of the items was written: job 'ship-1' exists"):
        shop.app.enqueue_with(request, items=[shop.put("o-1")])
    assert shop.order("o-1") is None


def test_an_answer_that_was_lost_is_success(shop: Shop) -> None:
    shop.wire.lose = 1
    receipt = shop.app.enqueue_with(shop.ship.request(Order(id="o-1")), items=[shop.put("o-1")])

    assert not receipt.duplicate
    assert shop.order("o-1") is not None
    assert shop.app.get(receipt.job_id).type == "order.ship"


def test_the_ledger_is_no_table_to_write_to(shop: Shop) -> None:
    put = {"Put": {"TableName": f"{shop.stack}-jobs", "Item": {"pk": "job#1", "sk": "job"}}}

    with pytest.raises((InvalidOptionError, ConfigError), match=f"{shop.stack}-jobs|does"):
        shop.app.enqueue_with(shop.ship.request(Order(id="o-1")), items=[put])


def test_a_table_that_is_not_there_is_named(shop: Shop) -> None:
    put = {"Put": {"TableName": f"{shop.table}-gone", "Item": {"id": "o-1"}}}

    with pytest.raises(ConfigError, match=f"into {shop.table}-gone|writing your items"):
        shop.app.enqueue_with(shop.ship.request(Order(id="o-1"), job_id="ship-1"), items=[put])
    with pytest.raises(JobNotFoundError):
        shop.app.get("ship-1")


def test_of_many_callers_at_once_one_writes_and_the_others_are_its_duplicates(shop: Shop) -> None:
    request = shop.ship.request(Order(id="o-1"), job_id="ship-1")
    start = Barrier(4)

    def call(_: int) -> bool:
        start.wait()
        return shop.app.enqueue_with(request, items=[shop.put("o-1")]).duplicate is True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(call, range(4))) == [False, True, True, True]


def test_of_many_jobs_that_want_one_item_one_gets_it(shop: Shop) -> None:
    start = Barrier(4)

    def call(number: int) -> bool:
        start.wait()
        try:
            shop.app.enqueue_with(shop.ship.request(Order(id="o-1"), job_id=f"ship-{number}"), items=[shop.put("o-1")])
        except ItemConditionError:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(call, range(4))) == [False, False, False, True]
    assert len([one for one in range(4) if shop.app.ports.ledger.get(f"ship-{one}") is not None]) == 1
