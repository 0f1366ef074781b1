"""
Keeps web pages away from the emulator: it has no secrets to ask for, so whoever reaches its port may do everything.

A browser on this machine reaches loopback for any page that it shows, also under a name that the page's owner lets
resolve to 127.0.0.1 (DNS rebinding). So a request that a page of another origin may have sent is refused before
anything reads it, and no answer lets another origin read it. Plain ASGI and the standard library only: the emulator's
process has no Lanework on its path.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    Message = dict[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Message, Receive, Send], Awaitable[None]]
    Headers = Iterable[tuple[bytes, bytes]]

_HOST: Final = re.compile(
    r"(?P<name>127\.0\.0\.1|\[::1\]|localhost|[a-z0-9]{1,32}\.execute-api\.localhost)(?::(?P<port>[1-9][0-9]{0,4}))?"
)
"""Names that nobody's DNS can give to another machine's page; APIs of the emulator have some of their own."""

_USUAL_PORT: Final = "80"
_FROM_HERE: Final = frozenset({"same-origin", "none"})
_CORS: Final = b"access-control-"
_NEXT_STEP: Final = "Pages of other origins are kept out. Type the address that `lanework dev` prints into the browser."


class Guard:
    """An ASGI application in front of another, which then sees this machine's own requests only."""

    def __init__(self, application: Application, *, port: int) -> None:
        self._application = application
        self._port = str(port)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 403."""
        if scope["type"] not in {"http", "websocket"}:
            await self._application(scope, receive, send)
            return
        problem = self.problem_of(scope)
        if problem is None:
            await self._application(scope, receive, _without_cors(send))
        else:
            await _refuse(problem, scope, send)

    def problem_of(self, scope: Message) -> str | None:
        """Return why a request is refused; None if it is this machine's own."""
        sent = _Sent(scope["headers"])
        hosts = sent.all("host")
        if len(hosts) != 1:
            return "a request has one Host header"
        host = hosts[0].lower()
        # No page can set this header for another origin unasked, and asking is refused below. So what has it may have
        # come by way of a relay, at that one's port.
        any_port = bool(sent.all("authorization"))
        if not self._is_ours(host, any_port=any_port):
            return f"the host {host[:100]!r} is not this emulator's"
        if not all(self._is_ours(one.lower(), any_port=any_port) for one in sent.all("x-forwarded-host")):
            return "X-Forwarded-Host is not this emulator's"
        if not scope["path"].startswith("/") or not scope.get("raw_path", b"/").startswith(b"/"):
            return "the request's target is not a path"
        return _problem_of_browser(sent, host, method=scope.get("method"))

    def _is_ours(self, host: str, *, any_port: bool) -> bool:
        found = _HOST.fullmatch(host)
        return found is not None and (any_port or (found["port"] or _USUAL_PORT) == self._port)


class _Sent:
    """The headers of a request, by their names."""

    def __init__(self, headers: Headers) -> None:
        self._pairs = [(name.decode("latin-1").lower(), value.decode("latin-1").strip()) for name, value in headers]

    def all(self, name: str) -> list[str]:
        return [value for one, value in self._pairs if one == name]

    def has_any(self, beginning: str) -> bool:
        return any(name.startswith(beginning) for name, _ in self._pairs)


def _problem_of_browser(sent: _Sent, host: str, *, method: str | None) -> str | None:
    """Return what a browser says against a request: programs say nothing of the sort."""
    sites = sent.all("sec-fetch-site")
    if not _FROM_HERE.issuperset(sites):
        return "a page of another site sent this"
    # Under our pages' `no-referrer`, browsers send `Origin: null` with our own forms, and vouch for them beside it.
    ours = {f"http://{host}", "null"} if "same-origin" in sites else {f"http://{host}"}
    if not ours.issuperset(one.lower() for one in sent.all("origin")):
        return "this request comes from a page of another origin"
    if not all(f"{one.lower()}/".startswith(f"http://{host}/") for one in sent.all("referer")):
        return "a page of another origin leads here"
    if method == "OPTIONS" and sent.has_any("access-control-request-"):
        return "no other origin is let in"
    return None


def _without_cors(send: Send) -> Send:
    async def send_without(message: Message) -> None:
        if "headers" in message:
            kept = [(name, value) for name, value in message["headers"] if not name.lower().startswith(_CORS)]
            message = {**message, "headers": kept}
        await send(message)

    return send_without


async def _refuse(problem: str, scope: Message, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before it is accepted: a 403
        return
    body = f"Refused: {problem}. {_NEXT_STEP}\n".encode("ascii", "backslashreplace")
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    if scope["http_version"] not in {"1.0", "1.1"}:
        headers.pop()  # not a header of HTTP/2
    await send({"type": "http.response.start", "status": HTTPStatus.FORBIDDEN, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
