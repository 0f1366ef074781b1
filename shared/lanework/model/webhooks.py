"""Which addresses a webhook may have."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urlsplit

from lanework.errors import InvalidOptionError, is_a

LONGEST_URL: Final = 500
"""Characters; it is part of the job's own item."""

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
