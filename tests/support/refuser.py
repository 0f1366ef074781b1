"""An endpoint in front of another that refuses some calls, with an error and a time of its own."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    An answer of AWS's.

    Attributes:
        call: The call that it refuses, such as `AmazonSQS.ReceiveMessage`; its beginning is enough.
        code: The error.
        message: Its text.
        times: How often.
        ahead: How far AWS's clock is ahead of this machine's.
    """

    call: str
    code: str
    message: str = ""
    times: int = 1
    ahead: timedelta = timedelta(0)


@dataclass(slots=True)
class Refuser:
    """
    Passes requests on, unless they are refused.

    Attributes:
        endpoint: Its address.
        refused: How often it has refused.
    """

    endpoint: str = ""
    refused: int = 0
    _refusals: list[Refusal] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def refuse(self, refusal: Refusal) -> None:
        """Refuse the next such calls."""
        with self._lock:
            self._refusals += [refusal] * refusal.times

    def refusal_of(self, call: str) -> Refusal | None:
        """Return what a call is refused with, once."""
        with self._lock:
            for one in self._refusals:
                if call.startswith(one.call):
                    self._refusals.remove(one)
                    self.refused += 1
                    return one
        return None


@contextmanager
def refuser_before(endpoint: str) -> Iterator[Refuser]:
    """Stand before an endpoint while a block lasts."""
    target = urlsplit(endpoint)
    refuser = Refuser()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            refusal = refuser.refusal_of(self.headers.get("X-Amz-Target", ""))
            if refusal is not None:
                text = json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
                self._answer(403, {"Date": format_datetime(datetime.now(UTC) + refusal.ahead, usegmt=True)}, text)
                return
            there = HTTPConnection(str(target.hostname), target.port, timeout=60)
            there.request("POST", self.path, body, dict(self.headers))
            answer = there.getresponse()
            text = answer.read()
            kept = {
                name: value for name, value in answer.getheaders() if name.lower().startswith(("x-amz", "content-t"))
            }
            self._answer(answer.status, kept, text)
            there.close()

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its parent's name
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    refuser.endpoint = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield refuser
    finally:
        server.shutdown()
        server.server_close()
