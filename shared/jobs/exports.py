"""The family `export`: a user's own data as a file, and a mail when it is ready."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Protocol, TypedDict

from pydantic import EmailStr

from jobs.email import SendEmail, send_email
from jobs.payloads import Currency, Id
from jobs.reports.family import PAGE_SIZE, ReportTooLargeError
from jobs.reports.period import Period
from jobs.reports.sheet import Sheet
from jobs.store import Report, Reports, Transaction, Transactions, app_store
from lanework import Jobs, Run

export = Jobs(queue="export", lane="low", timeout=timedelta(minutes=10), keep_completed=100, keep_failed=500)


class ExportTransactions(Period):
    """
    Which transactions to export.

    Attributes:
        user_id: Whose.
        email: Who gets a mail when the file is ready; nobody without one.
        currency: Of this currency only.
        at_least: Of this amount at least.
    """

    user_id: Id
    email: EmailStr | None = None
    currency: Currency | None = None
    at_least: Decimal | None = None

    def is_about(self, one: Transaction) -> bool:
        """Tell whether a transaction is one of those asked for."""
        return (
            one.user_id == self.user_id
            and self.currency in (None, one.currency)
            and (self.at_least is None or one.amount >= self.at_least)
        )


class Exported(TypedDict):
    """
    What an export's job answers.

    Attributes:
        rows: Number of transactions.
        key: Where the store keeps the file.
    """

    rows: int
    key: str


class Store(Transactions, Reports, Protocol):
    """What an export needs of the store."""


@export.job("export.transactions", discard_on=(ReportTooLargeError,))
def export_transactions(asked: ExportTransactions, run: Run, *, store: Callable[[], Store] = app_store) -> Exported:
    """Write a user's transactions to a CSV, kept under the job's id, then have them told by a job of its own."""
    kept, sheet = store(), Sheet()
    for page in kept.transactions_between(asked.start, asked.end, page_size=PAGE_SIZE):
        sheet.add(filter(asked.is_about, page))
        run.progress(min(asked.percent_at(page[-1].day), 99), f"{sheet.rows} rows")
    finished = Report(job_id=run.job_id, form="csv", content=sheet.csv)
    kept.put_report(finished)
    if asked.email is not None:
        name = f"Your transactions, {asked.start} to {asked.end}"
        ready = SendEmail(to=asked.email, subject=f"{name} are ready", template="file_ready", data={"name": name})
        send_email.enqueue(ready, job_id=f"{run.job_id}.mail")
    return Exported(rows=sheet.rows, key=finished.key)
