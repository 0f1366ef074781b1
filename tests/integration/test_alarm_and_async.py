"""What the edge adds to the engine: a timeout that really stops code, and async jobs of a batch side by side."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from datetime import timedelta

import pytest

from lanework import App, Jobs, State, TimedOut
from lanework.edges.alarm import alarm
from lanework.edges.worker import worker
from lanework.engine.ports.code_runner import REPEAT_S
from lanework.model.lanes import Lane
from tests.support.worker_edge import Edge, LambdaContext, Number

SHORT = timedelta(milliseconds=50)


def spin(until: float) -> None:
    while time.monotonic() < until:
        pass


def test_code_that_takes_too_long_is_interrupted_and_the_alarm_is_off_afterwards() -> None:
    before = signal.getsignal(signal.SIGALRM)

    with pytest.raises(TimedOut, match=r"took longer than 0.05 s"), alarm(SHORT):
        spin(time.monotonic() + 5)

    assert (signal.getitimer(signal.ITIMER_REAL), signal.getsignal(signal.SIGALRM)) == ((0.0, 0.0), before)


def test_code_that_swallows_the_interruption_is_interrupted_again() -> None:
    interruptions = []

    def stubborn() -> None:
        while True:
            try:
                spin(time.monotonic() + 5)
            except BaseException as error:  # what the worst job does
                interruptions.append(error)
                if len(interruptions) == 2:
                    raise

    with pytest.raises(TimedOut), alarm(SHORT):
        stubborn()

    assert len(interruptions) == 2
    assert REPEAT_S < 1


def test_code_that_is_quick_enough_notices_nothing() -> None:
    with alarm(timedelta(seconds=5)):
        result = sum(range(10))

    assert (result, signal.getitimer(signal.ITIMER_REAL)) == (45, (0.0, 0.0))


def test_outside_of_the_main_thread_there_is_no_alarm() -> None:
    seen: list[object] = []

    def body() -> None:
        with alarm(SHORT):
            seen.append(signal.getitimer(signal.ITIMER_REAL))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()

    assert seen == [(0.0, 0.0)]


def test_a_job_over_its_time_is_stopped_though_it_swallows_exceptions_and_its_outcome_is_written(edge: Edge) -> None:
    family = Jobs(queue="slow", lane="high")
    swallowed: list[str] = []

    @family.job("slow.spin", timeout=timedelta(milliseconds=200), attempts=1)
    def spin_on(_: Number) -> None:
        while True:
            try:
                spin(time.monotonic() + 5)
            except Exception as error:  # noqa: BLE001 - what a careless job does
                swallowed.append(str(error))

    app = App(family)
    app.use(edge.app.ports)
    edge.handler = worker(app)
    spin_on.enqueue(Number(n=1), job_id="job-1")

    assert edge.deliver() == []

    job = app.get("job-1")
    assert (job.state, job.error, swallowed) == (State.DEAD, "TimedOut: took longer than 0.2 s", [])
    assert len(edge.receive(Lane.HIGH, "-dlq")) == 1


def test_async_jobs_of_a_batch_run_side_by_side(edge: Edge) -> None:
    family = Jobs(queue="meetings", lane="high")
    arrived: list[int] = []
    everybody = 8
    all_are_here = asyncio.Event()

    @family.job("meeting.wait", timeout=timedelta(seconds=10))
    async def meet(number: Number) -> int:
        """End only once all others have begun."""
        arrived.append(number.n)
        if len(arrived) == everybody:
            all_are_here.set()
        await all_are_here.wait()
        return number.n

    @family.job("meeting.sync")
    def alone(number: Number) -> int:
        return number.n

    app = App(family)
    app.use(edge.app.ports)
    handler = worker(app)
    app.enqueue_many([meet.request(Number(n=n), job_id=f"job-{n}") for n in range(everybody)])
    alone.enqueue(Number(n=99), job_id="alone")
    messages = edge.receive(Lane.HIGH)
    assert len(messages) == everybody + 1

    assert handler(edge.event(Lane.HIGH, messages), LambdaContext()) == {"batchItemFailures": []}  # type: ignore[arg-type]

    assert [State.COMPLETED] * (everybody + 1) == [
        app.get(job_id).state for job_id in ("alone", *(f"job-{n}" for n in range(everybody)))
    ]


def test_one_async_job_that_fails_does_not_harm_the_others(edge: Edge) -> None:
    family = Jobs(queue="meetings", lane="high")

    @family.job("meeting.fails")
    async def fails(number: Number) -> int:
        await asyncio.sleep(0)
        return 10 // number.n

    app = App(family)
    app.use(edge.app.ports)
    handler = worker(app)
    app.enqueue_many([fails.request(Number(n=n), job_id=f"job-{n}") for n in (0, 1, 2)])
    messages = edge.receive(Lane.HIGH)

    answer = handler(edge.event(Lane.HIGH, messages), LambdaContext())  # type: ignore[arg-type]

    assert len(answer["batchItemFailures"]) == 1
    assert [State.RETRYING, State.COMPLETED, State.COMPLETED] == [app.get(f"job-{n}").state for n in (0, 1, 2)]


class FromALibraryError(BaseException):
    """As trio's `Cancelled`, or pytest's outcomes."""


def test_whatever_an_async_job_does_to_the_event_loop_its_neighbours_in_the_batch_complete(edge: Edge) -> None:
    family = Jobs(queue="meetings", lane="high", attempts=1)
    everybody = asyncio.Event()

    async def leave() -> None:
        sys.exit(4)

    @family.job("meeting.leave")
    async def leaves(_: Number) -> None:
        try:
            await asyncio.gather(leave())
        finally:
            asyncio.get_running_loop().stop()
            everybody.set()

    @family.job("meeting.library")
    async def breaks(_: Number) -> None:
        await everybody.wait()
        raise FromALibraryError

    @family.job("meeting.stay")
    async def stays(number: Number) -> int:
        await everybody.wait()
        await asyncio.sleep(0.01)
        return number.n

    @family.job("meeting.after")
    def after(_: Number) -> None:
        raise FromALibraryError

    app = App(family)
    app.use(edge.app.ports)
    handler = worker(app)
    app.enqueue_many(one.request(Number(n=1), job_id=one.name) for one in (stays, leaves, breaks, after))
    stays.enqueue(Number(n=2), job_id="another")
    messages = edge.receive(Lane.HIGH)
    assert len(messages) == 5

    answer = handler(edge.event(Lane.HIGH, messages), LambdaContext())  # type: ignore[arg-type]

    assert answer == {"batchItemFailures": []}
    assert [app.get(one).state for one in ("meeting.stay", "another")] == [State.COMPLETED] * 2
    assert {one: app.get(one).error for one in ("meeting.leave", "meeting.library", "meeting.after")} == {
        "meeting.leave": "RuntimeError: it called sys.exit(4)",
        "meeting.library": "FromALibraryError: ",
        "meeting.after": "FromALibraryError: ",
    }


def test_a_sync_job_that_leaves_no_event_loop_behind_harms_no_async_job_after_it(edge: Edge) -> None:
    family = Jobs(queue="meetings", lane="high", attempts=1)

    async def nothing() -> None:
        """Do nothing."""

    @family.job("meeting.own")
    def own(_: Number) -> None:
        asyncio.run(nothing())

    @family.job("meeting.stay")
    async def stays(number: Number) -> int:
        await asyncio.sleep(0)
        return number.n

    app = App(family)
    app.use(edge.app.ports)
    handler = worker(app)
    for number, one in enumerate((own, stays, own, stays)):
        one.enqueue(Number(n=1), job_id=f"job-{number}")
        handler(edge.event(Lane.HIGH, edge.receive(Lane.HIGH)), LambdaContext())  # type: ignore[arg-type]

    assert [app.get(f"job-{number}").state for number in range(4)] == [State.COMPLETED] * 4
