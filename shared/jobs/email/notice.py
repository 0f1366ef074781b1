"""Mails that say a few lines, some facts and where to read on: one pair of templates for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import HttpUrl

from jobs.email.delivery import deliver
from jobs.email.family import TEMPLATES
from jobs.mail import Attachment, Message, Send, render
from jobs.payloads import Payload, Recipients
from lanework import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """
    Where to read on.

    Attributes:
        label: What the reader clicks.
        url: An `https://` or `http://` address.
    """

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEventDocument:
    """
    What a mail says.

    Attributes:
        subject: A single line.
        lines: Its paragraphs.
        facts: Names and values, in the order shown.
        link: Where to read on, if anywhere.
    """

    subject: str
    lines: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    link: Link | None = None


class Context(Payload):
    """What a kind of mail has to be told. A field that is missing is refused when the mail is enqueued."""

    def notice(self) -> JobEventDocument:
        """Return what the mail says."""
        raise NotImplementedError


ContextT = TypeVar("ContextT", bound=Context)


class Mail(Payload, Generic[ContextT]):
    """
    A mail of a kind.

    Attributes:
        to: One recipient, or 1 to 50 of them, who all see each other.
        context: What it has to say.
    """

    to: Recipients
    context: ContextT


def send_notice(
    to: str | tuple[str, ...],
    notice: JobEventDocument,
    run: Run,
    send: Send,
    *,
    attachments: tuple[Attachment, ...] = (),
    secrets: tuple[str, ...] = (),
) -> None:
    """Render a notice and send it; arguments as in `Message`, errors as in `deliver`."""
    body = render(TEMPLATES, "notice", subject=notice.subject, notice=notice)
    deliver(
        Message(
            to=to,
            subject=notice.subject,
            text=body.text,
            html=body.html,
            key=run.job_id,
            attachments=attachments,
            secrets=secrets,
        ),
        run,
        send,
    )


Url = HttpUrl
"""An address that a reader may click: http or https, so that no `javascript:` gets into a mail."""
