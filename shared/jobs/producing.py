"""
What the rest of the application may ask for, in its own words: one function for each thing, each enqueues and returns.

They say what makes a job the same as another, so that a double click or a repeated webhook asks once. What is asked for
is checked here and now: a bad address raises `InvalidPayloadError`, and nothing was enqueued.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, Unpack

from jobs.cleanup import archive_old_logs
from jobs.email import (
    alert,
    notify_payment,
    notify_sign_in,
    reset_password,
    reset_url,
    send_otp,
    welcome,
)
from jobs.email import forgot_password as forgot_password_job
from jobs.email import send_email as send_email_job
from jobs.exports import ExportTransactions
from jobs.exports import export_transactions as export_transactions_job
from jobs.newsletter import send_bulk_email
from jobs.notifications import send_push as send_push_job
from jobs.notifications import send_sms as send_sms_job
from jobs.payloads import MOST_RECIPIENTS
from jobs.payments import process_payment as process_payment_job
from jobs.payments import sync_wallet as sync_wallet_job
from jobs.reports import report_transactions
from jobs.tickets import Ticket
from jobs.tickets import ticket_created as ticket_created_job
from jobs.webhooks import Cryptomus, NowPayments, hear_cryptomus, hear_nowpayments

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime
    from decimal import Decimal

    from jobs.email import SignIn
    from jobs.exports import Exported
    from jobs.payments import PaymentOrder
    from jobs.reports.transactions import TransactionReport
    from lanework import EnqueueOptions, Receipt


def digest(*parts: str) -> str:
    """Return what may stand in an id for something that must not: an address, a token."""
    return sha256("\0".join(parts).encode()).hexdigest()[:24]


def send_password_reset(email: str, token: str) -> Receipt[None]:
    """
    Send the link that sets a new password; critical. The same token again sends no second mail.

    While nothing can be enqueued the mail is sent from here: somebody waits for it.
    """
    job_id = f"password-reset.{digest(email, token)}"
    return reset_password.enqueue({"email": email, "url": reset_url(token)}, job_id=job_id, fallback="inline")


def forgot_password(email: str, **options: Unpack[EnqueueOptions]) -> Receipt[bool]:
    """Send a reset to the address if it is an account's; critical. Nothing here tells whether it is."""
    return forgot_password_job.enqueue({"email": email}, **options)


def send_code(email: str, code: str, **options: Unpack[EnqueueOptions]) -> Receipt[None]:
    """Send a one-time code; critical."""
    return send_otp.enqueue({"email": email, "code": code}, **options)


def send_sign_in(signin: SignIn, *, session: str, **options: Unpack[EnqueueOptions]) -> Receipt[None]:
    """
    Tell a user of a sign-in; high. The session makes it the same as another: an id with a time in it never would.

    Raises:
        QuotaExceededError: The user was told of ten sign-ins within the hour.
    """
    options.setdefault("job_id", f"signin.{digest(signin.user_id, session)}")
    return notify_sign_in.enqueue(signin, **options)


def send_welcome(email: str, *, username: str, dashboard_url: str, **options: Unpack[EnqueueOptions]) -> Receipt[None]:
    """Welcome a new user; medium, once for an address."""
    options.setdefault("job_id", f"welcome.{digest(email.lower())}")
    context = {"username": username, "dashboardUrl": dashboard_url}
    return welcome.enqueue({"to": email, "context": context}, **options)


def send_alert(to: str | Sequence[str], title: str, message: str, **options: Unpack[EnqueueOptions]) -> Receipt[None]:
    """Call somebody to look; critical."""
    return alert.enqueue({"to": to, "context": {"title": title, "message": message}}, **options)


def send_email(to: str | Sequence[str], subject: str, text: str, *, job_id: str | None = None) -> list[Receipt[None]]:
    """
    Send a mail; medium, at most 50 a minute. To more than 50 it is several mails, of 50 recipients each.

    Args:
        to: One recipient or many.
        subject: A single line.
        text: The body, plain.
        job_id: The first mail's id; those after it get `.2`, `.3`, … at its end.

    Raises:
        InvalidPayloadError: An address can't be used, or there is none; nothing was sent to anybody.
    """
    recipients: list[str | list[str]] = [to] if isinstance(to, str) else list(_chunks(to, MOST_RECIPIENTS)) or [[]]
    requests = [
        send_email_job.request(
            {"to": one, "subject": subject, "text": text},
            job_id=job_id if job_id is None or number == 1 else f"{job_id}.{number}",
        )
        for number, one in enumerate(recipients, start=1)
    ]
    return send_email_job.enqueue_many(requests)


