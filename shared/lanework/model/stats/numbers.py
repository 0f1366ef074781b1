"""Numbers of what jobs did, by lane, queue and type: they add up, and what was measured is spread over fixed bounds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BOUNDS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600)
)
"""Upper bounds of the parts that waits and run times are spread over; the lanes' SLAs are among them."""

_MILLISECOND: Final = timedelta(milliseconds=1)


class Count(StrEnum):
    """What is counted; the words are attribute names, which DynamoDB charges for, and so are short."""

    STARTED = "n"
    FIRST_STARTS = "f"
    LATE = "m"
    COMPLETED = "c"
    FAILED = "x"
    DEAD = "d"
    CANCELLED = "k"
    PARKED = "p"
    TURNED_AWAY = "u"
    DEALT_WITH = "e"
    WAIT_MS = "wt"
    RUN_MS = "rt"
    RETRIES_MS = "rr"
    BILLED_MB_MS = "g"
    INVOCATIONS = "i"
    LOG_BYTES = "l"


_WAIT: Final = "w"
_RUN: Final = "r"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Key:
    """Whose numbers; without a queue and a type they are the lane's own, such as invocations."""

    lane: Lane
    queue: str = ""
    type: str = ""

    @property
    def text(self) -> str:
        """The key as text; no name has a bar in it."""
        return f"{self.lane}|{self.queue}|{self.type}"

    @classmethod
    def at(cls, text: str) -> Key:
        """Return the key whose text this is."""
        lane, queue, type_ = text.split("|", 2)
        return cls(lane=Lane(lane), queue=queue, type=type_)


@dataclass(frozen=True, slots=True)
class Spread:
    """
    Durations that were measured, as how many fell between which bounds.

    Attributes:
        parts: How many were at most `BOUNDS[i]` and more than the bound before; the last were longer than any.
        total: All of them together.
    """

    parts: tuple[int, ...]
    total: timedelta

    @property
    def count(self) -> int:
        """How many were measured."""
        return sum(self.parts)

    @property
    def mean(self) -> timedelta | None:
        """Their mean; None if there are none."""
        return self.total / self.count if self.count else None

    def quantile(self, share: float) -> timedelta | None:
        """
        Return what so large a share of them, 0.0 to 1.0, didn't exceed; None if there are none.

        Between two bounds it is interpolated; beyond the last it is the last, which is too little.
        """
        wanted = share * self.count
        below = 0
        floor = timedelta(0)
        for bound, part in zip(BOUNDS, self.parts, strict=False):
            if part and below + part >= wanted:
                return floor + (bound - floor) * ((wanted - below) / part)
            below, floor = below + part, bound
        return BOUNDS[-1] if self.count else None


@dataclass(frozen=True, slots=True)
class Numbers:
    """What was counted, by `Count` or by the name of a spread's part."""

    counts: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Numbers) -> Numbers:
        """Return both together."""
        return Numbers({**Counter(self.counts) + Counter(other.counts)})

    def __getitem__(self, count: Count) -> int:
        """Return one of them; what was never counted is 0."""
        return self.counts.get(count, 0)

    @property
    def ended(self) -> int:
        """Runs that came to an end of any kind."""
        return sum(self[one] for one in (Count.COMPLETED, Count.FAILED, Count.DEAD, Count.CANCELLED))

    @property
    def failure_share(self) -> float | None:
        """Which share of the runs that completed, failed or died did not complete; None if there were none."""
        bad = self[Count.FAILED] + self[Count.DEAD]
        all_of_them = bad + self[Count.COMPLETED]
        return bad / all_of_them if all_of_them else None

    @property
    def waits(self) -> Spread:
        """From the asked to the first start."""
        return self._spread(_WAIT, Count.WAIT_MS)

    @property
    def runs(self) -> Spread:
        """How long runs took."""
        return self._spread(_RUN, Count.RUN_MS)

    def _spread(self, prefix: str, total: Count) -> Spread:
        parts = tuple(self.counts.get(f"{prefix}{index}", 0) for index in range(len(BOUNDS) + 1))
        return Spread(parts, self[total] * _MILLISECOND)


def together(numbers: Iterable[Numbers]) -> Numbers:
    """Return all of them added up."""
    found: Counter[str] = Counter()
    for one in numbers:
        found.update(one.counts)
    return Numbers(dict(found))


def a_wait(duration: timedelta) -> dict[str, int]:
    """Return what one measured wait adds."""
    return {Count.WAIT_MS: duration // _MILLISECOND, f"{_WAIT}{_part_of(duration)}": 1}


def a_run_time(duration: timedelta) -> dict[str, int]:
    """Return what one measured run adds."""
    return {Count.RUN_MS: duration // _MILLISECOND, f"{_RUN}{_part_of(duration)}": 1}


def _part_of(duration: timedelta) -> int:
    return next((index for index, bound in enumerate(BOUNDS) if duration <= bound), len(BOUNDS))
