"""How a webhook's messages are signed (Standard Webhooks, version 1). Pure."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64Error
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError
from lanework.model.webhooks import endpoint_of

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX: Final = "whsec_"


def key_for(url: str, key: bytes) -> bytes:
    """Return the key that messages to an address are signed with: whoever holds it can't sign for another."""
    return hmac.digest(key, f"lanework webhook endpoint {endpoint_of(url)}".encode(), sha256)


def secrets_of(url: str, keys: Sequence[bytes]) -> tuple[str, ...]:
    """Return the secrets that the receiver at an address checks messages with: one for each of the stack's keys."""
    return tuple(f"{PREFIX}{b64encode(key_for(url, key)).decode()}" for key in keys)


def signed(body: str, *, event_id: str, timestamp: int, secrets: Sequence[bytes]) -> dict[str, str]:
    """
    Return the headers that a receiver checks a message by; `timestamp` in seconds since 1970.

    During a change of keys there are two secrets, and a signature by each.
    """
    content = f"{event_id}.{timestamp}.{body}".encode()
    signatures = (b64encode(hmac.digest(key, content, sha256)).decode() for key in secrets)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }


def secrets_in(text: str) -> tuple[bytes, ...]:
    """Return the keys in a setting: `whsec_` and base64, several separated by spaces or commas; at least one."""
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
