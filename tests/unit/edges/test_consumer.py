from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from pydantic import BaseModel

from lanework import App, Jobs
from lanework.edges.process.consumer import Consumer
from lanework.edges.process.plan import Plan
from lanework.engine.inbox import Received
from lanework.memory import MemoryLanes, MemoryLedger
from lanework.model.change import Answer, Change
from lanework.model.lanes import Lane
from lanework.testing import EventList, app_in_memory


class Nothing(BaseModel):
    """A payload."""


@dataclass(slots=True)
class MemoryInbox:
    """
    The lanes in memory, as a worker process receives from them.

    Attributes:
        is_broken: Whether it has a fault of its own.
    """

    lanes: MemoryLanes
    is_broken: bool = False

    def receive(self, lane: Lane, *, limit: int, wait: timedelta, hide_for: timedelta) -> list[Received]:  # noqa: ARG002
        if self.is_broken:
            msg = "Messages"
            raise KeyError(msg)
        message = self.lanes.receive(lane, visibility=hide_for)
        return [] if message is None else [message]

    def delete(self, lane: Lane, handles: Sequence[str]) -> None:
        for handle in handles:
            self.lanes.delete(lane, handle)

    def hide(self, lane: Lane, handles: Mapping[str, timedelta]) -> None:
        for handle, after in handles.items():
            self.lanes.change_visibility(lane, handle, after)


class BrokenLedger(MemoryLedger):
    """A ledger with a fault of its own."""

    def change(self, job_id: str, change: Change) -> Answer:  # noqa: ARG002
        msg = "bat@example.com"
        raise KeyError(msg)


tasks = Jobs(queue="tasks", lane="low")


@tasks.job("task.nothing")
def nothing(_: Nothing) -> None:
    """Do nothing."""


def test_a_fault_of_the_worker_itself_is_said_without_its_text_and_keeps_the_message() -> None:
    events = EventList()
    app = app_in_memory(App(tasks), events=events)
    nothing.enqueue(Nothing())
    lanes = app.ports.lanes
    assert isinstance(lanes, MemoryLanes)
    app.use(replace(app.ports, ledger=BrokenLedger()))

    assert Consumer(app, MemoryInbox(lanes), Plan(lanes=(Lane.LOW,), slots=2, is_once=True)).run()

    (fault,) = [one for one in events.events if one.action == "worker.fault"]
    assert str(fault.reason).startswith("KeyError in change, test_consumer.py:")
    assert lanes.counts(Lane.LOW).in_flight == 1


@pytest.mark.parametrize("is_once", [False, True])
def test_a_process_that_can_not_receive_any_more_ends_by_it(*, is_once: bool) -> None:
    app = app_in_memory(App(tasks))
    lanes = app.ports.lanes
    assert isinstance(lanes, MemoryLanes)
    plan = Plan(lanes=(Lane.HIGH, Lane.LOW), slots=4, is_once=is_once)

    with pytest.raises(KeyError):
        Consumer(app, MemoryInbox(lanes, is_broken=True), plan).run()
