"""
Cron expressions: the five-field dialect and EventBridge's six fields, checked and brought to one form.

`cronsim` knows what the fields mean and walks the wall clock; what a time zone makes of that is in `timetable.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from cronsim import CronSim, CronSimError

from lanework.errors import InvalidOptionError, is_a, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

_FIVE: Final = 5
_SIX: Final = 6
_NAMES: Final = ("minute", "hour", "day-of-month", "month", "day-of-week", "year")
_MAY_HOLD: Final = (
    "0 to 59",
    "0 to 23",
    "1 to 31, L (the last day) or LW (the last weekday)",
    "1 to 12, or JAN to DEC",
    "0 to 7 (Sunday is 0 and 7) or SUN to SAT, MON#2 (the second Monday), 5L (the last Friday)",
    "1970 to 2199",
)
_EVENTBRIDGE_DAYS: Final = "1 to 7 (Sunday is 1) or SUN to SAT, MON#2 (the second Monday), 6L (the last Friday)"
_SECOND: Final = timedelta(seconds=1)
_LONGEST: Final = 256
"""Characters (EventBridge Scheduler, CreateSchedule, "ScheduleExpression")."""

_TOO_LARGE: Final = re.compile(r"\d{5,}")
"""No field holds a number of five digits; a range of them would be written out before it is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """
    A checked cron expression.

    Attributes:
        fields: Minute to day-of-week, in the five-field dialect.
        years: The years it is limited to; None for all.
        written: EventBridge's own six fields, where it was written so.
    """

    fields: tuple[str, ...]
    years: frozenset[int] | None = None
    written: tuple[str, ...] | None = None

    @property
    def is_at_fixed_times(self) -> bool:
        """Whether it names minutes and hours, rather than "every": Debian's cron treats the two differently in DST."""
        return not self.fields[0].startswith("*") and not self.fields[1].startswith("*")

    @property
    def words(self) -> str:
        """What it means, in words."""
        said = _walk(self.fields, _wall(2000)).explain()
        return said if self.years is None else f"{said}, in {', '.join(map(str, sorted(self.years)))}"

    def walls_after(self, wall: datetime) -> Iterator[datetime]:
        """Yield what a wall clock shows when it is time, later than this, oldest first."""
        if self.years is None:
            yield from _walk(self.fields, wall)
        for year in sorted(self.years or ()):
            if year >= wall.year:
                yield from _within(year, _walk(self.fields, max(wall, _wall(year) - _SECOND)))

    def walls_before(self, wall: datetime) -> Iterator[datetime]:
        """Yield what a wall clock showed when it was time, earlier than this, newest first."""
        if self.years is None:
            yield from _walk(self.fields, wall, newest_first=True)
        for year in sorted(self.years or (), reverse=True):
            if year <= wall.year:
                yield from _within(year, _walk(self.fields, min(wall, _wall(year + 1)), newest_first=True))


def cron_of(text: str) -> Cron:
    """
    Read a cron expression: five fields, or EventBridge's six, bare or as `cron(…)`.

    Raises:
        InvalidOptionError: It is none, or it never fires; the message names the field and what it may hold.
    """
    if not is_a(text, str) or len(text) > _LONGEST:
        msg = f"cron {shown(text)} can't be used: it is a text of at most {_LONGEST} characters, such as '0 2 * * *'"
        raise InvalidOptionError(msg)
    number = _TOO_LARGE.search(text)
    if number is not None:
        msg = f"cron {shown(text)} holds {shown(number[0])}, which no field can: {'; '.join(_MAY_HOLD[:5])}"
        raise InvalidOptionError(msg)
    return _read(text)


@lru_cache(maxsize=1000)
def _read(text: str) -> Cron:
    wrapped = re.fullmatch(r"cron\((.*)\)", text.strip())
    fields = tuple((wrapped[1] if wrapped else text).upper().split())
    if len(fields) == _SIX:
        cron = _from_eventbridge(fields)
    elif len(fields) == _FIVE and wrapped is None:
        _check(fields, fields, _MAY_HOLD)
        cron = Cron(fields=fields)
    else:
        msg = (
            f"cron {shown(text)} has {len(fields)} fields: write five (minute hour day-of-month month day-of-week), "
            "such as '0 2 * * *', or EventBridge's six, such as 'cron(0 2 * * ? *)'"
        )
        raise InvalidOptionError(msg)
    first = _wall(min(cron.years) if cron.years else 2000) - _SECOND
    if next(cron.walls_after(first), None) is None:
        raise _never(fields)
    return cron


def in_eventbridge(cron: Cron) -> str:
    """Return the expression as EventBridge reads it; InvalidOptionError, with another way, if it can't say it."""
    if cron.written is not None:
        return f"cron({' '.join(cron.written)})"
    walk = _walk(cron.fields, _wall(2000))
    minute, hour, month = (
        _as_written(cron.fields[index], values, low=low, high=high)
        for index, values, low, high in ((0, walk.minutes, 0, 59), (1, walk.hours, 0, 23), (3, walk.months, 1, 12))
    )
    text = cron.fields[2]
    day = text if text in ("L", "LW") else _as_written(text, walk.days, low=1, high=31)
    weekday = _weekdays_as_written(walk.weekdays)
    if "*" not in (day, weekday):
        msg = (
            f"cron {' '.join(cron.fields)!r} restricts both day-of-month and day-of-week, unsupported by EventBridge; "
            "write two schedules, each with '*' in one of the two fields"
        )
        raise InvalidOptionError(msg)
    if weekday == "*":
        weekday = "?"
    else:
        day = "?"
    return f"cron({minute} {hour} {day} {month} {weekday} *)"


