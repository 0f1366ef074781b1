"""The health endpoint of a worker: what an orchestrator asks before it starts the container anew."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

from lanework.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.edges.process.config import Address
    from lanework.edges.process.supervisor import Parent


@contextmanager
def serve_health(parent: Parent, at: Address) -> Iterator[int]:
    """
    Answer `GET /health` while a block lasts: 200 if every process is well, 503 if one hangs or fails; JSON with them.

    Yields:
        The port, which the system chooses where 0 is asked for.

    Raises:
        ConfigError: The address can't be had.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/health":
                self.send_error(HTTPStatus.NOT_FOUND, "ask /health")
                return
            status, answer = health_of(parent)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its parent's name
            """Write no line for each probe."""

    try:
        server = ThreadingHTTPServer((at.host, at.port), Handler)
    except OSError as error:
        msg = f"can't listen for health checks at {at.host}:{at.port}: {error.strerror or error}"
        raise ConfigError(msg) from error
    thread = Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


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
