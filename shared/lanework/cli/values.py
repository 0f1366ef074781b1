"""Values on the command line: durations, moments and payloads."""

from __future__ import annotations

import re
import sys
from datetime import datetime, timedelta
from pathlib import Path

import typer

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 0.001}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")


def duration(text: str) -> timedelta:
    """
    Read a duration: `90` (seconds), `1.5s`, `10m`, `1h30m`, `2d`.

    Raises:
        typer.BadParameter: It isn't one.
    """
    parts = _PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return timedelta(seconds=float(text))
    msg = f"{text!r} is no duration; write it as 90 (seconds), 1.5s, 10m, 1h30m or 2d"
    raise typer.BadParameter(msg)


def moment(text: str) -> datetime:
    """
    Read a moment: ISO 8601 with an offset or Z, such as `2026-12-24T18:00:00+01:00`.

    Raises:
        typer.BadParameter: It isn't one, or says no offset.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is no time; write it as 2026-12-24T18:00:00Z or 2026-12-24T18:00:00+01:00"
        raise typer.BadParameter(msg) from None
    if found.tzinfo is None:
        msg = f"{text!r} doesn't say in which zone; append Z for UTC, or an offset such as +01:00"
        raise typer.BadParameter(msg)
    return found


def payload(text: str) -> str:
    """
    Read a payload: JSON text as it is, `@file` from a file, `-` from standard input.

    Raises:
        typer.BadParameter: The file can't be read.
    """
    if text == "-":
        return sys.stdin.read()
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"can't read the payload from {text[1:]}: {error}"
        raise typer.BadParameter(msg) from error
