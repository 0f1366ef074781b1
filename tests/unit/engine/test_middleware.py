"""Code around every enqueue and every run, and what goes along with a job by it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from lanework import App, InvalidOptionError, Jobs, LaneworkError, Middleware, Run, Snooze, State, TimedOut
from lanework.engine.execution.attempt import in_order
from lanework.engine.jobtypes.request import request_of
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.messaging.delivery import Delivery
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.observe.logs import fields_of
from lanework.testing import Clock, EventList, app_in_memory, drain
from tests.support.fakes import break_ports, mend_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lanework import Receipt, Request
    from lanework.engine.jobtypes.middleware import Proceed

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Order(BaseModel):
    """Payload of the application's jobs."""

    number: int = 1


class Telling(Middleware):
    """Says when it is entered and left, and gives jobs its name along."""

    def __init__(self, name: str, told: list[str]) -> None:
        self.name, self.told = name, told

    def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[object]]:
        self.told.append(f"{self.name} enqueues {len(requests)}")
        return proceed([one.with_headers({self.name: "was here"}) for one in requests])

    @contextmanager
    def run(self, run: Run) -> Iterator[None]:
        self.told.append(f"{self.name} enters {run.job_type} of {run.queue} in {run.lane}")
        try:
            yield
        except BaseException as error:
            self.told.append(f"{self.name} sees {type(error).__name__}")
            raise
        self.told.append(f"{self.name} leaves")


class Swallowing(Middleware):
    """Does what it may not."""

    @contextmanager
    def run(self, _run: Run) -> Iterator[None]:
        with suppress(BaseException):
            yield


def nothing(_: Run) -> None:
    """Do as little as a job can."""


def an_app(
    body: Callable[[Run], object], *middleware: Middleware, is_async: bool = False, clock: Clock | None = None
) -> tuple[App, EventList]:
    family = Jobs(queue="orders", lane="high", attempts=2)
    if is_async:

        @family.job("order.ship")
        async def ship_soon(_: Order, run: Run) -> object:
            return body(run)

    else:

        @family.job("order.ship")
        def ship(_: Order, run: Run) -> object:
            return body(run)

    @family.job("order.invoice")
    def invoice(order: Order) -> None: ...

    events = EventList()
    return app_in_memory(App(family, middleware=middleware), clock, events=events), events


@pytest.mark.parametrize("is_async", [False, True])
def test_the_first_listed_is_outermost_around_enqueue_and_run(is_async: bool) -> None:
    told: list[str] = []
    app, _ = an_app(lambda _: told.append("the job"), Telling("a", told), Telling("b", told), is_async=is_async)

    app.enqueue("order.ship", {})
    drain(app)

    assert told == [
        "a enqueues 1",
        "b enqueues 1",
        "a enters order.ship of orders in high",
        "b enters order.ship of orders in high",
        "the job",
        "b leaves",
        "a leaves",
    ]


def test_many_jobs_pass_through_it_together() -> None:
    told: list[str] = []
    app, _ = an_app(nothing, Telling("a", told))
    job = app.registry.get("order.ship")

    receipts = app.enqueue_many([request_of(job, {"number": n}, {}) for n in range(3)])

    assert told == ["a enqueues 3"]
    assert {app.get(one.job_id).headers for one in receipts} == {(("a", "was here"),)}


@pytest.mark.parametrize("error", [OSError("away"), TimedOut.__new__(TimedOut)])
@pytest.mark.parametrize("is_async", [False, True])
def test_it_sees_what_the_code_raises_and_can_not_make_it_go_away(error: BaseException, is_async: bool) -> None:
    told: list[str] = []

    def fail(_: Run) -> None:
        raise error

    app, _ = an_app(fail, Telling("a", told), Swallowing(), is_async=is_async)
    app.enqueue("order.ship", {}, job_id="ship-1")

    drain(app)

    assert told[-1] == f"a sees {type(error).__name__}"
    assert app.get("ship-1").state is State.RETRYING


def test_a_snooze_passes_through_it() -> None:
    def later(_: Run) -> None:
        raise Snooze(timedelta(hours=1))

    app, _ = an_app(later, Swallowing())
    app.enqueue("order.ship", {}, job_id="ship-1")

    drain(app)

    assert app.get("ship-1").state is State.PARKED


def test_what_it_raises_on_entering_fails_the_attempt_and_the_code_does_not_run() -> None:
    ran: list[str] = []

    class Broken(Middleware):
        def run(self, run: Run) -> object:  # type: ignore[override]
            raise OSError(run.job_id)

    app, _ = an_app(lambda run: ran.append(run.job_id), Broken(), is_async=True)
    app.enqueue("order.ship", {}, job_id="ship-1")

    drain(app)

    assert (app.get("ship-1").error, ran) == ("OSError: ship-1", [])


def test_it_may_refuse_to_enqueue() -> None:
    class Closed(Middleware):
        def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[object]]:
            raise PermissionError(len(requests), proceed)

    app, _ = an_app(nothing, Closed())

    with pytest.raises(PermissionError):
        app.enqueue("order.ship", {})


def test_middleware_that_forgets_to_return_the_receipts_is_named() -> None:
    class Forgetful(Middleware):
        def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[object]]:  # type: ignore[return]
            proceed(requests)

    app, _ = an_app(nothing, Forgetful())

    with pytest.raises(LaneworkError, match="enqueue returned NoneType"):
        app.enqueue("order.ship", {})


