"""Enqueueing by name what another application declares, without its code."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, Field

from lanework import (
    App,
    EnqueueError,
    InvalidOptionError,
    InvalidPayloadError,
    JobNotFoundError,
    Jobs,
    Middleware,
    Proceed,
    Quota,
    Receipt,
    Request,
    ResultTimeoutError,
    Run,
    State,
    TooLargeError,
    UnknownJobTypeError,
)
from lanework.model.lanes import Lane
from lanework.testing import NOON, Clock, drain, memory_ports
from tests.support.fakes import break_ports, mend_ports

HOUR = timedelta(hours=1)
SOON = timedelta(seconds=1)
NAMED: Any = {"declared": False}


class Report(BaseModel):
    month: date
    pages: int = 1


class Own(BaseModel):
    """The producer's own idea of the payload."""

    month: date
    pages: int = Field(2, alias="Pages")


class Marks(Middleware):
    """Gives each job a word to take along, and may try again."""

    def __init__(self, times: int = 1) -> None:
        self.times = times

    def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[Any]]:
        marked = [one.with_headers({"trace": "t-1"}) for one in requests]
        return [proceed(marked) for _ in range(self.times)][-1]


class World:
    """A producer without declarations, and the application that has them, on one stack."""

    def __init__(self, *middleware: Middleware) -> None:
        self.seen: list[Report] = []
        self.headers: list[dict[str, str]] = []
        family = Jobs(queue="report")

        @family.job("report.month", lane="low", attempts=4, timeout=timedelta(seconds=40))
        def month(report: Report, run: Run) -> str:
            self.seen.append(report)
            self.headers.append(dict(run.headers))
            return f"{report.month:%B}"

        @family.job("report.bill", quota=Quota(1, per=HOUR))
        def bill(_: Report) -> None: ...

        own = Jobs(queue="own")

        @own.job("own.job")
        def job(_: Report) -> None:
            self.producer.enqueue("report.month", {"month": "2026-11-01"}, lane="low", **NAMED)

        self.clock = Clock()
        self.producer, self.declaring = App(own, middleware=middleware), App(family)
        for app in (self.producer, self.declaring):
            app.use(memory_ports(self.clock))
        self.declaring.use(self.producer.ports)

    def drain(self) -> int:
        return drain(self.declaring)

    def refusals(self) -> list[str]:
        return [
            one.error or ""
            for lane in Lane
            for one in self.producer.ports.lanes.receive_dead(lane, limit=10, hide_for=SOON)
        ]


@pytest.fixture(name="world")
def a_world() -> World:
    return World()


def test_it_runs_in_the_lane_and_by_the_policy_of_its_declaration(world: World) -> None:
    receipt = world.producer.enqueue("report.month", {"month": "2026-11-01"}, **NAMED)

    with pytest.raises(JobNotFoundError):
        world.producer.get(receipt.job_id)
    world.drain()
    record = world.producer.get(receipt.job_id)
    assert (record.lane, record.queue, record.max_attempts) == ("low", "report", 4)
    assert (record.timeout, record.state) == (timedelta(seconds=40), State.COMPLETED)
    assert world.seen == [Report(month=date(2026, 11, 1))]


def test_an_id_is_used_once_however_often_it_is_sent(world: World) -> None:
    for month in ("2026-10-01", "2026-11-01"):
        receipt = world.producer.enqueue("report.month", {"month": month}, job_id="nov", **NAMED)

    assert receipt.job_id == "nov"
    world.drain()
    assert world.seen == [Report(month=date(2026, 10, 1))]


def test_the_result_is_waited_for_though_nothing_is_recorded_yet(world: World) -> None:
    receipt = world.producer.enqueue("report.month", {"month": "2026-11-01"}, **NAMED)

    with pytest.raises(ResultTimeoutError, match=r"still unrecorded \(`lanework dlq messages` shows it"):
        receipt.result(timeout=timedelta(0))
    world.drain()
    assert receipt.result(timeout=timedelta(0)) == "November"
    assert asyncio.run(receipt.result_async(timeout=timedelta(0))) == "November"


def test_from_asyncio_it_is_the_same(world: World) -> None:
    receipt = asyncio.run(world.producer.enqueue_async("report.month", {"month": "2026-11-01"}, **NAMED))
    world.drain()

    assert world.producer.get(receipt.job_id).state is State.COMPLETED


@pytest.mark.parametrize(
    "payload",
    [
        {"month": date(2026, 11, 1), "pages": 2},
        '{"month": "2026-11-01", "pages": 2}',
        Own(month=date(2026, 11, 1)),
    ],
)
def test_a_payload_may_be_a_mapping_json_or_a_model_of_the_producers(world: World, payload: Any) -> None:
    world.producer.enqueue("report.month", payload, **NAMED)
    world.drain()

    assert world.seen == [Report(month=date(2026, 11, 1), pages=2)]


def test_when_for_whom_and_what_goes_along_is_said_with_the_call() -> None:
    world = World(Marks())
    receipt = world.producer.enqueue(
        "report.month", {"month": "2026-11-01"}, delay=HOUR, tenant="acme", correlation_id="order-7", **NAMED
    )
    world.drain()

    record = world.producer.get(receipt.job_id)
    assert (record.state, record.run_at, record.tenant) == (State.SCHEDULED, NOON + HOUR, "acme")
    assert dict(record.headers) == {"correlation-id": "order-7", "trace": "t-1"}


