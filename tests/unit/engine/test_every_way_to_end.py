"""Whatever a job's code does, its attempt ends in an outcome that is written, and its neighbours run as if alone."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, model_serializer

from lanework import App, Cause, Discard, Jobs, Middleware, RetryAfter, Run, Snooze, State, Suspended
from lanework.engine.ports.code_runner import in_a_loop_of_its_own
from lanework.model.job.error_text import fault_of
from lanework.model.retry.wait import asked_wait
from lanework.testing import NOON, Clock, EventList, app_in_memory, drain
from tests.support.small_world import Greeting, World, put, raises

BAT = Greeting(name="Bat")
SECOND = timedelta(seconds=1)


class FromALibraryError(BaseException):
    """As trio's `Cancelled`, or pytest's outcomes."""


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise FromALibraryError

    __repr__ = __str__


class EndlessError(Exception):
    def __str__(self) -> str:
        return "x" * 20_000_000


class LyingError(Exception):
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise FromALibraryError

    @property
    def response(self) -> Any:
        raise SystemExit(3)

    @property
    def __cause__(self) -> Any:  # type: ignore[override]
        raise FromALibraryError

    @property
    def __notes__(self) -> Any:  # type: ignore[override]
        raise FromALibraryError


def a_nameless_error() -> Exception:
    made: type[Exception] = type("no mailbox bat@example.com", (OSError,), {})
    return made("lost")


def with_notes_that_are_none() -> Exception:
    error = ValueError("lost")
    error.__notes__ = [b"\xff", 1, "\udcff", UnprintableError()]  # type: ignore[list-item]
    return error


def of_a_chain(length: int) -> Exception:
    error = ValueError("0")
    for number in range(1, length):
        after = ValueError(str(number))
        after.__cause__, error = error, after
    return error


def of_a_circle() -> Exception:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    return first


def deeply_grouped() -> BaseException:
    group: BaseException = SystemExit(4)
    for _ in range(5_000):
        group = BaseExceptionGroup("deep", [group])
    return group


def a_snooze_of(wait: object) -> Snooze:
    snooze = Snooze(SECOND)
    snooze.wait = wait  # type: ignore[assignment]
    return snooze


def a_late_retry(wait: object) -> RetryAfter:
    retry = RetryAfter(SECOND)
    retry.wait = wait  # type: ignore[assignment]
    return retry


RAISED: list[tuple[Callable[[], BaseException], str]] = [
    (lambda: FromALibraryError("gone"), "FromALibraryError: gone"),
    (GeneratorExit, "GeneratorExit: "),
    (lambda: KeyboardInterrupt("mine"), "KeyboardInterrupt: mine"),
    (lambda: SystemExit(4), "RuntimeError: it called sys.exit(4)"),
    (lambda: SystemExit(UnprintableError()), "RuntimeError: it called sys.exit('UnprintableError')"),
    (lambda: SystemExit(10**5_000), "SystemExit: (nothing more can be said of it)"),
    (lambda: StopIteration("over"), "StopIteration: over"),
    (lambda: StopAsyncIteration("over"), "StopAsyncIteration: over"),
    (RecursionError, "RecursionError: "),
    (MemoryError, "MemoryError: "),
    (UnprintableError, "UnprintableError: (its text can't be had: FromALibraryError)"),
    (EndlessError, "EndlessError: xxx"),
    (lambda: LyingError("lies"), "LyingError: lies"),
    (lambda: ValueError("\udcff\0\x1b[31m\uffff"), r"ValueError: \udcff\u0000\u001b[31m\uffff"),
    (a_nameless_error, "OSError: lost"),
    (with_notes_that_are_none, "ValueError: lost"),
    (lambda: of_a_chain(10_000), "ValueError: 9999\ncaused by ValueError: 9998"),
    (of_a_circle, "ValueError: first\ncaused by ValueError: second"),
    (deeply_grouped, "RuntimeError: it called sys.exit(4)"),
    (lambda: BaseExceptionGroup("both", [ValueError("lost"), KeyboardInterrupt()]), "BaseExceptionGroup: both"),
    (lambda: a_snooze_of(timedelta.max), "InvalidOptionError: Snooze needs a wait above zero"),
    (lambda: a_snooze_of("soon"), "InvalidOptionError: Snooze needs a wait above zero"),
    (lambda: a_late_retry(-SECOND), "InvalidOptionError: RetryAfter needs a wait above zero"),
    (lambda: a_late_retry(float("nan")), "InvalidOptionError: RetryAfter needs a wait above zero"),
    (lambda: Suspended(datetime(2026, 1, 2, 13)), "Suspended: "),  # noqa: DTZ001 - as a careless job has it
]


@pytest.mark.parametrize(("raised", "said"), RAISED)
def test_an_attempt_fails_whatever_it_raises_and_says_what_can_be_said(
    world: World, raised: Callable[[], BaseException], said: str
) -> None:
    world.behave = raises(raised())
    world.execute(put(world))

    assert world.stored().state is State.RETRYING
    assert str(world.stored().error).startswith(said)
    assert len(str(world.stored().error)) <= 500
    assert world.stored().attempts == 1


def while_handling(error: Exception, cause: BaseException | None, *, is_hidden: bool = False) -> Exception:
    handled: dict[str, str] = {}

    def fail() -> None:
        try:
            handled["handled"]
        except KeyError:
            if cause is not None or is_hidden:
                raise error from cause
            raise error  # noqa: B904 - what is handled is what is tested

    with pytest.raises(type(error)):
        fail()
    return error


def noted(text: str, *notes: str) -> ValueError:
    error = ValueError(text)
    for note in notes:
        error.add_note(note)
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (while_handling(ValueError("v"), None), "ValueError: v\nraised while handling KeyError: 'handled'"),
        (while_handling(ValueError("v"), OSError("o")), "ValueError: v\ncaused by OSError: o"),
        (while_handling(ValueError("v"), None, is_hidden=True), "ValueError: v"),
        (noted("v", "one", "two"), "ValueError: v\nnote: one\nnote: two"),
        (
            ExceptionGroup("all", [noted("1", "one"), ExceptionGroup("in", [OSError("2"), noted("3"), noted("4")])]),
            "ExceptionGroup: all (2 sub-exceptions)\n- ValueError: 1\n  note: one\n- OSError: 2\n- ValueError: 3",
        ),
    ],
)
def test_what_led_to_an_error_is_said(error: Exception, said: str) -> None:
    assert fault_of(error).said == said


@pytest.mark.parametrize(
    "error",
    [ValueError("x" * 1_000), noted("x" * 1_000, "one"), ExceptionGroup("x", [noted("y" * 900, "z" * 900)] * 3)],
)
def test_what_is_said_of_an_error_has_an_end(error: Exception) -> None:
    assert len(fault_of(error).said) <= 500


def test_what_goes_round_in_circles_is_said_once() -> None:
    assert fault_of(of_a_circle()).said == "ValueError: first\ncaused by ValueError: second"


def test_of_all_that_led_to_an_error_ten_lines_are_said() -> None:
    error: BaseException = ValueError("first")
    for number in range(5):
        group = ExceptionGroup(f"group {number}", [ValueError(str(one)) for one in range(3)])
        group.__cause__, error = error, group

    assert len(fault_of(error).trail) == 10


def test_an_exception_has_a_second_to_say_what_it_is(world: World) -> None:
    limits: list[timedelta] = []
    asked: list[timedelta] = []

    @contextmanager
    def limit(timeout: timedelta) -> Iterator[None]:
        limits.append(timeout)
        try:
            yield
        finally:
            limits.pop()

    class SlowError(Exception):
        def __str__(self) -> str:
            asked.extend(limits)
            return "slow"

    runner = replace(world.app.ports.code_runner, limit=limit)
    world.app.use(replace(world.app.ports, code_runner=runner))
    world.behave = raises(SlowError())
    world.execute(put(world))

    assert set(asked) == {SECOND}
    assert world.stored().error == "SlowError: slow"


@pytest.mark.parametrize(("raised", "said"), RAISED)
def test_the_last_attempt_of_an_async_job_is_death_whatever_it_raises(
    raised: Callable[[], BaseException], said: str
) -> None:
    family = Jobs(queue="tasks", attempts=1)

    @family.job("task.raise")
    async def fail(_: Greeting) -> None:
        await asyncio.sleep(0)
        raise raised()

    app = app_in_memory(App(family))
    fail.enqueue(BAT, job_id="job-1")
    drain(app)

    found = app.get("job-1")
    assert (found.state, found.cause) == (State.DEAD, Cause.EXHAUSTED)
    if "Stop" not in said:  # which a coroutine turns into a RuntimeError
        assert str(found.error).startswith(said)


@pytest.mark.parametrize(
    "value",
    ["9" * 5_000, "-5", "nan", "inf", "1e400", "0x10", "9" * 18, "\udcff", "Fri, 99 Foo 99999 99:99:99", "", " "],
)
def test_whatever_a_remote_asks_for_the_job_is_tried_again(world: World, value: str) -> None:
    error = OSError("429 Too Many Requests")
    error.status = 429  # type: ignore[attr-defined]
    error.headers = {"Retry-After": value}  # type: ignore[attr-defined]
    world.behave = raises(error)
    world.execute(put(world))

    assert world.stored().state is State.RETRYING


def test_a_wait_of_more_digits_than_python_reads_is_the_longest() -> None:
    error = OSError("429 Too Many Requests")
    error.status, error.headers = 429, {"Retry-After": "9" * 5_000}  # type: ignore[attr-defined]

    assert asked_wait(error, now=NOON) == timedelta(days=366)


class _Evil(BaseModel):
    @model_serializer
    def write(self) -> str:
        raise FromALibraryError


def _deep() -> list[Any]:
    result: list[Any] = []
    for _ in range(20_000):
        result = [result]
    return result


def _circle() -> list[Any]:
    result: list[Any] = []
    result.append(result)
    return result


@pytest.mark.parametrize("result", [_Evil(), _deep(), _circle(), "\udcff", {"\udcff": 1}, {1j: object()}])
def test_a_result_that_can_not_be_written_does_not_undo_what_was_done(world: World, result: object) -> None:
    world.behave = lambda _: result
    world.execute(put(world))

    assert (world.stored().state, world.stored().result) == (State.COMPLETED, None)
    assert str(world.stored().result_omitted).startswith("not JSON: ")


@pytest.mark.parametrize(
    "behave",
    [
        lambda run: run.log("\udcff\0"),
        lambda run: run.log(None),
        lambda run: run.progress(50.7, "\udcff\uffff"),
        lambda run: run.log("x" * 10_000_000),
    ],
)
def test_what_a_job_says_of_itself_is_kept_legible(world: World, behave: Callable[[Run], None]) -> None:
    world.behave = behave
    world.execute(put(world))

    assert world.stored().state is State.COMPLETED
    assert "\udcff" not in "".join(world.app.inspector.log("job-1")) + str(world.stored().progress_note)


@pytest.mark.parametrize(
    "behave",
    [
        lambda run: run.progress(float("nan")),
        lambda run: run.progress("half"),
        lambda run: run.progress(50, 7),
        lambda run: run.log(UnprintableError()),
        lambda run: run.once("\udcff", lambda: 1),
        lambda run: run.once("step", lambda: "\udcff"),
        lambda run: run.once("step", _Evil),
        lambda run: run.wait(timedelta.max),
        lambda run: run.wait_for("\udcff", timeout=SECOND),
        lambda _: sys.setrecursionlimit(-1),
    ],
)
def test_what_can_not_be_kept_fails_the_attempt(world: World, behave: Callable[[Run], None]) -> None:
    world.behave = behave
    world.execute(put(world))

    assert world.stored().state is State.RETRYING


def test_a_reason_that_can_not_be_printed_is_a_reason(world: World) -> None:
    world.behave = raises(Discard(UnprintableError()))  # type: ignore[arg-type]
    world.execute(put(world))

    assert (world.stored().state, world.stored().error_type) == (State.DEAD, "Discard")


def _by_a_task(c: Callable[[], Any]) -> Any:
    async def run() -> None:
        await asyncio.gather(c())

    return run()


def _by_a_forgotten_task(c: Callable[[], Any]) -> Any:
    async def run() -> None:
        left = asyncio.ensure_future(c())
        await asyncio.wait({left})
        with suppress(BaseException):
            left.exception()

    return run()


def _by_a_task_group(c: Callable[[], Any]) -> Any:
    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(c())

    return run()


def _by_a_callback(c: Callable[[], Any]) -> Any:
    async def run() -> None:
        def call() -> None:
            with suppress(StopIteration):
                c().send(None)

        asyncio.get_running_loop().call_soon(call)
        await asyncio.sleep(0.01)

    return run()


def _by_a_thread(c: Callable[[], Any]) -> Any:
    async def run() -> None:
        def call() -> None:
            with suppress(StopIteration):
                c().send(None)

        await asyncio.get_running_loop().run_in_executor(None, call)

    return run()


def _by_stopping(_: Callable[[], Any]) -> Any:
    async def run() -> None:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0)

    return run()


def _by_cancelling_all(_: Callable[[], Any]) -> Any:
    async def run() -> None:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    return run()


WAYS = [
    _by_a_task,
    _by_a_forgotten_task,
    _by_a_task_group,
    _by_a_callback,
    _by_a_thread,
    _by_stopping,
    _by_cancelling_all,
]

MEETS_IT = (_by_a_task, _by_a_task_group, _by_a_thread)
"""The ways in which the job itself awaits what stops the loop; beside it, it goes on."""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, FromALibraryError, GeneratorExit])
def test_an_async_job_ends_however_its_event_loop_is_stopped(
    way: Callable[[Callable[[], Any]], Any], kind: type[BaseException]
) -> None:
    family = Jobs(queue="tasks", attempts=1)

    async def c() -> None:
        raise kind(4)

    @family.job("task.stop")
    async def stop(_: Greeting) -> None:
        await way(c)

    @family.job("task.next")
    async def follow(_: Greeting) -> str:
        await asyncio.sleep(0)
        return "well"

    app = app_in_memory(App(family))
    stop.enqueue(BAT, job_id="job-1")
    follow.enqueue(BAT, job_id="job-2")
    drain(app)

    ends = State.DEAD if way in MEETS_IT else State.COMPLETED
    assert (app.get("job-1").state, app.get("job-1").attempts, app.get("job-2").result) == (ends, 1, '"well"')


def test_a_job_that_awaits_what_was_cancelled_has_not_timed_out() -> None:
    family = Jobs(queue="tasks", attempts=1)

    @family.job("task.await")
    async def wait(_: Greeting) -> None:
        task = asyncio.ensure_future(asyncio.sleep(60))
        task.cancel()
        await task

    app = app_in_memory(App(family))
    wait.enqueue(BAT, job_id="job-1")
    drain(app)

    assert app.get("job-1").error == "RuntimeError: it awaited a task that was cancelled"


def test_what_a_coroutine_leaves_behind_does_not_outlast_it() -> None:
    seen: list[str] = []

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

    async def run() -> str:
        left = asyncio.ensure_future(stubborn())
        await asyncio.sleep(0)
        return str(left.done())

    assert (in_a_loop_of_its_own(run()), seen) == ("False", ["cancelled"])


def test_an_async_job_that_swallows_its_cancellation_is_stopped_again_and_again() -> None:
    family = Jobs(queue="tasks", attempts=1)
    swallowed: list[BaseException] = []

    @family.job("task.stubborn", timeout=timedelta(milliseconds=120))
    async def stubborn(_: Greeting) -> None:
        while len(swallowed) < 3:
            try:
                await asyncio.sleep(60)
            except BaseException as error:  # noqa: BLE001 - what the worst job does
                swallowed.append(error)
        await asyncio.sleep(60)

    app = app_in_memory(App(family))
    stubborn.enqueue(BAT, job_id="job-1")
    drain(app)

    assert len(swallowed) == 3
    assert app.get("job-1").error == "TimedOut: took longer than 0.12 s"


_here: contextvars.ContextVar[str] = contextvars.ContextVar("here", default="")


def test_what_a_job_puts_into_its_context_is_not_in_the_next_ones(world: World) -> None:
    seen: list[str] = []

    def behave(run: Run) -> None:
        seen.append(_here.get())
        _here.set(run.job_id)

    world.behave = behave
    world.execute(put(world))
    world.execute(put(world, job_id="job-2"))

    assert seen == ["", ""]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, FromALibraryError, GeneratorExit, UnprintableError])
@pytest.mark.parametrize("where", ["made", "entered", "left"])
def test_middleware_that_raises_fails_the_attempt(kind: type[BaseException], where: str) -> None:
    class Raising(Middleware):
        def run(self, run: Run) -> Any:
            if where == "made":
                raise kind
            return self._around(run)

        @contextmanager
        def _around(self, _: Run) -> Iterator[None]:
            if where == "entered":
                raise kind
            yield
            raise kind

    family = Jobs(queue="tasks", attempts=1)

    @family.job("task.one")
    def one(_: Greeting) -> None:
        """Do nothing."""

    app = app_in_memory(App(family, middleware=[Raising()]))
    one.enqueue(BAT, job_id="job-1")
    drain(app)

    assert app.get("job-1").state is State.DEAD


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, FromALibraryError, GeneratorExit, UnprintableError])
def test_a_hook_that_raises_stops_neither_the_job_nor_the_hooks_after_it(kind: type[BaseException]) -> None:
    family = Jobs(queue="tasks", attempts=1)
    heard: list[str] = []

    @family.job("task.one")
    def one(_: Greeting) -> None:
        """Do nothing."""

    app = App(family)

    @app.on_event
    def break_down(_: object) -> None:
        raise kind

    app.on_event(lambda event: heard.append(event.action.value))
    app_in_memory(app, Clock(), events=EventList())
    one.enqueue(BAT, job_id="job-1")
    drain(app)

    assert app.get("job-1").state is State.COMPLETED
    assert heard == ["job.enqueued", "job.started", "job.completed"]


def test_a_sink_that_raises_stops_neither_the_job_nor_the_sinks_beside_it() -> None:
    class Broken:
        def emit(self, _: object) -> None:
            raise FromALibraryError

        def flush(self) -> None:
            raise SystemExit(3)

    family = Jobs(queue="tasks", attempts=1)

    @family.job("task.one")
    def one(_: Greeting) -> None:
        """Do nothing."""

    app, beside = app_in_memory(App(family)), EventList()
    app.runtime.observe(Broken(), beside)
    one.enqueue(BAT, job_id="job-1")
    drain(app)
    app.ports.events.flush()

    assert app.get("job-1").state is State.COMPLETED
    assert beside.actions == ["job.enqueued", "job.started", "job.completed"]
