"""Checks of what users pass: durations, moments, names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from lanework.errors import InvalidOptionError, is_a, shown

T = TypeVar("T")


LONGEST_DELAY: Final = timedelta(days=366 * 10)
"""How far ahead a start may lie."""

MOST_VERSIONS: Final = 1_000_000


def check_durations(**given: object) -> None:
    """Refuse a bare number, of which nobody knows whether it means seconds, with InvalidOptionError."""
    for name, value in given.items():
        if value is not None and not isinstance(value, timedelta):
            msg = f"{name} must be a timedelta, as in {name}=timedelta(seconds=10), got {shown(value)}"
            raise InvalidOptionError(msg)


def checked_moment(name: str, moment: datetime) -> datetime:
    """Return a moment in UTC and in the ledger's whole milliseconds; InvalidOptionError if it has no time zone."""
    if not isinstance(moment, datetime):
        msg = f"{name} must be a datetime with a time zone, got {shown(moment)}"
        raise InvalidOptionError(msg)
    if moment.utcoffset() is None:
        msg = f"{name} needs a time zone, got {moment.isoformat()}: datetime(…, tzinfo=UTC), or datetime.now(UTC) + …"
        raise InvalidOptionError(msg)
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        msg = f"{name} is outside of the years 1 to 9999 in UTC: {moment.isoformat()}"
        raise InvalidOptionError(msg) from None
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def listed(what: str, given: Iterable[T]) -> Iterable[T]:
    """Return what was given for a list; InvalidOptionError if it is none."""
    if is_a(given, Iterable) and not is_a(given, str | bytes):
        return given
    msg = f"{what} takes a list, got {shown(given)}"
    raise InvalidOptionError(msg)


def checked_names(what: str, given: object) -> tuple[str, ...]:
    """Return names that were given as one, several or None; InvalidOptionError if they are no names."""
    if given is None or isinstance(given, str):
        return () if given is None else (given,)
    names = tuple(given) if isinstance(given, Iterable) else (given,)
    if all(isinstance(one, str) for one in names):
        return names
    msg = f"{what} takes a name, or several in a tuple, got {shown(given)}"
    raise InvalidOptionError(msg)
