"""What a job's code returns to be run later is run, or the attempt fails; where that can be seen, it isn't declared."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from lanework import App, DeclarationError, InvalidOptionError, Jobs, LaneworkError, Middleware, Run, State
from lanework.engine.jobtypes.returned import NotRunError
from lanework.testing import a_run, app_in_memory, drain
from tests.support.fakes import break_ports
from tests.support.small_world import Greeting, World, put

BAT = Greeting(name="Bat")


def run_of(code: Callable[..., Any]) -> App:
    """Return an application whose job `job-1` of this code has had its only attempt."""
    family = Jobs(queue="tasks", attempts=1)
    job = family.job("task.one")(code)
    app = app_in_memory(App(family))
    job.enqueue(BAT, job_id="job-1")
    drain(app)
    return app


def timed(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(*args: Any) -> Any:
        return function(*args)

    return inner


def unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    def inner(payload: Greeting) -> Any:
        return function(payload)

    return inner


ran: list[str] = []


async def greet(payload: Greeting, *, word: str = "hello") -> str:
    await asyncio.sleep(0)
    ran.append(payload.name)
    return f"{word} {payload.name}"


class Greeter:
    async def __call__(self, payload: Greeting) -> str:
        return await greet(payload)

    async def greet(self, payload: Greeting) -> str:
        return await greet(payload)


class Later:
    def __init__(self, payload: Greeting) -> None:
        self.payload = payload

    def __await__(self) -> Generator[Any, None, str]:
        return greet(self.payload).__await__()


def later(payload: Greeting) -> Awaitable[str]:
    return Later(payload)


async def task_of(payload: Greeting) -> asyncio.Task[str]:
    return asyncio.ensure_future(greet(payload))


async def coroutine_of(payload: Greeting) -> Coroutine[Any, Any, str]:
    return greet(payload)


@pytest.mark.parametrize(
    "code",
    [
        greet,
        timed(greet),
        unwrapped(greet),
        functools.partial(greet, word="hello"),
        functools.partial(timed(greet)),
        Greeter(),
        Greeter().greet,
        later,
        task_of,
        coroutine_of,
    ],
)
def test_what_can_be_awaited_is(code: Callable[..., Any]) -> None:
    ran.clear()

    app = run_of(code)

    assert (app.get("job-1").state, app.get("job-1").result, ran) == (State.COMPLETED, '"hello Bat"', ["Bat"])


def test_what_a_synchronous_job_returns_to_be_awaited_has_the_jobs_time_its_middleware_and_its_context() -> None:
    seen: list[str] = []

    class Around(Middleware):
        @contextmanager
        def run(self, _: Run) -> Iterator[None]:
            seen.append("begins")
            yield
            seen.append("ends")

    async def long(_: Greeting) -> None:
        seen.append("runs")
        await asyncio.sleep(0)
        seen.append("ran")
        await asyncio.sleep(60)

    family = Jobs(queue="tasks", attempts=1, timeout=timedelta(milliseconds=150))
    job = family.job("task.long")(timed(long))
    app = app_in_memory(App(family, middleware=[Around()]))
    job.enqueue(BAT, job_id="job-1")
    drain(app)

    assert seen == ["begins", "runs", "ran"]
    assert str(app.get("job-1").error).startswith("TimedOut: took longer than")


def generator(_: Greeting) -> Iterator[int]:
    ran.append("generator")
    yield 1


async def asynchronous_generator(_: Greeting) -> AsyncIterator[int]:
    ran.append("generator")
    yield 1


class Yielding:
    def __call__(self, _: Greeting) -> Iterator[int]:
        yield 1


@pytest.mark.parametrize(
    "code",
    [
        generator,
        asynchronous_generator,
        Yielding(),
        functools.partial(generator),
        timed(generator),
        timed(timed(asynchronous_generator)),
        contextmanager(generator),
        asynccontextmanager(asynchronous_generator),
    ],
)
def test_a_job_with_a_yield_is_refused_where_it_is_declared(code: Callable[..., Any]) -> None:
    with pytest.raises(DeclarationError, match="has a `yield`: a call of it makes a generator and runs no code"):
        Jobs(queue="tasks").job("task.one")(code)


def unseen(payload: Greeting) -> object:
    return generator(payload)


def unseen_asynchronous(payload: Greeting) -> object:
    return asynchronous_generator(payload)


async def awaited_to_a_generator(payload: Greeting) -> object:
    return generator(payload)


def mapped(_: Greeting) -> object:
    return map(ran.append, ["mapped"])


def submitted(_: Greeting) -> object:
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(ran.append, "submitted")


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (unseen, "a generator"),
        (unseen_asynchronous, "an asynchronous generator"),
        (awaited_to_a_generator, "a generator"),
        (unwrapped(generator), "a generator"),
        (mapped, "an iterator that computes as it goes"),
        (submitted, "a future"),
    ],
)
def test_a_job_that_returns_code_which_has_not_run_fails_and_says_what_to_do(
    code: Callable[..., Any], what: str
) -> None:
    error = str(run_of(code).get("job-1").error)

    assert error.startswith(f"NotRunError: it returned {what}, so its code has not run: ")


def test_a_direct_call_tells_it_too() -> None:
    job = Jobs(queue="tasks").job("task.one")(unseen)

    with pytest.raises(NotRunError, match="it returned a generator"):
        job(BAT)


def test_a_direct_call_of_a_wrapped_async_job_is_awaited_by_its_caller() -> None:
    job: Any = Jobs(queue="tasks").job("task.one")(timed(greet))

    assert asyncio.run(job(BAT)) == "hello Bat"


@pytest.mark.parametrize("step", [lambda: greet(BAT), lambda: generator(BAT), lambda: asynchronous_generator(BAT)])
def test_a_step_that_returns_code_which_has_not_run_was_not_done(world: World, step: Callable[[], Any]) -> None:
    with pytest.raises(InvalidOptionError, match="step 'greet' was not done: it returned a"):
        a_run().once("greet", step)

    world.behave = lambda run: run.once("greet", step)
    world.execute(put(world))
    assert world.stored().state is State.RETRYING


def test_an_async_step_takes_what_is_awaited_and_what_is_not() -> None:
    async def run() -> tuple[Any, Any]:
        notes: Any = a_run()
        return await notes.once_async("one", lambda: greet(BAT)), await notes.once_async("two", lambda: 2)

    assert asyncio.run(run()) == ("hello Bat", 2)


@pytest.mark.parametrize("code", [timed(greet), later, unseen])
def test_a_job_that_is_run_by_its_caller_runs_or_says_that_it_did_not(code: Callable[..., Any]) -> None:
    family = Jobs(queue="tasks")
    job = family.job("task.one")(code)
    app = app_in_memory(App(family))
    ledger, lanes = break_ports(app)
    ledger.broken.add("put")
    lanes.broken.add("send")

    def enqueue() -> object:
        return job.enqueue(BAT, fallback="inline").result(timeout=timedelta(0))

    if code is unseen:
        with pytest.raises(NotRunError):
            enqueue()
    else:
        assert enqueue() == "hello Bat"


def test_middleware_that_is_no_context_fails_the_attempt_with_a_sentence() -> None:
    class Wrong(Middleware):
        async def run(self, run: Run) -> None:  # type: ignore[override]
            """Never run."""

    family = Jobs(queue="tasks", attempts=1)
    job = family.job("task.one")(unwrapped(greet))
    app = app_in_memory(App(family, middleware=[Wrong()]))
    job.enqueue(BAT, job_id="job-1")
    drain(app)

    assert str(app.get("job-1").error).startswith("LaneworkError: Wrong.run returned coroutine: it must return a con")


def test_middleware_whose_enqueue_is_asynchronous_is_refused() -> None:
    class Wrong(Middleware):
        async def enqueue(self, requests: Any, proceed: Any) -> Any:  # type: ignore[override]
            return proceed(requests)

    family = Jobs(queue="tasks")
    job = family.job("task.one")(unwrapped(greet))
    app_in_memory(App(family, middleware=[Wrong()]))

    with pytest.raises(LaneworkError, match=r"Wrong\.enqueue returned coroutine"):
        job.enqueue(BAT)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_job_that_is_run_by_its_caller_does_not_end_the_callers_process(*, is_async: bool) -> None:
    family = Jobs(queue="tasks")

    def leave(_: Greeting) -> None:
        sys.exit(3)

    async def leave_later(_: Greeting) -> None:
        async def inner() -> None:
            sys.exit(3)

        await asyncio.gather(inner())

    job: Any = family.job("task.one")(leave_later if is_async else leave)
    app = app_in_memory(App(family))
    ledger, lanes = break_ports(app)
    ledger.broken.add("put")
    lanes.broken.add("send")

    with pytest.raises(RuntimeError, match=r"it called sys\.exit\(3\)"):
        job.enqueue(BAT, fallback="inline")
