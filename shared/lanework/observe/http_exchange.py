"""
One message to a web server and the head of its answer, all within one deadline.

Resolving, connecting, TLS, sending and reading share it, so that a server which says a byte now and then holds nobody
for longer. Of the answer its status and headers are read, up to a size, and nothing of its body. Redirects are answers.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lanework.engine.ports.webhooks import Answered
from lanework.errors import ForbiddenAddressError, UnavailableError
from lanework.observe.special_addresses import is_public

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta
    from urllib.parse import SplitResult

    from lanework.observe.special_addresses import Address

    Resolve = Callable[[str, int], "Sequence[Address]"]

T = TypeVar("T")

LARGEST_HEAD: Final = 16 * 1024
"""Bytes of an answer's status and headers."""

_MOST_ADDRESSES: Final = 4
"""Of a host, tried one after the other."""

_NEVER: Final = frozenset({"alt", "example", "internal", "invalid", "local", "localhost", "onion", "test"})
"""Top-level domains that no name of the internet will ever have (IANA, "Special-Use Domain Names")."""


class Deadline:
    """A moment by which all has to be done."""

    def __init__(self, within: timedelta) -> None:
        self._at = monotonic() + within.total_seconds()
        self._within = within

    def left(self) -> float:
        """Return the seconds that are left; raises TimeoutError if none are."""
        seconds = self._at - monotonic()
        if seconds <= 0:
            raise TimeoutError(self.text)
        return seconds

    @property
    def text(self) -> str:
        """What is said when it has passed."""
        return f"not within {self._within.total_seconds():g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """
    How messages are sent.

    Attributes:
        within: The deadline.
        may_be_private: Whether to send to addresses that aren't the internet's.
        resolve: Gives the addresses of a host.
    """

    within: timedelta
    may_be_private: bool
    resolve: Resolve

    def __call__(self, parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> Answered:
        """
        Send a message to an address whose host and port are right.

        Raises:
            ForbiddenAddressError: One of the host's addresses isn't the internet's. Nothing was sent.
            UnavailableError: There is no answer within the deadline.
        """
        deadline = Deadline(self.within)
        is_tls = parts.scheme == "https"
        host, port = str(parts.hostname), parts.port or (443 if is_tls else 80)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        connection = _Connection(host, port, self._addresses(host, port, deadline), deadline, is_tls=is_tls)
        try:
            return _by(deadline, partial(connection.post, path, body, {**headers, "connection": "close"}))
        except (OSError, HTTPException) as error:
            msg = f"{host} did not answer: {type(error).__name__}: {error}"
            raise UnavailableError(msg) from error
        finally:
            connection.cut_off()

    def _addresses(self, host: str, port: int, deadline: Deadline) -> Sequence[Address]:
        try:
            found = _by(deadline, partial(self.resolve, host, port))
        except (OSError, UnicodeError) as error:
            if not self.may_be_private and _never_resolves(host, error):
                raise ForbiddenAddressError(host, "nothing") from error
            msg = f"{host} can't be resolved: {error}"
            raise UnavailableError(msg) from error
        for one in found:
            if not self.may_be_private and not is_public(one):
                raise ForbiddenAddressError(host, str(one))
        if not found:
            msg = f"{host} can't be resolved: it has no address"
            raise UnavailableError(msg)
        return found[:_MOST_ADDRESSES]


def resolved(host: str, port: int) -> list[Address]:
    """Return a host's addresses, as the operating system resolves them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(str(one[4][0]).partition("%")[0]) for one in found]


def _never_resolves(host: str, error: Exception) -> bool:
    """Tell an error that no further attempt can mend; a name that isn't there may be there later, but for some."""
    return isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME and _top(host) in _NEVER


def _top(host: str) -> str:
    return host.rstrip(".").rpartition(".")[2].lower()


def _by(deadline: Deadline, call: Callable[[], T]) -> T:
    """Return what a call does, if it does so within the deadline, in a thread that is left to end by itself."""
    done: SimpleQueue[tuple[list[T], Exception | None]] = SimpleQueue()

    def run() -> None:
        try:
            done.put(([call()], None))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised below
            done.put(([], error))

    Thread(target=run, name="lanework-webhook", daemon=True).start()
    try:
        found, error = done.get(timeout=deadline.left())
    except Empty:
        raise TimeoutError(deadline.text) from None
    if error is not None:
        raise error
    return found[0]


class _Answer(HTTPResponse):
    """An answer, of whose head a bounded part is read, and nothing of its body."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = BufferedReader(_Head(sock))

    def begin(self) -> None:
        """Pass over what a server says before its answer: 1xx, of which `http.client` knows only 100."""
        super().begin()
        while self.status < HTTPStatus.OK:  # as often as the bytes of a head allow
            self.headers = None  # type: ignore[assignment]  # else it takes its head for read
            super().begin()


class _Connection(HTTPConnection):
    """A connection to an address that was resolved before; the host is what TLS checks the certificate for."""

    response_class = _Answer

    def __init__(self, host: str, port: int, addresses: Sequence[Address], deadline: Deadline, *, is_tls: bool) -> None:
        super().__init__(host, port)
        self._addresses = addresses
        self._deadline = deadline
        self._is_tls = is_tls
        self.default_port = 443 if is_tls else 80

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answered:
        try:
            self.request("POST", path, body=body, headers=headers)
            answer = self.getresponse()
            return Answered(status_code=answer.status, headers=dict(answer.getheaders()))
        finally:
            self.close()

    def connect(self) -> None:
        self.sock = plain = self._reached()
        if self._is_tls:
            tls = ssl.create_default_context()
            self.sock = tls.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        self._deadline.left()  # before it, `cut_off` finds this socket; after it, nothing is sent
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.do_handshake()

    def cut_off(self) -> None:
        """End whatever waits for the socket in another thread: OpenSSL, say, reads for as long as more comes."""
        found = self.sock
        if found is not None:
            with suppress(OSError):
                socket.socket.shutdown(found, socket.SHUT_RDWR)

    def _reached(self) -> socket.socket:
        for number, address in enumerate(self._addresses):
            left = self._deadline.left() / (len(self._addresses) - number)
            try:
                return socket.create_connection((str(address), self.port), timeout=left)
            except OSError:
                if number == len(self._addresses) - 1:
                    raise
        msg = "no address"
        raise OSError(msg)


class _Head(RawIOBase):
    """What a server says, as long as an answer's head may be."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._room = LARGEST_HEAD

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - whatever memory the reader has
        if not self._room:
            msg = f"the head of its answer is over {LARGEST_HEAD:,} bytes"
            raise HTTPException(msg)
        count = self._server.recv_into(memoryview(buffer)[: self._room])
        self._room -= count
        return count
