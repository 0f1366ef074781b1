"""Text that came from anywhere, made fit to be kept, sent and shown: cut to size, and of printable characters. Pure."""

from __future__ import annotations

import re
from typing import Final

_UNFIT: Final = re.compile("[^\t\n\r -~\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What SQS refuses (SendMessage, "Important"), lone surrogates, which no UTF-8 has, and what steers a terminal."""


def legible(text: str, *, most: int) -> str:
    r"""
    Return a text of so many characters at most, `…` at the end of a longer one; unfit characters as `\udcff`.

    Args:
        text: Any text, of a subclass of `str` too.
        most: How many characters; an escaped one counts as one.
    """
    cut = str.__getitem__(text, slice(0, most + 1))
    if len(cut) > most:
        cut = f"{cut[: most - 1]}…"
    return _UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", cut)
