"""Mails for a developer's eyes: shown, not sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.mail.message import Message

_RULE = "=" * 33
_HIDDEN = "••••••"


class LogOnly:
    """
    Prints mails to standard output under the banner `EMAIL SENT (LOG-ONLY MODE)`. The default without SMTP_HOST.

    A mode for development: its purpose is to show the mail, so recipient and text do appear where Lambda's logs go,
    which logging proper would not do (DESIGN §8). A message's `secrets`, such as one-time codes, are hidden even here.
    """

    def send(self, message: Message) -> None:
        """Print the mail, in one piece, so that mails of several threads don't mix."""
        print(shown(message), flush=True)  # noqa: T201 - showing the mail is what this is for


def shown(message: Message) -> str:
    """Return the mail as log-only mode shows it: banner, recipients, subject and text, framed."""
    recipients = ", ".join(str(one) for one in message.recipients)
    text = message.text
    for secret in message.secrets:
        text = text.replace(secret, _HIDDEN)
    banner = f"{_RULE}\n📧 EMAIL SENT (LOG-ONLY MODE)\n{_RULE}"
    files = "".join(f"Attached: {one.name} ({len(one.content):,} bytes)\n" for one in message.attachments)
    return f"{banner}\nTo: {recipients}\nSubject: {message.subject}\n{files}\n{text}\n{_RULE}"
