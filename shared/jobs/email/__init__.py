"""The family `email`: a module per job type, its templates beside it."""

from jobs.email.family import email
from jobs.email.generic import SendEmail, send_email
from jobs.email.otp import Otp, send_otp
from jobs.email.payment import PaymentReceived, notify_payment
from jobs.email.signin import SignIn, notify_sign_in

__all__ = [
    "Otp",
    "PaymentReceived",
    "SendEmail",
    "SignIn",
    "email",
    "notify_payment",
    "notify_sign_in",
    "send_email",
    "send_otp",
]
