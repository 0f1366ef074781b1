"""The example web application: it answers once the job is enqueued, tells strangers nothing, refuses what is wrong."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from hashlib import md5
from typing import Any

import pytest

from jobs import app
from jobs.settings import WebSettings
from jobs.store import User
from jobs.web import Shop
from jobs.web.application import by_address
from lanework.testing import app_in_memory
from tests.support.fakes import break_ports
from tests.support.stores import MemoryStore

BAT = User(id="u1", email="bat@example.com", name="Бат")
SETTINGS = WebSettings.from_environ(
    {"CRYPTOMUS_API_KEY": "key", "SHOP_ADMIN_TOKEN": "admin", "SUPPORT_EMAIL": "s@b.mn"}
)
DAYS = {"startDate": "2026-01-01", "endDate": "2026-01-31"}


class Client:
    """Speaks WSGI with the application."""

    def __init__(self, settings: WebSettings = SETTINGS) -> None:
        self.store = MemoryStore(users=[BAT])
        self.shop = Shop(store=lambda: self.store, settings=lambda: settings, signed_in=by_address)

    def post(self, path: str, body: object, *, token: str = "", **headers: str) -> tuple[int, dict[str, Any]]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, raw, token=token, **headers)

    def send(
        self, method: str, path: str, body: bytes = b"", *, token: str = "", **headers: str
    ) -> tuple[int, dict[str, Any]]:
        answered: list[str] = []
        environ: Any = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "HTTP_AUTHORIZATION": f"Bearer {token}",
            **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
        }

        def start(status: str, *_: Any) -> Any:
            answered.append(status)

        said = b"".join(self.shop(environ, start))
        return int(answered[0].split()[0]), json.loads(said)


@pytest.fixture(name="client")
def a_client() -> Client:
    app_in_memory(app)
    return Client()


def enqueued() -> list[tuple[str, str]]:
    return [(one.type, one.lane) for one in app.inspector.page(limit=100).jobs]


@pytest.mark.parametrize(
    ("path", "body", "token", "job"),
    [
        ("/api/auth/forgot-password", {"email": BAT.email}, "", ("account.forgot-password", "critical")),
        ("/api/auth/send-otp", {"email": BAT.email}, "", ("user.otp", "critical")),
        ("/api/payments/process", {"amount": "19.90", "currency": "EUR"}, BAT.email, ("payment.process", "high")),
        ("/api/support/contact", {"subject": "Hi", "message": "x"}, BAT.email, ("email.send", "medium")),
        ("/api/reports/transactions", DAYS, "admin", ("report.transactions", "low")),
        ("/api/exports/transactions", {"filters": DAYS}, BAT.email, ("export.transactions", "low")),
    ],
)
def test_each_endpoint_enqueues_its_job_and_answers_202(
    path: str, body: object, token: str, job: tuple[str, str], client: Client
) -> None:
    status, said = client.post(path, body, token=token)

    assert (status, said["success"]) == (202, True), said
    assert enqueued() == [job]


def test_who_forgot_a_password_is_not_told_whether_there_is_an_account(client: Client) -> None:
    """The same answer after the same work: what looks for the account is the job."""
    known = client.post("/api/auth/forgot-password", {"email": BAT.email})
    unknown = client.post("/api/auth/forgot-password", {"email": "nobody@example.com"})

    assert known == unknown
    assert enqueued() == [("account.forgot-password", "critical")] * 2


def test_a_one_time_code_is_kept_as_a_digest_only(client: Client) -> None:
    client.post("/api/auth/send-otp", {"email": BAT.email})

    payload = json.loads(app.inspector.page().jobs[0].payload or "")
    (token,) = client.store.tokens
    assert (token.kind, payload["code"] in token.id, BAT.email in token.id) == ("otp", False, False)


def test_a_second_click_is_the_same_payment(client: Client) -> None:
    pay = {"amount": "5", "currency": "EUR"}
    first, second, other = (
        client.post("/api/payments/process", pay, token=BAT.email, idempotency_key=key)[1]["transactionId"]
        for key in ("k1", "k1", "k2")
    )

    assert (first == second, first == other, len(enqueued())) == (True, False, 2)


def signed(members: str) -> bytes:
    sign = md5(b64encode(f"{{{members}}}".encode()) + b"key", usedforsecurity=False).hexdigest()
    return f'{{{members},"sign":"{sign}"}}'.encode()


def test_a_webhook_is_taken_in_once_and_only_with_its_signature(client: Client) -> None:
    members = '"uuid":"c1","order_id":"tx-1","status":"paid","amount":"5","currency":"EUR"'

    answers = [client.post("/api/webhooks/cryptomus", signed(members)) for _ in range(2)]
    forged = client.post("/api/webhooks/cryptomus", signed(members).replace(b'"5"', b'"500"'))
    unsigned = client.post("/api/webhooks/nowpayments", {"payment_id": 1})

    assert [(status, said["duplicate"]) for status, said in answers] == [(202, False), (202, True)]
    assert forged == (401, {"success": False, "error": "the signature doesn't match"})
    assert unsigned == (401, {"success": False, "error": "the provider's secret is not configured"})
    assert enqueued() == [("webhook.cryptomus", "high")]


@pytest.mark.parametrize(
    ("path", "body", "token", "status", "error"),
    [
        ("/api/auth/forgot-password", {"email": "nobody"}, "", 400, "email: value is not a valid email"),
        ("/api/auth/forgot-password", b"{", "", 400, "Invalid JSON"),
        ("/api/auth/send-otp", {}, "", 400, "email: Field required"),
        ("/api/payments/process", {"amount": "5", "currency": "EUR"}, "", 401, "sign in first"),
        (
            "/api/payments/process",
            {"amount": "-5", "currency": "EUR"},
            BAT.email,
            400,
            "amount: Input should be greater",
        ),
        (
            "/api/support/contact",
            {"subject": "Hi\nBcc: x@y.mn", "message": "x"},
            BAT.email,
            400,
            "subject: Value error",
        ),
        ("/api/reports/transactions", DAYS, BAT.email, 403, "for administrators only"),
        ("/api/reports/transactions", {**DAYS, "endDate": "2025-01-01"}, "admin", 400, "lies before start"),
        ("/api/webhooks/cryptomus", signed('"uuid":"c1"'), "", 400, "can't be used: "),
        ("/api/auth/forgot-password", b"x" * 70_000, "", 413, "over 65,536 bytes"),
        ("/nowhere", {}, "", 404, "nothing is at /nowhere"),
    ],
)
def test_what_is_wrong_is_refused_and_said(
    path: str, body: object, token: str, status: int, error: str, client: Client
) -> None:
    got, said = client.post(path, body, token=token)

    assert (got, said["success"]) == (status, False)
    assert error in said["error"]
    assert "nobody" not in said["error"], "values are not repeated"
    assert enqueued() == []


def test_reading_is_not_for_these_paths(client: Client) -> None:
    assert client.send("GET", "/api/auth/send-otp")[0] == 405


def test_without_an_administrators_token_configured_nobody_is_one() -> None:
    app_in_memory(app)

    assert Client(WebSettings.from_environ({})).post("/api/reports/transactions", DAYS, token="")[0] == 403


def test_when_nothing_can_be_enqueued_the_answer_says_to_try_again(client: Client) -> None:
    ledger, lanes = break_ports(app)
    ledger.broken.add("put")
    ledger.broken.add("put_new")
    lanes.broken.add("send")

    status, said = client.post("/api/auth/forgot-password", {"email": BAT.email})

    assert (status, said["error"]) == (503, "not now; try again")
