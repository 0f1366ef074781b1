"""Which lane may receive next, and how much: by priority, with a share for those that would never come."""

from __future__ import annotations

import math
import time
from threading import Condition
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import timedelta
    from threading import Event

    from lanework.model.lanes import Lane

SHARE: Final = 10
"""Of so many grants one goes to a lane that would not have its turn yet."""

GATHER_S: Final = 0.005
"""How long a lane waits for more free slots before it receives: jobs that end together make room for one receive."""

_LOOK_S: Final = 0.1


class Precedence:
    """
    Whose turn it is among lanes that wait: the highest's.

    Every tenth grant goes to another one of them, whichever had its last turn longest ago, so that each gets some.
    """

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = tuple(lanes)
        self._grants = 0
        self._granted_at: dict[Lane, int] = {}

    def next_of(self, waiting: Collection[Lane]) -> Lane:
        """Return whose turn it is; the answer stays the same until somebody is granted a turn, or comes or goes."""
        highest, *others = [lane for lane in self._lanes if lane in waiting]
        if not others or self._grants % SHARE != SHARE - 1:
            return highest
        return min(reversed(others), key=lambda lane: self._granted_at.get(lane, -1))

    def grant(self, lane: Lane) -> None:
        """Count a turn."""
        self._grants += 1
        self._granted_at[lane] = self._grants


HELD_PER_SLOT: Final = 2
"""How many messages are held for each slot at most: one whose code runs, and one whose end is being written."""


class LaneScheduler:
    """
    The free slots of a process, shared out to its lanes' receivers.

    A receiver takes as many as it may receive messages, before it receives: nothing is held that can't start. A slot is
    free again once its job's code has ended; the message is held until that is written, too.
    """

    def __init__(
        self, lanes: Sequence[Lane], *, slots: int, gather_s: float = GATHER_S, changed: Condition | None = None
    ) -> None:
        """Share out so many slots; the first lane goes first. Receivers wait on `changed`, its own by default."""
        self._precedence = Precedence(lanes)
        self._slots = slots
        self._free = slots
        self._held = 0
        self._waiting: dict[Lane, int] = {}
        self._is_over = False
        self._gather_s = gather_s
        self._changed = changed or Condition()

    def take(self, lane: Lane, most: int) -> int:
        """Wait for a turn; return how many slots were taken, 1 to `most`, or 0 once it is over."""
        with self._changed:
            self._waiting[lane] = 1
            self._changed.wait_for(lambda: self._is_over or self._is_turn_of(lane))
            self._gather(lane, min(most, self._slots))
            del self._waiting[lane]
            if self._is_over:
                return 0
            self._precedence.grant(lane)
            taken = min(most, self._available)
            self._free -= taken
            self._held += taken
            self._changed.notify_all()
            return taken

    def free(self) -> None:
        """Return a slot whose job's code has ended."""
        with self._changed:
            self._free += 1
            self._log()

    def let_go(self) -> None:
        """Hold a message no more, whose slot was returned before."""
        with self._changed:
            self._held -= 1
            self._log()

    def give_back(self, count: int) -> None:
        """Return slots for which no message came, or whose messages were put back."""
        with self._changed:
            self._free += count
            self._held -= count
            self._changed.notify_all()

    def end(self) -> None:
        """Let nobody take any more."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def wait_until_free(self, most: timedelta | None = None, *, unless: Event) -> bool:
        """
        Wait until no message is held: nothing is received, nothing runs, and all that ran is written.

        Args:
            most: How long at most; None for as long as it takes.
            unless: Once it is set, nothing is waited for any more.

        Returns:
            Whether that came.
        """
        over_at = None if most is None else time.monotonic() + most.total_seconds()
        with self._changed:
            while self._held and not unless.is_set():
                if over_at is not None and time.monotonic() >= over_at:
                    break
                self._changed.wait(_LOOK_S)
            return self._held == 0

    @property
    def _available(self) -> int:
        """How many messages may be received now."""
        return min(self._free, self._slots * HELD_PER_SLOT - self._held)

    def _gather(self, lane: Lane, wanted: int) -> None:
        """Wait a little for so many slots to be free; then for its turn again, if another lane took all of them."""
        self._waiting[lane] = wanted
        self._changed.wait_for(lambda: self._is_over or self._available >= wanted, timeout=self._gather_s)
        self._waiting[lane] = 1
        self._changed.wait_for(lambda: self._is_over or self._is_turn_of(lane))

    def _log(self) -> None:
        """Wake who waits, if there is now what it waits for: to wake for nothing costs a job's time."""
        enough = self._waiting[self._precedence.next_of(self._waiting)] if self._waiting else math.inf
        if self._held == 0 or self._available >= enough:
            self._changed.notify_all()

    def _is_turn_of(self, lane: Lane) -> bool:
        return self._available > 0 and self._precedence.next_of(self._waiting) is lane
