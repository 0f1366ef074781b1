"""An application on moto's server, behind the worker edge as Lambda calls it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import boto3
import pytest

from lanework import App, Batch, Jobs, Run
from lanework.aws.clients import Clients
from lanework.edges.worker import worker
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.commands import a_stack, a_stack_at
from tests.support.shop import a_shop
from tests.support.stacks import REGION, make_stack
from tests.support.worker_edge import Edge, Number

__all__ = ["a_shop", "a_stack", "a_stack_at", "an_edge"]


@pytest.fixture(name="edge")
def an_edge(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Edge:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    stack = f"edge-{uuid4().hex[:8]}"
    make_stack(stack, moto_endpoint)
    family = Jobs(queue="numbers", lane="high")

    @family.job("number.square")
    def square(number: Number, run: Run) -> int:
        edge.ran.append(number.n)
        if number.n < 0:
            msg = f"{number.n} is negative, and a secret@example.com"
            raise ValueError(msg)
        if number.n == 50:
            run.progress(50, "half")
        return number.n**2

    @family.batch("number.squares", size=10, within=timedelta(seconds=1))
    def squares(numbers: Batch[Number, int]) -> None:
        for one in numbers:
            if one.payload.n < 0:
                one.fail(ValueError("negative"))
            else:
                one.complete(one.payload.n**2)

    app = App(family)
    settings = Settings(stack=stack, region=REGION, endpoint=moto_endpoint)
    clients = Clients(settings)
    app.use(aws_ports(settings, clients=clients))
    sqs = boto3.client("sqs", region_name=REGION, endpoint_url=moto_endpoint)
    edge = Edge(app, square, worker(app), stack, sqs, clients)
    for client in (clients.dynamodb, clients.sqs):
        client.meta.events.register("before-call.*.*", lambda model, **_: edge.calls.update([model.name]))
    return edge
