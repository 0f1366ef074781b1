"""A job and the application's own items in one transaction: all of it, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from lanework import (
    App,
    EnqueueError,
    InvalidOptionError,
    ItemsNotWrittenError,
    JobIdTakenError,
    JobNotFoundError,
    Jobs,
    Middleware,
    Proceed,
    Quota,
    QuotaExceededError,
    Receipt,
    Request,
    State,
    TooLargeError,
)
from lanework.engine.maintenance.unsent_jobs import UnsentJobs
from lanework.model.events import Action
from lanework.model.lanes import Lane
from lanework.testing import Clock, EventList, app_in_memory, drain, sweep, written_items
from tests.support.fakes import break_ports, mend_ports

HOUR = timedelta(hours=1)
PUT = {"Put": {"TableName": "orders", "Item": {"id": "o-1", "total": Decimal("5.20")}}}


class Order(BaseModel):
    id: str = "o-1"
    note: str = ""


orders = Jobs(queue="order")
shipped: list[str] = []


@orders.job("order.ship")
def ship(order: Order) -> None:
    shipped.append(order.id)


@orders.job("order.bill", quota=Quota(1, per=HOUR))
def bill(_: Order) -> None: ...


@orders.job("order.pack", key="id", unique_for=HOUR)
def pack(_: Order) -> None: ...


@orders.job("order.digest", key="id", debounce=HOUR)
def digest(_: Order) -> None: ...


class Twice(Middleware):
    """Tries again, as middleware may."""

    def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[Any]]:
        proceed(requests)
        return proceed(requests)


class Double(Middleware):
    """Makes two jobs of one."""

    def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[Any]]:
        return proceed([*requests, *requests])


@pytest.fixture(name="events")
def an_event_list() -> EventList:
    return EventList()


@pytest.fixture(name="app")
def an_app(events: EventList) -> App:
    shipped.clear()
    return app_in_memory(App(orders), Clock(), events=events)


def test_the_job_is_recorded_with_the_items_and_runs(app: App, events: EventList) -> None:
    receipt = app.enqueue_with(ship.request(Order()), items=[PUT])

    assert written_items(app) == [PUT]
    assert not receipt.duplicate
    assert events.actions == [Action.JOB_ENQUEUED]
    drain(app)
    assert shipped == ["o-1"]
    assert app.get(receipt.job_id).state is State.COMPLETED


def test_from_asyncio_it_is_the_same(app: App) -> None:
    receipt = asyncio.run(app.enqueue_with_async(ship.request(Order(), job_id="ship-1"), items=[PUT]))

    assert (receipt.job_id, written_items(app)) == ("ship-1", [PUT])


def test_a_repetition_of_the_same_call_is_a_duplicate_and_writes_nothing_twice(app: App) -> None:
    for _ in range(2):
        receipt = app.enqueue_with(ship.request(Order(), job_id="ship-1"), items=[PUT])

    assert receipt.duplicate
    assert not receipt.payload_differs
    assert written_items(app) == [PUT]


@pytest.mark.parametrize("order", [Order(), Order(note="in a hurry")])
def test_a_job_that_exists_with_other_items_is_no_success(app: App, order: Order) -> None:
    ship.enqueue(Order(), job_id="ship-1")

    with pytest.raises(ItemsNotWrittenError, match=r"none of the items was written: job 'ship-1' exists") as raised:
        app.enqueue_with(ship.request(order, job_id="ship-1"), items=[PUT])

    assert raised.value.job_id == "ship-1"
    assert written_items(app) == []


def test_an_id_of_another_type_is_refused_as_by_any_enqueue(app: App) -> None:
    bill.enqueue(Order(), job_id="one")

    with pytest.raises(JobIdTakenError):
        app.enqueue_with(ship.request(Order(), job_id="one"), items=[PUT])
    assert written_items(app) == []


def test_unique_work_that_another_job_does_writes_nothing(app: App) -> None:
    first = pack.enqueue(Order())

    with pytest.raises(ItemsNotWrittenError) as raised:
        app.enqueue_with(pack.request(Order()), items=[PUT])
    assert raised.value.job_id == first.job_id


def test_unique_work_of_the_same_call_is_a_duplicate(app: App) -> None:
    first = app.enqueue_with(pack.request(Order()), items=[PUT])
    second = app.enqueue_with(pack.request(Order()), items=[PUT])

    assert (second.job_id, second.duplicate) == (first.job_id, True)
    assert written_items(app) == [PUT]


def test_a_quota_that_is_used_up_writes_nothing(app: App) -> None:
    app.enqueue_with(bill.request(Order()), items=[PUT])

    with pytest.raises(QuotaExceededError):
        app.enqueue_with(bill.request(Order()), items=[PUT])
    assert written_items(app) == [PUT]


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (digest.request(Order()), "can't be combined with a debounced type"),
        (ship.request(Order(), fallback="inline"), "can't be combined with fallback='inline'"),
    ],
)
def test_what_makes_no_record_of_its_own_is_refused(app: App, request_: Request, says: str) -> None:
    with pytest.raises(InvalidOptionError, match=says):
        app.enqueue_with(request_, items=[PUT])
    assert written_items(app) == []


@pytest.mark.parametrize(
    ("request_", "most"),
    [
        (ship.request(Order()), 99),
        (ship.request(Order(note="x" * 2_000)), 98),
        (bill.request(Order()), 98),
        (pack.request(Order()), 98),
    ],
)
def test_the_jobs_own_items_count_for_the_limit_of_a_transaction(app: App, request_: Request, most: int) -> None:
    items = [{"Put": {"TableName": "orders", "Item": {"id": f"o-{number}"}}} for number in range(most + 1)]
    says = f"items has {most + 1} entries, and may have 1 to {most}: a transaction has 100 at most"

    with pytest.raises(InvalidOptionError, match=says):
        app.enqueue_with(request_, items=items)
    assert written_items(app) == []
    app.enqueue_with(request_, items=items[1:])
    assert len(written_items(app)) == most


def test_no_items_are_refused(app: App) -> None:
    with pytest.raises(InvalidOptionError, match="items has 0 entries"):
        app.enqueue_with(ship.request(Order()), items=[])


def test_items_that_are_too_large_together_are_refused(app: App) -> None:
    items = [{"Put": {"TableName": "orders", "Item": {"id": f"o-{n}", "text": "x" * 390_000}}} for n in range(11)]

    with pytest.raises(TooLargeError, match=r"items is 4,29.* bytes, over the limit of 4,194,304"):
        app.enqueue_with(ship.request(Order()), items=items)
    assert written_items(app) == []


def test_a_process_that_ends_before_it_sends_leaves_a_job_that_is_looked_for(app: App) -> None:
    class ProducerKilledError(BaseException):
        """The producer's process ends."""

    def die(*_: Any) -> None:
        raise ProducerKilledError

    break_ports(app)
    lanes: Any = app.ports.lanes
    lanes.answers["send"] = die
    with pytest.raises(ProducerKilledError):
        app.enqueue_with(ship.request(Order(), job_id="ship-1"), items=[PUT])
    mend_ports(app)
    record = app.get("ship-1")
    assert (record.state, record.claim_id, record.sweep_at) == (State.QUEUED, None, None)
    assert app.ports.lanes.counts(Lane.MEDIUM).waiting == 0
    clock: Any = app.ports.clock
    for _ in range(4):
        clock.advance(timedelta(minutes=1))
        UnsentJobs(app.ports, home=lambda _: Lane.MEDIUM).tick()
        sweep(app)
    drain(app)

    assert shipped == ["o-1"]


