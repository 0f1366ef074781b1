"""
Sending to addresses that others have chosen, over HTTP, and nowhere but to the internet.

A host is resolved once; if any of its addresses isn't a public one, nothing is sent; and the connection goes to the
very address that was looked at, so that a name which resolves differently a moment later changes nothing.
"""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lanework.engine.world import Answered
from lanework.errors import ForbiddenAddressError, UnavailableError
from lanework.model.webhooks import checked_webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Address = IPv4Address | IPv6Address
    Resolve = Callable[[str, int], "list[Address]"]

TIMEOUT_S: Final = 10.0
"""Of the connection, and of each wait for the receiver."""

_LARGEST_ANSWER: Final = 64 * 1024
_NAT64: Final = IPv6Network("64:ff9b::/96")


class InternetPost:
    """Implements the `Post` port."""

    def __init__(self, *, may_be_private: bool = False, resolve: Resolve | None = None) -> None:
        """
        Send to public addresses.

        Args:
            may_be_private: Send to any address; for development, where the receiver is this machine.
            resolve: Gives the addresses of a host; the operating system's by default.
        """
        self._may_be_private = may_be_private
        self._resolve = resolve or resolved

    def __call__(self, url: str, body: str, headers: Mapping[str, str]) -> Answered:
        """See `Post`."""
        parts = urlsplit(checked_webhook(url))
        is_tls = parts.scheme == "https"
        host, port = str(parts.hostname), parts.port or (443 if is_tls else 80)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        connection = _Pinned(host, port, self._address(host, port), is_tls=is_tls)
        try:
            connection.request("POST", path, body=body.encode(), headers=dict(headers))
            answer = connection.getresponse()
            answer.read(_LARGEST_ANSWER)
        except (OSError, HTTPException) as error:
            msg = f"{host} did not answer: {type(error).__name__}: {error}"
            raise UnavailableError(msg) from error
        finally:
            connection.close()
        return Answered(status_code=answer.status, headers=dict(answer.getheaders()))

    def _address(self, host: str, port: int) -> Address:
        try:
            found = self._resolve(host, port)
        except OSError as error:
            msg = f"{host} can't be resolved: {error}"
            raise UnavailableError(msg) from error
        for one in found:
            if not self._may_be_private and not is_public(one):
                raise ForbiddenAddressError(host, str(one))
        return found[0]


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the internet's, also if it is wrapped in another."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:  # fec0::/10, retired, and "global" to Python
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolved(host: str, port: int) -> list[Address]:
    """Return a host's addresses, as the operating system resolves them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(str(one[4][0]).partition("%")[0]) for one in found]


class _Pinned(HTTPConnection):
    """A connection to an address that was resolved before; the host is what TLS checks the certificate for."""

    def __init__(self, host: str, port: int, address: Address, *, is_tls: bool) -> None:
        super().__init__(host, port, timeout=TIMEOUT_S)
        self._address = address
        self._is_tls = is_tls
        self.default_port = 443 if is_tls else 80

    def connect(self) -> None:
        """Connect, to the address."""
        plain = socket.create_connection((str(self._address), self.port), timeout=TIMEOUT_S)
        self.sock = plain
        if self._is_tls:
            self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
