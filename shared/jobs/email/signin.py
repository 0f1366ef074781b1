"""`user.signin.notification`: tells a user, in Mongolian, that someone has signed in to the account."""

from typing import Final

from pydantic import AwareDatetime, EmailStr, Field, IPvAnyAddress

from jobs.clock import utc_now
from jobs.email.family import IN_VAIN, TEMPLATES, urgent
from jobs.email.mongolian import date_and_time
from jobs.mail import Message, Send, render, send_mail
from jobs.payloads import OneLine, Payload, Title
from jobs.settings import signin_settings
from lanework import Public, Quota, Run

SUBJECT: Final = "🔐 Таны бүртгэлд нэвтэрсэн байна - Yellow Books"


class SignIn(Payload):
    """
    A sign-in.

    Attributes:
        user_id: Whose account.
        email: Where the mail goes.
        name: How to greet the user.
        provider: What vouched for the user: `github`, `google`, …
        ip_address: IPv4 or IPv6.
        user_agent: As the browser sent it; may be empty.
        signed_in_at: Aware; default: when the producer made this value, so that a retry still tells the same time.
    """

    user_id: Title
    email: EmailStr
    name: Title
    provider: Public[Title]
    ip_address: IPvAnyAddress
    user_agent: OneLine
    signed_in_at: AwareDatetime = Field(default_factory=utc_now)


@urgent.job(
    "user.signin.notification",
    attempts=5,
    quota=Quota(signin_settings().mails, per=signin_settings().window, key="user_id"),
    discard_on=IN_VAIN,
)
def notify_sign_in(signin: SignIn, run: Run, *, send: Send = send_mail) -> None:
    """E-mail the user when, from where and with what someone signed in."""
    when = date_and_time(signin.signed_in_at)
    body = render(TEMPLATES, "signin", subject=SUBJECT, signin=signin, when=when)
    send(Message(to=signin.email, subject=SUBJECT, text=body.text, html=body.html, key=run.job_id))
