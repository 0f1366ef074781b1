"""The family `tickets`: what happens to a ticket is told to those whom it concerns, by jobs of the other families."""

from typing import Final, Literal

from pydantic import EmailStr

from jobs.email import SendEmail, send_email
from jobs.notifications import Push, Sms, send_push, send_sms
from jobs.payloads import Id, Payload, Title
from lanework import Jobs, Public, Request, Run

tickets = Jobs(queue="tickets", lane="high", attempts=4, keep_completed=100, keep_failed=500)
"""Four attempts: at once, then after 2, 4 and 8 s."""

Urgency = Literal["LOW", "MEDIUM", "HIGH", "URGENT"]
Step = Literal["created", "quoted", "approved", "assigned"]

NEWS: Final[dict[Step, str]] = {
    "created": "it was created",
    "quoted": "a quote was submitted",
    "approved": "the quote was approved",
    "assigned": "a contractor was assigned",
}


class Ticket(Payload):
    """
    A ticket that something happened to.

    Attributes:
        ticket_id: Which.
        landlord_id, tenant_id: Whom it concerns; both get a push notification.
        property_id: Where.
        title: What it is about.
        priority: How urgent the tenant finds it.
        notify: Who gets a mail.
    """

    ticket_id: Public[Id]
    landlord_id: Id
    tenant_id: Id | None = None
    property_id: Id | None = None
    title: Title = "Ticket"
    priority: Public[Urgency] = "MEDIUM"
    notify: tuple[EmailStr, ...] = ()


class Invoice(Payload):
    """
    An invoice that was made.

    Attributes:
        invoice_id: Which.
        email: Who gets it.
        amount: As it is to be read, such as `EUR 120.00`.
    """

    invoice_id: Public[Id]
    email: EmailStr
    amount: Title


class PaymentConfirmed(Payload):
    """
    A rent that arrived.

    Attributes:
        payment_id: Which.
        email: Whom to thank.
        amount: As it is to be read.
        phone: Who gets a text message, too.
    """

    payment_id: Public[Id]
    email: EmailStr
    amount: Title
    phone: str | None = None


class Reminder(Payload):
    """
    Something to be reminded of: enqueue it with `delay` or `run_at`.

    Attributes:
        email: Whom.
        about: Of what.
    """

    email: EmailStr
    about: Title


@tickets.job("ticket.created")
def ticket_created(ticket: Ticket, run: Run) -> int:
    """Tell that a ticket was created; return how many were told."""
    return _tell("created", ticket, run)


@tickets.job("ticket.quoted")
def ticket_quoted(ticket: Ticket, run: Run) -> int:
    """Tell that a quote was submitted; return how many were told."""
    return _tell("quoted", ticket, run)


@tickets.job("ticket.approved")
def ticket_approved(ticket: Ticket, run: Run) -> int:
    """Tell that a quote was approved; return how many were told."""
    return _tell("approved", ticket, run)


@tickets.job("ticket.assigned")
def ticket_assigned(ticket: Ticket, run: Run) -> int:
    """Tell that a contractor was assigned; return how many were told."""
    return _tell("assigned", ticket, run)


@tickets.job("invoice.created")
def invoice_created(invoice: Invoice, run: Run) -> None:
    """Send an invoice."""
    data = {"invoiceId": invoice.invoice_id, "amount": invoice.amount}
    _mail(invoice.email, f"Invoice {invoice.invoice_id}", "invoice_created", data, run)


@tickets.job("payment.received", lane="critical", attempts=4)
def payment_received(payment: PaymentConfirmed, run: Run) -> None:
    """Confirm a payment by mail, and by text message where there is a number."""
    text = f"We received your payment of {payment.amount}. Thank you."
    send_email.enqueue(SendEmail(to=payment.email, subject="Payment received", text=text), job_id=f"{run.job_id}.mail")
    if payment.phone is not None:
        send_sms.enqueue(Sms(to=payment.phone, text=text), job_id=f"{run.job_id}.sms")


@tickets.job("reminder", lane="medium")
def remind(reminder: Reminder, run: Run) -> None:
    """Remind somebody by mail."""
    _mail(reminder.email, f"Reminder: {reminder.about}", "reminder", {"about": reminder.about}, run)


def _tell(step: Step, ticket: Ticket, run: Run) -> int:
    """Enqueue what tells those concerned, each under an id made of this job's: a retry tells nobody twice."""
    title = f"Ticket: {ticket.title}"[:200]
    pushes: list[Request] = [
        send_push.request(
            Push(user_id=who, title=title, body=NEWS[step], topic=f"ticket.{step}"), job_id=f"{run.job_id}.push.{who}"
        )
        for who in (ticket.landlord_id, ticket.tenant_id)
        if who is not None
    ]
    send_push.enqueue_many(pushes)
    if ticket.notify:
        data = {"ticketId": ticket.ticket_id, "ticketTitle": ticket.title, "news": NEWS[step]}
        _mail(ticket.notify, title, "ticket_news", data, run)
    return len(pushes) + len(ticket.notify)


def _mail(to: str | tuple[str, ...], subject: str, template: str, data: dict[str, str], run: Run) -> None:
    mail = SendEmail.model_validate({"to": to, "subject": subject, "template": template, "data": data})
    send_email.enqueue(mail, job_id=f"{run.job_id}.mail")
