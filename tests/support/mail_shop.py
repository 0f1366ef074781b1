"""A shop that writes jobs into an outbox, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, EmailStr

from lanework import App, Jobs, Middleware, Proceed, Quota, Receipt, Request, Run
from lanework.testing import Clock, app_in_memory, drain
from tests.support.fakes import Flaky, mend_ports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework import Job
    from lanework.testing import EventList


class Mail(BaseModel):
    """Payload."""

    to: EmailStr = "anu@example.com"
    text: str = ""


@dataclass(slots=True)
class Traces(Middleware):
    """Gives each job the trace that is current, and counts."""

    current: str = "trace-1"
    seen: int = 0

    def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[Any]]:
        self.seen += len(requests)
        return proceed([one.with_headers({"trace": self.current}) for one in requests])


@dataclass(slots=True)
class MailShop:
    """
    An application in memory.

    Attributes:
        sent: What its jobs have sent: the text, and the trace.
    """

    app: App
    clock: Clock
    traces: Traces
    send: Job[Mail, ..., Any, Any]
    newsletter: Job[Mail, ..., Any, Any]
    sent: list[tuple[str, str]] = field(default_factory=list)

    def run(self) -> list[str]:
        """Run what was enqueued, with AWS as it should be, and return what it has sent."""
        self.sent.clear()
        if isinstance(self.app.ports.lanes, Flaky):
            mend_ports(self.app)
        drain(self.app)
        return [text for text, _ in self.sent]


def a_mail_shop(events: EventList | None = None) -> MailShop:
    family, clock, traces = Jobs(queue="mail"), Clock(), Traces()

    @family.job("mail.send", lane="high", aliases=("mail.old",), key="to")
    def send(mail: Mail, run: Run) -> None:
        shop.sent.append((mail.text, run.headers.get("trace", "")))

    @family.job("mail.newsletter", quota=Quota(1, per=timedelta(hours=1)))
    def newsletter(mail: Mail) -> None:
        shop.sent.append((mail.text, ""))

    app = app_in_memory(App(family, middleware=[traces]), clock, events=events)
    shop = MailShop(app, clock, traces, send, newsletter)
    return shop
