"""
Which errors are the same error: its type and its message, less what differs from job to job.

An error's text is data: somebody else chose it. So it is read in time that grows with its length and no faster: each
pattern here has one repetition at most, over one class of characters, between which nothing is tried twice.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lanework.model.lifecycle.states import JobRecord

_TYPE: Final = re.compile(r"[A-Za-z_][\w.]*")

_URL: Final = re.compile(r"\b(\w+)(://[^\s\"'`<>]+)?")
_ADDRESS: Final = re.compile(r"[\w.+@-]+")
_NUMBER: Final = re.compile(r"[\w.:-]+")
_SPACE: Final = re.compile(r"\s+")
_HEX_DIGITS: Final = frozenset("abcdef")
_SHORTEST_HEX: Final = 8

_QUOTE: Final = re.compile('["`«“]')
_APOSTROPHE: Final = re.compile("'")
"""Not within words: "can't reach …, won't retry" quotes nothing."""

_CLOSING: Final = {'"': '"', "`": "`", "«": "»", "“": "”", "'": "'"}

_READ: Final = 2_000
"""Characters of an error; more than is kept of one."""

_COMPARED: Final = 200
"""Characters of a shape: a long error is cut off when it is kept, and where depends on what varies in it."""

_LENGTH: Final = 8


def shape_of(error: str) -> str:
    """Return an error with what varies replaced by its kind: `OSError: no route to <text>, tried <n> times`."""
    error = error[:_READ]
    found = _TYPE.match(error)
    kept = "" if found is None or error[found.end() : found.end() + 1] not in ("", ":") else found[0]
    rest = _URL.sub(_url, error[len(kept) :])
    rest = _ADDRESS.sub(_address, rest)
    rest = _unquoted(_unquoted(rest, _QUOTE), _APOSTROPHE)
    rest = _NUMBER.sub(_number, rest)
    return (kept + _SPACE.sub(" ", rest)).strip()[:_COMPARED]


def fingerprint(error: str) -> str:
    """Return eight hex digits that are the same for errors that differ only in numbers, ids, addresses and quotes."""
    return sha256(shape_of(error).encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]


def fingerprint_of(dead: JobRecord) -> str:
    """Return a dead job's fingerprint: as it was found when it died, or now, if it died before that was kept."""
    return dead.fingerprint or fingerprint(dead.error or "")


def _url(found: re.Match[str]) -> str:
    return found[0] if found[2] is None else "<url>"


def _address(found: re.Match[str]) -> str:
    core = found[0].rstrip(".+@-")
    return f"<address>{found[0][len(core) :]}" if "@" in core[1:] else found[0]


def _number(found: re.Match[str]) -> str:
    core = found[0].rstrip(".:-")
    if any(map(str.isdecimal, core)):
        return f"<n>{found[0][len(core) :]}"
    return re.sub(r"\w+", _hex, found[0])


def _hex(found: re.Match[str]) -> str:
    word = found[0]
    return "<n>" if len(word) >= _SHORTEST_HEX and _HEX_DIGITS.issuperset(word) else word


def _unquoted(text: str, opening: re.Pattern[str]) -> str:
    """Return a text without what stands between quotes; a closing one that isn't there is looked for once."""
    parts: list[str] = []
    done, absent = 0, set[str]()
    found = opening.search(text)
    while found is not None:
        at, closing = found.start(), _CLOSING[found[0]]
        end = -1 if closing in absent else text.find(closing, at + 1)
        if end < 0:
            absent.add(closing)
        if end < 0 or (closing == "'" and (_is_word(text, at - 1) or _is_word(text, end + 1))):
            found = opening.search(text, at + 1)
            continue
        parts += (text[done:at], "<text>")
        done = end + 1
        found = opening.search(text, done)
    return "".join((*parts, text[done:]))


def _is_word(text: str, at: int) -> bool:
    return 0 <= at < len(text) and (text[at].isalnum() or text[at] == "_")
