"""How far a long job of Lanework's own is, counted over all its attempts."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.errors import UnavailableError
from lanework.model.job.job_exceptions import Cancel, Snooze

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from lanework.engine.jobtypes.run import Run
    from lanework.engine.ports.bundle import Ports

KEPT_BACK: Final = timedelta(seconds=30)
"""What an attempt leaves of its time, half of it at most; the next one goes on then, which uses up no attempt."""

_STEP: Final = "tally"


class LongJobProgress:
    """Counts what a job did in all attempts, as `done`; a context within which it does it."""

    def __init__(self, run: Run, ports: Ports, *, word: str) -> None:
        """Go on counting where the attempt before stopped; `word` is what is done, as in `120 retired`."""
        self.done = int(ports.ledger.step(run.job_id, _STEP) or 0)
        self._run = run
        self._ports = ports
        self._word = word
        self._percent = -1
        begun = ports.clock()
        self._until = run.deadline - min(KEPT_BACK, (run.deadline - begun) / 2)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Keep the count for the next attempt, where there will be one."""
        if error is not None:
            with suppress(UnavailableError):  # the next attempt counts from the last count that was kept
                self._ports.ledger.keep_step(self._run.job_id, _STEP, str(self.done))

    def reach(self, done: int, *, percent: int) -> None:
        """
        Say how far the job is: how much in all, and 0 to 100 %.

        Raises:
            Cancel: The job was asked to stop.
            Snooze: The attempt's time is over, and the next one goes on.
        """
        self.done = done
        if percent != self._percent:
            self._percent = percent
            self._run.progress(percent, f"{done:,} {self._word}")
        if self._run.cancelled:
            msg = f"{done:,} {self._word}, the rest was not changed"
            raise Cancel(msg)
        if self._ports.clock() > self._until:
            raise Snooze(timedelta(seconds=1))
