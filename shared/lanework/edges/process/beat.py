"""What a worker process and its parent say to each other."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Final

GIVE_UP: Final = signal.SIGQUIT
"""
Asks a child to end at once. A second SIGTERM can't: a process that hasn't come to see the first yet gets one for both.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """
    What a child says every second.

    Attributes:
        is_worn_out: It receives no more, and ends when its jobs have; another one is to take its place.
        problem: Why it gives up, if it does: what starting it anew won't cure.
        may_pass: The problem may be over later, where there has been none before: AWS or the credentials are away.
        fault: Why it gives up because of a fault of its own; another one follows.
    """

    begun: int = 0
    ended: int = 0
    peak_mb: int = 0
    is_worn_out: bool = False
    problem: str | None = None
    may_pass: bool = False
    fault: str | None = None
