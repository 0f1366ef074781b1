"""
When a schedule fires: pure, in every time zone, the same for everyone who computes it.

Around a change of the clocks it is Debian's cron (cron(8)): what names its hour and minute runs once a day, right after
the gap that it falls into, and at the first of two equal times; what says "every" follows the time that really passes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import takewhile
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, available_timezones

from lanework.errors import InvalidOptionError, did_you_mean, is_a, shown
from lanework.model.schedule.cron import Cron, cron_of, in_eventbridge

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE: Final = timedelta(minutes=1)
LONGEST_EVERY: Final = timedelta(days=366)

_LONGEST_ZONE: Final = 64
"""Characters of a zone's name; the longest in use has 32, and one of a thousand parts is looked for in each of them."""

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEAR: Final = timedelta(hours=26)
"""A change of the clocks that is further away moves nothing: the largest known skipped a whole day (Samoa, 2011)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A timetable in EventBridge's terms: `cron(…)` or `rate(…)`, and an IANA name."""

    text: str
    timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """
    The ticks of a schedule: whole minutes, in UTC.

    Attributes:
        cron: Five fields, or EventBridge's six, bare or as `cron(…)`.
        every: Instead: an interval of whole minutes, 1 minute to 366 days. Its ticks are multiples of it since
            1970-01-01T00:00Z, so nothing ever shifts them.
        tz: IANA name of the zone whose clock `cron` means.
    """

    cron: str | None = None
    every: timedelta | None = None
    tz: str = "UTC"

    def __post_init__(self) -> None:
        """Refuse what isn't exactly one of cron and every, can't be used, or names no zone."""
        if (self.cron is None) == (self.every is None):
            msg = "a schedule has either cron= or every=: give one of them"
            raise InvalidOptionError(msg)
        zone_of(self.tz)
        if self.cron is not None:
            cron_of(self.cron)
        if self.every is not None:
            _check_every(self.every, self.tz)

    @property
    def words(self) -> str:
        """What it says, in words."""
        return _spelled(self.every) if self.every is not None else self._cron.words

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Yield the ticks later than a moment, oldest first."""
        if self.every is not None:
            tick = _EPOCH + ((moment - _EPOCH) // self.every + 1) * self.every
            while True:
                yield tick
                tick += self.every
        zone = zone_of(self.tz)
        walls = self._cron.walls_after(_wall(moment - _margin(zone, moment), zone))
        yield from (tick for tick in self._in_order(walls, zone, newest_first=False) if tick > moment)

    def before(self, moment: datetime) -> Iterator[datetime]:
        """Yield the ticks at or earlier than a moment, newest first."""
        if self.every is not None:
            tick = _EPOCH + (moment - _EPOCH) // self.every * self.every
            while True:
                yield tick
                tick -= self.every
        zone = zone_of(self.tz)
        walls = self._cron.walls_before(_wall(moment + _margin(zone, moment) + MINUTE, zone))
        yield from (tick for tick in self._in_order(walls, zone, newest_first=True) if tick <= moment)

    def next(self, after: datetime) -> datetime | None:
        """Return the first tick later than a moment; None if there is none any more."""
        return next(self.after(after), None)

    def latest(self, moment: datetime) -> datetime | None:
        """Return the last tick at or earlier than a moment; None if there was none yet."""
        return next(self.before(moment), None)

    def between(self, after: datetime, upto: datetime) -> Iterator[datetime]:
        """Yield the ticks later than `after` and at or earlier than `upto`, oldest first."""
        return takewhile(lambda tick: tick <= upto, self.after(after))

    def expression_for_eventbridge(self) -> Expression:
        """
        Return the same ticks in EventBridge's terms.

        An interval that divides an hour or a day is said as a cron in UTC, so that its ticks are ours. Any other one
        EventBridge counts from its own beginning, out of phase: the minute tick then starts what it should have.

        Raises:
            InvalidOptionError: EventBridge can't say it; the message says what to write instead.
        """
        if self.cron is not None:
            return Expression(text=in_eventbridge(self._cron), timezone=self.tz)
        every = self.every or _DAY
        if not _HOUR % every:
            return Expression(text=f"cron({_each(every, MINUTE, _HOUR)} * * * ? *)", timezone="UTC")
        if not _DAY % every and not every % _HOUR:
            return Expression(text=f"cron(0 {_each(every, _HOUR, _DAY)} * * ? *)", timezone="UTC")
        count, unit = _whole(every)
        return Expression(text=f"rate({count} {unit}{'' if count == 1 else 's'})", timezone="UTC")

    @property
    def _cron(self) -> Cron:
        return cron_of(self.cron or "")

    def _in_order(self, walls: Iterator[datetime], zone: ZoneInfo, *, newest_first: bool) -> Iterator[datetime]:
        """
        Yield the moments of wall times in order, each once.

        Wall times come in order, but where an hour repeats each stands for two moments, an hour apart. So a moment
        waits until no later wall time can come before it.
        """
        sign = -1 if newest_first else 1
        waiting: list[tuple[timedelta, datetime]] = []
        last: datetime | None = None
        for wall in walls:
            found = [(sign * (moment - _EPOCH), moment) for moment in _moments(wall, zone, once=self._is_once)]
            while waiting and found and waiting[0] <= min(found):
                moment = heappop(waiting)[1]
                if moment != last:
                    yield moment
                last = moment
            for one in found:
                heappush(waiting, one)
        while waiting:
            moment = heappop(waiting)[1]
            if moment != last:
                yield moment
            last = moment

    @property
    def _is_once(self) -> bool:
        return self._cron.is_at_fixed_times


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone; InvalidOptionError says what to write instead if there is none of that name."""
    if is_a(name, str) and len(name) <= _LONGEST_ZONE:
        # OSError: the name of a folder of zones, such as 'Asia'
        with suppress(ImportError, LookupError, OSError, RecursionError, TypeError, ValueError):
            return ZoneInfo(name)
    # An abbreviation is near to another one, which is another zone.
    zones = sorted(one for one in available_timezones() if "/" in one or one == "UTC")
    hint = did_you_mean(name, zones) or "; write an IANA name, such as 'Europe/Berlin'"
    msg = f"unknown time zone {shown(name)}{hint}"
    raise InvalidOptionError(msg)


