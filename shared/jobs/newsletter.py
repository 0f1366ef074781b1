"""The family `newsletter`: mail to many, a job for each reader, which a rate can count and a retry repeat alone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from pydantic import EmailStr

from jobs.email.family import IN_VAIN, TEMPLATES
from jobs.mail import Message, Send, render, send_mail
from jobs.payloads import Payload, Text, Title
from jobs.store import Users, app_store
from lanework import Jobs, Rate, Run

newsletter = Jobs(queue="newsletter", lane="batch", keep_completed=100, keep_failed=500)

MINUTE: Final = timedelta(minutes=1)
PAGE_SIZE: Final = 100


class BulkEmail(Payload):
    """
    One of many mails, to one reader: nobody sees the others.

    Attributes:
        to: The reader.
        subject: A single line.
        text: The body, plain.
    """

    to: EmailStr
    subject: Title
    text: Text


class Issue(Payload):
    """
    A newsletter.

    Attributes:
        subject: A single line.
        text: The body, plain.
    """

    subject: Title = "Weekly update"
    text: Text = "This is what happened this week."


@newsletter.job("email.bulk", attempts=3, rate=Rate(500, per=MINUTE), discard_on=IN_VAIN)
def send_bulk_email(mail: BulkEmail, run: Run, *, send: Send = send_mail) -> None:
    """Send one of many mails; at most 500 a minute begin."""
    body = render(TEMPLATES, "generic", subject=mail.subject, text=mail.text)
    send(Message(to=mail.to, subject=mail.subject, text=body.text, html=body.html, key=run.job_id))


@newsletter.job("newsletter.weekly", cron="0 9 * * MON", attempts=3, timeout=timedelta(minutes=10))
def send_newsletter(issue: Issue, run: Run, *, store: Callable[[], Users] = app_store) -> int:
    """
    Enqueue an issue for everybody who asked for it, 100 at a time, and return how many they are.

    A reader's mail has an id made of this job's, so an attempt that is repeated sends nobody a second one.
    """
    readers = 0
    for page in store().newsletter_readers(page_size=PAGE_SIZE):
        send_bulk_email.enqueue_many(
            send_bulk_email.request(
                BulkEmail(to=one.email, subject=issue.subject, text=issue.text), job_id=f"{run.job_id}.{one.id}"
            )
            for one in page
        )
        readers += len(page)
        run.progress(99, f"{readers} readers")
    return readers
