"""Gateways: what is posted, what counts as a refusal, and what is shown while there is none."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest

from jobs.gateways import GatewayRefusedError, HttpGateway, LogOnly, gateway_for
from jobs.settings import GatewaySettings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def other_side(status: int, **headers: str) -> Iterator[tuple[str, list[tuple[dict[str, str], Any]]]]:
    """Run a server that keeps what is posted to it and answers with a status."""
    got: list[tuple[dict[str, str], Any]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body)))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/sms", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_request_goes_out_as_json_with_its_key_and_token() -> None:
    with other_side(200) as (url, got):
        settings = GatewaySettings.from_environ({"SMS_URL": url, "GATEWAY_TOKEN_PARAMETER": "/shop/gateway"})
        gateway_for("sms", settings, read=lambda name: f"token of {name}").post({"to": "+1"}, key="job-1")

    ((headers, body),) = got
    assert body == {"to": "+1"}
    assert (headers["idempotency-key"], headers["authorization"]) == ("job-1", "Bearer token of /shop/gateway")


@pytest.mark.parametrize("status", [400, 402, 404, 301])
def test_a_refusal_is_final_and_a_redirect_is_not_followed(status: int) -> None:
    with (
        other_side(status, Location="http://127.0.0.1:1/") as (url, _),
        pytest.raises(GatewayRefusedError, match=str(status)),
    ):
        HttpGateway(url=url, token="secret").post({}, key="k")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_gateway_that_is_busy_is_asked_again_when_it_said(status: int) -> None:
    with other_side(status, Retry_After="7") as (url, _), pytest.raises(HTTPError) as busy:
        HttpGateway(url=url).post({}, key="k")

    assert busy.value.headers["Retry-After"] == "7"
    busy.value.close()


def test_without_an_address_requests_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    gateway = gateway_for("push", GatewaySettings.from_environ({}))
    gateway.post({"title": "Hi"}, key="job-1")

    assert isinstance(gateway, LogOnly)
    assert "PUSH SENT (LOG-ONLY MODE)" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["http://example.com/sms", "ftp://example.com", "file:///etc/passwd", "sms"])
def test_an_address_that_others_could_listen_to_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"SMS_URL: .*must be an https:// address"):
        GatewaySettings.from_environ({"SMS_URL": url})
