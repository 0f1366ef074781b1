"""The health endpoint of a worker: what an orchestrator asks before it starts the container anew."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from http import HTTPStatus
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedIOBase

    from lanework.edges.process.config import Address
    from lanework.edges.process.supervisor import Parent

_PATIENCE_S: Final = 5.0
"""How long a line of a request is waited for."""

_LONGEST_LINE: Final = 65_536
_MOST_LINES: Final = 100


@contextmanager
def serve_health(parent: Parent, at: Address) -> Iterator[int]:
    """
    Answer `GET /health` while a block lasts: 200 if every process is well, 503 if one hangs or fails; JSON with them.

    Yields:
        The port, which the system chooses where 0 is asked for.

    Raises:
        ConfigError: The address can't be had.
    """

    class Handler(StreamRequestHandler):
        timeout = _PATIENCE_S

        def handle(self) -> None:
            with suppress(OSError):  # it has hung up, or says nothing
                self.wfile.write(_response(*_answer(parent, *_request(self.rfile))))

    try:
        server = _Server((at.host, at.port), Handler)
    except OSError as error:
        msg = f"can't listen for health checks at {at.host}:{at.port}: {error.strerror or error}"
        raise ConfigError(msg) from error
    thread = Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def _request(lines: BufferedIOBase) -> tuple[bytes, bytes]:
    """Read a request's method and path; no more of HTTP than a probe needs, for http.server takes 5 MB."""
    method, path, *_ = [*lines.readline(_LONGEST_LINE).split(), b"", b""]
    for _ in range(_MOST_LINES):
        if not lines.readline(_LONGEST_LINE).strip():
            break
    return method, path


def _answer(parent: Parent, method: bytes, path: bytes) -> tuple[HTTPStatus, str]:
    if path != b"/health":
        return HTTPStatus.NOT_FOUND, "ask /health"
    if method != b"GET":
        return HTTPStatus.METHOD_NOT_ALLOWED, "ask by GET"
    status, answer = health_of(parent)
    return status, json.dumps(answer)


def _response(status: HTTPStatus, text: str) -> bytes:
    body = text.encode()
    kind = "application/json" if text.startswith("{") else "text/plain"
    head = f"HTTP/1.1 {status.value} {status.phrase}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"
    return "\r\n".join((*head, "Connection: close", "", "")).encode() + body


def health_of(parent: Parent) -> tuple[HTTPStatus, dict[str, object]]:
    """Return what the endpoint answers: ok, stopping, failing (a process has a fault of its own), or hanging."""
    processes = parent.vitals()
    is_hanging, is_failing = any(one.hangs for one in processes), any(one.fault for one in processes)
    is_bad = is_hanging or is_failing
    state = "hanging" if is_hanging else "failing" if is_failing else "stopping" if parent.is_stopping else "ok"
    shown = [
        {
            "pid": one.pid,
            "running": one.running,
            "ended": one.ended,
            "peak_mb": one.peak_mb,
            "silent_for_s": round(one.silent_for.total_seconds(), 1),
            "fault": one.fault,
        }
        for one in processes
    ]
    status = HTTPStatus.SERVICE_UNAVAILABLE if is_bad else HTTPStatus.OK
    return status, {"status": state, "processes": shown}
