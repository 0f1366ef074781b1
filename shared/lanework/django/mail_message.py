"""An e-mail message of Django's as JSON, and back: what is sent is what was to be sent."""

from __future__ import annotations

import email
from base64 import b64decode, b64encode
from email.message import Message, MIMEPart
from email.mime.base import MIMEBase
from email.policy import compat32, default
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING, Any, Final, Literal

from django.conf import settings
from django.core.mail import DNS_NAME, EmailMessage, EmailMultiAlternatives
from django.utils import timezone
from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from email.policy import Policy

_KNOWN: Final = frozenset(
    (
        *("subject", "body", "from_email", "to", "cc", "bcc", "reply_to", "extra_headers"),
        *("attachments", "alternatives", "content_subtype", "encoding", "connection"),
    )
)


class Content(BaseModel):
    """
    Text, or bytes in base64; a whole part of a message is the bytes that it is sent as.

    Attributes:
        kind: `part` is an `email.message.MIMEPart`, `mime` one of the older `MIMEBase`.
    """

    kind: Literal["text", "bytes", "part", "mime"]
    content: str
    filename: str | None = None
    mimetype: str | None = None


class MailMessage(BaseModel):
    """
    A message. Its `Message-ID` and `Date` are those of the enqueue, the same on every attempt.

    Attributes:
        attributes: What else was set on it, such as `mixed_subtype`, or the tags that a provider's library reads.
    """

    subject: str
    body: str
    from_email: str
    to: list[str]
    cc: list[str]
    bcc: list[str]
    reply_to: list[str]
    headers: dict[str, str]
    attachments: list[Content]
    alternatives: list[Content]
    has_alternatives: bool
    content_subtype: str
    encoding: str | None
    attributes: dict[str, Any] = Field(default_factory=dict)


def as_payload(message: Any) -> MailMessage:  # noqa: ANN401 - a message of Django's, or of a library's
    """Return a message as JSON values; TypeError names an attribute that is none."""
    others = {name: value for name, value in vars(message).items() if name not in _KNOWN and not name.startswith("_")}
    for name, value in others.items():
        _check_json(name, value)
    _check_json("encoding", message.encoding)
    return MailMessage(
        subject=str(message.subject),
        body=str(message.body),
        from_email=str(message.from_email),
        **{name: [str(one) for one in getattr(message, name)] for name in ("to", "cc", "bcc", "reply_to")},
        headers=_headers(message),
        attachments=[_attached(one) for one in message.attachments],
        alternatives=[_content(*one) for one in getattr(message, "alternatives", ())],
        has_alternatives=isinstance(message, EmailMultiAlternatives),
        content_subtype=message.content_subtype,
        encoding=message.encoding,
        attributes=others,
    )


def as_message(payload: MailMessage) -> Any:  # noqa: ANN401 - a message of Django's
    """Return the message."""
    kind = EmailMultiAlternatives if payload.has_alternatives else EmailMessage
    given = {name: getattr(payload, name) for name in ("to", "cc", "bcc", "reply_to", "headers")}
    message = kind(subject=payload.subject, body=payload.body, from_email=payload.from_email, **given)
    message.content_subtype, message.encoding = payload.content_subtype, payload.encoding
    for one in payload.alternatives:
        message.attach_alternative(_value(one), one.mimetype)
    for one in payload.attachments:
        if one.kind in ("part", "mime"):
            message.attach(_value(one))
        else:
            message.attach(one.filename, _value(one), one.mimetype)
    for name, value in payload.attributes.items():
        setattr(message, name, value)
    return message


def _headers(message: Any) -> dict[str, str]:  # noqa: ANN401 - as above
    headers = {str(name): str(value) for name, value in message.extra_headers.items()}
    names = {name.lower() for name in headers}
    if "message-id" not in names:
        headers["Message-ID"] = make_msgid(domain=str(DNS_NAME))
    if "date" not in names:
        now = timezone.localtime() if settings.EMAIL_USE_LOCALTIME else timezone.now()
        headers["Date"] = format_datetime(now)
    return headers


def _attached(one: Any) -> Content:  # noqa: ANN401 - a part, or a triple
    if isinstance(one, Message):
        kind: Literal["part", "mime"] = "part" if isinstance(one, MIMEPart) else "mime"
        return Content(kind=kind, content=b64encode(one.as_bytes()).decode())
    filename, content, mimetype = one
    return _content(content, mimetype, filename)


def _content(content: Any, mimetype: str | None, filename: str | None = None) -> Content:  # noqa: ANN401 - text, bytes, or a message
    if isinstance(content, EmailMessage):
        content = content.message()
    if isinstance(content, Message):
        content = content.as_bytes()
    if isinstance(content, str):
        return Content(kind="text", content=content, filename=filename, mimetype=mimetype)
    return Content(kind="bytes", content=b64encode(bytes(content)).decode(), filename=filename, mimetype=mimetype)


def _value(one: Content) -> Any:  # noqa: ANN401 - text, bytes, or a part
    if one.kind == "text":
        return one.content
    raw = b64decode(one.content)
    if one.kind == "bytes":
        return raw
    if one.kind == "part":
        return email.message_from_bytes(raw, _class=MIMEPart, policy=default)  # type: ignore[arg-type]
    return email.message_from_bytes(raw, _class=_OldPart, policy=compat32)


class _OldPart(MIMEBase):
    """A `MIMEBase`, as Django 5.2 wants it, made as a parser makes one."""

    def __init__(self, policy: Policy = compat32) -> None:
        Message.__init__(self, policy=policy)


def _check_json(name: str, value: object) -> None:
    match value:
        case None | str() | int() | float():
            return
        case list() | tuple():
            for one in value:
                _check_json(name, one)
        case dict():
            for key, one in value.items():
                _check_json(name, key)
                _check_json(name, one)
        case _:
            msg = f"a mail's attribute {name!r} holds a {type(value).__name__}, which isn't JSON: leave it out"
            raise TypeError(msg)
