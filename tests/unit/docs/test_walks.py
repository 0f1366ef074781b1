"""The walk of CONTRIBUTING.md through an enqueue is what happens, function by function."""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from lanework import App, Jobs
from lanework.aws.lanes import SqsLanes
from lanework.aws.ledger.ledger import DynamoLedger
from lanework.testing import app_in_memory

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
_STEP = re.compile(r"^\d+\. `([\w/]+\.py)` `([\w.]+)`", re.MULTILINE)


def told(heading: str) -> list[tuple[str, str]]:
    """Return the steps of a walk of CONTRIBUTING.md, as file and function."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    (section,) = [one for one in re.split(r"^#+ ", text, flags=re.MULTILINE) if one.startswith(heading)]
    return _STEP.findall(section)


def walked(call: Callable[[], object], *, until: tuple[str, str]) -> list[tuple[str, str]]:
    """Return the functions that a call enters, each where it comes first, down to one."""
    entered: list[tuple[str, str]] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and _counts(frame):
            entered.append(_step(frame))

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    steps = list(dict.fromkeys(entered))
    return steps[: steps.index(until) + 1]


def _step(frame: FrameType) -> tuple[str, str]:
    return _module(frame).removeprefix("lanework.").replace(".", "/") + ".py", frame.f_code.co_qualname


def _counts(frame: FrameType) -> bool:
    """Tell whether a frame is a function of the application or the engine, or the way into an adapter."""
    name = frame.f_code.co_qualname
    if name.endswith(">") or "<locals>" in name or _is_property(frame):
        return False
    if _is_adapter(frame):
        return _is_ours(frame.f_back)
    return _is_ours(frame) and not _is_adapter(frame.f_back)


def _is_ours(frame: FrameType | None) -> bool:
    return frame is not None and re.match(r"lanework\.(app$|engine\.)", _module(frame)) is not None


def _is_adapter(frame: FrameType | None) -> bool:
    return frame is not None and _module(frame).startswith("lanework.aws.")


def _is_property(frame: FrameType) -> bool:
    found: Any = sys.modules[_module(frame)]
    for part in frame.f_code.co_qualname.split("."):
        found = inspect.getattr_static(found, part, None)
    return isinstance(found, property)


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


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
    steps = walked(enqueue, until=("aws/lanes.py", "SqsLanes.send"))

    assert steps == told("Enqueue: ")
    assert len(steps) <= 25
    assert calls == ["PutItem", "SendMessage"]
