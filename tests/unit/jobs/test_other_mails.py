"""One-time codes, payments and plain mails: what they say, and what their payloads refuse."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from jobs.email import Otp, PaymentReceived, SendEmail, notify_payment, send_email, send_otp
from jobs.mail import Message
from lanework.testing import a_run

PAYMENT = {
    "email": "bat@example.com",
    "transactionId": "pay_123",
    "amount": "1234567.50",
    "currency": "MNT",
    "paidAt": "2025-12-19T15:00:00+08:00",
}


def test_the_code_is_in_both_parts_and_not_in_the_subject() -> None:
    outbox = list[Message]()
    otp = Otp(email="bat@example.com", code="012345", purpose="two-factor", expires_in_minutes=1)
    send_otp(otp, a_run(), send=outbox.append)

    assert "Your two-factor code" == outbox[0].subject
    assert [
        "Your two-factor code is:",
        "",
        "012345",
        "",
        "It expires in 1 minute. Don't share it with anyone; we never ask for it.",
        "",
        "If you didn't ask for a code, you can ignore this e-mail.",
    ] == outbox[0].text.splitlines()
    assert ">012345<" in outbox[0].html


def test_the_code_is_marked_as_a_secret_of_its_mail() -> None:
    outbox = list[Message]()
    send_otp(Otp(email="bat@example.com", code="012345"), a_run(), send=outbox.append)

    assert ("012345",) == outbox[0].secrets


def test_a_code_is_in_no_repr_that_a_log_could_catch() -> None:
    outbox = list[Message]()
    otp = Otp(email="bat@example.com", code="012345")
    send_otp(otp, a_run(), send=outbox.append)

    assert "012345" not in f"{otp!r} {otp} {outbox!r}"


@pytest.mark.parametrize("code", ["12345", "1234567", "12a456", "١٢٣٤٥٦", "123456\n", ""])
def test_a_code_that_is_not_six_digits_is_refused_without_being_repeated(code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Otp(email="bat@example.com", code=code)

    assert "pattern" in str(refused.value)
    assert "input_value" not in str(refused.value)


def test_the_payments_mail_names_amount_time_and_transaction() -> None:
    outbox = list[Message]()
    notify_payment(PaymentReceived.model_validate(PAYMENT), a_run(), send=outbox.append)

    assert [
        "We received your payment. Thank you.",
        "",
        "Amount: MNT 1,234,567.50",
        "Date: 19 December 2025, 07:00 UTC",
        "Transaction: pay_123",
        "",
        "Keep this e-mail as your receipt.",
    ] == outbox[0].text.splitlines()
    assert "<strong>MNT 1,234,567.50</strong>" in outbox[0].html


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "0"),
        ("amount", "-1"),
        ("amount", "NaN"),
        ("currency", "LONGCOIN"),
        ("currency", "mnt"),
        ("paidAt", "2025-12-19T15:00:00"),
        ("transactionId", ""),
    ],
)
def test_a_payment_that_makes_no_sense_is_refused_by_field(field: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PaymentReceived.model_validate({**PAYMENT, field: value})

    assert [(field,)] == [one["loc"] for one in refused.value.errors()]


def test_an_amount_keeps_its_digits_through_the_queue() -> None:
    payment = PaymentReceived.model_validate(PAYMENT)

    stored = PaymentReceived.model_validate_json(payment.model_dump_json())

    assert (payment, Decimal("1234567.50").as_tuple()) == (stored, stored.amount.as_tuple())


@pytest.mark.parametrize("to", ["a@example.com", ["a@example.com", "b@example.com"]])
def test_a_mail_goes_to_one_or_to_many(to: str | list[str]) -> None:
    outbox = list[Message]()
    mail = SendEmail.model_validate({"to": to, "subject": "Support", "text": "From: u1\n\n1 < 2"})
    send_email(mail, a_run(), send=outbox.append)

    assert (to if isinstance(to, str) else tuple(to), "From: u1\n\n1 < 2") == (outbox[0].to, outbox[0].text)
    assert "From: u1\n\n1 &lt; 2" in outbox[0].html


@pytest.mark.parametrize(
    "changes", [{"to": []}, {"to": ["a@example.com", "?"]}, {"to": "?"}, {"subject": "a\nb"}, {"text": ""}]
)
def test_a_mail_without_a_recipient_subject_or_text_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SendEmail.model_validate({"to": "a@example.com", "subject": "Hi", "text": "Hello", **changes})
