"""Lanework's own jobs, in every application: what an operator asks for and what takes longer than a command should."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict

from lanework.engine.dead_jobs import DeadJobs
from lanework.engine.jobs import Jobs
from lanework.engine.redrive import Redriver
from lanework.engine.rollout import Orders, Rollout
from lanework.engine.run import Run
from lanework.model.dead_filter import Filter
from lanework.model.outcomes import Cancel, Snooze

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.ports import Ports
    from lanework.engine.redrive import Fate
    from lanework.engine.rollout import Outcome
    from lanework.model.states import JobRecord

QUEUE: Final = "lanework"
REDRIVE: Final = "lanework.redrive"
DROP: Final = "lanework.drop"

ATTEMPTS: Final = 3

_KEPT_BACK: Final = timedelta(seconds=30)
"""What an attempt leaves of its time; it then lets the next one go on, which uses up no attempt."""


class DeadLetterOrder(BaseModel):
    """
    Payload of `lanework.redrive` and `lanework.drop`.

    Attributes:
        which: Which dead jobs; its `died_before` is set.
        orders: At which pace, and whether as a canary.
    """

    model_config = ConfigDict(frozen=True)

    which: Filter
    orders: Orders = Orders()


def system_jobs(ports: Callable[[], Ports]) -> Jobs:
    """
    Return the family of Lanework's own jobs.

    Args:
        ports: Gives the application's ports; asked at each run, since an application may be moved.
    """
    family = Jobs(queue=QUEUE, lane="low", attempts=ATTEMPTS)

    @family.job(REDRIVE)
    def redrive(order: DeadLetterOrder, run: Run) -> dict[str, Any]:
        """Redrive the dead jobs that a filter asks for."""
        return _roll_out(order, run, ports(), Redriver(ports()).redrive)

    @family.job(DROP)
    def drop(order: DeadLetterOrder, run: Run) -> dict[str, Any]:
        """Drop the dead jobs that a filter asks for."""
        return _roll_out(order, run, ports(), Redriver(ports()).drop)

    return family


def _roll_out(order: DeadLetterOrder, run: Run, ports: Ports, move: Callable[[JobRecord], Fate]) -> dict[str, Any]:
    left = sum(1 for _ in DeadJobs(ports).matching(order.which))
    watch = _Watch(run, ports, total=run.once("total", lambda: left), left=left)
    rollout = Rollout(ports, move, order.orders, keep=run.once, between=watch)
    outcome = rollout.run(order.which, count=watch.total)
    return {
        "moved": watch.done_before + outcome.moved,
        "passedOver": outcome.passed_over,
        "stopped": outcome.stopped,
    }


class _Watch:
    """Between two jobs: says how far it is, and stops when asked to or when the attempt's time runs out."""

    def __init__(self, run: Run, ports: Ports, *, total: int, left: int) -> None:
        self.total = total
        self.done_before = total - left
        self._run = run
        self._clock = ports.clock
        self._percent = -1

    def __call__(self, outcome: Outcome) -> None:
        done = self.done_before + outcome.moved + outcome.passed_over
        percent = min(100, 100 * done // max(self.total, 1))
        if percent != self._percent:
            self._percent = percent
            self._run.progress(percent, f"{done} of {self.total}")
        if self._run.cancelled:
            msg = f"{done} of {self.total} were moved, the rest was left as it was"
            raise Cancel(msg)
        if self._clock() > self._run.deadline - _KEPT_BACK:
            raise Snooze(timedelta(seconds=1))
