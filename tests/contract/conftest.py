"""The adapters that the contract is held against: memory, and AWS's as moto's server and MiniStack play it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import boto3
import pytest

from lanework.model.lanes import Lane
from lanework.settings import Settings
from lanework.testing import Clock, memory_ports
from lanework.wiring import aws_ports
from tests.support.backends import Backend, Message
from tests.support.endpoints import endpoints
from tests.support.stacks import REGION, make_stack


@pytest.fixture(params=["memory", *endpoints("moto", "ministack")])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Backend:
    if request.param == "memory":
        return _memory()
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value)
    endpoint = request.getfixturevalue(f"{request.param}_endpoint")
    stack = f"contract-{uuid4().hex[:8]}"
    make_stack(stack, endpoint)
    return _aws(request.param, stack, endpoint)


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


def _aws(name: str, stack: str, endpoint: str) -> Backend:
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

    return Backend(
        name=name,
        ports=ports,
        receive=receive,
        dead=lambda lane: messages(f"{stack}-{lane}-dlq"),
        stack=stack,
        endpoint=endpoint,
    )
