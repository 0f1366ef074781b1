"""Lanework's own jobs, in every application: what an operator asks for and what takes longer than a command should."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict

from lanework.engine.archive import Archivist
from lanework.engine.cleaning import BATCH, Cleaner
from lanework.engine.dead_jobs import DeadJobs
from lanework.engine.delivering import deliver
from lanework.engine.handover import QUEUE, RELEASE
from lanework.engine.jobs import Jobs
from lanework.engine.redrive import Redriver
from lanework.engine.rollout import Orders, Rollout
from lanework.engine.run import Run
from lanework.engine.tally import KEPT_BACK, Tally
from lanework.engine.telling import WebhookOrder
from lanework.engine.waiting import Waiting
from lanework.errors import ConfigError, ForbiddenAddressError
from lanework.model.dead_filter import Filter
from lanework.model.outcomes import Cancel, Snooze
from lanework.model.retention import Cleaning

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.cleaning import Cleaned
    from lanework.engine.ports import Ports
    from lanework.engine.redrive import Fate
    from lanework.engine.rollout import Outcome
    from lanework.model.states import JobRecord

REDRIVE: Final = "lanework.redrive"
DROP: Final = "lanework.drop"
CLEAN: Final = "lanework.clean"
ARCHIVE: Final = "lanework.archive"
WEBHOOK: Final = "lanework.webhook"

WEBHOOK_ATTEMPTS: Final = 12
WEBHOOK_BACKOFF: Final = timedelta(seconds=30)
"""Twelve attempts, with waits from 30 s to 8.5 h: a receiver may be away for 17 hours."""

ATTEMPTS: Final = 3

_ROOM_TO_END: Final = timedelta(seconds=5)


class DeadLetterOrder(BaseModel):
    """
    Payload of `lanework.redrive` and `lanework.drop`.

    Attributes:
        which: Which dead jobs; its `died_before` is set.
        orders: At which pace, and whether as a canary.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    which: Filter
    orders: Orders = Orders()


class CleanOrder(BaseModel):
    """
    Payload of `lanework.clean`.

    Attributes:
        cleanings: Which ended jobs to retire; several take one walk over the jobs.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    cleanings: tuple[Cleaning, ...]


class ReleaseOrder(BaseModel):
    """Payload of `lanework.release`: what has ended that others wait for."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    parent: str


class ArchiveOrder(BaseModel):
    """Payload of `lanework.archive`: it takes whatever is due."""


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

    @family.job(WEBHOOK, attempts=WEBHOOK_ATTEMPTS, backoff=WEBHOOK_BACKOFF, discard_on=(ForbiddenAddressError,))
    def webhook(order: WebhookOrder) -> dict[str, Any]:
        """Send a webhook."""
        return deliver(order, ports())

    @family.job(CLEAN)
    def clean(order: CleanOrder, run: Run) -> dict[str, Any]:
        """Retire ended jobs, until none is left of those that are asked for."""
        return _clean(order, run, ports())

    @family.job(ARCHIVE)
    def archive(_: ArchiveOrder, run: Run) -> dict[str, Any]:
        """Put jobs into the archive whose records expire soon."""
        return _archive(run, ports())

    @family.job(RELEASE, lane="high")
    def release(order: ReleaseOrder, run: Run) -> dict[str, Any]:
        """Let go what waits for a job or a workflow that has ended."""
        return _release(order, run, ports())

    return family


def _release(order: ReleaseOrder, run: Run, ports: Ports) -> dict[str, Any]:
    waiting = Waiting(ports)
    fact = waiting.facts([order.parent])[order.parent]

    def has_time() -> bool:
        return ports.clock() <= run.deadline - _ROOM_TO_END

    moved = waiting.release([(order.parent, fact)], has_time=has_time)
    if not has_time():
        raise Snooze(timedelta(seconds=1))
    return {"released": moved}


def _archive(run: Run, ports: Ports) -> dict[str, Any]:
    if ports.archive is None:
        msg = "no archive is configured where this job runs: set LANEWORK_ARCHIVE_BUCKET for the workers, too"
        raise ConfigError(msg)
    with Tally(run, ports, word="archived") as tally:
        Archivist(ports, ports.archive).run(tally)
        return {"archived": tally.done}


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


def _clean(order: CleanOrder, run: Run, ports: Ports) -> dict[str, Any]:
    cleaner = Cleaner(ports)
    with Tally(run, ports, word="retired") as tally:
        while _clean_batch(order, cleaner, tally):
            pass
        return {"retired": tally.done}


def _clean_batch(order: CleanOrder, cleaner: Cleaner, tally: Tally) -> bool:
    """Choose jobs and retire them; return whether there may be more."""
    chosen = cleaner.choose(order.cleanings)
    before = tally.done

    def say(cleaned: Cleaned) -> None:
        looked_at = cleaned.retired + cleaned.passed_over
        tally.reach(before + cleaned.retired, percent=100 * looked_at // len(chosen))

    cleaned = cleaner.retire(chosen, between=say)
    return len(chosen) == BATCH and cleaned.retired > 0


class _Watch:
    """Between two jobs: says how far it is, and stops when asked to or when the attempt's time runs out."""

    def __init__(self, run: Run, ports: Ports, *, total: int, left: int) -> None:
        self.total = total
        self.done_before = max(total - left, 0)
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
        if self._clock() > self._run.deadline - KEPT_BACK:
            raise Snooze(timedelta(seconds=1))
