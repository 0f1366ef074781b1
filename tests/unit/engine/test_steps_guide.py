"""The example of docs/steps.md, as it is written there."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pydantic import BaseModel

from lanework import App, Jobs, Run, SignalTimeoutError, State
from lanework.testing import Clock, Notes, a_run, app_in_memory, drain, sweep

GUIDE = Path(__file__).parents[3] / "docs" / "steps.md"


class Order(BaseModel):
    """Payload of the example."""

    amount: int


def test_the_example_does_what_the_guide_says() -> None:
    example, unit_test, real_thing = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)
    clock, asked = Clock(), []
    names: dict[str, Any] = {
        "orders": Jobs(queue="orders"),
        "ask_an_agent": lambda _, job_id: asked.append(job_id),
        "gateway": SimpleNamespace(refund=lambda _, *, idempotency_key: "paid" if idempotency_key else None),
        "clock": clock,
        "app_in_memory": app_in_memory,
        **{one.__name__: one for one in (Order, Run, SignalTimeoutError, timedelta, Notes, a_run, drain, sweep)},
    }

    exec(example, names)  # noqa: S102 - our own guide
    exec(unit_test, names)  # noqa: S102
    names["test_a_refund_is_paid_a_day_after_it_was_approved"]()
    names["app"] = App(names["orders"])
    exec(real_thing, names)  # noqa: S102

    record = names["app"].get("refund-42")
    assert (record.state, record.result, asked) == (State.COMPLETED, '"paid"', ["job-1", "refund-42"])
