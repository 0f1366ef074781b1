"""Every public call that waits for AWS has a twin for asyncio code, and the twin runs beside the event loop."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from lanework import App, Job, JobFailedError, Jobs, Receipt, Run, State
from lanework.async_calls import MOST_THREADS, beside_the_loop
from lanework.engine.queries.jobs import Inspector
from lanework.engine.schedules.service import Schedules
from lanework.engine.workflows.service import Workflows
from lanework.testing import Clock, app_in_memory, drain
from tests.support.forking import in_forks

WAIT_FOR_NOTHING: dict[type, set[str]] = {
    App: {"discover", "on_event", "request", "use"},
    Job: {"link", "request"},
    Receipt: set(),
    Workflows: {"found", "records_of"},  # for Lanework's own queries
    Schedules: set(),
    Inspector: set(),
    Run: {"log"},  # written when the attempt ends
}
"""What an application calls, and which methods of it have no twin."""


def methods_of(owner: type) -> dict[str, Callable[..., Any]]:
    """Return the public methods of a class, inherited ones included."""
    members = inspect.getmembers_static(owner)
    return {name: getattr(owner, name) for name, one in members if not name.startswith("_") and is_method(one)}


def is_method(member: object) -> bool:
    return inspect.isfunction(member) or isinstance(member, classmethod)


@pytest.mark.parametrize("owner", WAIT_FOR_NOTHING)
def test_each_call_that_waits_has_a_twin_of_the_same_parameters(owner: type) -> None:
    methods = methods_of(owner)
    calls = {name for name in methods if not name.endswith("_async")}

    assert {f"{name}_async" for name in calls - WAIT_FOR_NOTHING[owner]} == methods.keys() - calls
    for name in calls - WAIT_FOR_NOTHING[owner]:
        twin = methods[f"{name}_async"]
        assert inspect.iscoroutinefunction(twin) or inspect.isasyncgenfunction(twin)
        assert list(inspect.signature(twin).parameters) == list(inspect.signature(methods[name]).parameters)
        assert (twin.__name__, twin.__doc__) > ("", "")


class Number(BaseModel):
    """Payload of the application's jobs."""

    n: int


numbers = Jobs(queue="numbers")


@numbers.job("number.square")
def square(number: Number) -> int:
    return number.n**2


@numbers.job("number.fail", attempts=1)
def fail(number: Number) -> int:
    raise LookupError(number.n)


@pytest.fixture(name="app")
def an_app() -> App:
    app = App(numbers)
    app_in_memory(app, Clock())
    return app


def test_an_async_application_enqueues_reads_cancels_and_waits_for_results(app: App) -> None:
    async def application() -> None:
        one = await square.enqueue_async(Number(n=3), job_id="one")
        await app.enqueue_async("number.square", {"n": 4}, job_id="two")
        many = await app.enqueue_many_async([square.request(Number(n=n)) for n in range(3)])
        await app.cancel_async("two")
        await app.workflows.enqueue_async(batch_of([5, 6]), workflow_id="both")
        died = await fail.enqueue_async(Number(n=7))
        await beside_the_loop(drain, app)

        assert 9 == await one.result_async(timeout=timedelta(0))
        assert [0, 1, 4] == await asyncio.gather(*(job.result_async(timeout=timedelta(0)) for job in many))
        assert (await app.get_async("two")).state is State.CANCELLED
        assert 2 == (await app.workflows.get_async("both")).counts.completed
        assert [25, 36] == [job.result async for job in app.workflows.results_async("both")]
        with pytest.raises(JobFailedError):
            await died.result_async(timeout=timedelta(0))

    asyncio.run(application())


def batch_of(ns: list[int]) -> Any:
    from lanework import batch  # noqa: PLC0415 - loaded at first use, as its users do

    return batch([square.request(Number(n=n)) for n in ns])


