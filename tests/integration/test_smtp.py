"""Mails through a real SMTP server on loopback."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from jobs.email import File, SendEmail, SignIn, notify_sign_in, send_email
from jobs.email.operations import StackAlert, tell_operations
from jobs.mail import MailServerError, Message, RefusedError, Smtp
from jobs.settings import OperationsSettings
from lanework.testing import Notes, a_run
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from aiosmtpd.smtp import SMTP, AuthenticatorType, Envelope, Session

NOON = datetime(2025, 12, 19, 12, 0, tzinfo=UTC)
SENDER = "Yellow Books <no-reply@example.com>"


class Mailbox:
    """
    Keeps what the server takes.

    Attributes:
        refusals: What to answer to a recipient, by address; a server's answers like to repeat the address.
        answer: What to answer to the mail itself.
        slow: How long to take for that answer.
        drops: How many mails to take and then break the connection instead of answering.
    """

    def __init__(
        self,
        refusals: dict[str, str] | None = None,
        answer: str = "250 OK",
        *,
        slow: timedelta = timedelta(0),
        drops: int = 0,
    ) -> None:
        self.refusals = refusals or {}
        self.answer = answer
        self.slow = slow
        self.drops = drops
        self.envelopes: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's hook
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.slow.total_seconds())
        if self.answer.startswith("250"):
            self.envelopes.append(envelope)
        if self.drops:
            self.drops -= 1
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return self.answer


def arrived_in(mailbox: Mailbox) -> list[EmailMessage]:
    contents = [one.content for one in mailbox.envelopes]
    return [message_from_bytes(one, policy=default) for one in contents if isinstance(one, bytes)]


@contextmanager
def a_server(mailbox: Mailbox, authenticator: AuthenticatorType | None = None) -> Iterator[Smtp]:
    """Run an SMTP server for a mailbox, and give the transport that sends to it."""
    login: dict[str, Any] = {"authenticator": authenticator, "auth_required": True, "auth_require_tls": False}
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **(login if authenticator else {}))
    controller.start()
    try:
        yield Smtp(host="127.0.0.1", port=controller.port, starttls=False, sender=SENDER, now=lambda: NOON)
    finally:
        controller.stop()


def a_sign_in() -> SignIn:
    return SignIn.model_validate(
        {
            "userId": "u1",
            "email": "bat@example.com",
            "name": "Бат <b>Дорж</b>",
            "provider": "github",
            "ipAddress": "192.168.1.1",
            "userAgent": "Mozilla/5.0 " + "x" * 900,
            "signedInAt": "2025-12-19T07:00:00Z",
        }
    )


def lines(mail: EmailMessage, kind: str) -> list[str]:
    part = mail.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content.splitlines()


def test_the_sign_in_mail_arrives_word_for_word() -> None:
    mailbox, outbox = Mailbox(), list[Message]()
    notify_sign_in(a_sign_in(), a_run(), send=outbox.append)
    with a_server(mailbox) as smtp:
        notify_sign_in(a_sign_in(), a_run(), send=smtp.send)

    (mail,) = arrived_in(mailbox)
    assert "🔐 Таны бүртгэлд нэвтэрсэн байна - Yellow Books" == mail["Subject"]
    assert outbox[0].text.splitlines() == lines(mail, "plain")
    assert outbox[0].html.splitlines() == lines(mail, "html")


def test_sender_recipient_date_and_envelope_arrive() -> None:
    mailbox = Mailbox()
    with a_server(mailbox) as smtp:
        notify_sign_in(a_sign_in(), a_run(), send=smtp.send)

    (mail,), (envelope,) = arrived_in(mailbox), mailbox.envelopes
    assert (SENDER, "bat@example.com", NOON) == (mail["From"], mail["To"], mail["Date"].datetime)
    assert ("no-reply@example.com", ["bat@example.com"]) == (envelope.mail_from, envelope.rcpt_tos)


def test_a_retry_arrives_with_the_same_message_id_and_another_job_with_another() -> None:
    mailbox = Mailbox()
    with a_server(mailbox) as smtp:
        for job_id, attempt in (("a", 1), ("a", 2), ("b", 1)):
            notify_sign_in(a_sign_in(), a_run(job_id=job_id, attempt=attempt), send=smtp.send)

    ids = [mail["Message-ID"] for mail in arrived_in(mailbox)]
    assert ids[0] == ids[1]
    assert ids[0] != ids[2]


def test_a_mail_to_many_is_one_mail_that_reaches_all() -> None:
    mailbox = Mailbox()
    with a_server(mailbox) as smtp:
        mail = SendEmail(to=("a@example.com", "b@example.com"), subject="Hi", text=".\n.dots and\n\nlines")
        send_email(mail, a_run(), send=smtp.send)

    (received,) = arrived_in(mailbox)
    assert ["a@example.com", "b@example.com"] == mailbox.envelopes[0].rcpt_tos
    assert [".", ".dots and", "", "lines"] == lines(received, "plain")


def test_a_recipient_who_is_refused_for_good_fails_the_job_without_naming_the_address() -> None:
    mailbox = Mailbox(refusals={"bat@example.com": "550 5.1.1 <bat@example.com>: no such user"})
    with a_server(mailbox) as smtp, pytest.raises(RefusedError) as failed:
        notify_sign_in(a_sign_in(), a_run(), send=smtp.send)

    assert f"the mail server 127.0.0.1:{smtp.port} refused all 1 recipients: 550 5.1.1" == str(failed.value)
    assert failed.value.__suppress_context__


def test_a_recipient_who_is_refused_for_now_asks_for_a_retry() -> None:
    mailbox = Mailbox(refusals={"bat@example.com": "450 4.2.1 <bat@example.com>: try later"})
    with a_server(mailbox) as smtp, pytest.raises(MailServerError, match=r"refused all 1 recipients: 450 4\.2\.1$"):
        notify_sign_in(a_sign_in(), a_run(), send=smtp.send)


def test_of_many_recipients_those_who_were_refused_for_now_get_the_retry_and_nobody_gets_two() -> None:
    mailbox, notes = Mailbox(refusals={"b@example.com": "450 busy"}), Notes()
    mail = SendEmail(to=("a@example.com", "b@example.com"), subject="Hi", text="x")
    with a_server(mailbox) as smtp:
        with pytest.raises(MailServerError, match=r"refused 1 of 2 recipients for now$"):
            send_email(mail, a_run(notes=notes), send=smtp.send)
        mailbox.refusals.clear()
        send_email(mail, a_run(attempt=2, notes=notes), send=smtp.send)

    assert [["a@example.com"], ["b@example.com"]] == [one.rcpt_tos for one in mailbox.envelopes]
    headers = {(one["To"], one["Message-ID"]) for one in arrived_in(mailbox)}
    assert len(headers) == 1, "both are the same mail"


def test_of_many_recipients_one_who_is_refused_for_good_keeps_the_others_from_nothing() -> None:
    mailbox = Mailbox(refusals={"b@example.com": "550 5.1.1 <b@example.com>: no such user"})
    mail = SendEmail(to=("a@example.com", "b@example.com", "c@example.com"), subject="Hi", text="x")
    with (
        a_server(mailbox) as smtp,
        pytest.raises(RefusedError, match=r"refused 1 of 3 recipients; the others got the mail$"),
    ):
        send_email(mail, a_run(), send=smtp.send)

    assert [["a@example.com", "c@example.com"]] == [one.rcpt_tos for one in mailbox.envelopes]


def test_a_server_that_answers_slowly_is_waited_for_so_long_and_no_longer() -> None:
    mailbox = Mailbox(slow=timedelta(seconds=2))
    with a_server(mailbox) as server:
        notify_sign_in(a_sign_in(), a_run(), send=server.send)
        with pytest.raises(MailServerError, match=r"did not take the mail: .*timed out"):
            notify_sign_in(a_sign_in(), a_run(), send=replace(server, timeout=timedelta(seconds=0.5)).send)


def test_a_connection_that_breaks_after_the_mail_asks_for_a_retry_under_the_same_message_id() -> None:
    """The server has the mail and could not say so: nobody can know, so it goes again, known by its Message-ID."""
    mailbox = Mailbox(drops=1)
    with a_server(mailbox) as smtp:
        with pytest.raises(MailServerError, match="did not take the mail: SMTPServerDisconnected"):
            notify_sign_in(a_sign_in(), a_run(), send=smtp.send)
        notify_sign_in(a_sign_in(), a_run(attempt=2), send=smtp.send)

    first, second = (mail["Message-ID"] for mail in arrived_in(mailbox))
    assert first == second


def test_attachments_arrive_byte_for_byte() -> None:
    mailbox, content = Mailbox(), bytes(range(256))
    file = File(name="Ном.bin", content=b64encode(content), media_type="application/octet-stream")
    with a_server(mailbox) as smtp:
        mail = SendEmail(to="a@example.com", subject="Hi", text="x", attachments=(file,))
        send_email(mail, a_run(), send=smtp.send)

    (received,) = arrived_in(mailbox)
    (attached,) = received.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("Ном.bin", content)


EVIL = "=?utf-8?q?a=0D=0AX-Evil:_1?="


def headers_of(envelope: Envelope) -> list[str]:
    """Return the names of the headers in the bytes that the server took."""
    content = envelope.original_content or b""
    return [
        line.split(b":")[0].decode() for line in content.partition(b"\r\n\r\n")[0].split(b"\r\n") if line[:1] != b" "
    ]


def test_what_looks_like_an_encoded_header_is_the_subject_that_was_typed_and_no_header() -> None:
    mailbox = Mailbox()
    file = File(name=EVIL, content=b64encode(b"x"), media_type="text/csv")
    with a_server(mailbox) as smtp:
        plain = SendEmail(to="bat@example.com", subject=EVIL, text=EVIL, attachments=(file,))
        send_email(plain, a_run(), send=replace(smtp, sender=f'"{EVIL}" <no-reply@example.com>').send)
        alert = {"phase": EVIL, "rule": EVIL, "title": EVIL, "text": EVIL, "nextStep": EVIL}
        tell_operations(
            StackAlert.model_validate(alert),
            a_run(),
            send=smtp.send,
            settings=lambda: OperationsSettings.from_environ({"OPS_EMAIL": "ops@example.com"}),
        )

    subjects = [
        str(make_header(decode_header(message_from_bytes(one.original_content or b"")["Subject"])))
        for one in mailbox.envelopes
    ]
    assert [EVIL, f"[Lanework] {EVIL}"] == subjects
    expected = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
    assert [expected, expected] == [headers_of(one) for one in mailbox.envelopes]
    assert [["bat@example.com"], ["ops@example.com"]] == [one.rcpt_tos for one in mailbox.envelopes]


@pytest.mark.parametrize(
    ("answer", "error"), [("554 5.7.1 spam from bat@example.com", RefusedError), ("451 4.3.0 busy", MailServerError)]
)
def test_a_mail_that_is_refused_fails_the_job_with_the_servers_code(answer: str, error: type[Exception]) -> None:
    with a_server(Mailbox(answer=answer)) as smtp, pytest.raises(error) as failed:
        notify_sign_in(a_sign_in(), a_run(), send=smtp.send)

    assert f"the mail server 127.0.0.1:{smtp.port} refused the mail: {answer[:9]}" == str(failed.value)


def test_a_server_that_is_not_there_asks_for_a_retry() -> None:
    port = free_port()
    smtp = Smtp(host="127.0.0.1", port=port, starttls=False, sender=SENDER)

    with pytest.raises(MailServerError, match=f"127.0.0.1:{port} did not take the mail: ConnectionRefusedError"):
        notify_sign_in(a_sign_in(), a_run(), send=smtp.send)


def test_without_tls_a_mail_that_asks_for_it_is_not_sent() -> None:
    mailbox = Mailbox()
    with a_server(mailbox) as server:
        smtp = replace(server, starttls=True)
        with pytest.raises(MailServerError, match="STARTTLS"):
            notify_sign_in(a_sign_in(), a_run(), send=smtp.send)

    assert [] == mailbox.envelopes


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(("password", "arrived"), [("right", 1), ("wrong", 0)])
def test_the_password_opens_the_server_and_is_not_repeated_when_it_does_not(password: str, arrived: int) -> None:
    def authenticate(
        _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=given.password == b"right", handled=False)

    mailbox, error = Mailbox(), ""
    with a_server(mailbox, authenticate) as server:
        smtp = replace(server, username="u", password=password)
        try:
            notify_sign_in(a_sign_in(), a_run(), send=smtp.send)
        except MailServerError as failed:
            error = str(failed)

    assert (arrived, arrived == 0) == (len(mailbox.envelopes), "refused SMTP_USERNAME and SMTP_PASSWORD: 535" in error)
    assert password not in error
