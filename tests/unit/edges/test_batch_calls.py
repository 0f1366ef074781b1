"""Batch functions in a worker process: gathered across receives, one slot a call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from pydantic import BaseModel

from lanework import App, Batch, Concurrency, Jobs, State
from lanework.edges.process.batch_calls import BatchCalls
from lanework.edges.process.config import Plan
from lanework.edges.process.consumer import Consumer
from lanework.edges.process.gatherer import Gatherer
from lanework.edges.process.lane_scheduler import LaneScheduler
from lanework.edges.process.watchdog import unheard
from lanework.engine.execution.attempt import Attempt
from lanework.engine.jobtypes.batch import BatchTerms
from lanework.engine.messaging.delivery import Delivery
from lanework.engine.ports.consumer import Received
from lanework.memory import MemoryLanes
from lanework.model.lanes import Lane
from lanework.testing import EventList, app_in_memory
from tests.support.inboxes import MemoryInbox

LONG = timedelta(minutes=4)


class Contact(BaseModel):
    n: int


Contacts = Batch[Contact, Any]


class Crm:
    """
    An application whose lane `batch` holds jobs of batch functions and others.

    Attributes:
        calls: The payloads of each call so far.
        called: Set by each.
    """

    def __init__(self, *, size: int, within: timedelta = LONG, **options: Any) -> None:
        family = Jobs(queue="crm", lane="batch", attempts=3, **options)
        self.calls: list[list[int]] = []
        self.called = Event()
        self.plain: list[int] = []
        self.behave: Callable[[Contacts], object] = lambda _: None

        @family.batch("crm.sync", size=size, within=within)
        def sync(contacts: Contacts) -> None:
            self.note(contacts)

        @family.batch("crm.later", size=size, within=within)
        async def later(contacts: Contacts) -> None:
            self.note(contacts)

        @family.job("crm.plain")
        def plain(contact: Contact) -> None:
            self.plain.append(contact.n)

        self.events = EventList()
        self.app = app_in_memory(App(family), events=self.events)
        lanes = self.app.ports.lanes
        assert isinstance(lanes, MemoryLanes)
        self.lanes = lanes
        self.inbox = CountingInbox(lanes)

    def note(self, contacts: Contacts) -> None:
        self.calls.append([one.payload.n for one in contacts])
        self.called.set()
        self.behave(contacts)

    def enqueue(self, count: int, name: str = "sync") -> list[str]:
        asked = [self.app.registry.get(f"crm.{name}")] * count
        return [self.app.enqueue(one.name, {"n": n}).job_id for n, one in enumerate(asked)]

    def consumer(self, *, slots: int = 2, is_once: bool = True) -> Consumer:
        return Consumer(self.app, self.inbox, Plan(lanes=(Lane.BATCH,), slots=slots, is_once=is_once))

    def states(self, ids: list[str]) -> list[State]:
        return [self.app.get(one).state for one in ids]


class CountingInbox(MemoryInbox):
    """Says how many messages were received."""

    count = 0

    def receive(self, lane: Lane, *, limit: int, wait: timedelta, hide_for: timedelta) -> list[Received]:
        found = super().receive(lane, limit=limit, wait=wait, hide_for=hide_for)
        self.count += len(found)
        return found


def until(condition: Callable[[], bool]) -> None:
    over_at = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < over_at
        time.sleep(0.005)


@pytest.mark.parametrize("name", ["sync", "later"])
def test_jobs_are_gathered_across_receives_and_hold_no_slot_until_their_call(name: str) -> None:
    crm = Crm(size=25)
    ids = crm.enqueue(60, name)

    assert crm.consumer(slots=1).run()

    assert sorted(len(one) for one in crm.calls) == [10, 25, 25]
    assert sorted(n for one in crm.calls for n in one) == [*range(60)]
    assert {*crm.states(ids)} == {State.COMPLETED}
    assert crm.lanes.counts(Lane.BATCH).holds_anything is False


def test_a_call_is_made_when_its_time_has_come_however_few_there_are() -> None:
    crm = Crm(size=100, within=timedelta(milliseconds=50))
    ids = crm.enqueue(3)
    consumer = crm.consumer(is_once=False)
    working = Thread(target=consumer.run)
    working.start()

    assert crm.called.wait(30)
    consumer.stop()
    working.join(30)

    assert sorted(crm.calls[0]) == [0, 1, 2]
    assert {*crm.states(ids)} == {State.COMPLETED}


def test_a_stop_gives_back_at_once_and_whole_what_was_gathered_and_not_begun() -> None:
    crm = Crm(size=100)
    ids = crm.enqueue(5)
    consumer = crm.consumer(is_once=False)
    working = Thread(target=consumer.run)
    working.start()
    until(lambda: crm.inbox.count == 5)

    consumer.stop()
    working.join(30)

    assert crm.calls == []
    assert [(one.state, one.attempts) for one in map(crm.app.get, ids)] == [(State.QUEUED, 0)] * 5
    assert crm.lanes.counts(Lane.BATCH).waiting == 5
    assert consumer.gauge.begun == 0


def test_one_poison_among_ten_fails_alone_and_other_jobs_run_beside_the_call() -> None:
    crm = Crm(size=10)
    ids, others = crm.enqueue(10), crm.enqueue(4, "plain")

    def behave(contacts: Contacts) -> None:
        for one in contacts:
            if one.payload.n == 3:
                one.fail(ValueError("poison"))

    crm.behave = behave
    consumer = crm.consumer(slots=4)

    assert consumer.run()

    states = crm.states(ids)
    assert [n for n, state in enumerate(states) if state is not State.COMPLETED] == [3]
    assert states[3] is State.RETRYING
    assert {*crm.states(others)} == {State.COMPLETED}
    assert (consumer.gauge.begun, consumer.gauge.ended) == (14, 14)


def test_a_call_whose_time_is_over_fails_those_of_which_nothing_was_said_and_the_slot_is_free_again() -> None:
    crm = Crm(size=3, timeout=timedelta(milliseconds=150))
    ids = crm.enqueue(3)

    def behave(contacts: Contacts) -> None:
        contacts[0].complete()
        while True:
            pass

    crm.behave = behave

    assert crm.consumer(slots=1).run()

    assert sorted(crm.states(ids)) == [State.COMPLETED, State.RETRYING, State.RETRYING]


def test_those_that_wait_for_a_limit_are_not_in_the_call() -> None:
    crm = Crm(size=5, concurrency=Concurrency(2))
    crm.enqueue(5)

    assert crm.consumer(slots=1).run()

    assert len(crm.calls[0]) == 2


def test_a_kill_in_a_call_leaves_its_jobs_to_their_leases() -> None:
    crm = Crm(size=3)
    ids = crm.enqueue(3)
    is_running, may_end = Event(), Event()

    def behave(_: Contacts) -> None:
        is_running.set()
        may_end.wait(30)

    crm.behave = behave
    consumer = crm.consumer(is_once=False)
    working = Thread(target=consumer.run)
    working.start()
    assert is_running.wait(30)

    consumer.give_up()
    until(lambda: all(one.attempts == 0 for one in map(crm.app.get, ids)))
    may_end.set()
    working.join(30)

    assert {*crm.states(ids)} == {State.PARKED}
    assert crm.events.actions.count("run.requeued") == 3


def test_a_gatherer_calls_at_its_size_and_gives_the_rest_back() -> None:
    calls: list[int] = []
    gatherer = Gatherer(lambda _, messages: calls.append(len(messages)))
    terms = BatchTerms(size=3, within=LONG)

    def add(name: str, count: int) -> list[bool]:
        message = Received(body="", handle="h", message_id="m", sent_at=None, receives=1)
        return [gatherer.add(Lane.LOW, name, terms, message) for _ in range(count)]

    add("a", 4)
    add("b", 2)
    assert calls == [3]
    gatherer.flush()
    assert sorted(calls) == [1, 2, 3]
    add("a", 2)
    assert len(gatherer.close()) == 2
    assert add("a", 1) == [False]
    assert "gatherer" not in {one.name for one in threading.enumerate()}


class Said:
    """Notes what a call says of who is about to write, in place of `Work`."""

    def __init__(self) -> None:
        self.expected = 0
        self.bursts = 0

    def gather(self, *_: object) -> None: ...

    def expect(self, more: int) -> None:
        self.expected += more

    @contextmanager
    def burst(self, more: int = 1) -> Iterator[None]:
        self.bursts += more
        yield
        self.bursts -= more


def test_all_jobs_of_a_call_are_expected_to_write_before_the_first_does_so_that_they_share_calls() -> None:
    crm, said, seen = Crm(size=4), Said(), list[tuple[str, int, int]]()
    crm.enqueue(4)
    crm.behave = lambda _: seen.append(("function", said.expected, said.bursts))
    lock = threading.Lock()

    def run_one(lane: Lane, message: Received, wait: Callable[[Attempt], object]) -> None:
        def drive(attempt: Attempt) -> None:
            with lock:
                seen.append(("claim", said.expected, said.bursts))
                attempt.claim()
                attempt.begin()
            wait(attempt)
            with lock:
                seen.append(("complete", said.expected, said.bursts))
                attempt.run()
                attempt.record()

        delivery = Delivery(body=message.body, lane=lane, time_left=LONG)
        crm.app.runtime.executor(drive).execute(delivery)

    turns = LaneScheduler((Lane.BATCH,), slots=1)
    work: Any = said
    with ThreadPoolExecutor(1) as threads:
        calls = BatchCalls(
            crm.app,
            work,
            turns,
            threads,
            run_one=run_one,
            submit=lambda pool, _, do: pool.submit(do),
            failed=unheard,
        )
        for _ in range(4):
            (message,) = crm.inbox.receive(Lane.BATCH, limit=1, wait=timedelta(0), hide_for=LONG)
            assert calls.takes(turns.enter(Lane.BATCH), message)
    calls.close()

    assert seen == [*[("claim", 4, 1)] * 4, ("function", 4, 0), *[("complete", 8, 1)] * 4]
