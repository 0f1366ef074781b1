"""Mail as jobs: what the real backend is handed is what was to be sent."""

from __future__ import annotations

import warnings
from email.message import Message, MIMEPart
from email.mime.base import MIMEBase
from typing import TYPE_CHECKING, Any

import django
import pytest

from lanework import EnqueueError, TooLargeError
from lanework.testing import drain
from tests.support.fakes import break_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework import App

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
OURS = "lanework.django.mail.EmailBackend"

HAS_MAILERS = django.VERSION >= (6, 1)

SETTINGS: dict[str, Any] = (
    {"MAILERS": {"default": {"BACKEND": OURS, "OPTIONS": {"mailer": "real"}}, "real": {"BACKEND": LOCMEM}}}
    if HAS_MAILERS
    else {"EMAIL_BACKEND": OURS, "LANEWORK_EMAIL_BACKEND": LOCMEM}
)


@pytest.fixture
def mail(app: App) -> Iterator[Any]:  # noqa: ARG001 - in memory
    """Django's mail, of which the outbox is empty."""
    from django.core import mail as found  # noqa: PLC0415 - Django is set up by now
    from django.test import override_settings  # noqa: PLC0415 - as above

    with override_settings(**SETTINGS):
        found.outbox = []
        yield found


def sent(app: App, mail: Any) -> list[Any]:
    drain(app)
    return list(mail.outbox)


def test_a_mail_is_a_job_and_the_real_backend_gets_it_whole(app: App, mail: Any) -> None:
    message = mail.EmailMultiAlternatives(
        subject="Grüße",
        body="as text",
        from_email="Shop <shop@example.com>",
        to=["anu@example.com"],
        cc=["cc@example.com"],
        bcc=["bcc@example.com"],
        reply_to=["reply@example.com"],
        headers={"X-Order": "7"},
    )
    message.attach_alternative("<p>as <b>HTML</b></p>", "text/html")
    message.attach("notes.txt", "text, ü", "text/plain")
    message.attach("data.bin", bytes(range(256)), "application/octet-stream")
    assert message.send() == 1

    assert [one.type for one in app.inspector.page().jobs] == ["django.mail.send"]
    assert mail.outbox == []
    (found,) = sent(app, mail)
    assert type(found) is mail.EmailMultiAlternatives
    assert (found.to, found.cc, found.bcc, found.reply_to) == (message.to, message.cc, message.bcc, message.reply_to)
    assert [tuple(one) for one in found.attachments] == [tuple(one) for one in message.attachments]
    assert bodies(found.message()) == bodies(message.message())
    assert {name: found.message()[name] for name in SHOWN} == {name: message.message()[name] for name in SHOWN}


SHOWN = ("Subject", "From", "To", "Cc", "Reply-To", "X-Order")


def bodies(message: Message) -> list[tuple[str, str | None, Any]]:
    """Return a message's parts: type, file name, content."""
    return [(one.get_content_type(), one.get_filename(), one.get_payload(decode=True)) for one in message.walk()]


def test_a_mail_has_one_message_id_and_one_date_however_often_it_is_tried(app: App, mail: Any) -> None:
    mail.send_mail("Hello", "text", None, ["anu@example.com"], html_message="<p>text</p>")

    (found,) = sent(app, mail)
    first, second = found.message(), found.message()
    assert (first["Message-ID"], first["Date"]) == (second["Message-ID"], second["Date"])


