"""What requests may say."""

from decimal import Decimal
from typing import Annotated

from pydantic import EmailStr, Field

from jobs.payloads import Currency, Payload, Text, Title
from jobs.reports.period import Period


class ForgotPassword(Payload):
    """Whose password."""

    email: EmailStr


class SendOtp(Payload):
    """Where a code is to go."""

    email: EmailStr


class Pay(Payload):
    """What to charge the signed-in user."""

    amount: Annotated[Decimal, Field(gt=0, max_digits=20, decimal_places=4)]
    currency: Currency
    method: Title = "card"


class Contact(Payload):
    """A letter to the support."""

    subject: Annotated[Title, Field(max_length=150)]
    message: Annotated[Text, Field(max_length=20_000)]


class ReportRange(Period):
    """Which days to report on."""


class ExportFilters(Payload):
    """Which of the user's transactions to export."""

    filters: Period
