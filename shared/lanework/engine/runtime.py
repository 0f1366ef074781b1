"""How a job's code is run in this process: its time limit, its event loop, what is renewed after a cut."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lanework.model.outcomes import TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import timedelta


def unlimited(_: timedelta) -> AbstractContextManager[None]:
    """Let synchronous code take as long as it takes: for where nothing can interrupt it."""
    return nullcontext()


def in_a_loop_of_its_own(coroutine: Coroutine[Any, Any, object]) -> object:
    """Run one coroutine to its end."""
    return asyncio.run(coroutine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
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
    return RuntimeError(f"it called sys.exit({error.code!r})")


async def bounded(coroutine: Coroutine[Any, Any, object], timeout: timedelta) -> object:
    """
    Await a coroutine for so long.

    Raises:
        TimedOut: It took longer, and was cancelled.
        RuntimeError: It ended with a task's cancellation that it had awaited; nobody has cancelled itself. Or it called
            `sys.exit`, which would end the loop of all.
    """
    task = asyncio.current_task()
    try:
        async with asyncio.timeout(timeout.total_seconds()) as limit:
            return await coroutine
    except asyncio.CancelledError as error:
        if task is None or task.cancelling():
            raise
        msg = "it awaited a task that was cancelled"
        raise RuntimeError(msg) from error
    except SystemExit as error:
        raise exited(error) from error
    except TimeoutError:
        if limit.expired():
            raise TimedOut(timeout) from None
        raise
