"""How much a worker process holds ahead of its free slots: what will begin soon, by how long jobs took lately."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from lanework.edges.process.config import MOST_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterable

BEGIN_WITHIN_S: Final = 0.25
"""What hasn't begun so long after it was received is given back: for longer, no message is hidden from who is free."""

_AIM_S: Final = 0.125
"""How soon all that is held ahead is to begin: sooner than it must, since no job takes as long as those before it."""

_LATEST: Final = 16
_FEWEST: Final = 8
"""Of so many latest jobs the mean counts; of fewer than eight nothing follows."""

_PART: Final = 1 / 16
"""How much the latest call counts in its mean."""

_SHORTEST_S: Final = 0.001
"""No job counts as shorter: the worker itself takes as long for each."""

_AFTER_LATE_S: Final = 0.25
"""For how long nothing is held ahead after something that was had to be given back."""


class Pace:
    """Means of what happened lately, and what follows from them. Its user locks."""

    def __init__(self) -> None:
        self._runs_s: deque[float] = deque(maxlen=_LATEST)
        self._receive_s: float | None = None
        self._claim_s: float | None = None
        self._none_before = 0.0

    def ran(self, seconds: float) -> None:
        """Count how long a job's code took."""
        self._runs_s.append(seconds)

    def received(self, seconds: float) -> None:
        """Count how long a receive took that was answered at once."""
        self._receive_s = _mean(self._receive_s, seconds)

    def claimed(self, seconds: float) -> None:
        """Count how long a message took from its receive until it was claimed."""
        self._claim_s = _mean(self._claim_s, seconds)

    def was_late(self, now: float) -> None:
        """Count that something didn't begin in time."""
        self._none_before = now + _AFTER_LATE_S

    @property
    def is_short(self) -> bool:
        """Whether the latest jobs were so short that some may be held ahead."""
        return len(self._runs_s) >= _FEWEST and sum(self._runs_s) / len(self._runs_s) <= BEGIN_WITHIN_S

    def ahead(self, began_at: Iterable[float], *, slots: int, now: float) -> int:
        """
        Return how many jobs may be held ahead of so many slots.

        That is what the slots begin while the next jobs are received and claimed, and ten more, since a receive brings
        ten; but no more than will have begun soon.

        Args:
            began_at: When the job of each slot that is in use began.
        """
        if not self.is_short or now < self._none_before:
            return 0
        run_s = max(sum(self._runs_s) / len(self._runs_s), _SHORTEST_S)
        used = [_begun_soon(run_s, now - one) for one in began_at]
        soon = sum(used) + (slots - len(used)) * int(_AIM_S / run_s)
        calls_s = (self._receive_s or 0.0) + (self._claim_s or 0.0)
        needed = MOST_AT_ONCE + 2 * slots / run_s * calls_s
        return int(min(needed, soon, slots + 2 * MOST_AT_ONCE))


def _mean(so_far: float | None, latest: float) -> float:
    return latest if so_far is None else so_far + (latest - so_far) * _PART


def _begun_soon(run_s: float, ran_s: float) -> int:
    """Return how many jobs a slot will have begun soon whose job has run for so long; the longer, the less is known."""
    left_s = abs(run_s - ran_s)
    return 0 if left_s >= _AIM_S else 1 + int((_AIM_S - left_s) / max(run_s, ran_s))
