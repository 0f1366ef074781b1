"""The adapters that the contract is held against: memory, and AWS's as moto's server plays it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from lanework.app import aws_ports
from lanework.engine.ports import Ports
from lanework.model.lanes import LANES, Lane
from lanework.settings import Settings
from lanework.testing import Clock, memory_ports

REGION = "eu-west-1"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a consumer received it."""

    handle: str
    body: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Backend:
    """Ports, and what a consumer does beside them."""

    name: str
    ports: Ports
    receive: Callable[[Lane], Message | None]
    dead: Callable[[Lane], list[Message]]


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["memory", "moto"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Backend:
    if request.param == "memory":
        return _memory()
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value)
    endpoint = request.getfixturevalue("moto_endpoint")
    stack = f"contract-{uuid4().hex[:8]}"
    make_stack(stack, endpoint)
    return _moto(stack, endpoint)


def _memory() -> Backend:
    ports = memory_ports(Clock())
    lanes: Any = ports.lanes

    def receive(lane: Lane) -> Message | None:
        found = lanes.receive(lane)
        return None if found is None else Message(found.handle, found.body, {})

    return Backend(
        name="memory",
        ports=ports,
        receive=receive,
        dead=lambda lane: [Message("", body, {}) for body in lanes.dead(lane)],
    )


def _moto(stack: str, endpoint: str) -> Backend:
    ports = aws_ports(Settings(stack=stack, region=REGION, endpoint=endpoint))
    sqs = boto3.client("sqs", region_name=REGION, endpoint_url=endpoint)

    def messages(name: str) -> list[Message]:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        answer = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])
        return [
            Message(
                one["ReceiptHandle"],
                one["Body"],
                {key: value["StringValue"] for key, value in one.get("MessageAttributes", {}).items()},
            )
            for one in answer.get("Messages", [])
        ]

    def receive(lane: Lane) -> Message | None:
        return next(iter(messages(f"{stack}-{lane}")), None)

    return Backend(name="moto", ports=ports, receive=receive, dead=lambda lane: messages(f"{stack}-{lane}-dlq"))


def make_stack(stack: str, endpoint: str) -> None:
    """Make what template.yaml makes, as far as the ports touch it."""
    sqs = boto3.client("sqs", region_name=REGION, endpoint_url=endpoint)
    for lane in Lane:
        visibility = LANES[lane].timeout + timedelta(seconds=5)
        sqs.create_queue(
            QueueName=f"{stack}-{lane}", Attributes={"VisibilityTimeout": str(int(visibility.total_seconds()))}
        )
        sqs.create_queue(QueueName=f"{stack}-{lane}-dlq")
    boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint).create_table(
        TableName=f"{stack}-jobs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in (
                ("pk", "S"),
                ("sk", "S"),
                ("recent_shard", "S"),
                ("recent_key", "S"),
                ("sweep_shard", "S"),
                ("sweep_at", "N"),
            )
        ],
        KeySchema=_keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": _keys(f"{name}_shard", sort),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for name, sort in (("recent", "recent_key"), ("sweep", "sweep_at"))
        ],
    )


def _keys(partition: str, sort: str) -> Any:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]
