"""A timeout for synchronous code outside of the main thread, where no signal arrives."""

from __future__ import annotations

import ctypes
import threading
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from lanework.edges.alarm import REPEAT_S, alarm
from lanework.model.outcomes import TimedOut

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def interrupt(timeout: timedelta) -> Iterator[None]:
    """
    Interrupt the block with `TimedOut` once it has taken so long.

    In the main thread a signal does it; in others it happens between two steps of the block's Python code, so a call
    that blocks outside of Python is interrupted when it returns.

    Raises:
        TimedOut: The time was over before the block was left.
    """
    if threading.current_thread() is threading.main_thread():
        with alarm(timeout):
            yield
        return
    watch = _Watch(timeout)
    watch.start()
    try:
        yield
    except _CutError:
        raise TimedOut(timeout) from None
    finally:
        watch.stop()


class _CutError(TimedOut):
    """Raised in the thread from outside: an exception that is raised so is made without arguments."""

    timeout = timedelta(0)

    def __init__(self) -> None:
        BaseException.__init__(self, "took too long")


class _Watch:
    """Raises in the thread that made it, again and again, until it is stopped."""

    def __init__(self, timeout: timedelta) -> None:
        self._timeout_s = timeout.total_seconds()
        self._target = threading.get_ident()
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timeout", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Raise no more. What was raised and hasn't arrived yet is taken back, or would end what follows (rule 14)."""
        is_stopped = False
        while not is_stopped:
            with suppress(_CutError), self._lock:
                self._is_over.set()
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._target), None)
                is_stopped = True

    def _run(self) -> None:
        wait_s = self._timeout_s
        while not self._is_over.wait(wait_s):
            with self._lock:
                if not self._is_over.is_set():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        ctypes.c_ulong(self._target), ctypes.py_object(_CutError)
                    )
            wait_s = REPEAT_S
