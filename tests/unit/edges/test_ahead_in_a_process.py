"""A worker process that claims ahead: what doesn't begin soon is seen by others, and costs nothing."""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from lanework import App, Jobs, State
from lanework.edges.process.config import Plan
from lanework.edges.process.consumer import Consumer
from lanework.local.emulator.process import wait_for
from lanework.memory import MemoryLanes
from lanework.model.lanes import Lane
from lanework.testing import EventList, app_in_memory
from tests.support.inboxes import MemoryInbox, Nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLAN = Plan(lanes=(Lane.LOW,), slots=1)
SHORT = 30


def until(condition: Callable[[], bool], what: str) -> None:
    wait_for(condition, within=timedelta(seconds=30), what=what)


class Process:
    """
    A worker process of one slot, whose jobs were short until now: so it claims ahead. Then one job holds the slot.

    Attributes:
        ids: The jobs that wait behind that one.
    """

    def __init__(self, waiting: int, timeout: timedelta | None = None) -> None:
        tasks = Jobs(queue="tasks", lane="low", attempts=1)
        self.ran: list[str] = []
        self.holds, self.may_end = Event(), Event()

        @tasks.job("task.short")
        def short(_: Nothing) -> None:
            """Do nothing."""

        @tasks.job("task.hold", timeout=timeout)
        def hold(_: Nothing) -> None:
            self.holds.set()
            while not self.may_end.is_set():
                time.sleep(0.001)

        self.events = EventList()
        self.app = app_in_memory(App(tasks), events=self.events)
        self.app.enqueue_many(short.request(Nothing()) for _ in range(SHORT))
        self.held = hold.enqueue(Nothing()).job_id
        self.ids = [short.enqueue(Nothing(), job_id=f"behind-{number}").job_id for number in range(waiting)]
        lanes = self.app.ports.lanes
        assert isinstance(lanes, MemoryLanes)
        self.lanes = lanes
        self.consumer = Consumer(self.app, MemoryInbox(lanes), PLAN)
        self.thread = Thread(target=self.consumer.run)

    def begin(self) -> None:
        self.thread.start()
        assert self.holds.wait(30)

    def claims(self, job_id: str) -> bool:
        return self.app.get(job_id).state is State.RUNNING

    def states(self) -> set[tuple[State, int]]:
        return {(self.app.get(one).state, self.app.get(one).attempts) for one in self.ids}

    def end(self) -> None:
        self.may_end.set()
        self.consumer.stop()
        if self.thread.ident is not None:
            self.thread.join(30)


@pytest.fixture(name="process")
def a_process() -> Iterator[Process]:
    process = Process(waiting=3)
    yield process
    process.end()


def test_jobs_behind_one_that_takes_long_are_claimed_ahead_and_soon_there_for_other_processes(process: Process) -> None:
    process.begin()
    until(lambda: process.claims("behind-0"), "a job to be claimed ahead")

    until(lambda: process.lanes.counts(Lane.LOW).waiting == 3, "the messages to be there for others")

    assert process.states() <= {(State.PARKED, 0), (State.QUEUED, 0)}
    assert process.events.actions.count("job.started") == SHORT + 1
    assert process.consumer.gauge.begun == SHORT + 1
    other = Consumer(process.app, MemoryInbox(process.lanes), Plan(lanes=(Lane.LOW,), slots=1, is_once=True))
    assert other.run()
    assert process.states() == {(State.COMPLETED, 1)}


def test_a_stop_gives_back_what_was_claimed_ahead_and_lets_the_running_job_end(process: Process) -> None:
    process.begin()
    until(lambda: process.claims("behind-0"), "a job to be claimed ahead")

    process.consumer.stop()
    until(lambda: process.states() <= {(State.PARKED, 0), (State.QUEUED, 0)}, "what has not begun")
    assert process.thread.is_alive(), "the running job may end"
    process.end()

    assert process.app.get(process.held).state is State.COMPLETED
    assert process.lanes.counts(Lane.LOW).waiting == 3


def test_a_stop_that_does_not_wait_gives_back_what_runs_for_later_and_what_was_claimed_ahead_at_once(
    process: Process,
) -> None:
    process.begin()
    until(lambda: process.claims("behind-0"), "a job to be claimed ahead")

    process.consumer.give_up()
    until(lambda: not process.thread.is_alive(), "the process")

    held = process.app.get(process.held)
    assert (held.state, held.attempts, held.sweep_at is None) == (State.PARKED, 0, False)
    assert process.states() <= {(State.PARKED, 0), (State.QUEUED, 0)}
    assert process.lanes.counts(Lane.LOW).waiting == 3, "the held one is hidden until its code can't run any more"


def test_a_job_that_was_claimed_behind_one_that_times_out_runs_unharmed_in_its_own_time() -> None:
    process = Process(waiting=3, timeout=timedelta(milliseconds=150))
    process.begin()

    until(lambda: process.states() == {(State.COMPLETED, 1)}, "the jobs behind it")
    process.end()

    assert process.app.get(process.held).state is State.DEAD
