"""`email.send`: a mail whose words the producer chooses, or the values of a named template."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Final, Self

from pydantic import Base64Bytes, Field, StringConstraints, ValidationError, model_validator

from jobs.email.account import Welcome
from jobs.email.delivery import deliver
from jobs.email.engineering import Alert, DeploymentNotification, PipelineComplete, SuiteResults
from jobs.email.family import IN_VAIN, TEMPLATES, email
from jobs.email.notice import Context, send_notice
from jobs.email.property import FileReady, InvoiceReady, Reminder, TicketNews
from jobs.mail import Attachment, Message, Send, render, send_mail
from jobs.payloads import Payload, Recipients, Text, Title
from lanework import InvalidPayloadError, Rate, Run

MINUTE: Final = timedelta(minutes=1)

NAMED: Final[dict[str, type[Context]]] = {
    "welcome": Welcome,
    "pipeline_complete": PipelineComplete,
    "test_results": SuiteResults,
    "deployment_notification": DeploymentNotification,
    "alert": Alert,
    "ticket_created": TicketNews,
    "ticket_news": TicketNews,
    "invoice_created": InvoiceReady,
    "reminder": Reminder,
    "file_ready": FileReady,
}
"""The templates that a producer may name, and what each has to be told."""

LARGEST_ATTACHMENTS: Final = 150 * 1024
"""All of a mail's together; a payload ends at 256 KB, and base64 adds a third. A larger file is a link."""

_MOST_TOLD: Final = 20


class File(Payload):
    """
    A file that goes with a mail.

    Attributes:
        name: Its file name.
        content: Base64.
        media_type: Such as `text/csv`.
    """

    name: Title
    content: Base64Bytes
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]+$")] = "application/octet-stream"


class SendEmail(Payload):
    """
    A mail.

    Attributes:
        to: One recipient, or 1 to 50 of them, who all see each other.
        subject: A single line, up to 200 characters.
        text: The body, plain; the HTML part shows it with its line breaks. Either this, or a template.
        template: One of `NAMED`.
        data: The template's values; all that it needs, or the mail is refused when it is enqueued.
        attachments: Files, 150 KB in all.
    """

    to: Recipients
    subject: Title
    text: Text | None = None
    template: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    attachments: tuple[File, ...] = ()

    @model_validator(mode="after")
    def _can_be_written(self) -> Self:
        if (self.text is None) == (self.template is None):
            msg = "give either text or template"
            raise ValueError(msg)
        if self.template is not None:
            self.context()
        size = sum(len(one.content) for one in self.attachments)
        if size > LARGEST_ATTACHMENTS:
            problem = f"attachments: {size:,} bytes, over the limit of {LARGEST_ATTACHMENTS:,}; send a link"
            raise _refused(problem)
        return self

    def context(self) -> Context:
        """
        Return what the template is told.

        Raises:
            InvalidPayloadError: There is no such template, or a value is missing or can't be used; it says which.
        """
        model = NAMED.get(self.template or "")
        if model is None:
            problem = f"unknown template {self.template!r}; there are {', '.join(sorted(NAMED))}"
            raise _refused(problem)
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            problems = "; ".join(
                f"data.{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:_MOST_TOLD]
            )
            problem = f"template {self.template!r}: {problems}"
            raise _refused(problem) from None


def _refused(problem: str) -> InvalidPayloadError:
    """Return an error that is told as it is; of a validator's ValueError only what is a constant of its code."""
    return InvalidPayloadError("email.send", [problem])


@email.job("email.send", rate=Rate(50, per=MINUTE), discard_on=IN_VAIN)
def send_email(mail: SendEmail, run: Run, *, send: Send = send_mail) -> None:
    """Send a mail as it was given."""
    files = tuple(Attachment(name=one.name, content=one.content, media_type=one.media_type) for one in mail.attachments)
    if mail.text is None:
        notice = replace(mail.context().notice(), subject=mail.subject)
        send_notice(mail.to, notice, run, send, attachments=files)
        return
    body = render(TEMPLATES, "generic", subject=mail.subject, text=mail.text)
    message = Message(
        to=mail.to, subject=mail.subject, text=body.text, html=body.html, key=run.job_id, attachments=files
    )
    deliver(message, run, send)
