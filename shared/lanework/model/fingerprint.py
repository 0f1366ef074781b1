"""Which errors are the same error: its type and its message, less what differs from job to job."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

_TYPE: Final = re.compile(r"[A-Za-z_][\w.]*(?=:|$)")

_VARYING: Final = (
    (re.compile(r"\b\w+://[^\s\"'`<>]+"), "<url>"),
    (re.compile(r"[\w.+-]+@[\w.-]+\w"), "<address>"),
    (re.compile(r"\"[^\"]*\"|`[^`]*`|«[^»]*»|“[^”]*”"), "<text>"),
    # Not within words, where it is an apostrophe: "can't reach …, won't retry" quotes nothing.
    (re.compile(r"(?<!\w)'[^']*'(?!\w)"), "<text>"),
    (re.compile(r"(?<![\w])-?[\w.:-]*\d[\w.:-]*(?<![.:-])"), "<n>"),
    (re.compile(r"\b[0-9a-f]{8,}\b"), "<n>"),
    (re.compile(r"\s+"), " "),
)
"""In this order: an address holds digits, a quoted text holds anything."""

_COMPARED: Final = 200
"""Characters of a shape: a long error is cut off when it is kept, and where depends on what varies in it."""

_LENGTH: Final = 8


def shape_of(error: str) -> str:
    """
    Return an error with what varies replaced by its kind: `OSError: no route to <text>, tried <n> times`.

    Args:
        error: As a job keeps it, `ExceptionType: message`.
    """
    found = _TYPE.match(error)
    kept = "" if found is None else found[0]
    rest = error[len(kept) :]
    for pattern, kind in _VARYING:
        rest = pattern.sub(kind, rest)
    return (kept + rest).strip()[:_COMPARED]


def fingerprint(error: str) -> str:
    """Return eight hex digits that are the same for errors that differ only in numbers, ids, addresses and quotes."""
    return sha256(shape_of(error).encode()).hexdigest()[:_LENGTH]
