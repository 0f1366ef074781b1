"""
One message to a web server and the head of its answer, all within one deadline.

Resolving, connecting, TLS, sending and reading share it, so that a server which says a byte now and then holds nobody
for longer. Of the answer its status and headers are read, up to a size, and nothing of its body. Redirects are answers.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

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

_PIECE: Final = 16 * 1024
"""Bytes that TLS is given to read, or to send, at a time."""

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
        Send a message.

        Args:
            parts: Where to; its host and port are right.
            body: What to say.
            headers: With it.

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
            connection.request("POST", path, body=body, headers={**headers, "connection": "close"})
            answer = connection.getresponse()
        except (OSError, HTTPException) as error:
            msg = f"{host} did not answer: {type(error).__name__}: {error}"
            raise UnavailableError(msg) from error
        finally:
            connection.close()
        return Answered(status_code=answer.status, headers=dict(answer.getheaders()))

    def _addresses(self, host: str, port: int, deadline: Deadline) -> Sequence[Address]:
        try:
            found = _by(deadline, lambda: self.resolve(host, port))
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


def _by(deadline: Deadline, call: Callable[[], Sequence[Address]]) -> Sequence[Address]:
    """Return what a call does that can't be given a timeout; the thread that waits for a resolver ends with it."""
    done: SimpleQueue[Any] = SimpleQueue()

    def run() -> None:
        try:
            done.put((call(), None))
        except (OSError, UnicodeError, ValueError) as error:
            done.put(((), error))

    Thread(target=run, name="lanework-resolve", daemon=True).start()
    try:
        found, error = done.get(timeout=deadline.left())
    except Empty:
        raise TimeoutError(deadline.text) from None
    if error is not None:
        raise error
    return found  # type: ignore[no-any-return]


class _FinalAnswer(HTTPResponse):
    """An answer; what a server says before it (1xx, of which `http.client` knows only 100) is read and passed over."""

    def begin(self) -> None:
        super().begin()
        while self.status < HTTPStatus.OK:  # as often as the bytes of a head allow
            self.headers = None  # type: ignore[assignment]  # else it takes its head for read
            super().begin()


class _Connection(HTTPConnection):
    """A connection to an address that was resolved before; the host is what TLS checks the certificate for."""

    response_class = _FinalAnswer

    def __init__(self, host: str, port: int, addresses: Sequence[Address], deadline: Deadline, *, is_tls: bool) -> None:
        super().__init__(host, port)
        self._addresses = addresses
        self._deadline = deadline
        self._is_tls = is_tls
        self.default_port = 443 if is_tls else 80

    def connect(self) -> None:
        plain = self._reached()
        try:
            self.sock = timed = _Timed(plain, self._deadline)
            if self._is_tls:
                self.sock = _Encrypted(timed, self.host)
        except BaseException:
            plain.close()
            raise

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


class _Timed:
    """What of a socket a connection uses, each wait no longer than the deadline."""

    def __init__(self, plain: socket.socket, deadline: Deadline) -> None:
        self._socket = plain
        self._deadline = deadline

    def sendall(self, content: bytes) -> None:
        left = memoryview(content)
        while left:
            self._socket.settimeout(self._deadline.left())
            left = left[self._socket.send(left) :]

    def recv_into(self, buffer: memoryview) -> int:
        self._socket.settimeout(self._deadline.left())
        return self._socket.recv_into(buffer)

    def makefile(self, _: str) -> BufferedReader:
        return BufferedReader(_Said(self))

    def close(self) -> None:
        self._socket.close()


class _Encrypted:
    """
    TLS over a socket, of which a piece at a time is read: a bounded work between two looks at the deadline.

    On a socket of its own OpenSSL reads for as long as more comes, such as handshake messages that say nothing.
    """

    def __init__(self, plain: _Timed, host: str) -> None:
        self._plain = plain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._piece = memoryview(bytearray(_PIECE))
        self._until_done(self._tls.do_handshake)

    def sendall(self, content: bytes) -> None:
        left = memoryview(content)
        while left:
            piece = left[:_PIECE]
            left = left[self._until_done(lambda piece=piece: self._tls.write(piece)) :]  # type: ignore[misc]

    def recv_into(self, buffer: memoryview) -> int:
        return self._until_done(lambda: cast("int", self._tls.read(len(buffer), buffer)))

    def makefile(self, _: str) -> BufferedReader:
        return BufferedReader(_Said(self))

    def close(self) -> None:
        self._plain.close()

    def _until_done(self, call: Callable[[], T]) -> T:
        while True:
            try:
                done = call()
            except ssl.SSLWantReadError:
                self._plain.sendall(self._outgoing.read())
                count = self._plain.recv_into(self._piece)
                self._incoming.write(self._piece[:count]) if count else self._incoming.write_eof()
            else:
                self._plain.sendall(self._outgoing.read())
                return done


class _Said(RawIOBase):
    """What a server says, as long as an answer's head may be."""

    def __init__(self, server: _Timed | _Encrypted) -> None:
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
