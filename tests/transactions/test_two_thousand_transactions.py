"""Two thousand transactions on DynamoDB, half of which fail, their producer killed between commit and send."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from lanework import State
from lanework.engine.execution.attempt import in_order
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.maintenance.unsent_jobs import UnsentJobs
from lanework.engine.messaging.delivery import Ack, Delivery
from lanework.local.emulator.subprocess_env import clean_environment
from lanework.model.lanes import Lane
from lanework.settings import Settings
from lanework.wiring import aws_ports, utc_now
from tests.support.stacks import REGION, make_stack
from tests.support.transacting import app, shipped

ROOT = Path(__file__).parents[2]
COUNT, EVERY = 2_000, 20
COMMITTED = {f"order-{number}" for number in range(0, COUNT, 2)}


def test_exactly_the_committed_jobs_run_each_once(ministack_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in credentials.items():
        monkeypatch.setenv(name, value)
    stack, table = f"two-{uuid4().hex[:8]}", f"orders-{uuid4().hex[:8]}"
    make_stack(stack, ministack_endpoint)
    orders = orders_of(table, ministack_endpoint)

    code = [sys.executable, "-m", "tests.support.transacting"]
    path = {"PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}"}
    done = subprocess.run(
        [*code, ministack_endpoint, stack, table, str(COUNT), str(EVERY)],
        env={**clean_environment(), **credentials, **path},
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )

    killed = int(done.stdout)
    assert killed == COUNT // 2 // EVERY
    ports = aws_ports(Settings(stack=stack, region=REGION, endpoint=ministack_endpoint))
    app.use(ports)
    run_all(ministack_endpoint, stack)
    assert len(shipped) == COUNT // 2 - killed, "what was cut off was never sent"
    later = replace(ports, clock=lambda: utc_now() + timedelta(minutes=4))
    found = UnsentJobs(later, home=lambda _: Lane.HIGH).tick().entered
    Sweeper(later).tick()
    run_all(ministack_endpoint, stack)

    assert found == killed
    assert Counter(shipped) == Counter(COMMITTED)
    written = {one["id"] for one in all_of(orders) if one["state"] == "placed"}
    assert written == COMMITTED
    assert {State.COMPLETED} == {app.get(f"ship-{number}").state for number in range(0, COUNT, 2)}


def orders_of(name: str, endpoint: str) -> Any:
    """Make the table of the orders, in which every other one exists."""
    resource = boto3.resource("dynamodb", region_name=REGION, endpoint_url=endpoint)
    table = resource.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    with table.batch_writer() as batch:
        for number in range(1, COUNT, 2):
            batch.put_item(Item={"id": f"order-{number}", "state": "of before"})
    return table


def all_of(table: Any) -> list[Any]:
    answer = table.scan(ConsistentRead=True)
    found = answer["Items"]
    while "LastEvaluatedKey" in answer:
        answer = table.scan(ConsistentRead=True, ExclusiveStartKey=answer["LastEvaluatedKey"])
        found += answer["Items"]
    return list(found)


def run_all(endpoint: str, stack: str) -> None:
    """Run what is in the lane."""
    sqs = boto3.client("sqs", region_name=REGION, endpoint_url=endpoint)
    url = sqs.get_queue_url(QueueName=f"{stack}-high")["QueueUrl"]
    executor = app.runtime.executor(in_order)
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for one in messages:
            minute = timedelta(minutes=1)
            report = executor.execute(Delivery(body=one["Body"], lane=Lane.HIGH, time_left=minute, lease=minute))
            assert isinstance(report, Ack)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
