"""
The application's data in one DynamoDB table, through pynamodb. Every read is a Query on a key; nothing scans.

| what                 | pk                          | sk                                        |
| -------------------- | --------------------------- | ----------------------------------------- |
| token                | `token#<kind>`              | `<expiry, epoch seconds, 12 digits>#<id>` |
| transaction          | `transactions#<YYYY-MM-DD>` | `<id>`                                    |
| report               | `report#<job id>`           | its form, such as `csv`                   |
| row                  | `rows#<kind>#<YYYY-MM-DD>`  | `<id>`                                    |
| day with rows        | `days#<kind>`               | `<YYYY-MM-DD>`                            |
| part of an archive   | `archive#<kind>`            | `<YYYY-MM-DD>#<part, 4 digits>`           |
| account              | `user#<address>`            | `account`                                 |
| newsletter's reader  | `newsletter`                | `<address>`                               |
| subscription         | `subscriptions`             | `<end, epoch seconds, 12 digits>#<id>`    |
| expired subscription | `subscription#<id>`         | `expired`                                 |
| payment              | `payment#<id>`              | `payment`                                 |
| wallet               | `wallet#<id>`               | `entry#<payment id>`, or `balance`        |
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from jobs.store.activity_table import ActivityTable
from jobs.store.item import Item, bound, ended_by, pages, read_until, until_key
from jobs.store.money_table import MoneyTable
from jobs.store.people_table import PeopleTable
from jobs.store.records import Form, Report, Token, Transaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.settings import TableSettings


class TableStore(ActivityTable, PeopleTable, MoneyTable):
    """All that the application keeps, on DynamoDB. Errors are pynamodb's (`pynamodb.exceptions`)."""

    def __init__(self, settings: TableSettings) -> None:
        """Bind to the table that the settings name; nothing is read or written yet."""
        self._items = bound(settings)

    def add_token(self, token: Token) -> None:
        """Keep a token."""
        self._items(_token_pk(token.kind), until_key(token.expires_at, token.id)).save()

    def expired_tokens(self, kind: str, *, now: datetime, page_size: int) -> Iterator[Sequence[Token]]:
        """Give a kind's tokens that expired by `now`, oldest first, in pages of at most `page_size`, none empty."""
        items = self._items.query(_token_pk(kind), self._items.sk < ended_by(now), page_size=page_size)
        return pages((_token(kind, item.sk) for item in items), page_size)

    def delete_tokens(self, tokens: Sequence[Token]) -> None:
        """Forget tokens; one that is gone already is no error."""
        with self._items.batch_write() as batch:
            for token in tokens:
                batch.delete(self._items(_token_pk(token.kind), until_key(token.expires_at, token.id)))

    def add_transaction(self, transaction: Transaction) -> None:
        """Keep a transaction; the same one again replaces it."""
        self._items(
            _day_pk(transaction.day),
            transaction.id,
            at=transaction.at.isoformat(),
            amount=str(transaction.amount),
            currency=transaction.currency,
            description=transaction.description,
            user_id=transaction.user_id or None,
        ).save()

    def transactions_between(self, start: date, end: date, *, page_size: int) -> Iterator[Sequence[Transaction]]:
        """Give the transactions of the days `start` to `end`, both included, by day and id; a page is of one day."""
        for offset in range((end - start).days + 1):
            items = self._items.query(_day_pk(start + timedelta(days=offset)), page_size=page_size)
            yield from pages((_transaction(item) for item in items), page_size)

    def put_report(self, report: Report) -> None:
        """Keep a report."""
        self._items(report.key, report.form, text=report.content).save()

    def report(self, job_id: str, form: Form) -> Report | None:
        """Return a job's report in a form, or None."""
        wanted = Report(job_id=job_id, form=form, content="")
        try:
            item = self._items.get(wanted.key, form, consistent_read=True)
        except self._items.DoesNotExist:
            return None
        return Report(job_id=job_id, form=form, content=item.text or "")


def _token_pk(kind: str) -> str:
    return f"token#{kind}"


def _token(kind: str, sk: str) -> Token:
    expires_at, token_id = read_until(sk)
    return Token(kind=kind, id=token_id, expires_at=expires_at)


def _day_pk(day: date) -> str:
    return f"transactions#{day.isoformat()}"


def _transaction(item: Item) -> Transaction:
    return Transaction(
        id=item.sk,
        at=datetime.fromisoformat(item.at),
        amount=Decimal(item.amount),
        currency=item.currency,
        description=item.description or "",
        user_id=item.user_id or "",
    )
