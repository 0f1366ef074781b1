"""A job that waits between its steps, for a signal and for a time, and whoever is told of it: on the embedded stack."""

from __future__ import annotations

import hmac
import json
import threading
import time
from base64 import b64decode, b64encode
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lanework import App, Cause, JobEndedError, Signalling, State
from lanework.engine.webhooks.signature import secrets_in, secrets_of
from lanework.local.emulator.process import wait_for
from lanework.local.stack.embedded import embedded_stack
from lanework.local.webhook_secret import PARAMETER, kept_secret
from tests.support.ports import free_port
from tests.support.projects import a_project, application_on
from tests.support.rights import UNDER_IAM
from tests.support.watched_bus import WatchedBus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.local.stack.embedded import RunningStack

ROOT = Path(__file__).parents[2]
SOON = timedelta(seconds=60)

CODE = """
from datetime import timedelta
from typing import Any
from pydantic import BaseModel
from lanework import App, Jobs, Run

orders = Jobs(queue="orders", lane="high", attempts=1)

class Order(BaseModel):
    amount: int

@orders.job("order.refund")
def refund(order: Order, run: Run) -> dict[str, Any]:
    number = run.once("reserve", lambda: run.attempt)
    answer = run.wait_for("approved", timeout=timedelta(days=3))
    run.wait(timedelta(seconds=2))
    return {"by": answer["by"], "reserved": number, "request": run.correlation_id}

@orders.job("order.reject")
async def reject(order: Order, run: Run) -> None:
    await run.wait_for_async("told", timeout=timedelta(seconds=2))

app = App(orders)
"""


class Receiver(ThreadingHTTPServer):
    """
    Somebody's server; it is busy at first.

    Attributes:
        got: Headers and body of each request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.got: list[tuple[dict[str, str], bytes]] = []

    @property
    def hook(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    def taken(self, stacks_secret: str) -> list[dict[str, Any]]:
        """Return the events that were taken, their signatures checked with this receiver's own secret."""
        (secret,) = secrets_of(self.hook, secrets_in(stacks_secret))
        for headers, body in self.got:
            check(headers, body, secret)
        return [json.loads(body) for _, body in self.got[1:]]


class _Answer(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        is_busy = len(self.server.got) == 1
        self.send_response(503 if is_busy else 204)
        if is_busy:
            self.send_header("Retry-After", "1")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def check(headers: dict[str, str], body: bytes, secret: str) -> None:
    """Check a message as a receiver does that has never heard of Lanework (Standard Webhooks)."""
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = b64decode(secret.removeprefix("whsec_"))
    assert headers["webhook-signature"] == "v1," + b64encode(hmac.digest(key, content, "sha256")).decode()
    assert abs(time.time() - int(headers["webhook-timestamp"])) < 300


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    project = a_project(tmp_path_factory.mktemp("waiting") / "shop", CODE)
    parameters = {"EventsToBus": "all", "WebhooksToPrivate": "true", "WebhookSecretParameter": PARAMETER}
    with embedded_stack(project, port=free_port(), parameters=parameters, checks_rights=UNDER_IAM) as running:
        yield running


@pytest.fixture(name="app")
def an_app(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> App:
    return application_on(stack, monkeypatch)


@pytest.fixture(name="bus")
def a_bus(stack: RunningStack, app: App) -> WatchedBus:  # noqa: ARG001 - sets the credentials
    return WatchedBus(stack)


def test_a_job_waits_for_a_signal_and_a_while_and_the_world_is_told_of_its_end(
    stack: RunningStack, app: App, receiver: Receiver, bus: WatchedBus
) -> None:
    secret = kept_secret(stack.clients)
    assert kept_secret(stack.clients) == secret
    hook = receiver.hook

    app.enqueue("order.refund", {"amount": 5}, job_id="refund-1", webhook=hook, correlation_id="request-7")
    wait_for(lambda: app.get("refund-1").awaits == "approved", within=SOON, what="the job to ask")
    assert app.signal("refund-1", "approved", {"by": "Bat"}) is Signalling.KEPT
    wait_for(lambda: app.get("refund-1").state is State.COMPLETED, within=SOON, what="the job to go on")

    record = app.get("refund-1")
    assert (record.result, record.attempts) == ('{"by":"Bat","reserved":1,"request":"request-7"}', 1)
    with pytest.raises(JobEndedError):
        app.signal("refund-1", "approved")
    wait_for(lambda: len(receiver.got) == 2, within=SOON, what="the webhook, busy at first")
    (told,) = receiver.taken(kept_secret(stack.clients))
    assert (told["type"], told["jobId"], told["correlationId"]) == ("job.completed", "refund-1", "request-7")
    expected = {"job.enqueued", "job.started", "job.parked", "job.signalled", "job.completed"}
    wait_for(lambda: expected <= {kind for _, kind in bus.transitions()}, within=SOON, what="all of it on the bus")
    assert {job_id for job_id, _ in bus.transitions()} == {"refund-1"}
    ends = [one for one in bus.seen if one["type"] == "job.completed"]
    assert ends == [told], "bus and webhook tell the same"


def test_an_async_job_whose_signal_does_not_come_is_dead_and_that_is_told(
    stack: RunningStack, app: App, receiver: Receiver
) -> None:
    hook = receiver.hook
    before = len(receiver.got)
    app.enqueue("order.reject", {"amount": 5}, job_id="reject-1", webhook=hook)

    wait_for(lambda: app.get("reject-1").state is State.DEAD, within=SOON, what="the time-out")

    record = app.get("reject-1")
    assert (record.cause, str(record.error).partition(":")[0]) == (Cause.EXHAUSTED, "SignalTimeoutError")
    wait_for(lambda: len(receiver.got) == before + 1, within=SOON, what="the webhook")
    assert (
        receiver.taken(kept_secret(stack.clients))[-1]["type"],
        receiver.taken(kept_secret(stack.clients))[-1]["errorType"],
    ) == ("job.dead", "SignalTimeoutError")
