"""What a worker process is to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lanework.model.lanes import Lane

UNBOUNDED: Final = timedelta(days=365)
"""What is left of a worker process's time, as far as a job is concerned."""

MOST_AT_ONCE: Final = 10
"""Most messages of one receive (SQS quotas, "Messages per receive")."""

_RECEIVES: Final = 4
"""Most receives of a lane that are under way at once: at 20 ms each, one alone brings at most 500 jobs a second."""

HELD_PER_SLOT: Final = 2
"""How many jobs that have begun are held for each slot at most: one in its code, and one whose end is being written."""

NO_WAIT: Final = timedelta(0)

_LONG_POLL: Final = timedelta(seconds=5)
"""How long an idle lane's receive waits, and so a stop. SQS allows 20 s: 390,000 calls a lane and month fewer."""

_SHORT_POLL: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the health endpoint listens: `127.0.0.1` answers this machine only, `0.0.0.0` everybody."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    What a worker process is to do.

    Attributes:
        lanes: Whose queues it empties, the first first.
        slots: How many jobs it runs at once.
        lease: How long a claim holds, and a message stays hidden, without a heartbeat: what a killed process costs. The
            clocks' margin of 5 s comes on top.
        grace: How long jobs may go on after it was asked to stop.
        most_jobs: After how many jobs it ends, to be started anew; None never.
        most_mb: At how much memory, in MB of its peak, it ends, to be started anew; None never.
        is_once: It ends when its lanes are empty.
    """

    lanes: tuple[Lane, ...]
    slots: int
    lease: timedelta = timedelta(seconds=60)
    grace: timedelta = timedelta(seconds=25)
    most_jobs: int | None = None
    most_mb: int | None = None
    is_once: bool = False

    @property
    def hides_for(self) -> timedelta:
        """How long a received message stays hidden without a heartbeat: for as long as a claim holds."""
        from lanework.engine.execution.claim import LEASE_MARGIN  # noqa: PLC0415 - of no use to a parent

        return self.lease + LEASE_MARGIN

    @property
    def poll(self) -> timedelta:
        """How long an idle lane's receive waits."""
        return _SHORT_POLL if self.is_once else _LONG_POLL

    @property
    def receivers(self) -> int:
        """How many receives of a lane may be under way at once, ten messages each; all but one only where ten come."""
        return min(_RECEIVES, 2 + self.slots // (2 * MOST_AT_ONCE))

    @property
    def most_held(self) -> int:
        """How many messages are held at once at most, if all lanes are full: each lane has room of its own ahead."""
        return HELD_PER_SLOT * self.slots + len(self.lanes) * (self.slots + 3 * MOST_AT_ONCE)

    def is_worn_out_by(self, *, begun: int, peak_mb: int) -> bool:
        """Whether a process that has begun so many jobs, and had so much memory, is to be started anew."""
        has_done_enough = self.most_jobs is not None and begun >= self.most_jobs
        return has_done_enough or (self.most_mb is not None and peak_mb >= self.most_mb)
