"""A timeout that really stops a job's code: SIGALRM in the main thread, repeated until the code is left."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lanework.engine.ports.code_runner import REPEAT_S
from lanework.model.job.job_exceptions import TimedOut

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from types import FrameType


@contextmanager
def alarm(timeout: timedelta) -> Iterator[None]:
    """
    Interrupt the block with `TimedOut` once it has taken so long.

    Outside of the main thread signals don't arrive, and the block takes as long as it takes. Code in C that doesn't
    return to Python isn't interrupted either: there the invocation's own timeout ends it, as a crash would.

    Raises:
        TimedOut: The time was over before the block was left.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_: int, __: FrameType | None) -> None:
        raise TimedOut(timeout)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, timeout.total_seconds(), REPEAT_S)
    try:
        yield
    finally:
        _disarm(timeout)
        signal.signal(signal.SIGALRM, before)


def _disarm(timeout: timedelta) -> None:
    """Stop the alarm; one that rings in this very moment must not escape into what follows (rule 14)."""
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
    except TimedOut:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise TimedOut(timeout) from None
