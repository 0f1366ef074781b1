"""Threads without which a worker process must not go on: what one did, nobody does once it has ended."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

Failed = Callable[[str, BaseException], object]
"""Called with the name of a thread that ended by itself, and what it raised."""


def vital_thread(name: str, run: Callable[[], object], failed: Failed) -> Thread:
    """Start a daemon thread; `failed` is called in it if it ends by raising anything."""
    thread = Thread(target=_run, args=(name, run, failed), name=name, daemon=True)
    thread.start()
    return thread


def unheard(name: str, error: BaseException) -> None:  # noqa: ARG001 - it is in the traceback
    """Let the interpreter tell: for where nobody else hears it."""
    raise error


def _run(name: str, run: Callable[[], object], failed: Failed) -> None:
    try:
        run()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the thread has ended
        failed(name, error)
