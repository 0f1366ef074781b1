"""Text as SQS carries it. Pure."""

from __future__ import annotations

import re
from typing import Final

_NOT_CARRIED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""
What SQS refuses a whole call for (SQS, SendMessage, "Important"): control characters, U+FFFE, U+FFFF, surrogates.

Named are those that are refused: of the others there are so many that a cold start took ten times as long over them.
"""

_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""The same, and what steers a terminal."""


def escaped(json_text: str) -> str:
    r"""
    Return JSON text that SQS takes and that means the same: `\uffff` stands for a character that it refuses.

    Outside of its strings JSON has none of them, and within them each may be written so (RFC 8259, section 7). What
    was three bytes becomes six: a body at most doubles.
    """
    return json_text if json_text.isascii() else _NOT_CARRIED.sub(_escape, json_text)


def printable(text: str) -> str:
    """Return text for people, with a question mark for each character that SQS refuses."""
    return _NOT_CARRIED.sub("?", text)


def refused_in(text: str) -> str | None:
    """Return the first character that SQS refuses a text for, such as `U+FFFF`, or None."""
    found = _NOT_CARRIED.search(text)
    return None if found is None else f"U+{ord(found[0]):04X}"


def legible(text: str, *, most: int) -> str:
    r"""
    Return a text that came from anywhere, for people: unfit characters as `\udcff`, and `…` at the end of a longer one.

    An escaped character counts as one of the `most`.
    """
    cut = str.__getitem__(text, slice(0, most + 1))
    if len(cut) > most:
        cut = f"{cut[: most - 1]}…"
    return _UNFIT.sub(_escape, cut)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
