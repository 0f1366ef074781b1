"""What enqueueing asks of AWS, on every path, where the calls arrive: all of it is in the policy for producers."""

from __future__ import annotations

import re
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from pydantic import BaseModel

from lanework import App, Jobs, Quota, batch, chain
from lanework.local.deployment.sam_transform import translate
from lanework.local.deployment.template import read_template
from lanework.model.lanes import Lane
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.localstack_session import session_for
from tests.support.recorder import recording
from tests.support.stacks import REGION, make_stack

if TYPE_CHECKING:
    from collections.abc import Callable

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
HOUR = timedelta(hours=1)


class Order(BaseModel):
    """A payload."""

    name: str = "x"


LARGE = Order(name="y" * 5_000)


def statements_of(policy: str) -> list[dict[str, Any]]:
    """Return the statements that a policy always has: a parameter that names a key adds the right to use it."""
    resources = translate(read_template(TEMPLATE))["Resources"]
    found: list[dict[str, Any]] = resources[policy]["Properties"]["PolicyDocument"]["Statement"]
    return [one for one in found if "Fn::If" not in one]


def test_every_path_of_an_enqueue_needs_no_more_than_the_policy_for_it(
    ministack_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    stack = f"producer-{uuid4().hex[:8]}"
    make_stack(stack, ministack_endpoint)
    with recording(ministack_endpoint) as recorder:
        app, plain, guarded, late = an_application()
        app.use(aws_ports(Settings(stack=stack, region=REGION, endpoint=recorder.endpoint)))
        for path in paths(app, plain, guarded, late):
            path()
        session_for(ministack_endpoint).client("sqs").delete_queue(
            QueueUrl=f"{ministack_endpoint}/000000000000/{stack}-high"
        )
        plain.enqueue(Order(), job_id="left-to-the-sweep")

    ledger, enqueue = statements_of("EnqueuePolicy")
    keys = ledger["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    of_the_table = [one for one in recorder.asked if one.action.startswith("dynamodb:")]
    assert {one.action for one in of_the_table} <= set(ledger["Action"])
    assert {one.on for one in of_the_table} == {f"{stack}-jobs"}, "no index"
    assert [one for one in of_the_table if not any(fnmatchcase(one.key, key) for key in keys)] == []
    others = [one for one in recorder.asked if not one.action.startswith("dynamodb:")]
    assert {(one.action, one.on) for one in others} == {("sqs:SendMessage", f"{stack}-high")}
    assert enqueue["Action"] == "sqs:SendMessage"


def an_application() -> tuple[App, Any, Any, Any]:
    family = Jobs(queue="orders", lane="high")

    @family.job("order.plain")
    def plain(_: Order) -> None: ...

    @family.job("order.guarded", quota=Quota(5, per=HOUR, key="name"), key="name", unique_for=HOUR)
    def guarded(_: Order) -> None: ...

    @family.job("order.late", key="name", debounce=timedelta(seconds=30))
    def late(_: Order) -> None: ...

    return App(family), plain, guarded, late


def paths(app: App, plain: Any, guarded: Any, late: Any) -> list[Callable[[], object]]:
    """Return every way to enqueue: new, repeated and refused; small and large; one and many; now and later."""
    return [
        lambda: plain.enqueue(Order(), job_id="a"),
        lambda: plain.enqueue(Order(), job_id="a"),
        lambda: plain.enqueue(Order(name="z"), job_id="a"),
        lambda: plain.enqueue(LARGE, job_id="b"),
        lambda: plain.enqueue(LARGE, job_id="b"),
        lambda: plain.enqueue(Order(), delay=HOUR),
        lambda: plain.enqueue_many([Order() for _ in range(30)]),
        lambda: plain.enqueue_many([LARGE for _ in range(30)]),
        lambda: guarded.enqueue(Order()),
        lambda: guarded.enqueue(Order()),
        lambda: late.enqueue(Order()),
        lambda: late.enqueue(LARGE),
        lambda: plain.enqueue(Order(), after=["a", "b"]),
        lambda: app.enqueue("order.plain", {"name": "q"}),
        lambda: app.workflows.enqueue(chain(plain.request(Order()), plain.request(LARGE)), workflow_id="w-1"),
        lambda: app.workflows.enqueue(chain(plain.request(Order()), plain.request(LARGE)), workflow_id="w-1"),
        lambda: app.workflows.enqueue(
            batch([plain.request(Order()) for _ in range(30)], on_complete=plain.request(Order())), workflow_id="w-2"
        ),
    ]


def test_a_producer_that_only_enqueues_reaches_no_dead_letters_no_list_and_no_other_record() -> None:
    ledger, enqueue = statements_of("EnqueuePolicy")

    assert {re.sub("Queue$", "", one["Fn::GetAtt"][0]) for one in enqueue["Resource"]} == {
        lane.capitalize() for lane in Lane
    }
    assert ledger["Resource"] == {"Fn::GetAtt": ["JobsTable", "Arn"]}, "no index"
    assert not {"dynamodb:Query", "dynamodb:Scan", "dynamodb:DeleteItem", "dynamodb:PartiQLSelect"} & set(
        ledger["Action"]
    )
    keys = ledger["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    for other in ("flags", "schedules", "board", "counts#1", "limit#concurrency:queue:email", "limit#rate:x"):
        assert not any(fnmatchcase(other, key) for key in keys)
    assert ledger["Condition"]["Null"] == {"dynamodb:LeadingKeys": "false"}