def send_template(
    to: str | Sequence[str], subject: str, template: str, data: Mapping[str, Any], **options: Unpack[EnqueueOptions]
) -> Receipt[None]:
    """Send a mail from a named template (`jobs.email.NAMED`); a value that it misses is refused now."""
    mail = {"to": to, "subject": subject, "template": template, "data": dict(data)}
    return send_email_job.enqueue(mail, **options)


def send_bulk_emails(emails: Iterable[tuple[str, str, str]], *, batch: str) -> list[Receipt[None]]:
    """
    Send many mails, each to one recipient; batch, at most 500 a minute.

    All are checked before the first is enqueued.

    Args:
        emails: Recipient, subject and text.
        batch: Names the mailing; the same name and recipient again is no second mail.

    Raises:
        InvalidPayloadError: One can't be sent; none was.
    """
    requests = [
        send_bulk_email.request(
            {"to": to, "subject": subject, "text": text}, job_id=f"{batch}.{digest(to.lower(), subject)}"
        )
        for to, subject, text in emails
    ]
    return send_bulk_email.enqueue_many(requests)


def send_payment_notification(
    email: str, *, transaction_id: str, amount: Decimal, currency: str, paid_at: datetime
) -> Receipt[None]:
    """Tell a user that a payment has arrived; high, once for a transaction."""
    payment = {
        "email": email,
        "transactionId": transaction_id,
        "amount": amount,
        "currency": currency,
        "paidAt": paid_at,
    }
    return notify_payment.enqueue(payment, job_id=f"payment.{transaction_id}.receipt")


def process_payment(order: PaymentOrder, **options: Unpack[EnqueueOptions]) -> Receipt[str]:
    """Charge a payment; high, once for a transaction."""
    options.setdefault("job_id", f"payment.{order.transaction_id}")
    return process_payment_job.enqueue(order, **options)


def hear_of_payment(news: Cryptomus | NowPayments) -> Receipt[str]:
    """Book what a payment provider says; high, once for a payment and status. Its signature must have been checked."""
    if isinstance(news, Cryptomus):
        return hear_cryptomus.enqueue(news, job_id=f"cryptomus.{news.uuid}.{news.status}")
    return hear_nowpayments.enqueue(news, job_id=f"nowpayments.{news.payment_id}.{news.payment_status}")


def sync_wallet_balance(wallet_id: str, **options: Unpack[EnqueueOptions]) -> Receipt[dict[str, str]]:
    """Add up a wallet; medium."""
    return sync_wallet_job.enqueue({"walletId": wallet_id}, **options)


def send_sms(to: str, text: str, **options: Unpack[EnqueueOptions]) -> Receipt[None]:
    """Send a text message; medium."""
    return send_sms_job.enqueue({"to": to, "text": text}, **options)


def send_push(user_id: str, title: str, body: str, **options: Unpack[EnqueueOptions]) -> Receipt[None]:
    """Send a push notification; medium."""
    return send_push_job.enqueue({"userId": user_id, "title": title, "body": body}, **options)


def ticket_created(ticket: Ticket, **options: Unpack[EnqueueOptions]) -> Receipt[int]:
    """Tell those concerned of a new ticket; high, once for a ticket."""
    options.setdefault("job_id", f"ticket.{ticket.ticket_id}.created")
    return ticket_created_job.enqueue(ticket, **options)


def generate_report(start: date, end: date, **options: Unpack[EnqueueOptions]) -> Receipt[TransactionReport]:
    """Report the transactions of a period; low."""
    return report_transactions.enqueue({"start": start, "end": end}, **options)


def export_transactions(asked: ExportTransactions, **options: Unpack[EnqueueOptions]) -> Receipt[Exported]:
    """Export a user's transactions; low."""
    return export_transactions_job.enqueue(asked, **options)


def clean_up_old_logs(days: int = 30, **options: Unpack[EnqueueOptions]) -> Receipt[Any]:
    """Archive logs that are older than so many days, and delete them; batch."""
    return archive_old_logs.enqueue({"olderThanDays": days}, **options)


def _chunks(things: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(things)
    while chunk := list(islice(rest, size)):
        yield chunk
