"""Mails through a mail server."""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from jobs.clock import utc_now
from jobs.mail.errors import MailError, MailServerError, PartlyRefusedError, RefusedError
from jobs.mail.message import Message, compose, parsed_address
from jobs.mail.wire import bytes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

_ENHANCED_CODE = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}\b")
_PERMANENT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """
    Sends each mail over a connection of its own.

    A mail that the server takes for some of its recipients only has been sent to those: `PartlyRefusedError` says to
    whom it may be sent yet. When the connection breaks after the mail's last line, nobody can know whether the server
    has it (RFC 1047): that is a `MailServerError`, and a retry sends it again, under the same Message-ID.

    Attributes:
        host: The mail server.
        port: Its port, default 587.
        username: Empty (the default) sends without logging in.
        password: Goes with the username.
        starttls: Whether to insist on TLS, with a certificate that is valid for the host. Default true.
        timeout: Longest wait for the connection and for each answer, default 10 s.
        sender: The From header, `a@b.mn` or `Name <a@b.mn>`.
        now: The clock behind the Date header.
    """

    host: str
    sender: str
    port: int = 587
    username: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = True
    timeout: timedelta = timedelta(seconds=10)
    now: Callable[[], datetime] = utc_now

    def send(self, message: Message) -> None:
        """
        Send the mail.

        Raises:
            MailServerError: The server can't be reached, or said to come back later.
            InvalidMessageError: The mail's bytes aren't what they were meant to be.
            RefusedError: The server refused the mail, or all of its recipients.
            PartlyRefusedError: It refused some of its recipients; the others have the mail.
        """
        content = bytes_of(compose(message, sender=self.sender, at=self.now()))
        author = parsed_address(self.sender).addr_spec
        with self._connected() as server:
            options = _options(server, author, *message.envelope)
            refused = server.sendmail(author, message.envelope, content, mail_options=options)
        if refused:
            later = tuple(address for address, (code, _) in refused.items() if code < _PERMANENT)
            count = f"{len(refused)} of {len(message.envelope)} recipients; the others got the mail"
            msg = f"{self._name} refused {count}: {_codes(refused.values())}"
            raise PartlyRefusedError(msg, later=later, never=len(refused) - len(later))

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        try:
            server = smtplib.SMTP(self.host, self.port, timeout=self.timeout.total_seconds())
            try:
                if self.starttls:
                    server.starttls(context=ssl.create_default_context())
                if self.username:
                    server.login(self.username, self.password)
                yield server
                # The server has the mail: a bad answer to QUIT must not make a retry send it again.
                with suppress(smtplib.SMTPException):
                    server.quit()
            finally:
                server.close()
        except (smtplib.SMTPException, OSError) as error:
            # Not chained: a server's answer often repeats the address, and tracebacks are logged.
            raise self._error_of(error) from None

    def _error_of(self, error: smtplib.SMTPException | OSError) -> MailError:
        match error:
            case smtplib.SMTPRecipientsRefused(recipients=refused):
                what = f"{self._name} refused all {len(refused)} recipients: {_codes(refused.values())}"
                permanent = all(code >= _PERMANENT for code, _ in refused.values())
            case smtplib.SMTPAuthenticationError():
                # For good as far as the server is concerned, but it is the setting that is wrong, not the mail.
                what, permanent = f"{self._name} refused SMTP_USERNAME and SMTP_PASSWORD: {_code_of(error)}", False
            case smtplib.SMTPResponseException():
                what, permanent = f"{self._name} refused the mail: {_code_of(error)}", error.smtp_code >= _PERMANENT
            case _:
                what, permanent = f"{self._name} did not take the mail: {type(error).__name__}: {error}", False
        return RefusedError(what) if permanent else MailServerError(what)

    @property
    def _name(self) -> str:
        return f"the mail server {self.host}:{self.port}"


def _options(server: smtplib.SMTP, *addresses: str) -> tuple[str, ...]:
    """Return what to ask of the server, where an address has letters beyond ASCII before its @ (RFC 6531)."""
    if all(one.isascii() for one in addresses):
        return ()
    server.ehlo_or_helo_if_needed()
    if server.has_extn("smtputf8"):
        return ("SMTPUTF8", "BODY=8BITMIME")
    msg = "it takes no address with letters beyond ASCII (SMTPUTF8)"
    raise smtplib.SMTPNotSupportedError(msg)


def _code_of(error: smtplib.SMTPResponseException) -> str:
    answer = error.smtp_error
    return _codes([(error.smtp_code, answer if isinstance(answer, bytes) else answer.encode())])


def _codes(replies: Iterable[tuple[int, bytes]]) -> str:
    """Return the replies' codes, `550 5.1.1`, without their text, which may repeat an address."""
    return ", ".join(sorted({_code(code, answer) for code, answer in replies}))


def _code(code: int, answer: bytes) -> str:
    enhanced = _ENHANCED_CODE.match(answer)
    return f"{code} {enhanced[0].decode()}" if enhanced else str(code)
