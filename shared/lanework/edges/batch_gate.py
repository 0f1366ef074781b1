"""Where the jobs of a batch function's call wait for each other, each claimed in a thread of its own."""

from __future__ import annotations

from contextlib import nullcontext
from threading import Condition
from typing import TYPE_CHECKING

from lanework.engine.execution.batch_call import call_once
from lanework.errors import LaneworkError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from lanework.engine.execution.attempt import Attempt


class BatchGate:
    """Holds claimed attempts until all that were expected have come, or have ended before; then calls once for them."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._waiting: list[Attempt] = []
        self._ended = 0
        self._is_open = False
        self._is_broken = True
        self._changed = Condition()

    @property
    def waiting(self) -> int:
        """How many have come."""
        return len(self._waiting)

    def wait(self, attempt: Attempt) -> None:
        """
        Wait for the call, in the attempt's thread.

        Raises:
            LaneworkError: There was none; the attempt is open, and its lease decides.
        """
        with self._changed:
            self._waiting.append(attempt)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._is_open)
        if attempt.in_call is None and self._is_broken:
            msg = f"job {attempt.job_id!r} was claimed, and the call that it waited for was not made"
            raise LaneworkError(msg)

    def ended(self, _: object) -> None:
        """Count one of the expected that has ended: if it hasn't waited, nobody waits for it any more."""
        with self._changed:
            self._ended += 1
            self._changed.notify_all()

    def call(self, around: AbstractContextManager[object] | None = None) -> None:
        """Make the call in this thread, within this context, once all have come; then open the gate."""
        try:
            with self._changed:
                self._changed.wait_for(lambda: len(self._waiting) + self._ended >= self._expected)
            if self._waiting:
                with around or nullcontext():
                    call_once(self._waiting)
            self._is_broken = False
        finally:
            with self._changed:
                self._is_open = True
                self._changed.notify_all()