def test_a_start_in_the_past_is_now_and_the_receipt_says_so(world: World) -> None:
    receipt = world.producer.enqueue(
        "report.month", {"month": "2026-11-01"}, run_at=datetime(2026, 1, 2, 11, tzinfo=UTC), **NAMED
    )
    world.drain()

    assert (receipt.overdue, len(world.seen)) == (HOUR, 1)


def test_inside_a_job_its_correlation_id_goes_along(world: World) -> None:
    receipt = world.producer.enqueue("own.job", {"month": "2026-11-01"}, correlation_id="order-7")
    assert world.producer.get(receipt.job_id).queue == "own"
    drain(world.producer, Lane.MEDIUM)
    world.drain()

    assert [one["correlation-id"] for one in world.headers] == ["order-7"]


def test_middleware_that_proceeds_twice_makes_one_job() -> None:
    world = World(Marks(times=2))
    world.producer.enqueue("report.month", {"month": "2026-11-01"}, **NAMED)
    world.drain()

    assert len(world.seen) == 1


def test_a_type_that_is_declared_here_is_enqueued_by_its_declaration(world: World) -> None:
    receipt = world.producer.enqueue("own.job", {"month": "2026-11-01"}, attempts=7, **NAMED)

    assert world.producer.get(receipt.job_id).max_attempts == 7
    with pytest.raises(InvalidPayloadError):
        world.producer.enqueue("own.job", {}, **NAMED)


def test_without_saying_so_an_undeclared_name_is_refused_and_the_error_says_how(world: World) -> None:
    with pytest.raises(UnknownJobTypeError, match=r"'own\.jbo', did you mean 'own\.job'\?") as refused:
        world.producer.enqueue("own.jbo", {})

    assert any("declared=False" in note for note in refused.value.__notes__)


@pytest.mark.parametrize(
    ("name", "payload", "reason"),
    [
        ("report.mont", {}, "unknown job type 'report.mont', did you mean 'report.month'?"),
        ("report.month", {"moth": "2026-11-01"}, "payload of report.month is not valid: month: Field required"),
    ],
)
def test_what_is_wrong_is_kept_with_the_reason_where_the_code_is(
    world: World, name: str, payload: Any, reason: str
) -> None:
    world.producer.enqueue(name, payload, **NAMED)
    world.drain()

    (refusal,) = world.refusals()
    assert reason in refusal


def test_a_quota_counts_where_the_code_is(world: World) -> None:
    for _ in range(2):
        world.producer.enqueue("report.bill", {"month": "2026-11-01"}, **NAMED)
    world.drain()

    (refusal,) = world.refusals()
    assert "is used up" in refusal


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"attempts": 3}, "attempts is said where report.month is declared; an enqueue with declared=False takes corr"),
        ({"unique_for": HOUR}, "unique_for is said where"),
        ({"after": ["a"]}, "after is said where"),
        ({"fallback": "inline"}, "fallback is said where"),
        ({"job_id": "nightly@2026-11-30T00:39Z"}, "nightly@2026-11-30T00:39Z"),
        ({"delay": 3}, "delay must be a timedelta"),
        ({"tenant": ""}, "tenant"),
        ({"dealy": HOUR}, "dealy"),
    ],
)
def test_what_the_message_can_not_say_is_refused(world: World, options: Any, says: str) -> None:
    with pytest.raises(InvalidOptionError, match=says):
        world.producer.enqueue("report.month", {"month": "2026-11-01"}, **options, **NAMED)
    assert world.drain() == 0


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ("[1]", InvalidPayloadError),
        ("{", InvalidPayloadError),
        ([1], InvalidPayloadError),
        ({"at": object()}, InvalidPayloadError),
        ({"x": float("nan")}, InvalidPayloadError),
        ({"x": "y" * 300_000}, TooLargeError),
    ],
)
def test_what_no_message_can_carry_is_refused(world: World, payload: Any, error: Any) -> None:
    with pytest.raises(error):
        world.producer.enqueue("report.month", payload, **NAMED)
    assert world.drain() == 0


@pytest.mark.parametrize("name", ["Report Month", "lanework.none", ""])
def test_a_name_that_no_type_can_have_is_refused(world: World, name: str) -> None:
    with pytest.raises(InvalidOptionError):
        world.producer.enqueue(name, {}, **NAMED)


def test_while_sqs_is_away_the_error_has_the_id_to_repeat_with(world: World) -> None:
    _, lanes = break_ports(world.producer)
    lanes.broken = {"send"}
    with pytest.raises(EnqueueError, match="not sent") as failed:
        world.producer.enqueue("report.month", {"month": "2026-11-01"}, **NAMED)
    mend_ports(world.producer)

    world.producer.enqueue("report.month", {"month": "2026-11-01"}, job_id=failed.value.job_id, **NAMED)
    world.drain()
    assert world.producer.get(failed.value.job_id).state is State.COMPLETED


def test_it_takes_the_queue_of_the_lane_that_is_said_else_medium(world: World) -> None:
    counts = world.producer.ports.lanes.counts
    world.producer.enqueue("report.month", {"month": "2026-11-01"}, **NAMED)
    world.producer.enqueue("report.month", {"month": "2026-11-01"}, lane="low", **NAMED)

    assert (counts(Lane.MEDIUM).waiting, counts(Lane.LOW).waiting) == (1, 1)
    world.drain()
    assert len(world.seen) == 2
