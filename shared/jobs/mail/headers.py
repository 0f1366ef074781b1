"""
What a mail's headers say, as ASCII lines of our own. Pure.

The values are written here and not by `email`: before CPython 3.11.10 and 3.12.5 it decodes encoded words in a value
that somebody typed, and writes the line breaks it finds in them (CVE-2024-6923). Here such text is text: whatever is
more than plain ASCII, or could be read as an encoded word or a parameter, is encoded once, so that a reader sees what
was typed.
"""

from __future__ import annotations

import re
from email.header import Header
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable
    from email.headerregistry import Address

FOLD: Final = "\r\n "
_LONGEST_WORD: Final = 60
_PLAIN_WORDS: Final = re.compile(r"[!-~]+(?: [!-~]+)*")
_PLAIN_PHRASE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/_-]+(?: [A-Za-z0-9!#$%&'*+/_-]+)*")
_PLAIN_FILE: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9 ._-]{0,59}")


def text_field(name: str, text: str) -> str:
    """Return a header whose value is text, such as a subject, folded; the text is a single line."""
    is_plain = _PLAIN_WORDS.fullmatch(text) and _is_plain(text)
    return f"{name}: {_folded(name, text, 'us-ascii' if is_plain else 'utf-8')}"


def address_field(name: str, addresses: Iterable[Address]) -> str:
    """Return a header of addresses, one in each line."""
    return f"{name}: {f',{FOLD}'.join(_mailbox(name, one) for one in addresses)}"


def disposition_field(file_name: str) -> str:
    """Return the header that makes a part a file, and names it (RFC 2183; encoded as RFC 2231 says)."""
    if _PLAIN_FILE.fullmatch(file_name):
        return f'Content-Disposition: attachment; filename="{file_name}"'
    return f"Content-Disposition: attachment;{FOLD}{_parameter(file_name)}"


def _mailbox(name: str, one: Address) -> str:
    if not one.display_name:
        return one.addr_spec
    phrase = _phrase(name, one.display_name)
    is_short = len(phrase) + len(one.addr_spec) <= _LONGEST_WORD
    return f"{phrase}{' ' if is_short else FOLD}<{one.addr_spec}>"


def _phrase(name: str, text: str) -> str:
    if _PLAIN_PHRASE.fullmatch(text) and _is_plain(text):
        return text
    if _PLAIN_WORDS.fullmatch(text) and _is_plain(text) and len(text) <= _LONGEST_WORD:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return _folded(name, text, "utf-8")


def _is_plain(text: str) -> bool:
    return "=?" not in text and max(map(len, text.split(" "))) <= _LONGEST_WORD


def _folded(name: str, text: str, charset: str) -> str:
    """Return the text in lines that fit; what isn't `us-ascii` as encoded words (RFC 2047)."""
    return Header(text, charset, header_name=name).encode(linesep="\r\n")


def _parameter(file_name: str) -> str:
    """Return `filename*`, in pieces that each fit a line: no receiver is bound to read a longer one."""
    value = quote(file_name, safe="")
    pieces = re.findall(r"(?:%[0-9A-F]{2}|.){1,18}", value) or [""]
    if len(pieces) == 1:
        return f"filename*=utf-8''{value}"
    pieces[0] = f"utf-8''{pieces[0]}"
    return f";{FOLD}".join(f"filename*{number}*={piece}" for number, piece in enumerate(pieces))
