"""How long an HTTP server asked to be left alone, read off whatever exception a client library raised."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from lanework.model.outcomes import LONGEST_PARK

_ASKS: Final = frozenset({429, 503})
"""Statuses with which a server may send Retry-After for an overload (RFC 9110, section 10.2.3; RFC 6585, section 4)."""

_LONGEST_S: Final = str(int(LONGEST_PARK.total_seconds()))

_STATUS: Final = ("status_code", "status", "code")


def asked_wait(error: BaseException, *, now: datetime) -> timedelta | None:
    """
    Return the wait that a Retry-After header asks for, or None.

    Understands requests and httpx (`error.response`), aiohttp and urllib (the error itself), and botocore (a dict with
    `ResponseMetadata`), by their shape: none of them is imported. What a remote sends, or a library's properties raise,
    raises nothing here: a wait that can't be read is none.
    """
    try:
        return _asked_wait(error, now)
    except BaseException:  # noqa: BLE001 - code of whatever library
        return None


def _asked_wait(error: BaseException, now: datetime) -> timedelta | None:
    for carrier in (getattr(error, "response", None), error):
        status, headers = _read(carrier)
        if status in _ASKS:
            wait = _parsed(_header(headers, "retry-after"), now)
            if wait is not None:
                return min(max(wait, timedelta(seconds=1)), LONGEST_PARK)
    return None


def _read(carrier: object) -> tuple[object, object]:
    if isinstance(carrier, Mapping):
        metadata = carrier.get("ResponseMetadata")
        if isinstance(metadata, Mapping):
            return metadata.get("HTTPStatusCode"), metadata.get("HTTPHeaders")
        return None, None
    status = next((getattr(carrier, name) for name in _STATUS if isinstance(getattr(carrier, name, None), int)), None)
    return status, getattr(carrier, "headers", None)


def _header(headers: object, name: str) -> str | None:
    items = getattr(headers, "items", None)
    if not callable(items):
        return None
    return next((str(value) for key, value in items() if str(key).lower() == name), None)


def _parsed(value: str | None, now: datetime) -> timedelta | None:
    """Read the two forms of the header: a number of seconds, and an HTTP date."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        digits = text.lstrip("0")
        is_readable = len(digits) <= len(_LONGEST_S)  # Python reads no number of over 4,300 digits
        return timedelta(seconds=min(int(digits or "0"), int(_LONGEST_S))) if is_readable else LONGEST_PARK
    at = parsedate_to_datetime(text)
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - now
