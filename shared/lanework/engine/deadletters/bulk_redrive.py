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
from lanework.engine.deadletters.redrive import Fate
from lanework.errors import InvalidOptionError
from lanework.model.lifecycle.states import ENDED, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lanework.engine.jobtypes.builtin import RedriveOptions
    from lanework.engine.ports.bundle import Ports
    from lanework.model.job.dead_filter import Filter
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


class Keep(Protocol):
    """Keeps what a step gave, as `Run.once` does, so that a repeated rollout goes on where it was."""

    def __call__(self, name: str, call: Callable[[], T], /) -> T:
        """Return what the step gave; do it if it wasn't done."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """
    What became of them.

    Attributes:
        moved: Redriven or dropped.
        passed_over: No longer dead when their turn came, or without a payload.
        left: Which these are and why, the first 100 of them.
        stopped: Why the rest was left as it is; None if it wasn't.
    """

    moved: int = 0
    passed_over: int = 0
    left: dict[str, Fate] = field(default_factory=dict)
    stopped: str | None = None


class BulkRedrive:
    """Moves the dead jobs that a filter asks for."""

    def __init__(
        self,
        ports: Ports,
        move: Callable[[JobRecord], Fate],
        orders: RedriveOptions,
        *,
        keep: Keep | None = None,
        between: Callable[[Outcome], None] = lambda _: None,
    ) -> None:
        """
        Prepare.

        Args:
            ports: Where the jobs are.
            move: Redrives or drops one.
            orders: How to.
            keep: Keeps the waves that were chosen; None: this rollout is never repeated.
            between: Called after each job and while waiting; raises to interrupt.
        """
        self._ports = ports
        self._dead = DeadJobs(ports)
        self._move = move
        self._orders = orders
        self._keep = _forgetful if keep is None else keep
        self._between = between
        self._pace = Pace(ports, checked_rate(orders.rate))
        self.outcome = Outcome()

    def run(self, which: Filter, *, count: int) -> Outcome:
        """
        Move them, and say what became of them.

        Args:
            which: Which. Set `died_before`, or what dies again meanwhile is moved again.
            count: How many they are, for the size of the waves.
        """
        if self._orders.canary:
            for number, size in enumerate(watched_waves(count), start=1):
                self.outcome.stopped = self._wave(f"wave-{number}", size, which)
                if self.outcome.stopped is not None:
                    return self.outcome
        return self.these(self._dead.matching(which))

    def these(self, records: Iterable[JobRecord]) -> Outcome:
        """Move jobs that were read, each only if it is still dead in that life, and say what became of them."""
        for record in records:
            self._one(record)
        return self.outcome

    def _wave(self, name: str, size: int, which: Filter) -> str | None:
        """Send a wave and wait for its end; return why to stop, or None."""
        chosen = self._keep(name, lambda: [(one.job_id, one.life) for one in islice(self._dead.matching(which), size)])
        targets = dict(chosen)
        for record in self._records(targets):
            if record.state is State.DEAD and record.life == targets[record.job_id]:
                self._one(record)
        sent_at = datetime.fromisoformat(self._keep(f"{name}-sent", lambda: self._ports.clock().isoformat()))
        return self._watch(targets, until=sent_at + PATIENCE)

    def _watch(self, targets: Mapping[str, int], *, until: datetime) -> str | None:
        """Wait until the jobs have ended; return what is wrong with them, or None."""
        pause_s = _FIRST_LOOK_S
        while True:
            records = self._records(targets)
            for record in records:
                if record.state is State.DEAD and record.life > targets[record.job_id]:
                    return f"job {record.job_id!r} died again: {record.error}"
            unfinished = [record.job_id for record in records if record.state not in ENDED]
            if not unfinished:
                return None
            if self._ports.clock() >= until:
                return (
                    f"{len(unfinished)} of the {len(targets)} jobs sent ahead have not ended, {unfinished[0]!r} first"
                )
            self._between(self.outcome)
            self._ports.code_runner.pause(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    def _records(self, targets: Iterable[str]) -> list[JobRecord]:
        ids = list(targets)
        found = [self._ports.ledger.get_many(ids[start : start + PAGE]) for start in range(0, len(ids), PAGE)]
        return [record for page in found for record in page.values()]

    def _one(self, record: JobRecord) -> None:
        self._pace.wait()
        fate = self._move(record)
        if fate in (Fate.REDRIVEN, Fate.DROPPED):
            self.outcome.moved += 1
        else:
            self.outcome.passed_over += 1
            if len(self.outcome.left) < PAGE:
                self.outcome.left[record.job_id] = fate
        self._between(self.outcome)


def _forgetful(_: str, call: Callable[[], T], /) -> T:
    return call()


class Pace:
    """Lets things happen so often a second, and no burst after a slow one."""

    def __init__(self, ports: Ports, rate: float | None) -> None:
        """Begin; None never waits."""
        self._ports = ports
        self._interval = timedelta(0) if rate is None else timedelta(seconds=1 / rate)
        self._next = ports.clock()

    def wait(self) -> None:
        """Wait until the next may happen."""
        now = self._ports.clock()
        if self._next > now:
            self._ports.code_runner.pause((self._next - now).total_seconds())
        self._next = max(self._next, now) + self._interval


def watched_waves(count: int) -> list[int]:
    """Return the sizes of the waves that go ahead of the rest: one job, then a tenth of all, at most 1,000."""
    tenth = min(-(-count // 10), LARGEST_WATCHED, count - 1)
    return [1, tenth] if tenth > 0 else [1]


def checked_rate(rate: float | None) -> float | None:
    """
    Return a rate that can be kept.

    Raises:
        InvalidOptionError: It can't.
    """
    if rate is None or SLOWEST <= rate <= FASTEST:
        return rate
    msg = f"rate must lie between {SLOWEST} and {FASTEST:g} jobs a second, got {rate:g}"
    raise InvalidOptionError(msg)
