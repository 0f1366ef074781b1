"""What the application keeps, and what jobs may ask of the place where it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

Form = Literal["csv", "json", "html"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """
    Something that is valid until a time: a one-time code, a session.

    Attributes:
        kind: Such as `otp`; without `#`.
        id: Unique within its kind.
        expires_at: Aware; kept in whole seconds, rounded up.
    """

    kind: str
    id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """
    Money that moved.

    Attributes:
        id: Unique within its day.
        at: Aware; the day that it belongs to is the one in UTC.
        amount: Negative for a refund.
        currency: ISO 4217 code.
        description: What the customer sees; text from outside.
        user_id: Whose; empty if nobody's.
    """

    id: str
    at: datetime
    amount: Decimal
    currency: str
    description: str = ""
    user_id: str = ""

    @property
    def day(self) -> date:
        """The day, in UTC."""
        return self.at.astimezone(UTC).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    A finished report or export, in one of the forms that it comes in.

    Attributes:
        job_id: The job that made it; a report of the same job and form replaces it.
        form: Which form.
        content: Its text.
    """

    job_id: str
    form: Form
    content: str

    @property
    def key(self) -> str:
        """Where the table keeps all forms of it."""
        return f"report#{self.job_id}"


class Tokens(Protocol):
    """Where tokens are kept."""

    def add_token(self, token: Token) -> None:
        """Keep a token."""

    def expired_tokens(self, kind: str, *, now: datetime, page_size: int) -> Iterator[Sequence[Token]]:
        """Give a kind's tokens that expired by `now`, oldest first, in pages of at most `page_size`, none empty."""

    def delete_tokens(self, tokens: Sequence[Token]) -> None:
        """Forget tokens; one that is gone already is no error."""


class Transactions(Protocol):
    """Where transactions are kept."""

    def add_transaction(self, transaction: Transaction) -> None:
        """Keep a transaction; the same one again replaces it."""

    def transactions_between(self, start: date, end: date, *, page_size: int) -> Iterator[Sequence[Transaction]]:
        """Give the transactions of the days `start` to `end`, both included, by day and id; a page is of one day."""


class Reports(Protocol):
    """Where finished reports are kept."""

    def put_report(self, report: Report) -> None:
        """Keep a report."""

    def report(self, job_id: str, form: Form) -> Report | None:
        """Return a job's report in a form, or None."""
