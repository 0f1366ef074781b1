"""Batch functions in Lambda: the jobs of one invocation, each claimed and written by itself, in one call."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from lanework import App, Batch, Jobs, State
from lanework.edges.worker import worker
from lanework.model.lanes import Lane
from lanework.testing import EventList, app_in_memory
from tests.support.fakes import Flaky, break_ports
from tests.support.worker_edge import LambdaContext


class Contact(BaseModel):
    n: int


Contacts = Batch[Contact, Any]


class Context(LambdaContext):
    """An invocation that has time until it is spent."""

    left_ms = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms

    def spend(self) -> None:
        self.left_ms = 10_000


class Crm:
    """An application whose lane `medium` holds jobs of a batch function, an async one, and plain and async jobs."""

    def __init__(self, *, size: int = 100, timeout: timedelta = timedelta(seconds=20)) -> None:
        family = Jobs(queue="crm", lane="medium", attempts=3, timeout=timeout)
        self.calls: list[tuple[str, list[int]]] = []
        self.threads: set[threading.Thread] = set()
        self.behave: Callable[[Contacts], object] = lambda _: None

        @family.batch("crm.sync", size=size, within=timedelta(seconds=1))
        def sync(contacts: Contacts) -> None:
            self.note("sync", [one.payload.n for one in contacts])
            self.behave(contacts)

        @family.batch("crm.forget", size=size, within=timedelta(seconds=1))
        async def forget(contacts: Contacts) -> None:
            self.note("forget", [one.payload.n for one in contacts])

        @family.job("crm.plain")
        def plain(contact: Contact) -> None:
            self.note("plain", [contact.n])

        @family.job("crm.later")
        async def later(contact: Contact) -> None:
            self.note("later", [contact.n])

        self.events = EventList()
        self.app = app_in_memory(App(family), events=self.events)
        self.handler: Any = worker(self.app)
        self.ledger: Flaky

    def note(self, name: str, numbers: list[int]) -> None:
        self.calls.append((name, numbers))
        if name == "sync":
            self.threads.add(threading.current_thread())

    def records(self, *, repeats: int = 1) -> list[dict[str, Any]]:
        lanes: Any = self.app.ports.lanes
        found: list[dict[str, Any]] = []
        while (message := lanes.receive(Lane.MEDIUM)) is not None:
            found += [
                {
                    "messageId": f"{message.message_id}-{number}",
                    "receiptHandle": message.handle,
                    "body": message.body,
                    "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1767355200000"},
                    "eventSource": "aws:sqs",
                    "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:shop-medium",
                }
                for number in range(repeats)
            ]
        return found

    def deliver(self, records: list[dict[str, Any]], *, context: Any = None) -> list[str]:
        answer = self.handler({"Records": records}, context or LambdaContext())
        return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "shop")


def test_jobs_of_several_kinds_in_one_batch_run_each_in_its_way_and_the_failed_ones_come_back() -> None:
    crm = Crm()
    for n, name in enumerate(
        ["crm.sync", "crm.plain", "crm.forget", "crm.sync", "crm.later", "crm.sync", "crm.forget"]
    ):
        crm.app.enqueue(name, {"n": n}, job_id=f"job-{n}")

    def behave(contacts: Contacts) -> None:
        contacts[1].fail(ValueError("poison"))
        contacts[2].complete("kept")

    crm.behave = behave
    records = crm.records()

    kept = crm.deliver(records)

    assert crm.calls == [("sync", [0, 3, 5]), ("forget", [2, 6]), ("later", [4]), ("plain", [1])]
    assert kept == [records[3]["messageId"]]
    states = [crm.app.get(f"job-{n}").state for n in range(7)]
    assert [n for n, state in enumerate(states) if state is not State.COMPLETED] == [3]
    assert crm.app.get("job-5").result == '"kept"'
    assert crm.threads == {threading.main_thread()}, "there alarms ring"


def test_a_call_takes_no_more_than_its_size() -> None:
    crm = Crm(size=2)
    for n in range(5):
        crm.app.enqueue("crm.sync", {"n": n})

    assert crm.deliver(crm.records()) == []

    assert crm.calls == [("sync", [0, 1]), ("sync", [2, 3]), ("sync", [4])]


def test_a_message_that_came_twice_in_one_batch_is_one_job_of_the_call() -> None:
    crm = Crm()
    for n in range(3):
        crm.app.enqueue("crm.sync", {"n": n})

    kept = crm.deliver(crm.records(repeats=2))

    assert crm.calls == [("sync", [0, 1, 2])]
    assert len(kept) == 3, "the copies come back, and are deleted then"


def test_a_call_whose_time_is_over_fails_those_of_which_nothing_was_said() -> None:
    crm = Crm(timeout=timedelta(milliseconds=150))
    for n in range(3):
        crm.app.enqueue("crm.sync", {"n": n}, job_id=f"job-{n}")

    def behave(contacts: Contacts) -> None:
        contacts[0].complete()
        while True:
            pass

    crm.behave = behave

    kept = crm.deliver(crm.records())

    assert len(kept) == 2
    assert [crm.app.get(f"job-{n}").state for n in range(3)] == [State.COMPLETED, State.RETRYING, State.RETRYING]
    assert (crm.app.get("job-1").error or "").startswith("TimedOut: took longer than 0.1")


def test_a_call_that_no_longer_fits_is_given_back_unclaimed() -> None:
    crm = Crm()
    crm.app.enqueue("crm.sync", {"n": 1}, job_id="first")
    crm.app.enqueue("crm.forget", {"n": 2}, job_id="second")
    context = Context()
    crm.behave = lambda _: context.spend()

    kept = crm.deliver(crm.records(), context=context)

    assert (crm.calls, len(kept)) == ([("sync", [1])], 1)
    assert (crm.app.get("second").state, crm.app.get("second").attempts) == (State.QUEUED, 0)


def test_ten_jobs_of_a_call_cost_two_writes_each_as_ten_jobs_alone_do() -> None:
    crm = Crm()
    for n in range(10):
        crm.app.enqueue("crm.sync", {"n": n})
    records = crm.records()
    ledger, _ = break_ports(crm.app)

    assert crm.deliver(records) == []

    assert ledger.calls == ["change"] * 20


def test_a_function_that_ends_the_process_leaves_its_jobs_to_their_leases() -> None:
    crm = Crm()
    for n in range(2):
        crm.app.enqueue("crm.sync", {"n": n}, job_id=f"job-{n}")
    records = crm.records()

    def behave(_: Contacts) -> None:
        import _thread  # noqa: PLC0415 - here alone

        _thread.interrupt_main()
        while True:
            pass

    crm.behave = behave

    with pytest.raises(KeyboardInterrupt):
        crm.deliver(records)

    assert {crm.app.get(f"job-{n}").state for n in range(2)} == {State.RUNNING}
