"""
The application's data in one DynamoDB table, through pynamodb. Every read is a Query on a key; nothing scans.

| what        | pk                          | sk                                                |
| ----------- | --------------------------- | ------------------------------------------------- |
| token       | `token#<kind>`              | `<expiry, epoch seconds, 12 digits>#<id>`         |
| transaction | `transactions#<YYYY-MM-DD>` | `<id>`                                            |
| report      | `report#<job id>`           | `csv`                                             |
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from jobs.store.records import Report, Token, Transaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.settings import TableSettings

T = TypeVar("T")


class Item(Model):
    """One item of the table; which attributes it has follows from its kind. Bound to a table by `_bound`."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute(null=True)
    # Decimal as text: DynamoDB's numbers come back through pynamodb as floats.
    amount = UnicodeAttribute(null=True)
    currency = UnicodeAttribute(null=True)
    description = UnicodeAttribute(null=True)
    csv = UnicodeAttribute(null=True)


class TableStore:
    """`Tokens`, `Transactions` and `Reports` on DynamoDB. Errors are pynamodb's (`pynamodb.exceptions`)."""

    def __init__(self, settings: TableSettings) -> None:
        """Bind to the table that the settings name; nothing is read or written yet."""
        self._items = _bound(settings)

    def add_token(self, token: Token) -> None:
        """Keep a token."""
        self._items(_token_pk(token.kind), _token_sk(token)).save()

    def expired_tokens(self, kind: str, *, now: datetime, page_size: int) -> Iterator[Sequence[Token]]:
        """Give a kind's tokens that expired by `now`, oldest first, in pages of at most `page_size`, none empty."""
        not_yet = _seconds(math.floor(now.timestamp()) + 1)
        items = self._items.query(_token_pk(kind), self._items.sk < not_yet, page_size=page_size)
        return _pages((_token(kind, item.sk) for item in items), page_size)

    def delete_tokens(self, tokens: Sequence[Token]) -> None:
        """Forget tokens; one that is gone already is no error."""
        with self._items.batch_write() as batch:
            for token in tokens:
                batch.delete(self._items(_token_pk(token.kind), _token_sk(token)))

    def add_transaction(self, transaction: Transaction) -> None:
        """Keep a transaction; the same one again replaces it."""
        self._items(
            _day_pk(transaction.day),
            transaction.id,
            at=transaction.at.isoformat(),
            amount=str(transaction.amount),
            currency=transaction.currency,
            description=transaction.description,
        ).save()

    def transactions_between(self, start: date, end: date, *, page_size: int) -> Iterator[Sequence[Transaction]]:
        """Give the transactions of the days `start` to `end`, both included, by day and id; a page is of one day."""
        for offset in range((end - start).days + 1):
            items = self._items.query(_day_pk(start + timedelta(days=offset)), page_size=page_size)
            yield from _pages((_transaction(item) for item in items), page_size)

    def put_report(self, report: Report) -> None:
        """Keep a report."""
        self._items(report.key, "csv", csv=report.csv).save()

    def report(self, job_id: str) -> Report | None:
        """Return a job's report, or None."""
        wanted = Report(job_id=job_id, csv="")
        try:
            item = self._items.get(wanted.key, "csv", consistent_read=True)
        except self._items.DoesNotExist:
            return None
        return Report(job_id=job_id, csv=item.csv or "")


def _bound(settings: TableSettings) -> type[Item]:
    class BoundItem(Item):
        class Meta:
            table_name = settings.name
            region = settings.region
            host = settings.endpoint

    return BoundItem


def _token_pk(kind: str) -> str:
    return f"token#{kind}"


def _token_sk(token: Token) -> str:
    # Rounded up, as the bound of a query is rounded down: a token is never taken for expired while it is valid.
    return f"{_seconds(math.ceil(token.expires_at.timestamp()))}#{token.id}"


def _seconds(epoch: int) -> str:
    return f"{epoch:012d}"


def _token(kind: str, sk: str) -> Token:
    seconds, _, token_id = sk.partition("#")
    return Token(kind=kind, id=token_id, expires_at=datetime.fromtimestamp(int(seconds), UTC))


def _day_pk(day: date) -> str:
    return f"transactions#{day.isoformat()}"


def _transaction(item: Item) -> Transaction:
    return Transaction(
        id=item.sk,
        at=datetime.fromisoformat(item.at),
        amount=Decimal(item.amount),
        currency=item.currency,
        description=item.description or "",
    )


def _pages(things: Iterator[T], size: int) -> Iterator[Sequence[T]]:
    while page := list(islice(things, size)):
        yield page
