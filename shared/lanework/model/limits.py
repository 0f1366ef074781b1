"""
Limits of a family, a job type, or one value of a payload's field: how many at once, how fast, how many at all.

Concurrency and rate delay a start, and cost no attempt; a quota refuses at enqueue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2s
from itertools import accumulate
from typing import ClassVar, Final, Self

from lanework.errors import InvalidOptionError, is_a, shown

TENANT: Final = "@tenant"
"""`key=TENANT`: one limit for each `tenant=` that jobs are enqueued with; jobs without one share theirs."""

MOST_AT_ONCE: Final = 1000
"""Slots of one concurrency limit: as many executions as an account may have at once (Lambda quotas), by default."""

MOST_OF_A_QUOTA: Final = 1_000_000

LONGEST_WINDOW: Final = timedelta(days=7)

SLOT_LASTS: Final = timedelta(seconds=2)
"""How late a job may come to the start that a rate reserved for it; what comes later reserves again (rule 12)."""


@dataclass(frozen=True, slots=True)
class Concurrency:
    """
    At most `n` jobs run at once; others wait, and are woken as one ends.

    Attributes:
        n: 1 to 1,000.
        key: A field of the payload, or `TENANT`: one limit for each of its values. None: one for all.
    """

    kind: ClassVar = "concurrency"

    n: int
    key: str | None = None

    def __post_init__(self) -> None:
        _check_count("Concurrency", self.n, MOST_AT_ONCE, instead="pause the queue to let nothing run")


@dataclass(frozen=True, slots=True)
class Rate:
    """
    At most `n` starts within any `per`, evenly spaced: for the other side's "100 a minute".

    Starts are `(per + 2 s) / n` apart, since a job may come up to 2 s late to the start that was reserved for it.

    Attributes:
        n: 1 to 1,000,000.
        per: Length of the window, 1 s to 7 days.
        key: As in `Concurrency`.
    """

    kind: ClassVar = "rate"

    n: int
    per: timedelta
    key: str | None = None

    def __post_init__(self) -> None:
        _check_count("Rate", self.n, MOST_OF_A_QUOTA, instead="pause the queue to let nothing start")
        _check_window("Rate", self.per)

    @property
    def interval(self) -> timedelta:
        """The time between two starts, in whole milliseconds, as they are kept; never shorter."""
        millisecond = timedelta(milliseconds=1)
        return -((self.per + SLOT_LASTS) // -(self.n * millisecond)) * millisecond


@dataclass(frozen=True, slots=True)
class Quota:
    """
    At most `n` jobs are accepted within any `per`; more are refused at enqueue, with the time when one fits again.

    Attributes:
        n: 1 to 1,000,000.
        per: Length of the window, 1 s to 7 days; it slides in sixtieths of itself.
        key: As in `Concurrency`.
    """

    kind: ClassVar = "quota"

    n: int
    per: timedelta
    key: str | None = None

    def __post_init__(self) -> None:
        _check_count("Quota", self.n, MOST_OF_A_QUOTA, instead="don't enqueue, or cancel what was")
        _check_window("Quota", self.per)


Limit = Concurrency | Rate | Quota


@dataclass(frozen=True, slots=True)
class Bound:
    """
    A limit and whose it is.

    Attributes:
        limit: The limit.
        scope: Whose it is: `queue:email` or `type:user.otp`.
    """

    limit: Limit
    scope: str

    def name_for(self, payload: Mapping[str, object], tenant: str | None) -> str:
        """
        Return the name of the one limit that a job falls under, such as `concurrency:queue:email`.

        A key's value is part of it as a digest: names appear in logs, and values may be anybody's address.
        """
        name = f"{self.limit.kind}:{self.scope}"
        if self.limit.key is None:
            return name
        value = tenant if self.limit.key == TENANT else payload.get(self.limit.key)
        return f"{name}:{self.limit.key}={digest_of(value)}"


def fields_of(payload: object) -> Mapping[str, object]:
    """Return a payload's fields; one that is no object, as a `RootModel`'s may be, is the one field `root`."""
    return payload if isinstance(payload, Mapping) else {"root": payload}


def digest_of(value: object) -> str:
    """Return 24 characters that stand for a value: the same for the same value, and nothing can be read from them."""
    return blake2s(str(value).encode(errors="surrogatepass"), digest_size=12).hexdigest()


def bounds_of(scope: str, *given: Limit | tuple[Limit, ...] | None) -> tuple[Bound, ...]:
    """Return the limits that one level declares; each may be one limit, several, or none. A bare number is refused."""
    limits = [one for some in given if some is not None for one in (some if isinstance(some, tuple) else (some,))]
    for one in limits:
        if not isinstance(one, Concurrency | Rate | Quota):
            msg = f"a limit is Concurrency(5), Rate(100, per=timedelta(minutes=1)) or Quota(…), got {shown(one)}"
            raise InvalidOptionError(msg)
    return tuple(Bound(limit, scope) for limit in limits)


def is_count(n: object) -> bool:
    """Tell whether a value is a whole number; `True` is none, though Python counts with it."""
    return isinstance(n, int) and not isinstance(n, bool)


def _check_count(what: str, n: int, most: int, *, instead: str) -> None:
    if not is_count(n):
        msg = f"{what} needs a whole number, got {shown(n)}"
        raise InvalidOptionError(msg)
    if n < 1:
        msg = f"{what} needs at least 1, got {shown(n)}: {instead}"
        raise InvalidOptionError(msg)
    if n > most:
        msg = f"{what} can be at most {most:,}, got {shown(n)}"
        raise InvalidOptionError(msg)


def _check_window(what: str, per: timedelta) -> None:
    if not is_a(per, timedelta) or not timedelta(seconds=1) <= per <= LONGEST_WINDOW:
        msg = f"{what} needs a window of 1 s to {LONGEST_WINDOW.days} days, got per={shown(per)}"
        raise InvalidOptionError(msg)


BUCKETS: Final = 60
"""Parts of a window: an item that fits into one write unit (1 KB) even where each of them counts a million."""

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What was accepted of late: jobs in each bucket from the `first` on, numbered since 1970, to the latest job's."""

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

    A moment before the latest job counts as that job's: a producer's clock that runs behind then lets nothing through
    that another's has counted.
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
