"""`payment.notification`: tells a user that a payment has arrived."""

from datetime import UTC
from decimal import Decimal
from typing import Final

from pydantic import AwareDatetime, EmailStr, Field

from jobs.email.family import IN_VAIN, TEMPLATES, urgent
from jobs.mail import Message, Send, render, send_mail
from jobs.payloads import Currency, Payload, Title
from lanework import Public, Run

SUBJECT: Final = "Payment received"


class PaymentReceived(Payload):
    """
    A payment that went through.

    Attributes:
        email: Where the mail goes.
        transaction_id: The payment's id.
        amount: More than 0, shown with the digits it has: `499.00` stays `499.00`.
        currency: Such as `MNT`.
        paid_at: Aware.
    """

    email: EmailStr
    transaction_id: Title
    amount: Decimal = Field(gt=0, max_digits=20, decimal_places=4)
    currency: Public[Currency]
    paid_at: AwareDatetime


@urgent.job("payment.notification", discard_on=IN_VAIN)
def notify_payment(payment: PaymentReceived, run: Run, *, send: Send = send_mail) -> None:
    """E-mail the user the amount, the time (UTC) and the transaction's id."""
    amount = f"{payment.currency} {payment.amount:,f}"
    paid_at = payment.paid_at.astimezone(UTC)
    when = f"{paid_at.day} {paid_at:%B %Y, %H:%M} UTC"
    body = render(TEMPLATES, "payment", subject=SUBJECT, payment=payment, amount=amount, when=when)
    send(Message(to=payment.email, subject=SUBJECT, text=body.text, html=body.html, key=run.job_id))
