"""How a job's code is run in this process: its time limit, its event loop, what is renewed after a cut."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from opcode import opmap
from typing import TYPE_CHECKING, Any, Final

from lanework.model.job.job_exceptions import TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import timedelta

REPEAT_S: Final = 0.25
"""Code that catches the interruption, or a library that swallows it, is interrupted again after this long."""

_LEFT_OVER_S: Final = 1.0
"""How long what a coroutine has left behind in a loop of its own may take to end, once it was cancelled."""

_RAISE: Final = opmap["RAISE_VARARGS"]

_traceback_of: Final = BaseException.__dict__["__traceback__"].__get__
"""The interpreter's own: a class may override what `error.__traceback__` gives, or raise there."""


def unlimited(_: timedelta) -> AbstractContextManager[None]:
    """Let synchronous code take as long as it takes: for where nothing can interrupt it."""
    return nullcontext()


def is_from_outside(raised: BaseException) -> bool:
    """
    Tell whether somebody wants the process to stop: a Ctrl-C, which Python raises in whatever the main thread does.

    One that code raises itself ends that code only, as any other exception does.
    """
    if not issubclass(type(raised), KeyboardInterrupt) or threading.current_thread() is not threading.main_thread():
        return False
    last = _traceback_of(raised)
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is None or last.tb_frame.f_code.co_code[last.tb_lasti] != _RAISE


def apart(what: str, call: Callable[[], object]) -> None:
    """Call code of others beside a job, such as a hook; what it raises is logged as `what`, without its text."""
    try:
        call()
    except BaseException as error:
        if is_from_outside(error):
            raise
        from lanework.model.job.error_text import place_of  # noqa: PLC0415 - for what goes wrong

        where = {"action": what, "reason": place_of(error)}  # the text may quote a payload
        logging.getLogger("lanework").error(what, extra=where)  # noqa: TRY400


def in_a_loop_of_its_own(coroutine: Coroutine[Any, Any, object]) -> object:
    """
    Run one coroutine to its end, whatever wants its event loop to end before.

    Raises:
        RuntimeError: The caller is in an event loop itself.
    """
    if asyncio._get_running_loop() is not None:  # noqa: SLF001 - the public one makes a traceback where there is none
        coroutine.close()
        msg = "an async job can't be run from within an event loop: call it from synchronous code"
        raise RuntimeError(msg)
    loop = asyncio.new_event_loop()
    try:
        task = loop.create_task(coroutine)
        _run_until(loop, task)
        return task.result()
    finally:
        wind_up(loop)


def _run_until(loop: asyncio.AbstractEventLoop, task: asyncio.Future[Any]) -> None:
    """Run a loop until a task is done. A callback or another task that exits, or stops the loop, ends only itself."""
    task.add_done_callback(lambda _: loop.stop())
    while not task.done():
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as raised:  # asyncio lets them out of the loop, whoever raised them
            if is_from_outside(raised):
                raise


def wind_up(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop; what still runs in it is cancelled, and has a moment to see it."""
    left = asyncio.all_tasks(loop)
    for one in left:
        one.cancel()
    _run_until(loop, loop.create_task(_wait_a_moment(loop, left)))
    loop.close()


async def _wait_a_moment(loop: asyncio.AbstractEventLoop, tasks: set[asyncio.Task[Any]]) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=_LEFT_OVER_S)
    await asyncio.wait((loop.create_task(loop.shutdown_asyncgens()),), timeout=_LEFT_OVER_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRunner:
    """
    Where a job's code runs.

    Attributes:
        limit: Given a timeout, a context in which synchronous code is interrupted by `TimedOut`.
        run_async: Runs a coroutine to its end and returns its value.
        renew: Called after code was cut off in the middle: what it may have left half done (a connection) is made anew.
        pause: Waits for so many seconds.
    """

    limit: Callable[[timedelta], AbstractContextManager[None]] = unlimited
    run_async: Callable[[Coroutine[Any, Any, object]], object] = in_a_loop_of_its_own
    renew: Callable[[], None] = lambda: None
    pause: Callable[[float], None] = time.sleep


def exited(error: SystemExit) -> RuntimeError:
    """Return what a job's code fails with that calls `sys.exit`: the process isn't its own."""
    given: object = error.code
    code = given if given is None or isinstance(given, int | str) else type(given).__name__
    return RuntimeError(f"it called sys.exit({code!r})").with_traceback(_traceback_of(error))


@dataclass(slots=True, eq=False)
class Body:
    """
    A coroutine that runs in a task, and how it has ended: as a value, so that nothing it raises goes through the loop.

    Attributes:
        raised: What it raised.
        value: What it returned, if it raised nothing.
    """

    coroutine: Coroutine[Any, Any, object]
    raised: BaseException | None = None
    value: object = None

    async def run(self) -> None:
        """Run it."""
        try:
            self.value = await self.coroutine
        except BaseException as error:  # noqa: BLE001 - a task that raises SystemExit ends the loop of all
            self.raised = error

    def result(self) -> object:
        """Return what it returned, or raise what it raised."""
        if self.raised is not None:
            raise self.raised
        return self.value


class _Task(asyncio.Task[None]):
    """A job's own task. Another job that cancels all tasks of the loop, to leave none behind, doesn't mean this one."""

    def __init__(self, body: Body, *, loop: asyncio.AbstractEventLoop) -> None:
        here = copy_context()
        here.run(_JOB.set, body)
        super().__init__(body.run(), loop=loop, context=here)
        self._body = body

    def cancel(self, msg: object = None) -> bool:
        """Cancel it, unless another job asks."""
        return _JOB.get() in {None, self._body} and super().cancel(msg)


_JOB: Final[ContextVar[Body | None]] = ContextVar("lanework_job", default=None)
"""Whose code runs here, in a loop that jobs share: that of a task, of the tasks it made, and of their callbacks."""


async def bounded(coroutine: Coroutine[Any, Any, object], timeout: timedelta) -> Body:
    """
    Await a coroutine for so long. Once its time is over it is cancelled, again and again until it has ended.

    Returns:
        How it has ended. Never raises, so that the event loop sees nothing of it; its `result` raises `TimedOut` if its
        time was over, and `RuntimeError` if it ended with a cancellation of others.
    """
    body = Body(coroutine)
    task = _Task(body, loop=asyncio.get_running_loop())
    over_at, is_over = time.monotonic() + timeout.total_seconds(), False
    while not task.done():
        left_s = REPEAT_S if is_over else max(over_at - time.monotonic(), 0)
        with suppress(asyncio.CancelledError):  # of this task: another job's code may cancel all that it finds
            await asyncio.wait((task,), timeout=left_s)
        if not task.done() and time.monotonic() >= over_at:
            is_over = True
            task.cancel()
    if body.raised is not None and issubclass(type(body.raised), asyncio.CancelledError):
        body.raised = TimedOut(timeout) if is_over else _cancelled(body.raised)
    return body


def _cancelled(raised: BaseException) -> RuntimeError:
    """Return what an attempt fails with that ended with a cancellation: nobody has cancelled it."""
    return RuntimeError("it awaited a task that was cancelled").with_traceback(raised.__traceback__)