def test_middleware_that_loses_a_job_is_told_so() -> None:
    class Losing(Middleware):
        def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[object]]:
            return proceed(requests)[1:]

    app, _ = an_app(nothing, Losing())

    with pytest.raises(LaneworkError, match="0 receipts for 1 jobs"):
        app.enqueue("order.ship", {})


def test_headers_go_from_the_producer_to_the_job_and_on_to_the_jobs_that_it_enqueues() -> None:
    seen: list[dict[str, str]] = []

    class Tracing(Middleware):
        def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[object]]:
            return proceed([one if one.headers else one.with_headers({"traceparent": TRACE}) for one in requests])

    def ship(run: Run) -> None:
        seen.append(dict(run.headers))
        app.enqueue("order.invoice", {}, job_id="invoice-1")

    app, _ = an_app(ship, Tracing())
    app.enqueue("order.ship", {}, job_id="ship-1")
    drain(app)

    assert seen == [{"traceparent": TRACE}]
    assert dict(app.get("invoice-1").headers) == {"traceparent": TRACE, "correlation-id": "ship-1"}


@pytest.mark.parametrize("is_async", [False, True])
def test_a_correlation_id_is_in_log_lines_and_goes_down_the_line(is_async: bool) -> None:
    def ship(run: Run) -> None:
        app.enqueue("order.invoice", {}, job_id=f"{run.job_id}.invoice")

    app, events = an_app(ship, is_async=is_async)
    app.enqueue("order.ship", {}, job_id="ship-1", correlation_id="request-7")
    drain(app)

    lines = [fields_of(event) for event in events.events]
    assert {line["job_id"] for line in lines} == {"ship-1", "ship-1.invoice"}
    assert {line["correlation_id"] for line in lines} == {"request-7"}


def test_a_job_outside_of_any_line_says_nothing_and_its_children_name_it() -> None:
    app, events = an_app(lambda _: app.enqueue("order.invoice", {}, job_id="invoice-1"))
    app.enqueue("order.ship", {}, job_id="ship-1")
    drain(app)
    app.enqueue("order.invoice", {}, job_id="invoice-2")

    said = {event.job_id: event.correlation_id for event in events.events}
    assert said == {"ship-1": None, "invoice-1": "ship-1", "invoice-2": None}


def test_headers_that_do_not_fit_are_left_behind_and_the_correlation_id_is_not() -> None:
    class Baggage(Middleware):
        def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[object]]:
            return proceed([one if one.headers else one.with_headers({"baggage": "x" * 1017}) for one in requests])

    app, _ = an_app(lambda _: app.enqueue("order.invoice", {}, job_id="invoice-1"), Baggage())
    app.enqueue("order.ship", {}, job_id="ship-1")
    drain(app)

    assert app.get("invoice-1").headers == (("correlation-id", "ship-1"),)


def test_headers_survive_the_sweep_and_a_redrive() -> None:
    seen: list[str] = []

    def ship(run: Run) -> None:
        seen.append(run.correlation_id)
        raise OSError

    app, _ = an_app(ship)
    _, lanes = break_ports(app)
    lanes.broken.add("send")
    app.enqueue("order.ship", {}, job_id="ship-1", correlation_id="request-7", attempts=1)
    mend_ports(app)
    Sweeper(app.ports).tick()
    drain(app)
    app.dead_letters.redrive_job("ship-1")
    drain(app)

    assert seen == ["request-7", "request-7"]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Trace Parent": "x"}, "header 'Trace Parent' can't be used"),
        ({"traceparent": ""}, "the value of header 'traceparent'"),
        ({"traceparent": "a\nb"}, "the value of header 'traceparent'"),
        ({"baggage": "x" * 1018}, "1,025 bytes together, over the limit of 1,024"),
    ],
)
def test_headers_that_can_not_be_used_are_refused_before_anything_is_recorded(
    headers: dict[str, str], said: str
) -> None:
    class Adding(Middleware):
        def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[object]]:
            return proceed([one.with_headers(headers) for one in requests])

    class Replacing(Middleware):
        def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[object]]:
            return proceed([replace(one, headers=tuple(headers.items())) for one in requests])

    for one in (Adding(), Replacing()):
        app, _ = an_app(nothing, one)
        with pytest.raises(InvalidOptionError, match=said):
            app.enqueue("order.ship", {}, job_id="ship-1")
        assert app.ports.ledger.get("ship-1") is None


def test_jobs_that_run_side_by_side_in_one_loop_keep_their_lines_apart() -> None:
    """As the worker function runs the async jobs of a batch."""
    family = Jobs(queue="orders", lane="high")
    met = asyncio.Barrier(2)

    @family.job("order.ship")
    async def ship(_: Order, run: Run) -> None:
        await met.wait()
        app.enqueue("order.invoice", {}, job_id=f"{run.job_id}.invoice")

    @family.job("order.invoice")
    def invoice(_: Order) -> None: ...

    app = app_in_memory(App(family))
    for number in (1, 2):
        ship.enqueue(Order(), job_id=f"ship-{number}", correlation_id=f"request-{number}")
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    executor = app.runtime.executor(
        in_order, run_async=lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result()
    )

    def execute(job_id: str) -> None:
        message = Envelope.of(app.get(job_id), "{}").encode()
        executor.execute(Delivery(body=message, lane=Lane.HIGH, time_left=timedelta(seconds=30)))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(execute, ["ship-1", "ship-2"]))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()

    lines = {number: dict(app.get(f"ship-{number}.invoice").headers) for number in (1, 2)}
    assert lines == {number: {"correlation-id": f"request-{number}"} for number in (1, 2)}
