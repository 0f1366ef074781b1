"""Which addresses a webhook may have, and how its messages are signed (Standard Webhooks, version 1). Pure."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64Error
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lanework.errors import ConfigError, InvalidOptionError, is_a

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_URL: Final = 500
"""Characters; it is part of the job's own item."""

PREFIX: Final = "whsec_"
_LONGEST_HOST: Final = 253
_PRINTABLE: Final = re.compile(r"[!-~]+")
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS: Final = {"https": 443, "http": 80}


def checked_webhook(url: str) -> str:
    """
    Return the address if a webhook may be sent there.

    Raises:
        InvalidOptionError: It isn't https (or http on the machine itself, for development), or holds a password, or
            names no host that there can be.
    """
    if is_a(url, str) and len(url) <= LONGEST_URL and is_address(url):
        parts = urlsplit(url)
        if parts.scheme == "https" or parts.hostname in _HERE:
            return url
    msg = (
        f"this webhook can't be used: it must be an https:// address of at most {LONGEST_URL} printable ASCII "
        "characters, without user, password and fragment (http:// only on localhost, for development)"
    )
    raise InvalidOptionError(msg)


def is_address(url: str) -> bool:
    """Tell whether this is an http or https address that a message can be sent to."""
    if not _PRINTABLE.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        is_whole = parts.port != 0 and "@" not in parts.netloc and not parts.fragment
    except ValueError:  # brackets that don't close, a port that is none
        return False
    return parts.scheme in _PORTS and is_whole and parts.hostname is not None and _is_host(parts.netloc, parts.hostname)


def _is_host(netloc: str, host: str) -> bool:
    """Tell whether this is a name that DNS can have, or an address; a zone (`%eth0`) means something on one machine."""
    if netloc.startswith("["):
        return "%" not in host and _is_literal(IPv6Address, host)
    labels = host.removesuffix(".").split(".")
    if len(host) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, labels)):
        return False
    return len(labels) != 4 or not all(map(str.isdigit, labels)) or _is_literal(IPv4Address, host)  # noqa: PLR2004


def _is_literal(kind: type[IPv4Address | IPv6Address], host: str) -> bool:
    try:
        kind(host)
    except ValueError:
        return False
    return True


def host_of(url: str) -> str:
    """Return the host that an address names, as limits know it; empty if it names none."""
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return ""


def endpoint_of(url: str) -> str:
    """Return whom an address reaches: scheme, host, port and path in one spelling; a query says what, not whom."""
    parts = urlsplit(url)
    host = f"[{host_of(url)}]" if parts.netloc.startswith("[") else host_of(url)
    return f"{parts.scheme}://{host}:{parts.port or _PORTS[parts.scheme]}{parts.path or '/'}"


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
