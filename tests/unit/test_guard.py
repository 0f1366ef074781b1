"""What keeps web pages away from the emulator's port, request by request; over real HTTP in tests/integration."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from lanework.local.emulator.request_guard import Guard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

OWN = ("host", "127.0.0.1:4566")
SIGNED = ("authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request")


def sent(*headers: tuple[str, str], **scope: object) -> list[dict[str, Any]]:
    """Send a request through the guard; return what is answered, by an application that allows every origin."""
    answers: list[dict[str, Any]] = []

    async def application(_: dict[str, Any], __: Receive, send: Send) -> None:
        allowed = [(b"Access-Control-Allow-Origin", b"*"), (b"access-control-max-age", b"9"), (b"x-amz-id", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": allowed})
        await send({"type": "http.response.body", "body": b"reached"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    asked = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/",
        "raw_path": b"/",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        **scope,
    }
    asyncio.run(Guard(application, port=4566)(asked, receive, send))
    return answers


def is_let_in(*headers: tuple[str, str], **scope: object) -> bool:
    """Tell whether a request reaches the application; what doesn't is refused with 403 and nothing else."""
    status = sent(*headers, **scope)[0]["status"]
    assert status in (200, 403)
    return bool(status == 200)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:4566", "localhost:4566", "LOCALHOST:4566", "[::1]:4566", "a1b2c3.execute-api.localhost:4566"],
)
def test_programs_of_this_machine_are_let_in(host: str) -> None:
    assert is_let_in(("host", host))
    assert is_let_in(("host", host), ("origin", f"http://{host.lower()}"))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:4566",
        "evil.example",
        "",
        "127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1:4567",
        "127.0.0.1:04566",
        "127.0.0.1:4566.evil.example",
        "127.0.0.1.evil.example:4566",
        "localhost.evil.example:4566",
        "localhost.:4566",
        "evil.localhost:4566",
        "evil.execute-api.localhost.example:4566",
        "x.y.execute-api.localhost:4566",
        "user@127.0.0.1:4566",
        "127.0.0.1:4566@evil.example",
        "2130706433:4566",
        "0x7f000001:4566",
        "127.1:4566",
        "0.0.0.0:4566",
        "0:4566",
        "[::ffff:127.0.0.1]:4566",
        "[::1%25lo]:4566",
        "::1:4566",
        "127.0.0.1:4566, evil.example",
        "127.0.0.1:4566\nevil.example",
        "١٢٧.0.0.1:4566",
    ],
)
def test_a_host_of_somebody_else_is_refused_whatever_it_resolves_to(host: str) -> None:
    assert not is_let_in(("host", host))
    assert host in ("127.0.0.1", "127.0.0.1:80", "127.0.0.1:4567") or not is_let_in(("host", host), SIGNED)


def test_a_signed_request_may_come_through_a_relay_on_this_machine() -> None:
    assert is_let_in(("host", "127.0.0.1:9999"), SIGNED)
    assert not is_let_in(("host", "127.0.0.1:9999"), SIGNED, ("origin", "http://127.0.0.1:4566"))


def test_a_request_without_a_host_or_with_two_is_refused() -> None:
    assert not is_let_in()
    assert not is_let_in(OWN, ("host", "evil.example"))
    assert not is_let_in(OWN, OWN)


def test_a_forwarded_host_of_somebody_else_is_refused() -> None:
    assert is_let_in(OWN, ("x-forwarded-host", "127.0.0.1:4566"))
    assert not is_let_in(OWN, ("x-forwarded-host", "evil.example"))


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://127.0.0.1",
        "http://127.0.0.1:8000",
        "https://127.0.0.1:4566",
        "http://127.0.0.1:4566.evil.example",
        "http://localhost:4566",
        "file://",
        "chrome-extension://abcdef",
        "http://127.0.0.1:4566 http://evil.example",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_another_origin_is_refused(origin: str, method: str) -> None:
    assert not is_let_in(OWN, ("origin", origin), method=method)
    assert not is_let_in(OWN, ("origin", origin), SIGNED, method=method)


def test_of_two_origins_both_have_to_be_ours() -> None:
    assert not is_let_in(OWN, ("origin", "http://127.0.0.1:4566"), ("origin", "http://evil.example"))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "Same-Origin", "none, cross-site", "anything"])
def test_a_page_of_another_site_is_refused_also_where_no_origin_is_sent(site: str) -> None:
    assert not is_let_in(OWN, ("sec-fetch-site", site), method="GET")
    assert not is_let_in(OWN, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", site))


def test_the_dashboards_own_requests_are_let_in() -> None:
    assert is_let_in(OWN, ("sec-fetch-site", "none"), method="GET")
    assert is_let_in(OWN, ("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:4566"))
    # What browsers send with a form of a page whose referrer policy is no-referrer.
    assert is_let_in(OWN, ("sec-fetch-site", "same-origin"), ("origin", "null"))
    assert is_let_in(OWN, ("referer", "http://127.0.0.1:4566/_aws/execute-api/a1/jobs"), method="GET")


@pytest.mark.parametrize("referer", ["http://evil.example/", "http://127.0.0.1:4566.evil.example/", "about:client"])
def test_a_link_of_another_page_leads_nowhere_in_browsers_that_say_no_more(referer: str) -> None:
    assert not is_let_in(OWN, ("referer", referer), method="GET")


@pytest.mark.parametrize("name", ["method", "headers", "private-network"])
def test_a_preflight_is_refused(name: str) -> None:
    assert not is_let_in(OWN, (f"access-control-request-{name}", "x"), method="OPTIONS")
    assert is_let_in(OWN, method="OPTIONS")


@pytest.mark.parametrize("target", ["http://evil.example/", "http://127.0.0.1:4566/", "*", "evil.example:80"])
def test_a_target_that_is_no_path_is_refused(target: str) -> None:
    assert not is_let_in(OWN, path=target, raw_path=target.encode())


def test_no_answer_lets_another_origin_read_it() -> None:
    start, body = sent(OWN)
    refused, why = sent(("host", "evil.example"))

    assert ([(b"x-amz-id", b"1")], b"reached") == (start["headers"], body["body"])
    assert not [name for name, _ in refused["headers"] if name.lower().startswith(b"access-control")]
    assert why["body"].startswith(b"Refused: the host 'evil.example' is not this emulator's.")


def test_a_websocket_of_another_origin_is_closed_before_it_opens() -> None:
    upgrade = {"type": "websocket", "path": "/ws", "raw_path": b"/ws"}

    assert sent(OWN, ("origin", "http://evil.example"), **upgrade) == [{"type": "websocket.close", "code": 1008}]
    assert is_let_in(OWN, ("origin", "http://127.0.0.1:4566"), **upgrade)
