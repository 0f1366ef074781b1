"""The walk of CONTRIBUTING.md through a batch in Lambda is what happens, function by function."""

from __future__ import annotations

from typing import Any, Final

import pytest
from pydantic import BaseModel

from lanework import App, Jobs, State
from lanework.edges.worker import worker
from lanework.model.lanes import Lane
from lanework.testing import app_in_memory
from tests.support.walks import walked, written

MOST: Final = 35


class Number(BaseModel):
    """Payload of the application's job."""

    n: int


class Context:
    """What Powertools and the edge read of an invocation's context."""

    function_name = "shop-worker-high"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:shop-worker-high"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def test_a_plain_job_of_a_batch_goes_as_it_is_written_down_in_35_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "shop")
    family = Jobs(queue="numbers", lane="high")

    @family.job("number.square")
    def square(number: Number) -> int:
        return number.n**2

    app = app_in_memory(App(family))
    handler: Any = worker(app)

    def event_of(job_id: str) -> dict[str, Any]:
        square.enqueue(Number(n=7), job_id=job_id)
        lanes: Any = app.ports.lanes
        message = {
            "messageId": job_id,
            "receiptHandle": job_id,
            "body": lanes.receive(Lane.HIGH).body,
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1767355200000"},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:shop-high",
        }
        return {"Records": [message]}

    handler(event_of("first"), Context())  # what is made at the first use is there
    event, answers = event_of("job-1"), list[object]()

    steps = walked(lambda: answers.append(handler(event, Context())), start="handler")

    assert (answers, app.get("job-1").state) == ([{"batchItemFailures": []}], State.COMPLETED)
    assert steps == written("A batch in Lambda")
    assert len(steps) <= MOST
