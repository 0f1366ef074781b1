"""`email.send`: a mail whose words the producer chooses."""

from typing import Annotated

from pydantic import EmailStr, Field

from jobs.email.family import IN_VAIN, TEMPLATES, email
from jobs.mail import Message, Send, render, send_mail
from jobs.payloads import Payload, Text, Title
from lanework import Run


class SendEmail(Payload):
    """
    A mail.

    Attributes:
        to: One recipient, or 1 to 50 of them, who all see each other.
        subject: A single line, up to 200 characters.
        text: The body, plain; the HTML part shows it with its line breaks.
    """

    to: EmailStr | Annotated[list[EmailStr], Field(min_length=1, max_length=50)]
    subject: Title
    text: Text


@email.job("email.send", lane="medium", discard_on=IN_VAIN)
def send_email(mail: SendEmail, run: Run, *, send: Send = send_mail) -> None:
    """Send a mail as it was given."""
    body = render(TEMPLATES, "generic", subject=mail.subject, text=mail.text)
    send(Message(to=mail.to, subject=mail.subject, text=body.text, html=body.html, key=run.job_id))