def _check_every(every: timedelta, tz: str) -> None:
    if not is_a(every, timedelta) or every % MINUTE or not MINUTE <= every <= LONGEST_EVERY:
        msg = f"every must be whole minutes, from 1 minute to {LONGEST_EVERY.days} days, got {shown(every)}"
        raise InvalidOptionError(msg)
    if tz != "UTC":
        msg = f"tz={shown(tz)} goes with cron=: an interval is the same length in every zone; leave it out"
        raise InvalidOptionError(msg)


def _moments(wall: datetime, zone: ZoneInfo, *, once: bool) -> list[datetime]:
    """Return when a wall clock shows this time: once as a rule, twice in a repeated hour, never in a gap."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return [first]
    if first < second:
        return [first] if once else [first, second]
    return [_end_of_gap(second, first, zone)] if once else []


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment with the later offset, by halving the time between one on each side."""
    new = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // timedelta(seconds=2) * timedelta(seconds=1)
        before, after = (before, middle) if middle.astimezone(zone).utcoffset() == new else (middle, after)
    return after


def _margin(zone: ZoneInfo, moment: datetime) -> timedelta:
    """Return how far from a moment to begin: only near a change of the clocks do wall times and moments part."""
    offsets = {(moment + shift).astimezone(zone).utcoffset() for shift in (-_NEAR, timedelta(0), _NEAR)}
    return timedelta(0) if len(offsets) == 1 else _NEAR


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _each(every: timedelta, unit: timedelta, whole: timedelta) -> str:
    """Return a field that an interval of such units makes; a step as large as the field would be refused."""
    if every == whole:
        return "0"
    return "*" if every == unit else f"0/{every // unit}"


def _whole(every: timedelta) -> tuple[int, str]:
    for unit, name in ((_DAY, "day"), (_HOUR, "hour")):
        if not every % unit:
            return every // unit, name
    return every // MINUTE, "minute"


def _spelled(every: timedelta) -> str:
    count, unit = _whole(every)
    return f"Every {unit}" if count == 1 else f"Every {count} {unit}s"
