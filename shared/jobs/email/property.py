"""Mails about a tenancy: a ticket's way, an invoice, a payment, a reminder. And a file that is ready."""

from jobs.email.notice import Context, JobEventDocument, Link, Url
from jobs.payloads import Title


class TicketNews(Context):
    """
    What happened to a ticket.

    Attributes:
        ticket_id: Which.
        ticket_title: What it is about.
        news: In a few words, such as `a quote was submitted`.
    """

    ticket_id: Title
    ticket_title: Title
    news: Title = "it was created"

    def notice(self) -> JobEventDocument:
        """Return what the mail says."""
        return JobEventDocument(
            subject=f"Ticket: {self.ticket_title}",
            lines=(f"Your ticket {self.ticket_title}: {self.news}.",),
            facts={"Ticket": self.ticket_id},
        )


class InvoiceReady(Context):
    """
    An invoice.

    Attributes:
        invoice_id: Which.
        amount: As it is to be read, such as `EUR 120.00`.
    """

    invoice_id: Title
    amount: Title

    def notice(self) -> JobEventDocument:
        """Return what the mail says."""
        return JobEventDocument(
            subject=f"Invoice {self.invoice_id}",
            lines=("Your invoice is ready.",),
            facts={"Invoice": self.invoice_id, "Amount": self.amount},
        )


class Reminder(Context):
    """
    Something that was to be remembered.

    Attributes:
        about: What.
    """

    about: Title

    def notice(self) -> JobEventDocument:
        """Return what the mail says."""
        return JobEventDocument(subject=f"Reminder: {self.about}", lines=(f"You wanted to be reminded: {self.about}.",))


class FileReady(Context):
    """
    A file that was asked for.

    Attributes:
        name: Of the file.
        url: Where it is.
    """

    name: Title
    url: Url | None = None

    def notice(self) -> JobEventDocument:
        """Return what the mail says."""
        link = None if self.url is None else Link(label="Open it", url=str(self.url))
        return JobEventDocument(
            subject=f"{self.name} is ready", lines=(f"{self.name}, which you asked for, is ready.",), link=link
        )