def _from_eventbridge(written: tuple[str, ...]) -> Cron:
    may_hold = (*_MAY_HOLD[:4], _EVENTBRIDGE_DAYS, _MAY_HOLD[5])
    day, weekday = written[2], written[4]
    if (day == "?") == (weekday == "?"):
        msg = (
            f"cron fields 3 (day-of-month) and 5 (day-of-week) can't be {day!r} and {weekday!r}: "
            "in EventBridge's six fields exactly one of the two is '?'"
        )
        raise InvalidOptionError(msg)
    if "W" in day and day != "LW":
        msg = f"cron field 3 (day-of-month) can't be {day!r}: the nearest weekday is not supported; name the days"
        raise InvalidOptionError(msg)
    try:
        weekdays = "*" if weekday == "?" else ",".join(_eventbridge_day(term) for term in weekday.split(","))
    except ValueError:
        raise _refused(4, weekday, may_hold[4]) from None
    fields = (*written[:2], "*" if day == "?" else day, written[3], weekdays)
    _check(fields, written, may_hold)
    try:
        years = None if written[5] in ("*", "?") else _years(written[5])
    except ValueError:
        raise _refused(5, written[5], may_hold[5]) from None
    return Cron(fields=fields, years=years, written=written)


def _eventbridge_day(term: str) -> str:
    """Return a term of EventBridge's day-of-week, Sunday 1 to Saturday 7, as days from Sunday 0."""
    if term == "L":
        return "6"
    if term.endswith("L"):
        return f"{_day(term[:-1])}L"
    if "#" in term:
        day, _, nth = term.partition("#")
        return f"{_day(day)}#{nth}"
    return ",".join(map(str, _expanded(term, 0, 6, _day)))


def _day(word: str) -> int:
    if word in DAYS:
        return DAYS.index(word)
    number = int(word) - 1
    if number not in range(7):
        raise ValueError(word)
    return number


def _years(text: str) -> frozenset[int]:
    years = {year for term in text.split(",") for year in _expanded(term, 1970, 2199, int)}
    if min(years) < 1970 or max(years) > 2199:  # noqa: PLR2004 - EventBridge's
        raise ValueError(text)
    return frozenset(years)


def _expanded(term: str, low: int, high: int, number: Callable[[str], int]) -> list[int]:
    """Return what a term such as `2`, `2-5`, `2/3` or `*/2` stands for; a ValueError if it is none."""
    values, is_stepped, step = term.partition("/")
    first, is_range, last = values.partition("-")
    begin = low if values == "*" else number(first)
    end = number(last) if is_range else high if values == "*" or is_stepped else begin
    every = int(step) if is_stepped else 1
    if begin > end or every < 1:
        raise ValueError(term)
    return list(range(begin, end + 1, every))


def _check(fields: tuple[str, ...], written: tuple[str, ...], may_hold: tuple[str, ...]) -> None:
    """Try each field by itself, so that the error names it, then all of them."""
    for index, field in enumerate(fields):
        alone = tuple(field if index == other else "*" for other in range(_FIVE))
        try:
            _walk(alone, _wall(2000))
        except CronSimError:
            raise _refused(index, written[index], may_hold[index]) from None
    try:
        _walk(fields, _wall(2000))
    except CronSimError:
        raise _never(written) from None


def _refused(index: int, value: str, may_hold: str) -> InvalidOptionError:
    return InvalidOptionError(f"cron field {index + 1} ({_NAMES[index]}) can't be {shown(value)}: {may_hold}")


def _never(fields: tuple[str, ...]) -> InvalidOptionError:
    return InvalidOptionError(f"cron {' '.join(fields)!r} never fires: no month it names has such a day")


def _as_written(text: str, values: set[int], *, low: int, high: int) -> str:
    """Return a field as EventBridge takes it: what it may read otherwise is written out as a list."""
    if values == set(range(low, high + 1)):
        return "*"
    stepped = re.fullmatch(r"\*/(\d+)", text)
    if stepped:
        return f"{low}/{stepped[1]}"
    if min(values) < low:
        msg = f"EventBridge doesn't support {text!r} beside other days; write a schedule of its own for L or LW"
        raise InvalidOptionError(msg)
    return text if re.fullmatch(r"[\d,]+|\d+-\d+", text) else ",".join(map(str, sorted(values)))


def _weekdays_as_written(values: set[int | tuple[int, int]]) -> str:
    days = {one % 7 for one in values if isinstance(one, int)}
    special = [one for one in values if not isinstance(one, int)]
    if len(days) == len(DAYS):
        return "*"
    if not special:
        return ",".join(DAYS[day] for day in sorted(days))
    if days or len(special) > 1:
        msg = "EventBridge takes one '#' or 'L' as day-of-week, and nothing beside it; write a schedule for each"
        raise InvalidOptionError(msg)
    day, nth = special[0]
    return f"{day % 7 + 1}L" if nth == CronSim.LAST else f"{day % 7 + 1}#{nth}"


def _walk(fields: tuple[str, ...], wall: datetime, *, newest_first: bool = False) -> CronSim:
    return CronSim(" ".join(fields), wall, reverse=newest_first)


def _within(year: int, walls: Iterator[datetime]) -> Iterator[datetime]:
    return takewhile(lambda wall: wall.year == year, walls)


def _wall(year: int) -> datetime:
    """Return the first moment of a year on a wall clock, in no zone."""
    return datetime(year, 1, 1)  # noqa: DTZ001
