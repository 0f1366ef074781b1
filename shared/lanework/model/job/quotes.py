"""What an error quotes: between quotation marks of any kind, in time that grows with the text's length. Pure."""

from __future__ import annotations

import re
from typing import Final

_OPENING: Final = re.compile(r"[\"`«“„]|(?<!\w)[bBrRuUfF]{0,2}['‘]")
"""Single ones not within words, where they are apostrophes, but after the prefix of a literal: `b'…'`."""

_CLOSING: Final = {'"': '"', "`": "`", "«": "»", "“": "”", "„": "“", "'": "'", "‘": "’"}
_APOSTROPHES: Final = "'’"


def without_quoted(text: str, mask: str) -> str:
    """
    Return a text with a mask for what it quotes; a quotation that `…` cuts off ends there.

    Line by line first, so that a mark which nothing closes doesn't turn the next line's inside out.
    """
    return _masked("\n".join(_masked(one, mask) for one in text.split("\n")), mask)


def _masked(text: str, mask: str) -> str:
    parts: list[str] = []
    absent: set[str] = set()
    done = at = 0
    while (found := _OPENING.search(text, at)) is not None:
        at = found.end()
        end = _end(text, at, _CLOSING[found[0][-1]], absent)
        if end >= 0:
            parts += (text[done:at], mask)
            done, at = end, end + 1
    return "".join((*parts, text[done:]))


def _end(text: str, start: int, closing: str, absent: set[str]) -> int:
    """Return where a quotation ends, or -1; a mark that isn't in the rest of the text is looked for once."""
    for mark in (closing, "…"):
        end = -1 if mark in absent else text.find(mark, start)
        while end >= 0 and not _closes(text, start, end):
            end = text.find(mark, end + 1)
        if end >= 0:
            return end
        absent.add(mark)
    return -1


def _closes(text: str, start: int, end: int) -> bool:
    """Tell whether a mark ends a quotation: it isn't escaped, nor an apostrophe within a word."""
    slashes = 0
    while end - slashes > start and text[end - slashes - 1] == "\\":
        slashes += 1
    follows = text[end + 1 : end + 2]
    return slashes % 2 == 0 and not (text[end] in _APOSTROPHES and (follows.isalnum() or follows == "_"))
