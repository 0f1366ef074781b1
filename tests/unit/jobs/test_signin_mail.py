"""The sign-in e-mail says in Mongolian exactly what the seed shows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from jobs.email import SignIn, notify_sign_in
from jobs.email.mongolian import date_and_time
from jobs.mail import Message
from lanework.testing import a_run
from tests.support.sign_in_mail import SUBJECT, TEXT

SEED_PAYLOAD = {
    "userId": "test-user-123",
    "email": "test@example.com",
    "name": "Test User",
    "provider": "github",
    "ipAddress": "192.168.1.1",
    "userAgent": "Mozilla/5.0",
}


def a_sign_in(**changes: object) -> SignIn:
    return SignIn.model_validate({**SEED_PAYLOAD, "signedInAt": "2025-12-19T07:00:00Z", **changes})


def sent(signin: SignIn) -> Message:
    outbox: list[Message] = []
    notify_sign_in(signin, a_run(), send=outbox.append)
    (message,) = outbox
    return message


def test_subject_and_text_are_the_seeds_line_by_line() -> None:
    message = sent(a_sign_in())

    assert (SUBJECT, TEXT.splitlines()) == (message.subject, message.text.splitlines())


def test_the_html_part_holds_every_line_of_the_text() -> None:
    html = sent(a_sign_in()).html

    assert [] == [line for line in TEXT.splitlines() if line.strip("━") and line not in html]


def test_the_html_part_says_that_it_is_in_mongolian() -> None:
    assert '<html lang="mn">' in sent(a_sign_in()).html


def test_a_script_in_a_name_is_shown_and_not_run() -> None:
    message = sent(a_sign_in(name="<script>alert(1)</script>"))

    assert "<script>" not in message.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in message.html
    assert "Сайн байна уу <script>alert(1)</script>," in message.text


def test_the_mail_goes_to_the_user_under_the_jobs_id() -> None:
    outbox: list[Message] = []
    notify_sign_in(a_sign_in(), a_run(job_id="signin-7"), send=outbox.append)

    assert [("test@example.com", "signin-7")] == [(one.to, one.key) for one in outbox]


def test_a_retry_sends_the_same_mail() -> None:
    signin, outbox = a_sign_in(), list[Message]()
    for attempt in (1, 2):
        notify_sign_in(signin, a_run(attempt=attempt), send=outbox.append)

    assert outbox[0] == outbox[1]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2025, 12, 19, 7, 0, tzinfo=UTC), "2025 оны 12-р сарын 19, 15:00:00"),
        (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), "2026 оны 1-р сарын 1, 00:00:00"),
        (datetime(2026, 7, 5, 1, 2, 3, tzinfo=UTC), "2026 оны 7-р сарын 5, 09:02:03"),
    ],
)
def test_dates_are_in_ulaanbaatars_time(moment: datetime, expected: str) -> None:
    assert expected == date_and_time(moment)


def test_snake_case_and_camel_case_make_the_same_sign_in() -> None:
    snake = {
        "user_id": "test-user-123",
        "email": "test@example.com",
        "name": "Test User",
        "provider": "github",
        "ip_address": "192.168.1.1",
        "user_agent": "Mozilla/5.0",
        "signed_in_at": "2025-12-19T07:00:00Z",
    }

    assert a_sign_in() == SignIn.model_validate(snake)


def test_a_sign_in_without_a_time_keeps_the_time_at_which_it_was_made() -> None:
    before = datetime.now(UTC)
    signin = SignIn.model_validate(SEED_PAYLOAD)
    stored = SignIn.model_validate_json(signin.model_dump_json())

    assert before <= signin.signed_in_at <= datetime.now(UTC)
    assert signin.signed_in_at == stored.signed_in_at


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an address"),
        ("email", "a@b.mn\r\nBcc: c@d.mn"),
        ("ipAddress", "300.1.1.1"),
        ("name", "  "),
        ("name", "Бат\nBcc: c@d.mn"),
        ("name", "a\u2028b"),
        ("name", "lone \ud800 surrogate"),
        ("name", "x" * 201),
        ("userAgent", "a\r\nb"),
        ("provider", ""),
        ("signedInAt", "2025-12-19T07:00:00"),
    ],
)
def test_a_sign_in_that_makes_no_sense_is_refused_by_field(field: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        a_sign_in(**{field: value})

    assert [(field,)] == [one["loc"] for one in refused.value.errors()]


@pytest.mark.parametrize("field", SEED_PAYLOAD)
def test_every_field_of_the_seed_is_required(field: str) -> None:
    with pytest.raises(ValidationError, match="Field required"):
        SignIn.model_validate({name: value for name, value in SEED_PAYLOAD.items() if name != field})
