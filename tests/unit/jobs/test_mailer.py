"""The mailer: what goes on the wire, what it refuses, and what log-only mode shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from jinja2 import UndefinedError

from jobs.mail import InvalidMessageError, LogOnly, Message, Smtp, compose, render, transport_for
from jobs.settings import MailSettings, SettingsError, TableSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOON = datetime(2025, 12, 19, 12, 0, tzinfo=UTC)
SENDER = "Yellow Books <no-reply@example.com>"


def a_message(
    *,
    to: str | Sequence[str] = "bat@example.com",
    subject: str = "Hello",
    key: str = "job-1",
    secrets: tuple[str, ...] = (),
) -> Message:
    return Message(to=to, subject=subject, text="Сайн уу 123456", html="<p>Сайн уу</p>", key=key, secrets=secrets)


def test_a_mail_has_a_plain_and_an_html_part_in_utf_8() -> None:
    mail = compose(a_message(), sender=SENDER, at=NOON)

    assert "multipart/alternative" == mail.get_content_type()
    assert [("text/plain", "utf-8", "Сайн уу 123456"), ("text/html", "utf-8", "<p>Сайн уу</p>")] == [
        (part.get_content_type(), part.get_content_charset(), part.get_content().strip()) for part in mail.iter_parts()
    ]


def test_the_date_header_is_the_time_given() -> None:
    assert "Fri, 19 Dec 2025 12:00:00 +0000" == compose(a_message(), sender=SENDER, at=NOON)["Date"]


def test_the_message_id_follows_from_the_key_and_the_senders_domain() -> None:
    ids = [compose(a_message(key=key), sender=SENDER, at=NOON)["Message-ID"] for key in ("a", "a", "b@c > d")]

    assert ids[0] == ids[1]
    assert ids[0] != ids[2]
    assert [True, True, True] == [one.endswith("@example.com>") for one in ids]


def test_a_mail_names_its_sender_and_every_recipient() -> None:
    message = a_message(to=["bat@example.com", '"Books, Inc" <inc@example.com>'])
    mail = compose(message, sender=SENDER, at=NOON)

    assert (SENDER, 'bat@example.com, "Books, Inc" <inc@example.com>') == (mail["From"], mail["To"])


def test_a_domain_in_cyrillic_goes_out_in_ascii() -> None:
    assert "bat@xn--80aswg.xn--l1acc" == compose(a_message(to="bat@сайт.мон"), sender=SENDER, at=NOON)["To"]


@pytest.mark.parametrize("subject", ["Hi\nBcc: x@example.com", "Hi\r\nBcc: x@example.com", "Hi\rthere", "Hi\x00"])
def test_a_subject_cannot_add_a_header(subject: str) -> None:
    with pytest.raises(InvalidMessageError, match="the subject of the mail holds a line break"):
        a_message(subject=subject)


@pytest.mark.parametrize("to", ["bat@example.com\nBcc: x@example.com", "Bat\r\nBcc: x@example.com <bat@example.com>"])
def test_an_address_or_a_name_cannot_add_a_header(to: str) -> None:
    with pytest.raises(InvalidMessageError, match="an address of the mail holds a line break"):
        a_message(to=to)


def test_a_senders_name_cannot_add_a_header() -> None:
    with pytest.raises(InvalidMessageError, match="line break"):
        compose(a_message(), sender="Books\nBcc: x@example.com <no-reply@example.com>", at=NOON)


@pytest.mark.parametrize("to", ["bat", "a@example.com, b@example.com", "", "a@b@c.mn"])
def test_what_is_not_one_address_is_refused_without_being_repeated(to: str) -> None:
    with pytest.raises(InvalidMessageError, match="an address of the mail is not valid") as refused:
        a_message(to=to)

    assert "example.com" not in str(refused.value)


def test_a_mail_to_nobody_is_refused() -> None:
    with pytest.raises(InvalidMessageError, match="at least one recipient"):
        a_message(to=[])


def test_a_template_that_misses_a_value_is_an_error(tmp_path: Path) -> None:
    for name in ("hello.txt", "hello.html"):
        (tmp_path / name).write_text("Hello {{ name }}")

    with pytest.raises(UndefinedError, match="name"):
        render(tmp_path, "hello", nmae="Bat")


def test_log_only_mode_shows_the_mail_under_its_banner(capsys: pytest.CaptureFixture[str]) -> None:
    LogOnly().send(a_message())

    assert [
        "=================================",
        "📧 EMAIL SENT (LOG-ONLY MODE)",
        "=================================",
        "To: bat@example.com",
        "Subject: Hello",
        "",
        "Сайн уу 123456",
        "=================================",
    ] == capsys.readouterr().out.splitlines()


def test_log_only_mode_hides_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    LogOnly().send(a_message(secrets=("123456",)))

    assert "Сайн уу ••••••" in capsys.readouterr().out.splitlines()


def test_without_a_host_mails_are_shown_and_not_sent() -> None:
    assert isinstance(transport_for(MailSettings.from_environ({"SMTP_HOST": "", "SMTP_PORT": ""})), LogOnly)


def test_the_environments_settings_reach_the_mail_server() -> None:
    settings = MailSettings.from_environ(
        {
            "SMTP_HOST": "smtp.example.com",
            "SMTP_USERNAME": "u",
            "SMTP_PASSWORD": "p",
            "MAIL_FROM": SENDER,
            "HOME": "/root",
        }
    )

    expected = Smtp(host="smtp.example.com", port=587, username="u", password="p", starttls=True, sender=SENDER)
    assert expected == transport_for(settings)


def test_the_login_can_be_kept_in_a_parameter() -> None:
    settings = MailSettings.from_environ(
        {"SMTP_HOST": "smtp.example.com", "SMTP_CREDENTIALS_PARAMETER": "/shop/smtp", "MAIL_FROM": SENDER}
    )

    expected = Smtp(host="smtp.example.com", username="u", password="p:q", sender=SENDER)
    assert expected == transport_for(settings, {"/shop/smtp": "u:p:q"}.__getitem__)


@pytest.mark.parametrize("stored", ["hunter2", "hunter2:", ":hunter2", ""])
def test_a_parameter_that_is_no_login_is_named_and_not_repeated(stored: str) -> None:
    settings = MailSettings.from_environ(
        {"SMTP_HOST": "smtp.example.com", "SMTP_CREDENTIALS_PARAMETER": "/shop/smtp", "MAIL_FROM": SENDER}
    )

    with pytest.raises(SettingsError, match="/shop/smtp must hold user:password") as refused:
        transport_for(settings, lambda _: stored)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "starttls"), [("127.0.0.1", False), ("localhost", False), ("::1", False), ("10.0.0.1", True), ("", True)]
)
def test_starttls_is_on_unless_the_server_is_this_machine(host: str, *, starttls: bool) -> None:
    assert starttls is MailSettings.from_environ({"SMTP_HOST": host, "MAIL_FROM": SENDER}).starttls


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"SMTP_PORT": "smtp"}, "SMTP_PORT: Input should be a valid integer"),
        ({"SMTP_PORT": "0"}, "SMTP_PORT: Input should be greater than or equal to 1"),
        ({"SMTP_PORT": "465"}, "SMTP_PORT: Value error, 465 expects TLS from the first byte"),
        ({"SMTP_STARTTLS": "perhaps"}, "SMTP_STARTTLS: Input should be a valid boolean"),
        ({"MAIL_FROM": ""}, "MAIL_FROM is missing"),
        ({"MAIL_FROM": "nobody"}, "MAIL_FROM: value is not a valid email address"),
        ({"SMTP_PASSWORD": "hunter2"}, "SMTP_USERNAME and SMTP_PASSWORD belong together"),
        ({"SMTP_USERNAME": "u", "SMTP_PASSWORD": "hunter2", "SMTP_STARTTLS": "no"}, "in the clear"),
        ({"SMTP_CREDENTIALS_PARAMETER": "/shop/smtp", "SMTP_STARTTLS": "no"}, "in the clear"),
        ({"SMTP_USERNAME": "u", "SMTP_PASSWORD": "hunter2", "SMTP_CREDENTIALS_PARAMETER": "/s"}, "set one of them"),
    ],
)
def test_a_wrong_setting_is_named_and_no_password_repeated(change: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError) as refused:
        MailSettings.from_environ({"SMTP_HOST": "smtp.example.com", "MAIL_FROM": SENDER, **change})

    assert problem in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_the_tables_name_is_asked_for() -> None:
    with pytest.raises(SettingsError, match="APP_TABLE: Field required"):
        TableSettings.from_environ({})
