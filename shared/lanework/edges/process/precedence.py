"""Whose turn it is among lanes that wait: by priority, with a share for those that would never come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lanework.model.lanes import Lane

SHARE: Final = 10
"""Of so many grants one goes to a lane that would not have its turn yet."""


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
