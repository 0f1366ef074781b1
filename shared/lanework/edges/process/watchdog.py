"""Threads without which a worker process must not go on: what one did, nobody does once it has ended."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

Failed = Callable[[str, BaseException], object]
"""Called with the name of a thread that ended by itself, and what it raised."""


def vital_thread(name: str, run: Callable[[], object], failed: Failed) -> Thread:
    """Start a daemon thread; `failed` is called in it if it ends by raising anything."""
    thread = Thread(target=_run, args=(name, run, failed), name=name, daemon=True)
    thread.start()
    return thread


class Repeating:
    """A thread that does something again and again, until it is closed."""

    def __init__(
        self, name: str, do: Callable[[], object], failed: Failed, *, every_s: float, at_end: bool = False
    ) -> None:
        """Begin; it waits `every_s` before each time, and does it `at_end` once more."""
        self._do = do
        self._every_s = every_s
        self._at_end = at_end
        self._is_closed = Event()
        self._thread = vital_thread(name, self._run, failed)

    @property
    def has_failed(self) -> bool:
        """Whether it has ended by itself."""
        return not self._thread.is_alive() and not self._is_closed.is_set()

    def close(self) -> None:
        """End it, and wait for that."""
        self._is_closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_closed.wait(self._every_s):
            self._do()
        if self._at_end:
            self._do()


def unheard(name: str, error: BaseException) -> None:  # noqa: ARG001 - it is in the traceback
    """Let the interpreter tell: for where nobody else hears it."""
    raise error


def _run(name: str, run: Callable[[], object], failed: Failed) -> None:
    try:
        run()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the thread has ended
        failed(name, error)
