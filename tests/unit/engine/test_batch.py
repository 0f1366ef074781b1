"""Batch functions: one call for many jobs, each of which ends in a way of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

import pytest
from pydantic import BaseModel

from lanework import (
    App,
    Batch,
    BatchItem,
    Cause,
    Concurrency,
    DeclarationError,
    Discard,
    InvalidOptionError,
    Jobs,
    Middleware,
    Receipt,
    RetryAfter,
    Run,
    Snooze,
    State,
)
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.model.lifecycle.run_moves import new_record
from lanework.testing import Clock, EventList, a_batch, app_in_memory, drain
from tests.support.factories import a_message
from tests.support.fakes import break_ports

SECOND = timedelta(seconds=1)


class Contact(BaseModel):
    n: int


AWAY: Final = ConnectionError("the CRM is away")
REFUSED: Final = PermissionError("not this one")

Contacts = Batch[Contact, Any]


@dataclass(slots=True)
class Crm:
    """
    An application with one batch function.

    Attributes:
        calls: The payloads of each call so far.
        behave: What the function does.
    """

    app: App
    clock: Clock
    events: EventList
    sync: Any
    behave: Callable[[Contacts], object] = lambda _: None
    calls: list[list[int]] = field(default_factory=list)

    def run(self, count: int, **options: Any) -> list[Any]:
        """Enqueue so many jobs, run what is due, and return the records."""
        receipts: list[Receipt[Any]] = self.sync.enqueue_many(
            [self.sync.request({"n": n}, **options) for n in range(count)]
        )
        drain(self.app)
        return [self.app.get(one.job_id) for one in receipts]


def a_crm(*middleware: Middleware, is_async: bool = False, size: int = 100, **options: Any) -> Crm:
    family = Jobs(queue="crm", lane="high", attempts=3)
    declare = family.batch("crm.sync", size=size, within=SECOND, **options)

    def act(contacts: Contacts) -> None:
        crm.calls.append([one.payload.n for one in contacts])
        crm.behave(contacts)

    sync: Any
    if is_async:

        @declare
        async def sync(contacts: Batch[Contact, Any]) -> None:
            act(contacts)

    else:

        @declare
        def sync(contacts: Batch[Contact, Any]) -> None:
            act(contacts)

    clock, events = Clock(), EventList()
    crm = Crm(app_in_memory(App(family, middleware=middleware), clock, events=events), clock, events, sync)
    return crm


def on_third(do: Callable[[BatchItem[Contact, Any]], object]) -> Callable[[Contacts], object]:
    def behave(contacts: Contacts) -> None:
        for one in contacts:
            if one.payload.n == 3:
                do(one)
            else:
                one.complete(one.payload.n**2)

    return behave


@pytest.mark.parametrize("is_async", [False, True])
def test_one_poison_among_ten_fails_alone(is_async: bool) -> None:
    crm = a_crm(is_async=is_async)
    crm.behave = on_third(lambda one: one.fail(ValueError("no such contact")))

    jobs = crm.run(10)

    assert crm.calls == [[*range(10)]]
    assert [one.state for one in jobs].count(State.COMPLETED) == 9
    assert (jobs[3].state, jobs[3].error) == (State.RETRYING, "ValueError: no such contact")
    assert [one.result for one in jobs[:3]] == ["0", "1", "4"]

    crm.clock.advance(2 * SECOND)
    drain(crm.app)
    assert crm.calls[1:] == [[3]]


@pytest.mark.parametrize(
    ("do", "state", "attempts"),
    [
        (lambda one: one.discard("unsubscribed"), State.DEAD, 1),
        (lambda one: one.snooze(timedelta(hours=1)), State.PARKED, 0),
        (lambda one: one.cancel("not wanted"), State.CANCELLED, 1),
        (lambda one: one.fail(RetryAfter(SECOND)), State.RETRYING, 1),
        (lambda one: one.complete(object()), State.COMPLETED, 1),
    ],
)
def test_a_job_of_a_call_may_end_in_each_way(do: Callable[[Any], object], state: State, attempts: int) -> None:
    crm = a_crm()
    crm.behave = on_third(do)

    jobs = crm.run(5)

    assert (jobs[3].state, jobs[3].attempts) == (state, attempts)
    assert {one.state for one in jobs if one is not jobs[3]} == {State.COMPLETED}


@pytest.mark.parametrize("is_async", [False, True])
def test_what_the_function_raises_fails_those_of_which_nothing_was_said(is_async: bool) -> None:
    crm = a_crm(is_async=is_async)

    def behave(contacts: Contacts) -> None:
        contacts[0].complete("in time")
        contacts[1].discard("unsubscribed")
        raise AWAY

    crm.behave = behave

    jobs = crm.run(4)

    assert [one.state for one in jobs] == [State.COMPLETED, State.DEAD, State.RETRYING, State.RETRYING]
    assert {one.error for one in jobs[2:]} == {"ConnectionError: the CRM is away"}


def test_what_nothing_was_said_of_is_completed_once_the_function_has_returned() -> None:
    assert {(one.state, one.result) for one in a_crm().run(3)} == {(State.COMPLETED, None)}


def test_a_snooze_of_the_whole_call_uses_no_attempt() -> None:
    crm = a_crm()

    def behave(_: Contacts) -> None:
        raise Snooze(timedelta(hours=1))

    crm.behave = behave

    assert {(one.state, one.attempts) for one in crm.run(3)} == {(State.PARKED, 0)}


def test_a_function_that_returns_something_has_completed_nothing() -> None:
    family = Jobs(queue="crm")

    @family.batch("crm.sync", size=10, within=SECOND)
    def sync(contacts: Contacts):  # type: ignore[no-untyped-def]  # noqa: ANN202, ARG001 - as people write
        return [1]

    app = app_in_memory(App(family))
    receipt = sync.enqueue(Contact(n=1))
    drain(app)

    assert app.get(receipt.job_id).error == (
        "TypeError: a batch function returned list: give each item its own result, item.complete(…)"
    )


def test_a_payload_that_does_not_fit_dies_alone_and_never_reaches_the_function() -> None:
    crm = a_crm()
    facts = {"type": "crm.sync", "queue": "crm"}
    for name, payload in (("good", '{"n":1}'), ("bad", '{"m":1}')):
        message = a_message(id=name, payload=payload, **facts)
        crm.app.ports.ledger.put(new_record(message))
        send(crm.app, message)

    drain(crm.app)

    assert crm.calls == [[1]]
    assert (crm.app.get("bad").cause, crm.app.get("good").state) == (Cause.INVALID, State.COMPLETED)


def send(app: App, message: Envelope) -> None:
    from lanework.engine.ports.messages import OutgoingMessage  # noqa: PLC0415 - here alone

    app.ports.lanes.send(Lane.HIGH, OutgoingMessage(body=message.encode()))


def test_a_job_that_was_cancelled_or_paused_or_is_too_late_is_not_in_the_call() -> None:
    crm = a_crm()
    crm.sync.enqueue({"n": 1}, job_id="cancelled")
    crm.sync.enqueue({"n": 2}, job_id="late", start_by=SECOND)
    crm.sync.enqueue({"n": 3}, job_id="good")
    crm.app.cancel("cancelled")
    crm.clock.advance(2 * SECOND)

    drain(crm.app)

    assert crm.calls == [[3]]
    assert crm.app.get("late").cause is Cause.EXPIRED

    crm.app.pause(job_type="crm.sync")
    crm.clock.advance(10 * SECOND)
    crm.run(1)
    assert crm.calls == [[3]]


def test_a_limit_counts_each_job_and_those_that_must_wait_are_not_in_the_call() -> None:
    crm = a_crm(concurrency=Concurrency(2))

    jobs = crm.run(5)

    assert crm.calls[0] == [0, 1]
    assert [one.state for one in jobs[:2]] == [State.COMPLETED] * 2
    assert {(one.state, one.attempts) for one in jobs[2:]} <= {(State.PARKED, 0), (State.COMPLETED, 1)}


def test_a_call_takes_no_more_than_its_size_in_the_order_in_which_they_were_enqueued() -> None:
    crm = a_crm(size=4)

    crm.run(10)

    assert crm.calls == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_job_in_a_call_costs_the_writes_of_a_job_alone() -> None:
    crm = a_crm()
    crm.sync.enqueue_many([{"n": n} for n in range(10)])
    lanes = crm.app.ports.lanes
    ledger, _ = break_ports(crm.app)
    crm.app.use(replace(crm.app.ports, lanes=lanes))

    drain(crm.app)

    assert ledger.calls == ["change"] * 20


def test_two_outcomes_of_one_job_are_one_too_many() -> None:
    (item,) = a_batch(Contact(n=1))
    item.complete(1)

    with pytest.raises(InvalidOptionError, match="was given an outcome before"):
        item.fail(ValueError())
    with pytest.raises(InvalidOptionError, match=r"fail takes an exception, as in item.fail\(ValueError"):
        a_batch(Contact(n=1))[0].fail("no such contact")  # type: ignore[arg-type]


def test_a_direct_call_shows_what_became_of_each() -> None:
    crm = a_crm()
    crm.behave = on_third(lambda one: one.discard("no"))
    contacts = a_batch(Contact(n=2), Contact(n=3))

    crm.sync(contacts)

    assert [(one.result, type(one.error)) for one in contacts] == [(4, type(None)), (None, Discard)]
    assert [one.run.job_id for one in contacts] == ["job-1", "job-2"]


def test_a_step_of_one_job_is_done_once_and_none_waits() -> None:
    crm, done = a_crm(), list[int]()

    def behave(contacts: Contacts) -> None:
        for one in contacts:
            one.run.once("post", functools.partial(done.append, one.payload.n))
        if len(crm.calls) == 1:
            contacts[0].run.wait(SECOND)

    crm.behave = behave

    jobs = crm.run(2)
    (error,) = {one.error for one in jobs}
    assert f"job {jobs[0].job_id!r} can't wait in a batch function, which runs for others, too: item.snooze(…)" in error
    crm.clock.advance(2 * SECOND)
    drain(crm.app)

    assert done == [0, 1]
    assert {crm.app.get(one.job_id).state for one in jobs} == {State.COMPLETED}


class Watching(Middleware):
    """Notes how each job ended, and refuses job 2."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, str]] = []
        self.ids: list[str] = []

    def run(self, run: Run) -> AbstractContextManager[object]:
        return self._around(run)

    @contextmanager
    def _around(self, run: Run) -> Iterator[None]:
        self.ids.append(run.job_id)
        number = len(self.ids) - 1
        if number == 2:
            raise REFUSED
        try:
            yield
        except BaseException as error:
            self.seen.append((number, repr(error)))
            raise
        self.seen.append((number, "well"))


