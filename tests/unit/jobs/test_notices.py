"""Mails of facts: what each says, what it refuses, and what a named template needs."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import ValidationError

from jobs import app
from jobs.email import NAMED, SendEmail, StackAlert, send_email, tell_operations
from jobs.email.notice import Context
from jobs.mail import Message
from jobs.settings import OperationsSettings
from lanework import Discard, InvalidPayloadError
from lanework.testing import a_run
from tests.support.notices import CONTEXTS, SUBJECTS


def sent(name: str, payload: dict[str, Any]) -> Message:
    outbox: list[Message] = []
    job_type = app.registry.get(name)
    job_type.function(job_type.model.model_validate(payload), a_run(), send=outbox.append)
    (message,) = outbox
    return message


@pytest.mark.parametrize("name", CONTEXTS)
def test_each_mail_has_its_subject_and_shows_every_value_in_both_parts(name: str) -> None:
    message = sent(name, {"to": ["user@example.com", "admin@example.com"], "context": CONTEXTS[name]})

    assert message.subject == SUBJECTS[name]
    assert message.to == ("user@example.com", "admin@example.com")
    for value in map(str, CONTEXTS[name].values()):
        assert value in message.text
        assert value in message.html
    assert "<!doctype html>" in message.html


@pytest.mark.parametrize("name", CONTEXTS)
def test_a_value_that_is_missing_is_refused_before_anything_is_enqueued(name: str) -> None:
    first = next(iter(CONTEXTS[name]))
    context = {key: value for key, value in CONTEXTS[name].items() if key != first}

    with pytest.raises(ValidationError) as refused:
        app.registry.get(name).model.model_validate({"to": "user@example.com", "context": context})

    assert [one["loc"] for one in refused.value.errors()] == [("context", first)]


@pytest.mark.parametrize("to", [[], "nobody", ["a@example.com", "b"], ["a@example.com"] * 51, "a@b.mn\nBcc: c@d.mn"])
def test_recipients_that_are_none_bad_or_too_many_are_refused(to: object) -> None:
    with pytest.raises(ValidationError):
        app.registry.get("email.welcome").model.model_validate({"to": to, "context": CONTEXTS["email.welcome"]})


def test_a_value_is_shown_as_text_and_a_script_address_is_no_link() -> None:
    context = {**CONTEXTS["email.welcome"], "username": "<b>Bat</b>"}
    assert "&lt;b&gt;Bat&lt;/b&gt;" in sent("email.welcome", {"to": "a@example.com", "context": context}).html

    with pytest.raises(ValidationError, match="URL scheme should be 'http' or 'https'"):
        sent("email.welcome", {"to": "a@example.com", "context": {**context, "dashboardUrl": "javascript:alert(1)"}})


def test_a_name_with_a_line_break_can_add_no_header() -> None:
    context = {**CONTEXTS["email.welcome"], "username": "Bat\r\nBcc: c@d.mn"}

    with pytest.raises(ValidationError, match="single line"):
        sent("email.welcome", {"to": "a@example.com", "context": context})


def test_a_password_reset_hides_its_link_from_the_log_and_from_reprs() -> None:
    url = "https://example.com/reset?token=abc123"
    message = sent("email.password-reset", {"email": "bat@example.com", "url": url})

    assert message.subject == "Reset your password"
    assert url in message.text
    assert (url,) == message.secrets
    assert "abc123" not in repr(
        app.registry.get("email.password-reset").model.model_validate({"email": "a@b.mn", "url": url})
    )


def test_an_alert_of_the_stack_is_mailed_to_whoever_looks_after_it_and_to_nobody_else() -> None:
    alert = StackAlert.model_validate(
        {"phase": "raised", "rule": "death", "title": "death x", "text": "1 job died", "nextStep": "lanework dlq list"}
    )
    outbox: list[Message] = []

    tell_operations(alert, a_run(), send=outbox.append, settings=lambda: OperationsSettings(OPS_EMAIL="o@b.mn"))

    assert (outbox[0].to, outbox[0].subject) == ("o@b.mn", "[Lanework] death x")
    assert "Next: lanework dlq list" in outbox[0].text
    with pytest.raises(Discard, match="OPS_EMAIL is not set"):
        tell_operations(alert, a_run(), send=outbox.append, settings=OperationsSettings)


def test_a_named_template_takes_the_words_and_the_producer_the_subject() -> None:
    mail = SendEmail.model_validate(
        {
            "to": "user@example.com",
            "subject": "New Ticket Created",
            "template": "ticket_created",
            "data": {"ticketId": "t-1", "ticketTitle": "Leaking faucet"},
        }
    )
    outbox: list[Message] = []

    send_email(mail, a_run(), send=outbox.append)

    assert (outbox[0].subject, "Your ticket Leaking faucet: it was created." in outbox[0].text) == (
        "New Ticket Created",
        True,
    )


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        (
            {"template": "ticket_created", "data": {"ticketId": "t"}},
            "template 'ticket_created': data.ticketTitle: Field",
        ),
        ({"template": "ticket_craeted"}, "unknown template 'ticket_craeted'; there are alert, "),
        ({}, "give either text or template"),
        ({"text": "x", "template": "reminder", "data": {"about": "x"}}, "give either text or template"),
        ({"text": "x", "subject": "Hi\nBcc: c@d.mn"}, "single line"),
    ],
)
def test_a_mail_that_could_not_be_written_is_refused_when_it_is_enqueued(
    fields: dict[str, Any], complaint: str
) -> None:
    with pytest.raises((InvalidPayloadError, ValidationError), match=complaint):
        SendEmail.model_validate({"to": "a@example.com", "subject": "Hi", **fields})


def test_every_named_template_says_something_of_its_own() -> None:
    assert all(model.notice is not Context.notice for model in NAMED.values())


def test_attachments_go_with_the_mail_up_to_a_size() -> None:
    outbox: list[Message] = []
    content = base64.b64encode(b"id\r\n1\r\n").decode()
    mail = {"to": "a@example.com", "subject": "Hi", "text": "x"}
    file = {"name": "rows.csv", "content": content, "mediaType": "text/csv"}

    send_email(SendEmail.model_validate({**mail, "attachments": [file]}), a_run(), send=outbox.append)

    assert [(one.name, one.content, one.media_type) for one in outbox[0].attachments] == [
        ("rows.csv", b"id\r\n1\r\n", "text/csv")
    ]
    large = base64.b64encode(bytes(150 * 1024 + 1)).decode()
    with pytest.raises(InvalidPayloadError, match="over the limit of 153,600; send a link"):
        SendEmail.model_validate({**mail, "attachments": [{**file, "content": large}]})
