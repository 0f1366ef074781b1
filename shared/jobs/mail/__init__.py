"""
The mailer. Not a job module: the jobs in `jobs.email` render a `Body`, and send a `Message`.

`Send` is what a job takes as its keyword parameter `send`, so that a test can pass a list's `append`.
"""

from collections.abc import Callable

from jobs.mail.errors import InvalidMessageError, MailError, MailServerError, PartlyRefusedError, RefusedError
from jobs.mail.log_only import LogOnly
from jobs.mail.message import Attachment, Message, compose
from jobs.mail.rendering import Body, render
from jobs.mail.smtp import Smtp
from jobs.mail.transports import Transport, send_mail, transport_for

Send = Callable[[Message], None]

__all__ = [
    "Attachment",
    "Body",
    "InvalidMessageError",
    "LogOnly",
    "MailError",
    "MailServerError",
    "Message",
    "PartlyRefusedError",
    "RefusedError",
    "Send",
    "Smtp",
    "Transport",
    "compose",
    "render",
    "send_mail",
    "transport_for",
]
