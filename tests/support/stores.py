"""The application's store in memory, and a gateway that keeps what it is asked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from jobs.gateways import GatewayRefusedError
from jobs.store import Archive, Form, Payment, Report, Row, Subscription, Token, Transaction, User

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime


T = TypeVar("T")


@dataclass(slots=True)
class MemoryStore:
    """All that the application keeps. Contract: tests/contract/test_jobs_on_moto.py shows the same of the real one."""

    tokens: list[Token] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    reports: dict[tuple[str, str], str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    archives: list[Archive] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    expired: set[str] = field(default_factory=set)
    payments: dict[str, Payment] = field(default_factory=dict)
    entries: dict[str, Payment] = field(default_factory=dict)
    balances: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    def add_token(self, token: Token) -> None:
        self.tokens.append(token)

    def expired_tokens(self, kind: str, *, now: datetime, page_size: int) -> Iterator[Sequence[Token]]:
        return _pages([one for one in self.tokens if one.kind == kind and one.expires_at <= now], page_size)

    def delete_tokens(self, tokens: Sequence[Token]) -> None:
        self.tokens = [one for one in self.tokens if one not in tokens]

    def add_transaction(self, transaction: Transaction) -> None:
        self.transactions = [one for one in self.transactions if one.id != transaction.id] + [transaction]

    def transactions_between(self, start: date, end: date, *, page_size: int) -> Iterator[Sequence[Transaction]]:
        for day in sorted({one.day for one in self.transactions if start <= one.day <= end}):
            yield from _pages([one for one in self.transactions if one.day == day], page_size)

    def put_report(self, report: Report) -> None:
        self.reports[report.job_id, report.form] = report.content

    def report(self, job_id: str, form: Form) -> Report | None:
        content = self.reports.get((job_id, form))
        return None if content is None else Report(job_id=job_id, form=form, content=content)

    def add_row(self, row: Row) -> None:
        self.rows.append(row)

    def rows_between(self, kind: str, start: date, end: date, *, page_size: int) -> Iterator[Sequence[Row]]:
        found = [one for one in self.rows if one.kind == kind and start <= one.day <= end]
        for day in sorted({one.day for one in found}):
            yield from _pages([one for one in found if one.day == day], page_size)

    def days_before(self, kind: str, day: date) -> Sequence[date]:
        return sorted({one.day for one in self.rows if one.kind == kind and one.day < day})

    def delete_rows(self, kind: str, day: date) -> None:
        self.rows = [one for one in self.rows if (one.kind, one.day) != (kind, day)]

    def put_archive(self, archive: Archive) -> None:
        self.archives.append(archive)

    def archive(self, kind: str, day: date) -> Sequence[Archive]:
        return [one for one in self.archives if (one.kind, one.day) == (kind, day)]

    def delete_archives(self, kind: str, *, before: date) -> int:
        old = [one for one in self.archives if one.kind == kind and one.day < before]
        self.archives = [one for one in self.archives if one not in old]
        return len(old)

    def put_user(self, user: User) -> None:
        self.users.append(user)

    def user_by_email(self, email: str) -> User | None:
        return next((one for one in self.users if one.email.lower() == email.lower()), None)

    def newsletter_readers(self, *, page_size: int) -> Iterator[Sequence[User]]:
        return _pages([one for one in self.users if one.newsletter], page_size)

    def add_subscription(self, subscription: Subscription) -> None:
        self.subscriptions.append(subscription)

    def ended_subscriptions(self, *, now: datetime, page_size: int) -> Iterator[Sequence[Subscription]]:
        return _pages([one for one in self.subscriptions if one.ends_at <= now], page_size)

    def expire(self, subscription: Subscription) -> None:
        self.expired.add(subscription.id)
        self.subscriptions.remove(subscription)

    def is_expired(self, subscription_id: str) -> bool:
        return subscription_id in self.expired

    def put_payment(self, payment: Payment) -> None:
        self.payments[payment.id] = payment

    def payment(self, payment_id: str) -> Payment | None:
        return self.payments.get(payment_id)

    def credit(self, payment: Payment) -> None:
        self.entries[payment.id] = payment

    def wallet_entries(self, wallet_id: str) -> dict[str, Decimal]:
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for one in self.entries.values():
            if one.user_id == wallet_id:
                sums[one.currency] += one.amount
        return dict(sums)

    def put_balance(self, wallet_id: str, balance: dict[str, Decimal]) -> None:
        self.balances[wallet_id] = balance

    def balance(self, wallet_id: str) -> dict[str, Decimal]:
        return self.balances.get(wallet_id, {})


@dataclass(slots=True)
class Asked:
    """A gateway that keeps what it is asked, and refuses it if told to."""

    requests: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    refuses: bool = False

    def post(self, body: Mapping[str, object], *, key: str) -> None:
        self.requests.append((key, body))
        if self.refuses:
            msg = "the gateway refused the request: 402"
            raise GatewayRefusedError(msg)


def _pages(things: list[T], size: int) -> Iterator[Sequence[T]]:
    for first in range(0, len(things), size):
        yield things[first : first + size]
