from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Barrier, Event, Lock
from typing import TYPE_CHECKING, cast

import pytest

from lanework import App, Jobs, State
from lanework.edges.process.config import Plan
from lanework.edges.process.consumer import Consumer
from lanework.engine.ports.consumer import Received
from lanework.engine.ports.flags import FlagSet
from lanework.memory import MemoryLanes, MemoryLedger
from lanework.model.lanes import Lane
from lanework.model.lifecycle.change import Answer, Change
from lanework.testing import EventList, app_in_memory
from tests.support.inboxes import MemoryInbox, Nothing

if TYPE_CHECKING:
    from lanework.engine.ports.flags import Flags


class MeetingInbox(MemoryInbox):
    """
    Brings as much as is asked for.

    Attributes:
        meetings: For each of the first calls, with how many it is answered together.
    """

    def __init__(self, lanes: MemoryLanes, meetings: list[Barrier]) -> None:
        super().__init__(lanes)
        self.meetings = meetings
        self._lock = Lock()

    def receive(self, lane: Lane, *, limit: int, wait: timedelta, hide_for: timedelta) -> list[Received]:
        with self._lock:
            meeting = self.meetings.pop(0) if self.meetings else Barrier(1)
        meeting.wait(timeout=30)
        with self._lock:
            found = [
                super(MeetingInbox, self).receive(lane, limit=1, wait=wait, hide_for=hide_for) for _ in range(limit)
            ]
        return [message for messages in found for message in messages]


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


@dataclass
class SlowFlags:
    """Flags that are read as slowly as messages come: not before so many are there that every slot has one."""

    flags: Flags
    inbox: CountingInbox

    def read(self) -> FlagSet:
        assert self.inbox.are_there.wait(30)
        return self.flags.read()


class CountingInbox(MemoryInbox):
    """Says when sixteen messages were received."""

    def __init__(self, lanes: MemoryLanes) -> None:
        super().__init__(lanes)
        self.count = 0
        self.are_there = Event()

    def receive(self, lane: Lane, *, limit: int, wait: timedelta, hide_for: timedelta) -> list[Received]:
        found = super().receive(lane, limit=limit, wait=wait, hide_for=hide_for)
        self.count += len(found)
        if self.count == 16:
            self.are_there.set()
        return found


def test_none_of_many_paused_jobs_starts_in_a_worker_that_was_just_started() -> None:
    events = EventList()
    app = app_in_memory(App(tasks), events=events)
    ids = [receipt.job_id for receipt in app.enqueue_many(nothing.request(Nothing()) for _ in range(60))]
    app.pause(queue="tasks")
    lanes = app.ports.lanes
    assert isinstance(lanes, MemoryLanes)
    inbox = CountingInbox(lanes)
    app.use(replace(app.ports, flags=cast("Flags", SlowFlags(app.ports.flags, inbox))))

    assert Consumer(app, inbox, Plan(lanes=(Lane.LOW,), slots=16, is_once=True)).run()

    assert {(one.state, one.attempts) for one in map(app.get, ids)} == {(State.PARKED, 0)}
    assert "job.started" not in events.actions


@pytest.mark.parametrize("is_once", [False, True])
def test_a_process_that_can_not_receive_any_more_ends_by_it(*, is_once: bool) -> None:
    app = app_in_memory(App(tasks))
    lanes = app.ports.lanes
    assert isinstance(lanes, MemoryLanes)
    plan = Plan(lanes=(Lane.HIGH, Lane.LOW), slots=4, is_once=is_once)

    with pytest.raises(KeyError):
        Consumer(app, MemoryInbox(lanes, is_broken=True), plan).run()


@pytest.mark.parametrize(("slots", "receivers"), [(1, 2), (16, 2), (32, 3), (64, 4), (200, 4)])
def test_a_process_with_more_slots_has_more_receivers_for_a_lane(slots: int, receivers: int) -> None:
    assert Plan(lanes=(Lane.LOW,), slots=slots).receivers == receivers


def test_a_backlog_is_received_by_several_calls_at_once() -> None:
    app = app_in_memory(App(tasks))
    app.enqueue_many(nothing.request(Nothing()) for _ in range(50))
    lanes = app.ports.lanes
    assert isinstance(lanes, MemoryLanes)
    inbox = MeetingInbox(lanes, [Barrier(1), *[Barrier(4)] * 4])

    assert Consumer(app, inbox, Plan(lanes=(Lane.LOW,), slots=128, is_once=True)).run()
    assert (lanes.counts(Lane.LOW).waiting, lanes.counts(Lane.LOW).in_flight) == (0, 0)
    assert inbox.meetings == []
