"""`user.otp`: sends a one-time code."""

from typing import Literal

from pydantic import ConfigDict, EmailStr, Field

from jobs.email.family import IN_VAIN, TEMPLATES, urgent
from jobs.mail import Message, Send, render, send_mail
from jobs.payloads import Payload
from lanework import Public, Run

Purpose = Literal["sign-in", "password-reset", "two-factor", "email-verification"]


class Otp(Payload):
    """
    A one-time code on its way to its user.

    Attributes:
        email: Where the mail goes.
        code: Six digits. Kept out of this value's `repr`, and hidden in log-only mode.
        purpose: What the code is for.
        expires_in_minutes: How long the mail says that the code is good for, 1 to 1,440, default 10.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "bat@example.com", "code": "123456"}]})

    email: EmailStr
    code: str = Field(pattern="^[0-9]{6}$", repr=False)
    purpose: Public[Purpose] = "sign-in"
    expires_in_minutes: int = Field(default=10, ge=1, le=1440)


@urgent.job("user.otp", lane="critical", attempts=5, discard_on=IN_VAIN)
def send_otp(otp: Otp, run: Run, *, send: Send = send_mail) -> None:
    """E-mail a one-time code. The subject doesn't show it, since lock screens show subjects."""
    subject = f"Your {otp.purpose} code"
    body = render(TEMPLATES, "otp", subject=subject, otp=otp)
    send(
        Message(to=otp.email, subject=subject, text=body.text, html=body.html, key=run.job_id, secrets=(otp.code,)),
    )
