"""moto's server, as tests use it."""

from __future__ import annotations

from threading import Lock, Thread
from typing import Any, Final

from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

_LOCALHOST: Final = "127.0.0.1"


class _KeepsConnections(WSGIRequestHandler):
    """Answers all requests of a connection, as AWS does; werkzeug's default is one connection, and thread, for each."""

    protocol_version = "HTTP/1.1"


class MotoServer:
    """
    A server of all of moto's services on loopback, at a free port.

    Its DynamoDB takes one request at a time: a conditional write of moto's isn't atomic among threads, as one of
    DynamoDB's is.
    """

    def __init__(self) -> None:
        default_user_config["lambda"]["use_docker"] = False  # nor looks for it
        self._application: Any = DomainDispatcherApplication(create_backend_app)
        self._one_at_a_time = Lock()
        self._server = make_server(_LOCALHOST, 0, self._answer, threaded=True, request_handler=_KeepsConnections)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://{_LOCALHOST}:{self._server.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            return self._application(environ, start_response)
        with self._one_at_a_time:
            return self._application(environ, start_response)
