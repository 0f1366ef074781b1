"""The walk of CONTRIBUTING.md through an enqueue is what happens, function by function."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from lanework import App, Jobs
from lanework.aws.lanes import SqsLanes
from lanework.aws.ledger.ledger import DynamoLedger
from lanework.testing import app_in_memory
from tests.support.walks import walked, written

if TYPE_CHECKING:
    from collections.abc import Callable

MOST: Final = 25


class Greeting(BaseModel):
    name: str


def test_the_walk_of_an_enqueue_is_25_calls_long_and_as_it_is_told() -> None:
    family, calls = Jobs(queue="email"), list[str]()

    @family.job("user.greeting")
    def greet(_: Greeting) -> None: ...

    def answers(name: str) -> Callable[..., dict[str, object]]:
        def answer(**_: object) -> dict[str, object]:
            calls.append(name)
            return {}

        return answer

    dynamodb = SimpleNamespace(put_item=answers("PutItem"))
    sqs = SimpleNamespace(send_message=answers("SendMessage"), meta=SimpleNamespace(endpoint_url="http://sqs"))
    clients: Any = SimpleNamespace(dynamodb=dynamodb, sqs=sqs, account="123456789012")
    app = app_in_memory(App(family))
    ledger, lanes = (
        DynamoLedger(clients, stack="shop", region="eu-west-1"),
        SqsLanes(clients, stack="shop", report=lambda *_: None),
    )
    app.use(replace(app.ports, ledger=ledger, lanes=lanes))

    def enqueue() -> object:
        return greet.enqueue(Greeting(name="Bat"))

    enqueue()  # what is made on first use is made
    calls.clear()
    steps = walked(enqueue, start="Job.enqueue")

    assert steps == written("Enqueue: from `job.enqueue(payload)` to the SQS message")
    assert len(steps) <= MOST
    assert calls == ["PutItem", "SendMessage"]
