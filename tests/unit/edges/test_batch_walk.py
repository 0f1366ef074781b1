"""The walk of CONTRIBUTING.md through a batch in Lambda is what happens, function by function."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from pydantic import BaseModel

import lanework
from lanework import App, Jobs, State
from lanework.edges.worker import worker
from lanework.model.lanes import Lane
from lanework.testing import app_in_memory

if TYPE_CHECKING:
    from types import FrameType

MOST: Final = 35

_ROOT: Final = Path(__file__).parents[3]
_PACKAGE: Final = Path(lanework.__file__).parent
_WALKED: Final = ("edges/worker.py", "aws/idempotency.py", "engine/execution/")
_NOT_NOTED: Final = ("model/", "engine/ports/", "memory/", "observe/", "testing.py", "edges/alarm.py")
"""Pure rules, ports, and what is behind ports: here the ones in memory, the log, the alarm that stops code."""


class Walk:
    """Notes each function of the walked files that is entered, and of others the first one that these call."""

    def __init__(self) -> None:
        self.entered: list[tuple[str, str]] = []

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        file = _file_of(frame)
        if event != "call" or not file or file.startswith(_NOT_NOTED) or _is_detail(frame):
            return
        if not file.startswith(_WALKED) and not _caller_of(frame).startswith(_WALKED):
            return
        step = (file, frame.f_code.co_qualname.rpartition("<locals>.")[2])
        if step not in self.entered:
            self.entered.append(step)


def _is_detail(frame: FrameType) -> bool:
    """Tell whether it is a constructor, a property, or a comprehension."""
    name = frame.f_code.co_name
    owner = type(frame.f_locals.get("self"))
    return name.startswith(("<", "__")) or isinstance(getattr(owner, name, None), property)


def _caller_of(frame: FrameType) -> str:
    """Return the file of Lanework from which a frame was called, through whatever library."""
    caller = frame.f_back
    while caller is not None and not _file_of(caller):
        caller = caller.f_back
    return "" if caller is None else _file_of(caller)


def _file_of(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    return path.relative_to(_PACKAGE).as_posix() if path.is_relative_to(_PACKAGE) else ""


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
    event, walk = event_of("job-1"), Walk()

    sys.setprofile(walk)
    try:
        answer = handler(event, Context())
    finally:
        sys.setprofile(None)

    assert (answer, app.get("job-1").state) == ({"batchItemFailures": []}, State.COMPLETED)
    written = (_ROOT / "CONTRIBUTING.md").read_text().partition("### A batch in Lambda\n")[2].partition("\n#")[0]
    assert re.findall(r"^\d+\. `(\S+)` `(\S+)`", written, re.MULTILINE) == walk.entered
    assert len(walk.entered) <= MOST