def test_an_answer_that_was_lost_is_success_where_the_record_shows_this_very_call(app: App) -> None:
    break_ports(app)
    ledger: Any = app.ports.ledger
    ledger.mute_once = {"put_guarded"}

    receipt = app.enqueue_with(ship.request(Order()), items=[PUT])

    assert not receipt.duplicate
    mend_ports(app)
    drain(app)
    assert (shipped, written_items(app)) == (["o-1"], [PUT])


def test_while_dynamodb_is_away_nothing_is_sent_and_the_error_has_the_id_to_repeat_with(app: App) -> None:
    break_ports(app)
    ledger: Any = app.ports.ledger
    ledger.broken = {"put_guarded", "get"}

    with pytest.raises(EnqueueError, match=r"a job with items can't be sent unrecorded") as raised:
        app.enqueue_with(ship.request(Order()), items=[PUT])

    mend_ports(app)
    receipt = app.enqueue_with(ship.request(Order(), job_id=raised.value.job_id), items=[PUT])
    assert (receipt.duplicate, written_items(app)) == (False, [PUT])


def test_a_job_waits_for_its_parents_as_by_any_enqueue(app: App) -> None:
    parent = ship.enqueue(Order(id="first"))
    receipt = app.enqueue_with(ship.request(Order(), after=[parent.job_id]), items=[PUT])

    assert app.get(receipt.job_id).state is State.BLOCKED
    drain(app)
    sweep(app)
    drain(app)
    assert shipped == ["first", "o-1"]


def test_middleware_that_proceeds_twice_writes_once(events: EventList) -> None:
    app = app_in_memory(App(orders, middleware=[Twice()]), Clock(), events=events)

    receipt = app.enqueue_with(ship.request(Order()), items=[PUT])

    assert written_items(app) == [PUT]
    assert receipt.duplicate


def test_middleware_that_makes_two_jobs_of_one_is_told(events: EventList) -> None:
    app = app_in_memory(App(orders, middleware=[Double()]), Clock(), events=events)

    with pytest.raises(InvalidOptionError, match="middleware made 2 of it"):
        app.enqueue_with(ship.request(Order()), items=[PUT])
    with pytest.raises(JobNotFoundError):
        app.get("id-1")
