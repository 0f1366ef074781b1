"""
The example application on the embedded stack, with a mail server of the tests' own: one start for all seeds.

What takes its time by itself (five attempts of a lane take half a minute) is enqueued at the start, and read when its
row's turn has come. Where a row says hours, the application runs in memory on a clock that moves when told to.
"""

from __future__ import annotations

from base64 import b64encode
from contextlib import ExitStack
from typing import TYPE_CHECKING

import boto3
import pytest
from aiosmtpd.controller import Controller

from jobs import app
from jobs.demo import Crash, Doomed, crash, doomed
from jobs.email import PaymentReceived, notify_payment, notify_sign_in
from jobs.settings import TableSettings
from jobs.store.table import TableStore
from jobs.webhooks import Cryptomus, hear_cryptomus
from lanework.aws.clients import Clients
from lanework.http.auth.tokens import hash_of
from lanework.local.stack.embedded import embedded_stack
from lanework.model.lanes import Lane
from lanework.settings import Settings
from lanework.testing import Clock, app_in_memory
from lanework.wiring import aws_ports
from tests.seeds.coverage import PAGE, page_with, table
from tests.support.developing import a_copy
from tests.support.ports import free_port
from tests.support.seeds import STACK, TOKENS, Mailbox, World, a_sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator


LOOK_AHEAD_S = 10
SECRET = "whsec_" + b64encode(b"the secret of the seeds' stack").decode()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    mailbox, port = Mailbox(), free_port()
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    parameters = {
        "SmtpHost": "127.0.0.1",
        "SmtpPort": str(port),
        "LookAheadSeconds": str(LOOK_AHEAD_S),
        "Development": "true",
        "LogLevel": "DEBUG",
        "AlertJob": "ops.alert",
        "OpsEmail": "ops@example.com",
        "WebhooksToPrivate": "true",
        "WebhookSecretParameter": "/shop/webhooks",
        "ApiTokens": ",".join(f"{role}:{hash_of(token)}" for role, token in TOKENS.items()),
    }
    with pytest.MonkeyPatch.context() as env, ExitStack() as undo:
        undo.callback(server.stop)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            env.setenv(name, "test")
        project = a_copy(tmp_path_factory.mktemp("seeds") / "shop")
        stack = undo.enter_context(
            embedded_stack(project, fresh=True, port=free_port(), name=STACK, parameters=parameters)
        )
        handle = stack.handle
        ssm = boto3.client("ssm", region_name=handle.region, endpoint_url=handle.endpoint)
        ssm.put_parameter(Name="/shop/webhooks", Value=SECRET, Type="SecureString")
        settings = Settings(
            stack=STACK,
            region=handle.region,
            endpoint=handle.endpoint,
            account="000000000000",
            look_ahead_s=LOOK_AHEAD_S,
        )
        clients = Clients(settings)
        app.use(aws_ports(settings, clients=clients))
        table = {"APP_TABLE": f"{STACK}-app", "AWS_REGION": handle.region, "AWS_ENDPOINT_URL": handle.endpoint}
        yield World(
            app=app,
            stack=stack,
            clients=clients,
            mailbox=mailbox,
            store=TableStore(TableSettings.from_environ(table)),
            slow=_enqueue_what_takes_its_time(),
            began=app.ports.clock(),
        )


@pytest.fixture
def clock(world: World) -> Iterator[Clock]:
    """Let the application run in memory for a test, on a clock that moves when told to."""
    ports, clock = world.app.ports, Clock()
    app_in_memory(world.app, clock)
    yield clock
    world.app.use(ports)


def _enqueue_what_takes_its_time() -> dict[str, str]:
    busy = notify_sign_in.enqueue(a_sign_in(userId="busy-1", email="busy@example.com"), job_id="signin-busy")
    twice = notify_sign_in.enqueue(a_sign_in(userId="busy-2", email="busy2@example.com"), job_id="signin-busy2")
    paid = PaymentReceived.model_validate(
        {
            "email": "busy3@example.com",
            "transactionId": "pay-busy",
            "amount": "499",
            "currency": "INR",
            "paidAt": "2026-01-01T00:00:00Z",
        }
    )
    news = Cryptomus.model_validate(
        {"uuid": "c", "order_id": "nobodys", "status": "paid", "amount": "1", "currency": "EUR"}
    )
    slow = {f"lane-{lane}": hear_cryptomus.enqueue(news, lane=lane).job_id for lane in Lane}
    return {
        "signin": busy.job_id,
        "signin-2": twice.job_id,
        "payment": notify_payment.enqueue(paid).job_id,
        "crash": crash.enqueue(Crash(), job_id="crash").job_id,
        "ticket": doomed.enqueue(Doomed(reason="three retries"), attempts=4, job_id="three-retries").job_id,
        **slow,
    }


RESULTS: dict[str, str] = {}
"""How each test came out, by `file::name`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew-table", action="store_true", help="write the results into docs/seeds.md")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.failed:
        name = report.nodeid.rpartition("/")[2]
        RESULTS[name] = "shown" if report.passed and RESULTS.get(name) != "**fails**" else "**fails**"


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--renew-table"):
        PAGE.write_text(page_with(table(RESULTS)))
