"""A tick of the clock: whatever goes wrong in one part, the others do their work."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from lanework import App, Jobs
from lanework.edges.clock import clock
from lanework.model.events import Action
from lanework.testing import Clock, EventList, app_in_memory


class Nothing(BaseModel):
    """A payload without content."""


class _Context:
    """What the clock reads of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class _Odd:
    """A port one of whose methods meets something that nobody foresaw."""

    def __init__(self, port: Any, method: str) -> None:
        self._port = port
        self._method = method

    def __getattr__(self, name: str) -> Any:
        return self._fail if name == self._method else getattr(self._port, name)

    def _fail(self, *_: object, **__: object) -> None:
        msg = "'express' is not a valid Lane"
        raise ValueError(msg)


@pytest.mark.parametrize(
    ("port", "method"),
    [("schedules", "due"), ("workflows", "due_shards"), ("flags", "bookmark"), ("statistics", "board")],
)
def test_the_sweep_sends_though_another_part_of_the_tick_fails(port: str, method: str) -> None:
    family, time, events = Jobs(queue="email", lane="high"), Clock(), EventList()

    @family.job("user.greeting")
    def greet(_: Nothing) -> None: ...

    app = app_in_memory(App(family), clock=time)
    app.enqueue("user.greeting", {}, job_id="innocent", delay=timedelta(minutes=20))
    time.advance(timedelta(minutes=20))
    odd: Any = {port: _Odd(getattr(app.ports, port), method)}
    app.use(replace(app.ports, **odd))
    handler = clock(app)
    app.runtime.observe(events)
    context: Any = _Context()

    with pytest.raises(ValueError, match="express"):
        handler({}, context)

    assert [one.job_id for one in events.events if one.action is Action.JOB_SWEPT] == ["innocent"]
    faults = [one for one in events.events if one.action is Action.WORKER_FAULT]
    assert "ValueError" in (faults[0].reason or "")
    assert "express" not in (faults[0].reason or "")
