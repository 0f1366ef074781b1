"""How much a worker process holds ahead of its free slots: what will begin soon, by how long jobs took lately."""

from __future__ import annotations

from typing import Final

from lanework.edges.process.config import MOST_AT_ONCE

BEGIN_WITHIN_S: Final = 0.25
"""What hasn't begun so long after it was received is given back: for longer, no message is hidden from who is free."""

_AIM_S: Final = BEGIN_WITHIN_S / 2
"""How soon all that is held ahead is to have begun: half of what is allowed, since no job takes as long as the last."""

_PART: Final = 1 / 16
"""How much the latest job counts in the mean."""

_SHORTEST_S: Final = 0.001
"""No job counts as shorter: the worker itself takes as long for each."""

_AFTER_LATE_S: Final = 1.0
"""For how long nothing is held ahead after something that was had to be given back."""


class Pace:
    """Means of what happened lately, and what follows from them. Its user locks."""

    def __init__(self) -> None:
        self._run_s: float | None = None
        self._receive_s = 0.0
        self._claim_s = 0.0
        self._none_before = 0.0

    def ran(self, seconds: float) -> None:
        """Count how long a job's code took."""
        self._run_s = seconds if self._run_s is None else self._run_s + (seconds - self._run_s) * _PART

    def received(self, seconds: float) -> None:
        """Count how long a receive took that was answered at once."""
        self._receive_s += (seconds - self._receive_s) * _PART

    def claimed(self, seconds: float) -> None:
        """Count how long a message took from its receive until it was claimed."""
        self._claim_s += (seconds - self._claim_s) * _PART

    def was_late(self, now: float) -> None:
        """Count that something didn't begin in time."""
        self._none_before = now + _AFTER_LATE_S

    def ahead(self, slots: int, now: float) -> int:
        """
        Return how many jobs may be held ahead of so many slots that jobs leave as fast as they did lately.

        That is what these slots begin while the next ones are received and claimed, and ten more, since a receive
        brings ten; but no more than will have begun soon. Nothing before the first job has ended.
        """
        if self._run_s is None or now < self._none_before:
            return 0
        begun_per_s = slots / max(self._run_s, _SHORTEST_S)
        needed = MOST_AT_ONCE + 2 * begun_per_s * (self._receive_s + self._claim_s)
        return int(min(needed, begun_per_s * _AIM_S, slots + 2 * MOST_AT_ONCE))
