"""Which addresses a webhook may have, and how its messages are signed (Standard Webhooks, version 1). Pure."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64Error
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lanework.errors import ConfigError, InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_URL: Final = 500
"""Characters; it is part of the job's own item."""

PREFIX: Final = "whsec_"
_PRINTABLE: Final = re.compile(r"[!-~]+")
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def checked_webhook(url: str) -> str:
    """
    Return the address if a webhook may be sent there.

    Raises:
        InvalidOptionError: It isn't https (or http on the machine itself, for development), or holds a password.
    """
    if len(url) <= LONGEST_URL and _may_be_sent_to(url):
        return url
    msg = (
        f"this webhook can't be used: it must be an https:// address of at most {LONGEST_URL} printable ASCII "
        "characters, without user, password and fragment (http:// only on localhost, for development)"
    )
    raise InvalidOptionError(msg)


def _may_be_sent_to(url: str) -> bool:
    if not _PRINTABLE.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        is_whole = parts.port != 0 and parts.username is None and not parts.fragment
    except ValueError:  # brackets that don't close, a port that is none
        return False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)
    return bool(parts.hostname) and is_whole and is_safe


def signed(body: str, *, event_id: str, timestamp: int, secrets: Sequence[bytes]) -> dict[str, str]:
    """
    Return the headers that a receiver checks a message by.

    Args:
        body: The message.
        event_id: The same whenever it is sent again.
        timestamp: When it is sent, in seconds since 1970: a receiver refuses what is old.
        secrets: Keys; during a change of keys there are two, and a signature by each.
    """
    content = f"{event_id}.{timestamp}.{body}".encode()
    signatures = (b64encode(hmac.digest(key, content, sha256)).decode() for key in secrets)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }


def secrets_in(text: str) -> tuple[bytes, ...]:
    """
    Return the keys in a setting: `whsec_` and base64, several separated by spaces or commas.

    Raises:
        ConfigError: There is none, or one can't be used.
    """
    keys = tuple(_key(word) for word in text.replace(",", " ").split())
    if not keys:
        msg = "no secret to sign webhooks with: make one with `lanework webhooks secret`, and see docs/events.md"
        raise ConfigError(msg)
    return keys


def _key(word: str) -> bytes:
    try:
        key = b64decode(word.removeprefix(PREFIX), validate=True)
    except (NotBase64Error, ValueError):
        key = b""
    if word.startswith(PREFIX) and 24 <= len(key) <= 64:  # noqa: PLR2004 - Standard Webhooks, "Signature scheme"
        return key
    msg = (
        f"a secret for webhooks is {PREFIX} and the base64 of 24 to 64 bytes: make one with `lanework webhooks secret`"
    )
    raise ConfigError(msg)
