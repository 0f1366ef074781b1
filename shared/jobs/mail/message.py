"""One mail: what a job says (`Message`), and how it looks on the wire (`compose`). Pure."""

from __future__ import annotations

import re
from base64 import encodebytes
from dataclasses import dataclass, field
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from pydantic import validate_email
from pydantic_core import PydanticCustomError

from jobs.mail.errors import InvalidMessageError
from jobs.mail.headers import address_field, disposition_field, text_field
from jobs.mail.wire import POLICY
from jobs.payloads import is_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_PART_OF_TYPE: Final = "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE: Final = re.compile(rf"(?!(?i:multipart|message)/){_PART_OF_TYPE}/{_PART_OF_TYPE}")
"""RFC 6838. Parts within a file are bytes here, which RFC 2046 forbids for these two."""

_CONTROL: Final = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """
    A file that goes with a mail.

    Attributes:
        name: Its file name, a single line.
        content: Its bytes.
        media_type: Such as `text/csv`; another mail or a bundle is `application/octet-stream`.
    """

    name: str
    content: bytes = field(repr=False)
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """
    A mail as a job hands it over. What it says stays out of its `repr`.

    Attributes:
        to: One recipient or several, each `a@b.mn` or `Name <a@b.mn>`; all of them see each other.
        subject: A single line.
        text: The plain part.
        html: The HTML part, with the same content.
        key: What the Message-ID is derived from, such as the job's id: a retry sends the same Message-ID.
        secrets: Parts of the text, such as a one-time code, that log-only mode hides.
        attachments: Files that go with it.
        still_for: Whom of the recipients it is sent to; empty, the default, is all of them. A second try names those
            who didn't get it at the first.

    Raises:
        InvalidMessageError: No recipient, or the subject, an address or a name holds a line break or isn't one, or a
            file has no media type, or a text isn't Unicode.
    """

    to: str | Sequence[str] = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    key: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    attachments: tuple[Attachment, ...] = ()
    still_for: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Refuse what would let a value add headers of its own, or can't be written."""
        _refuse_line_breaks("the subject", self.subject)
        for one in self.attachments:
            _refuse_line_breaks("an attachment's name", one.name)
            if not _MEDIA_TYPE.fullmatch(one.media_type):
                msg = "an attachment's media type must be like text/csv, and not of several parts"
                raise InvalidMessageError(msg)
        for address in self.still_for:
            _refuse_line_breaks("an address", address)
        if not self.recipients:
            msg = "a mail needs at least one recipient, 'to' is empty"
            raise InvalidMessageError(msg)
        if any("\ud800" <= character <= "\udfff" for character in f"{self.text}{self.html}"):
            msg = "the text of the mail is no valid Unicode: it holds a lone surrogate"
            raise InvalidMessageError(msg)

    @property
    def recipients(self) -> tuple[Address, ...]:
        """The recipients, parsed."""
        return tuple(parsed_address(one) for one in ([self.to] if isinstance(self.to, str) else self.to))

    @property
    def envelope(self) -> tuple[str, ...]:
        """The bare addresses that it is sent to."""
        return self.still_for or tuple(one.addr_spec for one in self.recipients)


def compose(message: Message, *, sender: str, at: datetime) -> EmailMessage:
    """
    Return the mail ready to be sent: UTF-8, a plain and an HTML part, Date and Message-ID.

    Args:
        message: What to say, and to whom.
        sender: The From header, `a@b.mn` or `Name <a@b.mn>`.
        at: The Date header, aware.
    """
    author = parsed_address(sender)
    key = sha256(message.key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    mail = _part_of(
        address_field("From", [author]),
        address_field("To", message.recipients),
        text_field("Subject", message.subject),
        f"Date: {format_datetime(at)}",
        f"Message-ID: <{key}@{author.domain}>",
        "Auto-Submitted: auto-generated",  # RFC 3834: keeps out-of-office replies away
    )
    mail.set_content(message.text, cte=_encoding_of(message.text))
    mail.add_alternative(message.html, subtype="html", cte=_encoding_of(message.html))
    if message.attachments:
        mail.make_mixed()
    for one in message.attachments:
        mail.attach(_file(one))
    return mail


def _file(one: Attachment) -> EmailMessage:
    media_type, transfer = f"Content-Type: {one.media_type}", "Content-Transfer-Encoding: base64"
    return _part_of(media_type, transfer, disposition_field(one.name), content=encodebytes(one.content))


def _part_of(*lines: str, content: bytes = b"") -> EmailMessage:
    """Return a mail, or a part of one, that keeps its headers as they are written here."""
    head = "".join(f"{line}\r\n" for line in lines).encode()
    return message_from_bytes(head + b"\r\n" + content, EmailMessage, policy=POLICY)


def _encoding_of(text: str) -> str | None:
    """Return how a body is to be encoded, if plain won't do: SMTP takes no NUL, some relays no control character."""
    return "base64" if _CONTROL.search(text) else None


def parsed_address(text: str) -> Address:
    """
    Return the address, its domain in ASCII, so that a server without SMTPUTF8 can deliver to `a@сайт.мон`.

    Raises:
        InvalidMessageError: It is not exactly one address, or holds a line break.
    """
    _refuse_line_breaks("an address", text)
    try:
        name, address = validate_email(text)
    except PydanticCustomError as error:
        reason = (error.context or {}).get("reason", "it can't be parsed")
        msg = f"an address of the mail is not valid: {reason}"
        raise InvalidMessageError(msg) from None
    username, _, domain = address.rpartition("@")
    # Without a name of its own an address is named after its local part; the header needn't repeat that.
    display_name = name if text.rstrip().endswith(">") else ""
    try:
        return Address(display_name, username=username, domain=domain.encode("idna").decode())
    except ValueError:
        msg = "an address of the mail is not valid: its domain is none"
        raise InvalidMessageError(msg) from None


def _refuse_line_breaks(what: str, text: str) -> None:
    if not is_one_line(text):
        msg = f"{what} of the mail holds a line break or control character, which could add headers"
        raise InvalidMessageError(msg)
