"""
Moving many dead jobs: at a pace, and, if asked, as a canary: one, then a tenth, then the rest.

A wave that is watched is chosen first and then sent, each job only if it is dead in the life it was chosen in. So
whoever repeats a wave that was interrupted sends nothing twice, and sends nothing that died again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from lanework.engine.deadletters.query import PAGE, DeadJobs
from lanework.engine.deadletters.redrive import RedriveResult
from lanework.engine.messaging.message_events import report_fault
from lanework.errors import ConfigError, InvalidOptionError, NotRedrivenError, UnavailableError
from lanework.model.lifecycle.states import ENDED, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lanework.engine.jobtypes.builtin import RedriveOptions
    from lanework.engine.ports.bundle import Ports
    from lanework.model.job.dead_filter import DeadFilter
    from lanework.model.lifecycle.states import JobRecord

LARGEST_WATCHED: Final = 1_000
"""Most jobs of a wave that is watched; each look at it costs a read a job."""

PATIENCE: Final = timedelta(minutes=15)
"""How long a wave may take to end before the rollout stops: as long as the slowest lane's function."""

SLOWEST, FASTEST = 0.1, 1_000.0
"""Jobs a second. Slower, a pause would outlast the margin of the job that redrives."""

_FIRST_LOOK_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 5.0

T = TypeVar("T")


class Once(Protocol):
    """Runs a step once and stores its result, as `Run.once` does, so that a repeated rollout goes on where it was."""

    def __call__(self, name: str, call: Callable[[], T], /) -> T:
        """Return the stored result of the step; run it if there is none."""


@dataclass(slots=True, kw_only=True)
class RedriveSummary:
    """
    What a redrive or a drop did.

    Attributes:
        moved: How many jobs were redriven or dropped.
        passed_over: How many were no longer dead when their turn came, have no payload, or can't be sent.
        left: Which these are and why, the first 100 of them.
        stopped: Why the rest was left as it is; None if it wasn't.
    """

    moved: int = 0
    passed_over: int = 0
    left: dict[str, str] = field(default_factory=dict)
    stopped: str | None = None


class BulkRedrive:
    """Moves the dead jobs that a filter asks for."""

    def __init__(
        self,
        ports: Ports,
        move: Callable[[JobRecord], RedriveResult],
        options: RedriveOptions,
        *,
        once: Once | None = None,
        between: Callable[[RedriveSummary], None] = lambda _: None,
    ) -> None:
        """
        Prepare; InvalidOptionError if the rate can't be kept.

        Args:
            ports: Where the jobs are.
            move: Redrives or drops one.
            options: At which rate, and whether as a canary.
            once: Stores the waves that were chosen; None: this rollout is never repeated.
            between: Called after each job and while waiting; raises to interrupt.
        """
        if options.rate is not None:
            check_rate(options.rate)
        self._ports = ports
        self._move = move
        self._is_canary = options.canary
        self._once = _not_stored if once is None else once
        self._between = between
        self._interval = timedelta(0) if options.rate is None else timedelta(seconds=1 / options.rate)
        self._next = ports.clock()
        self.summary = RedriveSummary()

    def run(self, which: DeadFilter, *, count: int) -> RedriveSummary:
        """
        Move the dead jobs that a filter asks for, in waves if it is a canary; `count` of all gives the waves' size.

        Set `died_before`, or what dies again meanwhile is moved again.
        """
        dead = DeadJobs(self._ports)
        if self._is_canary:
            for number, size in enumerate(watched_waves(count), start=1):
                self.summary.stopped = self._wave(f"wave-{number}", islice(dead.matching(which), size))
                if self.summary.stopped is not None:
                    return self.summary
        return self.move(dead.matching(which))

    def move(self, records: Iterable[JobRecord]) -> RedriveSummary:
        """Move jobs that were read, each only if it is still dead in that life; at most `rate` a second, no burst."""
        for record in records:
            now = self._ports.clock()
            if self._next > now:
                self._ports.code_runner.pause((self._next - now).total_seconds())
            self._next = max(self._next, now) + self._interval
            result: str
            try:
                result = self._move(record)
            except NotRedrivenError as error:
                result = error.reason
            except (UnavailableError, ConfigError):
                raise  # the others would meet the same
            except Exception as error:  # noqa: BLE001 - it lies in this job
                report_fault(f"dead job {record.job_id} was left alone", error, self._ports)
                result = RedriveResult.FAILED
            if result in (RedriveResult.REDRIVEN, RedriveResult.DROPPED):
                self.summary.moved += 1
            else:
                self.summary.passed_over += 1
                if len(self.summary.left) < PAGE:
                    self.summary.left[record.job_id] = result
            self._between(self.summary)
        return self.summary

    def _wave(self, name: str, first: Iterable[JobRecord]) -> str | None:
        """Send a wave and wait for its end; return why to stop, or None."""
        chosen = self._once(name, lambda: [(one.job_id, one.life) for one in first])
        targets = dict(chosen)
        found = self._records(targets)
        self.move(one for one in found if one.state is State.DEAD and one.life == targets[one.job_id])
        sent_at = datetime.fromisoformat(self._once(f"{name}-sent", lambda: self._ports.clock().isoformat()))
        return self._watch(targets, until=sent_at + PATIENCE)

    def _watch(self, targets: Mapping[str, int], *, until: datetime) -> str | None:
        """Wait until the jobs have ended; return what is wrong with them, or None."""
        pause_s = _FIRST_LOOK_S
        while True:
            records = self._records(targets)
            for record in records:
                if record.state is State.DEAD and record.life > targets[record.job_id]:
                    return f"job {record.job_id!r} died again: {record.error_type or record.cause}"
            unfinished = [record.job_id for record in records if record.state not in ENDED]
            if not unfinished:
                return None
            if self._ports.clock() >= until:
                return (
                    f"{len(unfinished)} of the {len(targets)} jobs sent ahead have not ended, {unfinished[0]!r} first"
                )
            self._between(self.summary)
            self._ports.code_runner.pause(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    def _records(self, targets: Iterable[str]) -> list[JobRecord]:
        return list(self._ports.ledger.get_many(list(targets)).values())


def _not_stored(_: str, call: Callable[[], T], /) -> T:
    return call()


def watched_waves(count: int) -> list[int]:
    """Return the sizes of the waves that go ahead of the rest: one job, then a tenth of all, at most 1,000."""
    tenth = min(-(-count // 10), LARGEST_WATCHED, count - 1)
    return [1, tenth] if tenth > 0 else [1]


def check_rate(rate: float) -> None:
    """Refuse a rate outside of 0.1 to 1,000 jobs a second."""
    if not SLOWEST <= rate <= FASTEST:
        msg = f"rate must be between {SLOWEST} and {FASTEST:g} jobs a second, got {rate:g}"
        raise InvalidOptionError(msg)
