"""A worker process as its parent knows it, and the place that one after the other works in."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lanework.edges.process.beat import Beat

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from subprocess import Popen

    from lanework.edges.process.lease_board import LeaseBoard


@dataclass(slots=True)
class Child:
    """
    One process.

    Attributes:
        roster: What runs in it.
        started_at: When it was started, on the monotonic clock, as is when it last said something.
        is_killed: It was found to hang.
    """

    process: Popen[bytes]
    line: Connection
    roster: LeaseBoard
    started_at: float
    beat_at: float
    beat: Beat = field(default_factory=Beat)
    is_killed: bool = False

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None


@dataclass(slots=True)
class Place:
    """
    Where one process after the other works; those that are worn out end beside the one that has followed them.

    Attributes:
        child: The process that works here now.
        worn_out: Those before it that have yet to end.
        deaths: How many in a row have died young.
        not_before: When the next one is started, on the monotonic clock.
        problem: Why the last one couldn't work, if it couldn't; it was said then.
    """

    child: Child | None = None
    worn_out: list[Child] = field(default_factory=list)
    deaths: int = 0
    not_before: float = 0.0
    problem: str | None = None


def end_of(code: int) -> str:
    """Say how a process ended."""
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was killed by {signal.Signals(-code).name}"
