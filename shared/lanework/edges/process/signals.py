"""Signals, heeded in a thread of their own."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class SignalWatch:
    """
    Records Unix signals from construction on, and handles them in its own thread after `start(handler)`.

    A Python handler would run in the middle of what the main thread does, or of another handler, which may hold the
    locks that it takes; and not at all while the main thread waits and another one took the signal. So a signal's
    number is written to a pipe as it comes, and a thread that reads there does what is asked.
    """

    def __init__(self, *numbers: signal.Signals) -> None:
        """Hear these; for the main thread of a process, and one at a time."""
        self._numbers = numbers
        self._heard, its_end = os.pipe()
        os.set_blocking(its_end, False)
        self._undo = ExitStack()
        self._undo.callback(os.close, its_end)
        self._undo.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(its_end, warn_on_full_buffer=False))
        for number in numbers:  # without a handler, nothing would be written
            self._undo.callback(signal.signal, number, signal.signal(number, lambda _, __: None))

    def close(self) -> None:
        """Hear nothing any more, and let the signals do what they did before."""
        self._undo.close()

    def heed(self, wanted: Mapping[signal.Signals, Callable[[], object]]) -> None:
        """Do this for each signal that is heard, or was since this was made."""
        Thread(target=self._run, args=(wanted,), name="signals", daemon=True).start()

    def let_forks_go(self) -> None:
        """Let a process that is forked from this one end by these signals, as a pool's `terminate` wants it."""
        os.register_at_fork(before=self._hold, after_in_parent=self._release, after_in_child=self._forget)

    def _run(self, wanted: Mapping[int, Callable[[], object]]) -> None:
        while numbers := os.read(self._heard, 64):
            from lanework.engine.ports.code_runner import apart  # noqa: PLC0415 - a parent waits without asyncio

            for number in numbers:
                apart("signal.failed", wanted.get(number, lambda: None))  # or nobody would hear the next one
        os.close(self._heard)

    def _hold(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, self._numbers)

    def _release(self) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._numbers)

    def _forget(self) -> None:
        signal.set_wakeup_fd(-1)
        for number in self._numbers:
            signal.signal(number, signal.SIG_DFL)
        self._release()
