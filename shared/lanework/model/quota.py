"""
How a quota is spent: a window that slides in sixtieths of itself. Pure: no clock, no I/O of its own.

Jobs are counted in buckets of a sixtieth of the window each. The sixty before the present one count whole, though the
oldest is partly over: so a quota errs towards refusing, by a sixtieth at most, and never lets too many through.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from lanework.model.limits import Quota

BUCKETS: Final = 60
"""Parts of a window: an item that fits into one write unit (1 KB) even where each of them counts a million."""

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """
    What was accepted of late.

    Attributes:
        first: Number of the oldest bucket that holds anything, counted from 1970.
        counts: Jobs in it and in each bucket after it; the last one holds the latest job.
    """

    first: int
    counts: tuple[int, ...]

    @property
    def text(self) -> str:
        """The window as it is kept, such as `29459520:2,0,1`."""
        return f"{self.first}:{','.join(map(str, self.counts))}"

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the window that was kept as this text."""
        first, counts = text.split(":")
        return cls(first=int(first), counts=tuple(map(int, counts.split(","))))


@dataclass(frozen=True, slots=True)
class Full:
    """The quota is used up; `retry_at` is the first moment at which one more fits."""

    retry_at: datetime


def spend(window: Window | None, quota: Quota, *, now: datetime) -> Window | Full:
    """
    Count one more job, if it fits.

    Args:
        window: What was accepted before; None if nothing was.
        quota: How many fit, and for how long they count.
        now: When. A moment before the latest job counts as that job's: a producer's clock that runs behind then lets
            nothing through that another's has counted.
    """
    present = _bucket_at(now, quota.per)
    if window is None:
        return Window(first=present, counts=(1,))
    latest = window.first + len(window.counts) - 1
    present = max(present, latest)
    counts = (*window.counts, *[0] * min(present - latest, BUCKETS + 1))
    kept = counts[-(BUCKETS + 1) :]
    if sum(kept) >= quota.n:
        return Full(_fits_at(kept, present, quota))
    return _without_leading_zeros((*kept[:-1], kept[-1] + 1), latest=present)


def forgotten_at(window: Window, quota: Quota) -> datetime:
    """Return from when nothing of a window counts any more."""
    return _start_of(window.first + len(window.counts) + BUCKETS, quota.per)


def _fits_at(kept: tuple[int, ...], latest: int, quota: Quota) -> datetime:
    """Return when enough of the oldest buckets have left for one more to fit."""
    surplus = sum(kept) - quota.n + 1
    left = next(index for index, gone in enumerate(accumulate(kept)) if gone >= surplus)
    return _start_of(latest - len(kept) + 1 + left + BUCKETS + 1, quota.per)


def _without_leading_zeros(counts: tuple[int, ...], *, latest: int) -> Window:
    zeros = next(index for index, count in enumerate(counts) if count)
    return Window(first=latest - len(counts) + 1 + zeros, counts=counts[zeros:])


def _bucket_at(moment: datetime, per: timedelta) -> int:
    """Return the number of the bucket that a moment is in; in whole numbers, since sixtieths of a window may be odd."""
    return (moment - _EPOCH) * BUCKETS // per


def _start_of(bucket: int, per: timedelta) -> datetime:
    """Return the first moment of a bucket, in microseconds."""
    ticks = -(bucket * (per // _TICK) // -BUCKETS)
    return _EPOCH + ticks * _TICK
