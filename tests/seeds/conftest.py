"""
The example application on the embedded stack, with a mail server of the tests' own: one start for all seeds.

What takes its time by itself (five attempts of a lane take half a minute) is enqueued at the start, and read when its
row's turn has come. Where a row says hours, the application runs in memory on a clock that moves when told to.
"""

from __future__ import annotations

import io
import json
import time
from base64 import b64encode
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from aiosmtpd.controller import Controller

from jobs import app
from jobs.demo import Crash, Doomed, crash, doomed
from jobs.email import PaymentReceived, SignIn, notify_payment, notify_sign_in
from jobs.settings import TableSettings, WebSettings
from jobs.store.table import TableStore
from jobs.web import Shop
from jobs.web.application import by_address
from jobs.webhooks import Cryptomus, hear_cryptomus
from lanework.http.auth.tokens import Role, hash_of
from lanework.local import embedded_stack
from lanework.local.emulator.process import wait_for
from lanework.local.stack.logs import LogTail
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import ENDED
from lanework.settings import Settings
from lanework.testing import Clock, app_in_memory
from lanework.wiring import aws_ports
from tests.e2e.test_demo_and_dev import a_copy
from tests.ports import free_port
from tests.seeds.coverage import PAGE, page_with, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage

    from aiosmtpd.smtp import SMTP, Envelope, Session

    from lanework import App, JobRecord
    from lanework.local import RunningStack

SOON = timedelta(seconds=60)
STACK = "seeds"
LOOK_AHEAD_S = 10
SECRET = "whsec_" + b64encode(b"the secret of the seeds' stack").decode()
TOKENS = {role: f"lanework_{role}_of-the-seeds" for role in Role}
SIGN_IN = {
    "userId": "test-user-123",
    "email": "test@example.com",
    "name": "Test User",
    "provider": "github",
    "ipAddress": "192.168.1.1",
    "userAgent": "Mozilla/5.0",
}
WEB = WebSettings.from_environ({"CRYPTOMUS_API_KEY": "key", "SHOP_ADMIN_TOKEN": "admin", "SUPPORT_EMAIL": "help@b.mn"})


@dataclass(slots=True)
class Mailbox:
    """
    A mail server's hooks: it takes every mail but for addresses that begin with `busy` (not now) or `gone` (never).

    Attributes:
        mails: What it took: recipients, and the mail.
        refused: When it refused whom.
    """

    mails: list[tuple[tuple[str, ...], EmailMessage]] = field(default_factory=list)
    refused: list[tuple[str, float]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's hook
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        for begin, answer in (("busy", "451 4.3.0 try later"), ("gone", "550 5.1.1 no such user")):
            if address.startswith(begin):
                self.refused.append((address, time.monotonic()))
                return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        mail: Any = message_from_bytes(envelope.content, policy=default)
        self.mails.append((tuple(envelope.rcpt_tos), mail))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for recipients, mail in self.mails if address in recipients]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """
    The application, deployed and connected.

    Attributes:
        slow: Jobs that were enqueued at the start, by what they are there for.
        began: When the stack was up.
    """

    app: App
    stack: RunningStack
    mailbox: Mailbox
    store: TableStore
    slow: dict[str, str]
    began: datetime

    def end(self, job_id: str, *, within: timedelta = SOON) -> JobRecord:
        """Wait until a job has ended, and return its record."""
        self.until(lambda: self.app.get(job_id).state in ENDED, f"{job_id} to end", within=within)
        return self.app.get(job_id)

    def until(self, condition: Callable[[], bool], what: str, *, within: timedelta = SOON) -> None:
        wait_for(condition, within=within, what=what)

    def mail_to(self, address: str) -> EmailMessage:
        """Wait for the first mail to an address, and return it."""
        self.until(lambda: bool(self.mailbox.to(address)), f"a mail to {address}")
        return self.mailbox.to(address)[0]

    def api(
        self, method: str, path: str, body: object = None, *, role: Role | None = Role.ADMIN
    ) -> tuple[int, dict[str, Any]]:
        """Ask the deployed API, as curl would; return the status and the answer."""
        headers = {"Content-Type": "application/json"}
        if role is not None:
            headers["Authorization"] = f"Bearer {TOKENS[role]}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.stack.api}{path.lstrip('/')}", data=data, headers=headers, method=method)  # noqa: S310
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310 - our own stack
                return answer.status, json.load(answer)
        except HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def text(self, path: str) -> tuple[int, str]:
        """Open a page of the deployed API, or a file of its pages."""
        headers = {"Authorization": f"Bearer {TOKENS[Role.ADMIN]}"}
        request = Request(f"{self.stack.api}{path.lstrip('/')}", headers=headers)  # noqa: S310
        with urlopen(request, timeout=30) as answer:  # noqa: S310 - our own stack
            return answer.status, answer.read().decode()

    def web(self, path: str, body: object, *, token: str = "") -> tuple[int, dict[str, Any]]:
        """Ask the example web application, which enqueues into the stack."""
        shop = Shop(store=lambda: self.store, settings=lambda: WEB, signed_in=by_address)
        raw, answered = body if isinstance(body, bytes) else json.dumps(body).encode(), list[str]()
        environ: Any = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "CONTENT_LENGTH": str(len(raw)),
            "wsgi.input": io.BytesIO(raw),
            "HTTP_AUTHORIZATION": f"Bearer {token}",
        }

        def start(status: str, *_: Any) -> Any:
            answered.append(status)

        said = b"".join(shop(environ, start))
        return int(answered[0].split()[0]), json.loads(said)

    def tick(self, event: dict[str, str] | None = None) -> dict[str, Any]:
        """Invoke the clock function, as EventBridge does."""
        answer = self.stack.clients.functions.invoke(
            FunctionName=f"{STACK}-clock", Payload=json.dumps(event or {}).encode()
        )
        said: dict[str, Any] = json.load(answer["Payload"])
        return said

    def logged(self, *, since: datetime, wanted: str) -> str:
        """Wait until a worker's log holds these words, and return the line."""
        tail = LogTail(clients=self.stack.clients, stack=STACK, since=since)
        found: list[str] = []

        def is_there() -> bool:
            found.extend(line.text for line in tail.read() if wanted in line.text)
            return bool(found)

        self.until(is_there, f"{wanted!r} in a log")
        return found[0]


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
        app.use(aws_ports(settings))
        table = {"APP_TABLE": f"{STACK}-app", "AWS_REGION": handle.region, "AWS_ENDPOINT_URL": handle.endpoint}
        yield World(
            app=app,
            stack=stack,
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


def a_sign_in(**changes: str) -> SignIn:
    return SignIn.model_validate({**SIGN_IN, **changes})


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


def gaps(record: JobRecord) -> list[float]:
    """Return the seconds between the failures of a job's attempts."""
    moments = [one.at for one in record.failures]
    return [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]


def with_parameters(stack: RunningStack, **changes: str) -> RunningStack:
    """Return the stack with other parameters, deployed."""
    deployer = replace(stack.deployer, parameters={**stack.deployer.parameters, **changes})
    deployer.deploy()
    return replace(stack, deployer=deployer)


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
