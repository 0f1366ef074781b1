"""A timeout for synchronous code outside of the main thread, where no signal arrives."""

from __future__ import annotations

import ctypes
import math
import threading
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.edges.alarm import alarm
from lanework.engine.ports.code_runner import REPEAT_S
from lanework.forks import in_each_process
from lanework.model.job.job_exceptions import TimedOut

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
    _here.watch = watch = _Watch(timeout)
    _watchman.add(watch)
    try:
        yield
    except _CutError:
        raise TimedOut(timeout) from None
    finally:
        disarm()


def disarm() -> None:
    """
    Interrupt this thread no more.

    A cut that arrives while the block is being left may keep `interrupt` from seeing its end; whoever goes on after the
    block says so once more, or what follows would be cut (rule 14).
    """
    is_over = False
    while not is_over:
        with suppress(_CutError):
            watch: _Watch | None = getattr(_here, "watch", None)
            if watch is not None:
                watch.stop()
                _watchman.remove(watch)
                _here.watch = None
            is_over = True


class _CutError(TimedOut):
    """Raised in the thread from outside: an exception that is raised so is made without arguments."""

    timeout = timedelta(0)

    def __init__(self) -> None:
        BaseException.__init__(self, "took too long")


class _Watch:
    """Raises in the thread that made it, once its time is over and then again and again, until it is stopped."""

    def __init__(self, timeout: timedelta) -> None:
        self.rings_at = time.monotonic() + timeout.total_seconds()
        self._target = threading.get_ident()
        self._lock = threading.Lock()
        self._is_over = False

    def stop(self) -> None:
        """
        Raise no more. What was raised and hasn't arrived yet arrives here, or would end what follows (rule 14).

        Taking it back by `PyThreadState_SetAsyncExc(…, NULL)` would leave the interpreter looking for an exception that
        never comes: each call is slower then, and on Python 3.11 whatever traces or profiles the process hangs.
        """
        is_stopped = False
        while not is_stopped:
            with suppress(_CutError):
                with self._lock:
                    self._is_over = True
                _let_arrive()
                is_stopped = True

    def ring(self) -> None:
        with self._lock:
            if not self._is_over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._target), ctypes.py_object(_CutError))


def _let_arrive() -> None:
    """Enter a function: an exception that was raised in this thread from outside is raised there at the latest."""


class _Watchman:
    """Lets watches ring, from one thread for all of them: a thread for each job would cost as much as its claim."""

    def __init__(self) -> None:
        in_each_process(self, _Watchman._begin)

    def _begin(self) -> None:
        self._watches: set[_Watch] = set()
        self._changed = threading.Condition()
        self._looks_at = math.inf
        self._thread: threading.Thread | None = None

    def add(self, watch: _Watch) -> None:
        with self._changed:
            self._watches.add(watch)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="timeouts", daemon=True)
                self._thread.start()
            if watch.rings_at < self._looks_at:
                self._changed.notify()

    def remove(self, watch: _Watch) -> None:
        with self._changed:
            self._watches.discard(watch)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._looks_at = min((one.rings_at for one in self._watches), default=math.inf)
                wait_s = self._looks_at - time.monotonic()
                if wait_s > 0:
                    self._changed.wait(None if wait_s == math.inf else wait_s)
                    continue
                ringing = [one for one in self._watches if one.rings_at <= self._looks_at]
            for one in ringing:
                one.ring()
                one.rings_at = time.monotonic() + REPEAT_S


_watchman: Final = _Watchman()

_here: Final = threading.local()
"""The watch of the block that runs in this thread."""
