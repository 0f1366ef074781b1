"""
Values on the command line: durations, times, words, ids and payloads.

What can't be read raises `typer.BadParameter`, which says how to write it, and of words names the nearest.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import typer

from lanework.engine.deadletters.bulk_redrive import FASTEST, SLOWEST, check_rate
from lanework.errors import UnknownNameError, did_you_mean, word_of
from lanework.local.project_config import ENTRY
from lanework.model.lanes import Lane, lane_of
from lanework.model.lifecycle.states import ENDED, Cause, State

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
WordT = TypeVar("WordT", bound=StrEnum)

LONGEST: Final = timedelta(days=36_500)
"""Longest duration that is read."""

_LONGEST_SHOWN: Final = 60
_ID: Final = re.compile(r"[!-.0-~]{1,128}")
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 0.001}
_PART = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(ms|[dhms])")


def duration(text: str) -> timedelta:
    """Read a duration: `90` (seconds), `1.5s`, `10m`, `1h30m`, `2d`."""
    parts = _PART.findall(text)
    try:
        if parts and "".join(number + unit for number, unit in parts) == text:
            return _short_enough(sum(float(number) * _UNITS[unit] for number, unit in parts))
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
            return _short_enough(float(text))
    except OverflowError:
        msg = f"{_cut(text)!r} is too long: the maximum is {LONGEST.days:,}d, a hundred years"
        raise typer.BadParameter(msg) from None
    msg = f"{_cut(text)!r} is no duration; write it as 90 (seconds), 1.5s, 10m, 1h30m or 2d"
    raise typer.BadParameter(msg)


def _short_enough(seconds: float) -> timedelta:
    if seconds > LONGEST.total_seconds():
        raise OverflowError
    return timedelta(seconds=seconds)


def moment(text: str) -> datetime:
    """Read a moment: ISO 8601 with an offset or Z, such as `2026-12-24T18:00:00+01:00`."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):  # a year that a zone's offset leads out of, too
        msg = f"{_cut(text)!r} is no time; write it as 2026-12-24T18:00:00Z or 2026-12-24T18:00:00+01:00"
        raise typer.BadParameter(msg) from None
    msg = f"{_cut(text)!r} doesn't say in which zone; append Z for UTC, or an offset such as +01:00"
    raise typer.BadParameter(msg)


def lane(text: str | Lane) -> Lane:
    """Read a lane: its name, or 1 to 5."""
    return _named(lane_of, text)


def entry(text: str) -> str:
    """Read where something is in the code, as `module:attribute`."""
    if re.search(ENTRY, text):
        return text
    msg = f"{_cut(text)!r} is no module:attribute; write it as shop.jobs:app"
    raise typer.BadParameter(msg)


def cause(text: str | Cause) -> Cause:
    """Read why a job died."""
    return _named(lambda word: word_of("cause", Cause, word), text)


def end(text: str | State) -> State:
    """Read the state that a job ended in."""
    ends = sorted(state.value for state in ENDED)
    if str(text).lower() not in ends:
        msg = f"unknown status {_cut(str(text))!r}{did_you_mean(str(text), ends)}"
        raise typer.BadParameter(msg)
    return State(str(text).lower())


def one_of(words: type[WordT]) -> Callable[[str], WordT]:
    """Return what reads one of these words, and names the nearest to any other."""

    def read(text: str) -> WordT:
        try:
            return words(text)
        except ValueError:
            msg = f"{_cut(text)!r} is none of {', '.join(words)}{did_you_mean(text, list(words))}"
            raise typer.BadParameter(msg) from None

    return read


def rate(text: str | float) -> float:
    """Read a number of jobs a second."""
    try:
        found = float(text)
        check_rate(found)
    except ValueError:
        msg = f"{_cut(str(text))!r} is no rate; write a number of jobs a second from {SLOWEST:g} to {FASTEST:g}"
        raise typer.BadParameter(msg) from None
    return found


def job_id(text: str) -> str:
    """Read the id of a job, a workflow or a schedule that is there already."""
    if _ID.fullmatch(text):
        return text
    msg = f"{_cut(text)!r} can't be an id: ids have 1 to 128 letters, digits and signs, no spaces and no slashes"
    raise typer.BadParameter(msg)


def _named(read: Callable[[str], T], text: str) -> T:
    try:
        return read(str(text))
    except UnknownNameError as error:
        raise typer.BadParameter(str(error)) from None


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def payload(text: str) -> str:
    """Read a payload: JSON text as it is, `@file` from a file, `-` from standard input."""
    if text == "-":
        return sys.stdin.read()
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"can't read the payload from {text[1:]}: {error}"
        raise typer.BadParameter(msg) from error
