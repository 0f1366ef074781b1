"""
Sends mail as jobs: an e-mail backend that enqueues each message, and the job that hands it to the real one.

    EMAIL_BACKEND = "lanework.django.mail.EmailBackend"
    LANEWORK_EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core import mail as django_mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string
from pydantic import BaseModel

from lanework import Jobs, LaneworkError, TooLargeError
from lanework.django.commit import after_commit
from lanework.django.connections import connections_of_this_thread
from lanework.django.mail_message import MailMessage, as_message, as_payload
from lanework.django.settings import outbox_database, project_app
from lanework.errors import did_you_mean
from lanework.model.job.envelope import LARGEST_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lanework import Request

SMTP: Final = "django.core.mail.backends.smtp.EmailBackend"

mail = Jobs(queue="mail", attempts=5)
"""In the lane medium: start within 30 s; five attempts, 2, 4, 8 and 16 s apart."""


class Mail(BaseModel):
    """
    One message.

    Attributes:
        mailer: The alias in MAILERS of what sends it; None: the backend that LANEWORK_EMAIL_BACKEND names.
    """

    message: MailMessage
    mailer: str | None = None


@mail.job("django.mail.send")
def send(payload: Mail) -> int:
    """Hand a message to the real backend; return how many were sent, 0 or 1."""
    with connections_of_this_thread():
        return _real_backend(payload.mailer).send_messages([as_message(payload.message)]) or 0


class EmailBackend(BaseEmailBackend):
    """
    Enqueues each message, after the commit of the transactions that are open, and sends nothing itself.

    With MAILERS (Django 6.1), `"OPTIONS": {"mailer": "smtp"}` names the entry that really sends.
    """

    def __init__(self, fail_silently: bool = False, *, mailer: str | None = None, **options: Any) -> None:  # noqa: ANN401, FBT001, FBT002 - as Django calls it
        """
        Take the alias of the entry in MAILERS that sends; without MAILERS, LANEWORK_EMAIL_BACKEND names what does.

        Raises:
            ImproperlyConfigured: There is no such entry, or what sends would be this backend itself.
        """
        super().__init__(**options)
        self.fail_silently = fail_silently
        self._mailer = mailer
        _check_real(mailer, options.get("alias"))

    def send_messages(self, email_messages: Iterable[Any]) -> int:
        """
        Enqueue messages; return how many.

        Raises:
            TooLargeError: One is over 256 KB as JSON, in which attachments take a third more than their bytes.
            TypeError: An attribute of one, such as what a provider's library has set, is no JSON.
            EnqueueError: Some were not enqueued; with `fail_silently` that isn't raised.
        """
        payloads = [Mail(message=as_payload(one), mailer=self._mailer) for one in email_messages if one.recipients()]
        for one in payloads:
            _check_size(one)
        requests = [send.request(one) for one in payloads]
        database = outbox_database()
        if database is not None:
            from lanework.django import outbox  # noqa: PLC0415 - for who has its table

            outbox.enqueue_many(requests, using=database)
        elif requests:
            after_commit(partial(self._enqueue, requests))
        return len(requests)

    def _enqueue(self, requests: list[Request]) -> None:
        with suppress(LaneworkError) if self.fail_silently else nullcontext():
            project_app().enqueue_many(requests)


def _check_size(payload: Mail) -> None:
    size = len(payload.model_dump_json().encode())
    if size > LARGEST_PAYLOAD:
        why = "attachments take a third more than their bytes; link to large files, or send it by the real backend"
        raise TooLargeError("mail", size=size, limit=LARGEST_PAYLOAD, why=why)


def _check_real(mailer: str | None, alias: str | None) -> None:
    """Refuse what would send nothing, or enqueue for ever."""
    mailers: dict[str, Any] = getattr(settings, "MAILERS", {})
    if mailer is None and alias is not None:
        msg = f"MAILERS[{alias!r}]: say in OPTIONS which entry really sends, such as {{'mailer': 'smtp'}}"
        raise ImproperlyConfigured(msg)
    if mailer is not None and mailer not in mailers:
        msg = f"MAILERS[{alias!r}]: OPTIONS['mailer'] names {mailer!r}, which MAILERS doesn't have"
        raise ImproperlyConfigured(msg + did_you_mean(mailer, mailers))
    path = mailers[mailer].get("BACKEND", SMTP) if mailer is not None else _named_backend()
    if path == f"{EmailBackend.__module__}.{EmailBackend.__qualname__}":
        msg = f"{path} only enqueues: name what really sends, LANEWORK_EMAIL_BACKEND = {SMTP!r}"
        raise ImproperlyConfigured(msg if mailer is None else f"MAILERS[{mailer!r}]: {path} only enqueues")


def _named_backend() -> str:
    return str(getattr(settings, "LANEWORK_EMAIL_BACKEND", SMTP))


def _real_backend(mailer: str | None) -> Any:  # noqa: ANN401 - Django's
    return import_string(_named_backend())() if mailer is None else django_mail.mailers[mailer]