def test_whole_parts_and_forwarded_mails_survive(app: App, mail: Any) -> None:
    part = MIMEPart()
    part.set_content(b"\x89PNG", maintype="image", subtype="png", cid="<logo>")
    old = MIMEBase("application", "x-old")
    old.set_payload("old")
    forwarded = mail.EmailMessage("Forwarded", "body", to=["bat@example.com"])
    message = mail.EmailMessage("Parts", "text", to=["anu@example.com"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MIMEBase is deprecated since 6.1
        if django.VERSION >= (6,):
            message.attach(part)
        message.attach(old)
        message.attach("mail.eml", forwarded, "message/rfc822")
        message.send()
        (found,) = sent(app, mail)

    types = [one.get_content_type() for one in found.message().walk()]
    assert types == [one.get_content_type() for one in message.message().walk()]
    assert b"Subject: Forwarded" in found.message().as_bytes()
    if django.VERSION >= (6,):
        assert b"Content-ID: <logo>" in found.message().as_bytes()


def test_html_alone_and_what_a_providers_library_sets_survive(app: App, mail: Any) -> None:
    message = mail.EmailMessage("Hello", "<p>Hello</p>", to=["anu@example.com"])
    message.content_subtype = "html"
    message.tags = ["welcome"]
    message.metadata = {"order": 7}
    message.send()

    (found,) = sent(app, mail)
    assert (found.content_subtype, found.tags, found.metadata) == ("html", ["welcome"], {"order": 7})
    message.track = object()
    with pytest.raises(TypeError, match="a mail's attribute 'track' holds a object, which isn't JSON: leave it out"):
        message.send()


def test_a_mail_that_is_too_large_is_refused_before_the_commit(mail: Any) -> None:
    message = mail.EmailMessage("Hello", "text", to=["anu@example.com"])
    message.attach("data.bin", bytes(200_000), "application/octet-stream")

    with pytest.raises(TooLargeError, match=r"mail is 26\d,\d{3} bytes, over the limit of 262,144 \(attachments take"):
        message.send()


def test_mails_of_a_transaction_that_rolls_back_are_not_sent(app: App, mail: Any) -> None:
    from django.db import transaction  # noqa: PLC0415 - Django is set up by now

    with transaction.atomic():
        mail.send_mail("Hello", "text", None, ["anu@example.com"])
        transaction.set_rollback(True)

    assert sent(app, mail) == []


def test_with_an_outbox_mails_are_rows_of_the_transaction(app: App, mail: Any) -> None:
    from django.db import transaction  # noqa: PLC0415 - Django is set up by now
    from django.test import override_settings  # noqa: PLC0415 - as above

    from lanework.django.models import OutboxRow  # noqa: PLC0415 - as above

    with override_settings(LANEWORK_OUTBOX="default"), transaction.atomic():
        mail.send_mass_mail([("Hello", "text", None, [f"{number}@example.com"]) for number in range(3)])
        assert OutboxRow.objects.count() == 3
    assert OutboxRow.objects.count() == 0
    assert len(sent(app, mail)) == 3


def test_many_mails_are_as_many_jobs(app: App, mail: Any) -> None:
    assert mail.send_mass_mail([("Hello", "text", None, [f"{number}@example.com"]) for number in range(25)]) == 25

    assert len(sent(app, mail)) == 25


def test_a_backend_that_would_enqueue_for_ever_is_refused(mail: Any) -> None:
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 - Django is set up by now
    from django.test import override_settings  # noqa: PLC0415 - as above

    from lanework.django.mail import EmailBackend  # noqa: PLC0415 - as above

    assert mail.outbox == []
    with override_settings(LANEWORK_EMAIL_BACKEND=OURS), pytest.raises(ImproperlyConfigured, match="only enqueues"):
        EmailBackend()
    if HAS_MAILERS:
        with pytest.raises(ImproperlyConfigured, match="names 'rael', which MAILERS doesn't have, did you mean 'real'"):
            EmailBackend(alias="default", mailer="rael")
        with pytest.raises(ImproperlyConfigured, match="say in OPTIONS which entry really sends"):
            EmailBackend(alias="default")


def test_a_mail_that_cant_be_enqueued_is_an_error_unless_it_is_to_fail_silently(app: App, mail: Any) -> None:
    from lanework.django.mail import EmailBackend  # noqa: PLC0415 - Django is set up by now

    message = mail.EmailMessage("Hello", "text", to=["anu@example.com"])
    options: dict[str, Any] = {"alias": "default", "mailer": "real"} if HAS_MAILERS else {}
    ledger, lanes = break_ports(app)
    ledger.broken = {"put", "put_many"}
    lanes.broken = {"send", "send_many"}

    assert EmailBackend(fail_silently=True, **options).send_messages([message]) == 1
    with pytest.raises(EnqueueError):
        EmailBackend(**options).send_messages([message])
