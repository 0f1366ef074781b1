"""Mails about an account: the welcome, and a password's reset."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol
from urllib.parse import quote

from pydantic import EmailStr, Field

from jobs.clock import utc_now
from jobs.email.family import IN_VAIN, email, urgent
from jobs.email.notice import Context, JobEventDocument, Link, Mail, Url, send_notice
from jobs.mail import Send, send_mail
from jobs.payloads import Payload, Title
from jobs.settings import account_settings
from jobs.store import Token, Tokens, Users, app_store
from lanework import Run


class Welcome(Context):
    """
    A new user.

    Attributes:
        username: How to greet them.
        dashboard_url: Where they begin.
    """

    username: Title
    dashboard_url: Url

    def notice(self) -> JobEventDocument:
        """Return what the mail says."""
        return JobEventDocument(
            subject=f"Welcome, {self.username}",
            lines=(f"Hello {self.username},", "your account is ready."),
            link=Link(label="Open your dashboard", url=str(self.dashboard_url)),
        )


class PasswordReset(Payload):
    """
    A reset that somebody asked for.

    Attributes:
        email: The account's address.
        url: The page that sets a new password, its token included. Kept out of this value's `repr`.
        expires_in_minutes: How long the mail says that the link is good for.
    """

    email: EmailStr
    url: Url = Field(repr=False)
    expires_in_minutes: int = Field(default=30, ge=1, le=1440)


class ForgotPassword(Payload):
    """
    Somebody who says that they forgot a password.

    Attributes:
        email: The address that they gave, which need not be an account's.
    """

    email: EmailStr


class Store(Users, Tokens, Protocol):
    """What a reset needs of the store."""


@email.job("email.welcome", discard_on=IN_VAIN)
def welcome(mail: Mail[Welcome], run: Run, *, send: Send = send_mail) -> None:
    """Welcome a new user."""
    send_notice(mail.to, mail.context.notice(), run, send)


@urgent.job("email.password-reset", lane="critical", attempts=5, discard_on=IN_VAIN)
def reset_password(reset: PasswordReset, run: Run, *, send: Send = send_mail) -> None:
    """Send the link that sets a new password. Log-only mode hides it: whoever has it has the account."""
    notice = JobEventDocument(
        subject="Reset your password",
        lines=(
            "Somebody asked to reset the password of your account.",
            f"The link below works once, for {reset.expires_in_minutes} minutes.",
            "If it wasn't you, you can ignore this e-mail: nothing changes until the link is used.",
        ),
        link=Link(label="Set a new password", url=str(reset.url)),
    )
    send_notice(reset.email, notice, run, send, secrets=(str(reset.url),))


@urgent.job("account.forgot-password", lane="critical", attempts=5, discard_on=IN_VAIN)
def forgot_password(
    asked: ForgotPassword,
    run: Run,
    *,
    store: Callable[[], Store] = app_store,
    send: Send = send_mail,
    now: Callable[[], datetime] = utc_now,
) -> bool:
    """
    Send a reset if there is an account with the address, and return whether there is.

    It is the job that looks, so that whoever asks can't tell by the answer, nor by how long it took. A retry sends the
    same link again.
    """
    kept = store()
    user = kept.user_by_email(asked.email)
    if user is None:
        return False
    token = run.once("token", lambda: secrets.token_urlsafe(32))
    digest = sha256(token.encode()).hexdigest()
    minutes = account_settings().reset_minutes
    kept.add_token(Token(kind="password-reset", id=digest, expires_at=now() + timedelta(minutes=minutes)))
    reset = PasswordReset.model_validate({"email": user.email, "url": reset_url(token), "expiresInMinutes": minutes})
    reset_password(reset, run, send=send)
    return True


def reset_url(token: str) -> str:
    """Return the address of the page that sets a new password."""
    return f"{account_settings().reset_url}?token={quote(token, safe='')}"
