"""What can be done with a mail, and which of it the settings ask for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Protocol

from jobs.mail.log_only import LogOnly
from jobs.mail.login import from_ssm, login_for
from jobs.mail.smtp import Smtp
from jobs.settings import MailSettings, mail_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.mail.message import Message


class Transport(Protocol):
    """Sends mails."""

    def send(self, message: Message) -> None:
        """
        Send a mail, or raise.

        Raises:
            MailServerError: The server could not take it now.
            RefusedError: The server will not take it.
            PartlyRefusedError: The server took it for some of its recipients.
        """


def send_mail(message: Message) -> None:
    """Send a mail the way the process's settings say; raises what `Transport.send` raises, and `SettingsError`."""
    _transport().send(message)


def transport_for(settings: MailSettings, read: Callable[[str], str] = from_ssm) -> Transport:
    """Return `Smtp` if the settings name a server, else `LogOnly`; `read` and errors as in `login_for`."""
    if not settings.host:
        return LogOnly()
    login = login_for(settings, read)
    return Smtp(
        host=settings.host,
        port=settings.port,
        username=login.username,
        password=login.password,
        starttls=settings.starttls,
        sender=settings.sender,
    )


@cache
def _transport() -> Transport:
    return transport_for(mail_settings())
