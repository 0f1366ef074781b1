"""The event loop that the async jobs of a process share, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from lanework.engine.ports.code_runner import wind_up

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future


class SharedLoop:
    """
    Runs coroutines of jobs side by side; none of them ends the loop of the others.

    A task or a callback that calls `sys.exit` gets asyncio to leave the loop, and so does `loop.stop()`: it goes on.
    """

    def __init__(self, failed: Callable[[str, BaseException], object] = lambda _, __: None) -> None:
        """Start; `failed` is called if the loop ends by itself, as a closed one does."""
        self._failed = failed
        self._is_over = False
        self._lock = Lock()
        self._waiting: set[Future[object]] = set()
        self._ended_by: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_log)
        self._thread = Thread(target=self._run, name="async", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it takes coroutines."""
        return self._ended_by is None and not self._is_over

    def run(self, coroutine: Coroutine[Any, Any, object]) -> object:
        """
        Run a coroutine to its end and return its value; for other threads.

        Raises:
            RuntimeError: The loop has ended.
        """
        with self._lock:
            if self._ended_by is not None:
                coroutine.close()
                raise _ended(self._ended_by)
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
            self._waiting.add(future)
        try:
            return future.result()
        finally:
            with self._lock:
                self._waiting.discard(future)

    def close(self) -> None:
        """End the loop; what jobs have left behind in it has a moment to end."""
        self._is_over = True
        if self._ended_by is None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            wind_up(self._loop)

    def _run(self) -> None:
        try:
            while not self._is_over:
                with suppress(SystemExit, KeyboardInterrupt):  # of a job's task or callback
                    self._loop.run_forever()
        except BaseException as error:  # noqa: BLE001 - whatever it is, nobody's coroutine goes on
            self._end_by(error)

    def _end_by(self, error: BaseException) -> None:
        with self._lock:
            self._ended_by = error
            waiting = tuple(self._waiting)
        for one in waiting:
            with suppress(Exception):  # it has ended at this moment
                one.set_exception(_ended(error))
        with suppress(Exception):
            self._loop.close()
        self._failed("async", error)


def _ended(by: BaseException) -> RuntimeError:
    error = RuntimeError("the event loop that it shared with other jobs has ended")
    error.__cause__ = by
    return error


def _log(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what went wrong in a task or a callback that nobody waits for; its text may quote a payload."""
    from lanework.model.job.error_text import place_of  # noqa: PLC0415 - for what goes wrong

    error = context.get("exception")
    reason = place_of(error) if isinstance(error, BaseException) else str(context.get("message"))[:100]
    logging.getLogger("lanework").error("task.failed", extra={"action": "task.failed", "reason": reason})
