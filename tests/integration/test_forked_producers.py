"""A web server that connects and then forks, as `gunicorn --preload` does: each process talks to AWS by itself."""

from __future__ import annotations

import multiprocessing
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from uuid import uuid4

import pytest
from pydantic import BaseModel

from lanework import App, Jobs
from lanework.aws.ledger.group_commit import GroupCommitLedger
from lanework.model.lifecycle.states import State
from lanework.settings import Settings
from lanework.testing import EventList
from lanework.wiring import aws_ports, new_ulid
from tests.support.forking import in_forks
from tests.support.stacks import REGION, make_stack


class Number(BaseModel):
    """Payload of the application's jobs."""

    n: int


numbers = Jobs(queue="numbers", lane="high")


@numbers.job("number.keep")
def keep(number: Number) -> int:
    """Return the number."""
    return number.n


@dataclass(slots=True)
class Producer:
    """An application that is connected, in a process that others are forked from."""

    app: App
    name: str

    def produce(self, count: int) -> str:
        """Enqueue jobs and read them back, as a process of its own; say what isn't as it was enqueued."""
        receipts = {n: self.app.enqueue("number.keep", {"n": n}) for n in range(count)}
        many = self.app.enqueue_many([keep.request(Number(n=n)) for n in range(count, 2 * count)])
        receipts |= dict(enumerate(many, start=count))
        wrong = [
            (n, found)
            for n, receipt in receipts.items()
            if (found := self.app.get(receipt.job_id)).payload != Number(n=n).model_dump_json()
        ]
        paused = self.app.ports.flags.read().paused
        return f"{len({one.job_id for one in receipts.values()})} jobs, wrong {wrong}, paused {sorted(paused)}"


@pytest.fixture
def producer(ministack_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Producer:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    stack = f"forks-{uuid4().hex[:8]}"
    make_stack(stack, ministack_endpoint)
    app = App(numbers)
    app.use(aws_ports(Settings(stack=stack, region=REGION, endpoint=ministack_endpoint, account="000000000000")))
    app.use(replace(app.ports, events=EventList()))
    return Producer(app, stack)


def test_children_of_a_connected_process_enqueue_beside_it_and_each_other(producer: Producer) -> None:
    """Seven children, while two threads of the parent are in the middle of calls: no answer goes to another."""
    producer.produce(2)
    is_over = Event()

    def go_on() -> set[str]:
        said: set[str] = set()
        while not is_over.is_set():
            said.add(producer.produce(2))
        return said

    with ThreadPoolExecutor(2) as threads:
        beside = [threads.submit(go_on) for _ in range(2)]
        answers = in_forks([partial(producer.produce, 6)] * 7)
        is_over.set()

    assert answers == ["12 jobs, wrong [], paused []"] * 7
    assert {said for one in beside for said in one.result()} == {"4 jobs, wrong [], paused []"}


def test_a_child_that_is_forked_while_others_wait_for_a_shared_call_waits_for_nobody(producer: Producer) -> None:
    """A worker's writes are grouped; a job that forks takes the open group along, and none of its threads."""
    (receipt,) = producer.app.enqueue_many([keep.request(Number(n=1))])
    ledger = producer.app.ports.ledger
    assert isinstance(ledger, GroupCommitLedger)
    ledger.expect(50)

    def cancel() -> str:
        producer.app.cancel(receipt.job_id)
        return producer.app.get(receipt.job_id).state

    with ThreadPoolExecutor(8) as threads:
        is_over = Event()

        def write() -> None:
            while not is_over.is_set():
                producer.app.cancel(keep.enqueue(Number(n=0)).job_id)

        writing = [threads.submit(write) for _ in range(8)]
        answers = in_forks([cancel] * 4)
        is_over.set()
        for one in writing:
            one.result()

    assert answers == [State.CANCELLED] * 4


def _produce_in_a_pool(count: int) -> str:
    assert _pooled is not None
    return _pooled.produce(count)


_pooled: Producer | None = None


def test_a_pool_of_forked_processes_enqueues(producer: Producer) -> None:
    global _pooled  # noqa: PLW0603 - what a forked pool's processes find
    _pooled = producer
    producer.produce(1)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of threads that the child won't have
        pool = multiprocessing.get_context("fork").Pool(3)
    with pool:
        assert pool.map(_produce_in_a_pool, [3] * 6, chunksize=1) == ["6 jobs, wrong [], paused []"] * 6


def test_children_give_no_id_twice() -> None:
    """Ids of one millisecond are counted up; two children must not go on from the same one."""
    new_ulid()

    answers = in_forks([lambda: " ".join(new_ulid() for _ in range(200))] * 6)

    ids = [one for answer in answers for one in answer.split()]
    assert len(ids) == len(set(ids)) == 1200
