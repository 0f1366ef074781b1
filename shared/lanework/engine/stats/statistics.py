"""
What jobs did lately, for people: the one source of the numbers that the CLI, the API and the pages show.

The last hour is two reads, the last day three, and both together three, however many jobs there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from lanework.engine.ports.statistics import MOST_RAW
from lanework.model.stats.buckets import HOUR, MINUTE, Bucket, hour_of, joined, minute_of
from lanework.model.stats.numbers import Key, Numbers, together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.statistics import Board
    from lanework.model.lanes import Lane
    from lanework.model.stats.buckets import Incident

T = TypeVar("T")

LAST_HOUR: Final = 60 * MINUTE
LAST_DAY: Final = 24 * HOUR

_HOUR_IS_MADE_AFTER: Final = timedelta(minutes=10)
"""By then the clock has made an hour; until then its minutes are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """
    Numbers over a time, step by step.

    Attributes:
        begins: When it begins.
        step: How long a bucket is: a minute or an hour.
        buckets: All of them, oldest first, also those in which nothing happened. The last one isn't over.
        now: When it was read.
    """

    begins: datetime
    step: timedelta
    buckets: tuple[Bucket, ...]
    now: datetime

    @property
    def numbers(self) -> Mapping[Key, Numbers]:
        """The numbers of each lane, queue and type over the whole time."""
        return joined(self.begins, self.buckets).numbers

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Late and dead jobs that are known by name, the latest first. An hour knows at most 100."""
        found = [one for bucket in self.buckets for one in bucket.incidents]
        return tuple(sorted(found, key=lambda one: one.at, reverse=True))

    def series(self, name_of: Callable[[Key], str]) -> dict[str, tuple[Numbers, ...]]:
        """Return numbers step by step, as many as there are buckets, for each name that `by_lane` or the like gives."""
        names = sorted({name_of(key) for bucket in self.buckets for key in bucket.numbers} - {""})
        steps = [_by(name_of, bucket.numbers) for bucket in self.buckets]
        return {name: tuple(step.get(name, Numbers()) for step in steps) for name in names}

    def sums(self, name_of: Callable[[Key], str]) -> dict[str, Numbers]:
        """Return numbers over the whole time for each name; `name_of` as in `series`."""
        found = _by(name_of, self.numbers)
        return {name: found[name] for name in sorted(found) if name}

    def latest(self, time: timedelta) -> Window:
        """Return the last part of it: the steps of which anything lies within so long a time."""
        since = self.now - time
        buckets = tuple(bucket for bucket in self.buckets if bucket.at + self.step > since)
        return Window(begins=buckets[0].at, step=self.step, buckets=buckets, now=self.now)


def by_lane(key: Key) -> str:
    """Name a key by its lane."""
    return key.lane


def by_queue(key: Key) -> str:
    """Name a key by its queue; what is a lane's own has none."""
    return key.queue


def by_type(key: Key) -> str:
    """Name a key by its job type; what is a lane's own has none."""
    return key.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """
    Everything that three reads give.

    Attributes:
        hour: The last hour by minutes.
        day: The last day by hours.
        total: Everything since the stack began to count.
        alerts: What stands of alerts, as JSON text; None if there never was one.
        counted_until: Minutes before this one are made; what came later is read as it was counted. None: none was made.
    """

    hour: Window
    day: Window
    total: Mapping[Key, Numbers]
    alerts: str | None
    counted_until: datetime | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """Reads numbers; writes none."""

    ports: Ports = field(repr=False)

    def last_hour(self) -> Window:
        """Return the last 60 minutes, the present one included. Two reads."""
        return self._hour(*self._read())

    def overview(self) -> Overview:
        """Return the last hour, the last day and everything. Three reads."""
        now, board, fresh = self._read()
        minutes = [*_made(board), *fresh]
        boundary = hour_of(now - _HOUR_IS_MADE_AFTER)
        begins = hour_of(now) - LAST_DAY + HOUR
        hours = {one.at: one for one in self.ports.statistics.hours(since=begins) if one.at < boundary}
        for hour in (boundary, boundary + HOUR):
            hours[hour] = joined(hour, [one for one in minutes if hour_of(one.at) == hour])
        counted = [] if board.total is None else [Bucket(at=now, numbers=board.total.numbers)]
        not_in_total = minutes if board.total is None else [one for one in minutes if one.at >= board.total.until]
        return Overview(
            hour=self._hour(now, board, fresh),
            day=Window(begins=begins, step=HOUR, buckets=_filled(hours, begins, HOUR, 24), now=now),
            total=joined(now, [*counted, *not_in_total]).numbers,
            alerts=board.alerts,
            counted_until=None if board.total is None else board.total.until,
        )

    def _read(self) -> tuple[datetime, Board, Sequence[Bucket]]:
        """Read what was made, and what was counted since."""
        now = self.ports.clock()
        this = minute_of(now)
        since = min(this - LAST_HOUR + MINUTE, hour_of(now - _HOUR_IS_MADE_AFTER))
        board = self.ports.statistics.board(since=since)
        oldest = this - (MOST_RAW - 1) * MINUTE
        begin = oldest if board.total is None else max(oldest, board.total.until)
        minutes = [begin + n * MINUTE for n in range(MOST_RAW) if begin + n * MINUTE <= this]
        return now, board, self.ports.statistics.raw(minutes)

    def _hour(self, now: datetime, board: Board, fresh: Sequence[Bucket]) -> Window:
        begins = minute_of(now) - LAST_HOUR + MINUTE
        found: dict[datetime, list[Bucket]] = {}
        for one in (*_made(board), *fresh):
            found.setdefault(one.at, []).append(one)
        buckets = {at: joined(at, several) for at, several in found.items()}
        return Window(begins=begins, step=MINUTE, buckets=_filled(buckets, begins, MINUTE, 60), now=now)


def _made(board: Board) -> list[Bucket]:
    """Return the minutes that the total covers; those after it were made a moment ago, and are read raw."""
    return [] if board.total is None else [one for one in board.minutes if one.at < board.total.until]


def _filled(buckets: Mapping[datetime, Bucket], begins: datetime, step: timedelta, count: int) -> tuple[Bucket, ...]:
    moments = (begins + n * step for n in range(count))
    return tuple(buckets.get(moment, Bucket(at=moment)) for moment in moments)


def _by(name_of: Callable[[Key], T], numbers: Mapping[Key, Numbers]) -> dict[T, Numbers]:
    found: dict[T, list[Numbers]] = {}
    for key, one in numbers.items():
        found.setdefault(name_of(key), []).append(one)
    return {name: together(several) for name, several in found.items()}


def lanes_of(numbers: Mapping[Key, Numbers]) -> dict[Lane, Numbers]:
    """Return numbers added up by lane."""
    return _by(lambda key: key.lane, numbers)