def test_hundreds_of_waits_for_results_hold_no_thread_of_those_who_enqueue(app: App) -> None:
    async def application() -> int:
        slow = await square.enqueue_async(Number(n=1))
        waits = [asyncio.create_task(slow.result_async(timeout=timedelta(seconds=60))) for _ in range(300)]
        quick = await square.enqueue_async(Number(n=2))
        await beside_the_loop(drain, app)
        assert [1] * 300 == await asyncio.gather(*waits)
        return await quick.result_async(timeout=timedelta(0))

    assert 4 == asyncio.run(application())


_request_id: ContextVar[str] = ContextVar("request_id")


def test_a_call_has_the_context_variables_of_its_task() -> None:
    async def ask(name: str) -> str:
        _request_id.set(name)
        return await beside_the_loop(_request_id.get)

    async def application() -> list[str]:
        return await asyncio.gather(*(asyncio.create_task(ask(name)) for name in "abc"))

    assert list("abc") == asyncio.run(application())


@contextmanager
def all_threads_busy() -> Iterator[tuple[list[asyncio.Task[bool]], threading.Event]]:
    """Yield tasks that hold every thread until the event is set."""
    may_end = threading.Event()
    yield [asyncio.create_task(beside_the_loop(may_end.wait)) for _ in range(MOST_THREADS)], may_end


def test_a_call_that_waits_for_a_thread_is_not_made_once_its_task_is_cancelled() -> None:
    made: list[str] = []

    async def application() -> None:
        with all_threads_busy() as (busy, may_end):
            late = asyncio.create_task(beside_the_loop(made.append, "late"))
            await asyncio.sleep(0)
            late.cancel()
            with pytest.raises(asyncio.CancelledError):
                await late
            may_end.set()
            await asyncio.gather(*busy)
            await beside_the_loop(made.append, "later")

    asyncio.run(application())

    assert made == ["later"]


def test_a_call_that_has_begun_goes_on_after_its_loop_is_closed() -> None:
    may_end, ended = threading.Event(), threading.Event()

    def call(has_begun: Callable[[], object]) -> None:
        has_begun()
        may_end.wait(10)
        ended.set()

    async def application() -> None:
        loop, has_begun = asyncio.get_running_loop(), asyncio.Event()
        task = asyncio.create_task(beside_the_loop(call, lambda: loop.call_soon_threadsafe(has_begun.set)))
        await has_begun.wait()
        task.cancel()

    asyncio.run(application())
    may_end.set()

    assert ended.wait(10)


def test_all_loops_of_a_process_share_a_bounded_number_of_threads() -> None:
    at_once, most, lock = 0, 0, threading.Lock()

    def call() -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        threading.Event().wait(0.001)
        with lock:
            at_once -= 1

    async def application() -> None:
        await asyncio.gather(*(beside_the_loop(call) for _ in range(100)))

    loops = [threading.Thread(target=asyncio.run, args=(application(),)) for _ in range(3)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()

    assert 1 < most <= MOST_THREADS


def test_calls_that_run_a_loop_in_which_a_twin_is_awaited_do_not_wait_for_each_other() -> None:
    """An async job that runs inline, where AWS is away, may enqueue: in as many requests as there are threads."""

    all_run = threading.Barrier(MOST_THREADS)

    def run_inline(n: int) -> int:
        all_run.wait(10)
        return asyncio.run(asyncio.wait_for(beside_the_loop(lambda: n), 10))

    async def application() -> list[int]:
        return await asyncio.gather(*(beside_the_loop(run_inline, n) for n in range(MOST_THREADS)))

    assert list(range(MOST_THREADS)) == asyncio.run(application())


def test_a_forked_child_of_an_async_process_has_threads_of_its_own() -> None:
    async def application() -> list[str]:
        with all_threads_busy() as (busy, may_end):
            await asyncio.sleep(0)
            said = in_forks([lambda: asyncio.run(beside_the_loop(lambda: threading.current_thread().name))] * 2)
            may_end.set()
            await asyncio.gather(*busy)
            return said

    assert all(name.startswith("lanework") for name in asyncio.run(application()))
