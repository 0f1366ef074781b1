"""The seeds' application on the embedded stack."""

from __future__ import annotations

import io
import json
import sys
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from jobs.email import SignIn
from jobs.settings import WebSettings
from jobs.store.table import TableStore
from jobs.web import Shop
from jobs.web.application import by_address
from lanework.aws.clients import Clients
from lanework.http.auth.tokens import Role
from lanework.local.emulator.process import wait_for
from lanework.local.emulator.subprocess_env import clean_environment
from lanework.local.stack.logs import LogTail
from lanework.model.lifecycle.states import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage

    from aiosmtpd.smtp import SMTP, Envelope, Session

    from lanework import App, JobRecord
    from lanework.local.stack.embedded import RunningStack

LANEWORK = str(Path(sys.executable).with_name("lanework"))


SOON = timedelta(seconds=60)
STACK = "seeds"
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
        clients: What the application reaches AWS with.
        slow: Jobs that were enqueued at the start, by what they are there for.
        began: When the stack was up.
    """

    app: App
    stack: RunningStack
    clients: Clients
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


def a_sign_in(**changes: str) -> SignIn:
    return SignIn.model_validate({**SIGN_IN, **changes})


def gaps(record: JobRecord) -> list[float]:
    """Return the seconds between the failures of a job's attempts."""
    moments = [one.at for one in record.failures]
    return [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]


def with_parameters(stack: RunningStack, **changes: str) -> RunningStack:
    """Return the stack with other parameters, deployed."""
    deployer = replace(stack.deployer, parameters={**stack.deployer.parameters, **changes})
    deployer.deploy()
    return replace(stack, deployer=deployer)


def worker_environment(world: World) -> dict[str, str]:
    """Return what `lanework worker` finds in the environment, for the stack."""
    return {
        **clean_environment(),
        "LANEWORK_STACK": STACK,
        "LANEWORK_ACCOUNT": "000000000000",
        "AWS_REGION": world.stack.handle.region,
        "AWS_ENDPOINT_URL": world.stack.handle.endpoint,
        "APP_TABLE": f"{STACK}-app",
    }


def is_healthy(address: str) -> bool:
    try:
        with urlopen(f"http://{address}/health", timeout=5) as answer:
            return bool(json.load(answer)["processes"])
    except URLError:
        return False