@pytest.mark.parametrize("is_async", [False, True])
def test_middleware_is_around_the_call_for_each_job_and_sees_how_that_one_ends(is_async: bool) -> None:
    watching = Watching()
    crm = a_crm(watching, is_async=is_async)
    crm.behave = on_third(lambda one: one.fail(ValueError("no")))

    jobs = crm.run(5)

    assert crm.calls == [[0, 1, 3, 4]]
    assert sorted(watching.seen) == [(0, "well"), (1, "well"), (3, "ValueError('no')"), (4, "well")]
    assert jobs[2].error == "PermissionError: not this one"
    assert [one.state for one in jobs].count(State.COMPLETED) == 3


def test_a_job_that_is_enqueued_in_a_call_belongs_to_none_of_its_jobs() -> None:
    crm = a_crm()
    crm.behave = lambda contacts: None if len(contacts) == 1 else crm.sync.enqueue({"n": 99}, job_id="child")

    crm.run(2, correlation_id="request-1")

    assert crm.app.get("child").headers == ()


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"size": 0}, InvalidOptionError, "size of batch 'crm.sync' must be a number from 1 to 1,000, got 0"),
        ({"size": 1_001}, InvalidOptionError, "must be a number from 1 to 1,000, got 1001"),
        ({"size": "10"}, InvalidOptionError, "must be a number from 1 to 1,000"),
        ({"within": 2}, InvalidOptionError, r"within must be a timedelta, as in within=timedelta\(seconds=1\), got 2"),
        ({"within": 5 * SECOND}, InvalidOptionError, "0 or more and below 5 s, within which lane high starts its jobs"),
        ({"within": 301 * SECOND, "lane": "batch"}, InvalidOptionError, "0 or more and at most 300 s; got 301 s"),
        ({"within": -SECOND}, InvalidOptionError, "got -1 s"),
        ({"sizes": 3}, InvalidOptionError, "unknown option 'sizes' of job 'crm.sync'"),
    ],
)
def test_a_batch_that_makes_no_sense_is_refused(options: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        a_crm_of(**options)


def a_crm_of(**options: Any) -> object:
    given: dict[str, Any] = {"size": 10, "within": SECOND, "lane": "high", **options}
    return Jobs(queue="crm").batch("crm.sync", **given)


def test_a_function_that_takes_no_batch_is_refused_with_what_to_write() -> None:
    declare: Any = a_crm_of()
    declare_job: Any = Jobs(queue="crm").job("crm.sync")

    def one(contact: Contact) -> None: ...
    def many(contacts: list[Contact]) -> None: ...
    def several(contacts: Sequence[BatchItem[Contact]]) -> None: ...
    def with_run(contacts: Batch[Contact], run: Run) -> None: ...
    def with_more(contacts: Batch[Contact], client: object) -> None: ...
    def answers(contacts: Batch[Contact]) -> list[int]:
        return [len(contacts)]

    def no_model(contacts: Batch[Any]) -> None: ...

    for function, says in (
        (one, r"its first parameter must be annotated Batch\[…\] of a pydantic model, as in Batch\[Contact\]"),
        (many, "its first parameter must be annotated"),
        (several, "its first parameter must be annotated"),
        (no_model, "its first parameter must be annotated"),
        (with_run, "takes a run: each job of a batch has its own, item.run"),
        (with_more, r"parameter 'client' needs a default; a batch function is called with \(batch\)"),
        (answers, r"returns nothing: annotate it -> None, and give each item its result by item.complete"),
    ):
        with pytest.raises(DeclarationError, match=says):
            declare(function)
    with pytest.raises(DeclarationError, match=r"a batch of jobs is taken by a function under @family.batch\(…\)"):
        declare_job(with_run)


def test_the_code_of_a_batch_does_not_run_in_its_producer() -> None:
    with pytest.raises(InvalidOptionError, match=r"fallback='inline' runs one job's code here, and crm.sync runs many"):
        a_crm().sync.request({"n": 1}, fallback="inline")


def test_a_batch_function_is_in_an_app_as_any_job() -> None:
    crm = a_crm()

    assert crm.app.registry.get("crm.sync").batch is not None
    assert isinstance(crm.app.enqueue("crm.sync", {"n": 1}), Receipt)
