"""The family `report`: numbers about the application's own data, as CSV files."""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Final, Protocol, Self, TypedDict

from pydantic import ConfigDict, model_validator

from jobs.payloads import Payload
from jobs.store import Report, Reports, Transaction, Transactions, app_store
from lanework import Jobs, Run

report = Jobs(queue="report", lane="low")

PAGE_SIZE: Final = 200
LONGEST_DAYS: Final = 366
LARGEST_BYTES: Final = 300 * 1024
"""A report is one item, and DynamoDB's items end at 400 KB, keys and names included."""

COLUMNS: Final = ("id", "at", "amount", "currency", "description")
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


class ReportTooLargeError(Exception):
    """Raised when a report outgrows the item that it is kept in; ask for fewer days."""


class Store(Transactions, Reports, Protocol):
    """What a report needs of the store."""


class TransactionsBetween(Payload):
    """
    Which days a report covers.

    Attributes:
        start: First day, in UTC.
        end: Last day, included; at most a year (366 days) in all.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"start": "2026-01-01", "end": "2026-01-31"}]})

    start: date
    end: date

    @model_validator(mode="after")
    def _start_comes_first(self) -> Self:
        msg = ""
        if self.end < self.start:
            msg = f"end ({self.end}) lies before start ({self.start})"
        elif self.days > LONGEST_DAYS:
            msg = f"a report covers at most {LONGEST_DAYS} days, {self.start} to {self.end} are {self.days}"
        if msg:
            raise ValueError(msg)
        return self

    @property
    def days(self) -> int:
        """How many days it covers."""
        return (self.end - self.start).days + 1

    def percent_at(self, day: date) -> int:
        """Return how much of the period has passed by the end of a day, 0 to 100."""
        return 100 * ((day - self.start).days + 1) // self.days


class TransactionReport(TypedDict):
    """
    What a report's job answers.

    Attributes:
        rows: Number of transactions.
        totals: Sum per currency, as decimal text.
        bytes: Size of the CSV.
        key: Where the store keeps it.
    """

    rows: int
    totals: dict[str, str]
    bytes: int
    key: str


@report.job("report.transactions", lane="low", discard_on=(ReportTooLargeError,))
def report_transactions(
    period: TransactionsBetween, run: Run, *, store: Callable[[], Store] = app_store
) -> TransactionReport:
    """Write the transactions of a period to a CSV, kept under the job's id; progress after each chunk of rows."""
    kept = store()
    sheet = Sheet()
    for page in kept.transactions_between(period.start, period.end, page_size=PAGE_SIZE):
        sheet.add(page)
        run.progress(min(period.percent_at(page[-1].day), 99), f"{sheet.rows} rows")
    finished = Report(job_id=run.job_id, csv=sheet.csv)
    kept.put_report(finished)
    return TransactionReport(rows=sheet.rows, totals=sheet.totals, bytes=sheet.size, key=finished.key)


class Sheet:
    """
    A CSV of transactions under construction, with its totals.

    Attributes:
        rows: Transactions so far.
        size: Bytes so far, in UTF-8.
    """

    def __init__(self) -> None:
        """Begin with the header row."""
        self.rows = 0
        self.size = 0
        self._totals: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._parts: list[str] = []
        self._append([COLUMNS])

    def add(self, transactions: Iterable[Transaction]) -> None:
        """
        Add rows.

        Raises:
            ReportTooLargeError: The CSV is over 300 KB.
        """
        chunk = list(transactions)
        for one in chunk:
            self._totals[one.currency] += one.amount
        self._append(_cells(one) for one in chunk)
        self.rows += len(chunk)
        if self.size > LARGEST_BYTES:
            msg = (
                f"the report is {self.size:,} bytes after {self.rows:,} rows, over the limit of {LARGEST_BYTES:,}; "
                "ask for fewer days"
            )
            raise ReportTooLargeError(msg)

    @property
    def csv(self) -> str:
        """The rows so far, as RFC 4180 has it."""
        return "".join(self._parts)

    @property
    def totals(self) -> dict[str, str]:
        """Sum per currency, as decimal text."""
        return {currency: f"{total:f}" for currency, total in sorted(self._totals.items())}

    def _append(self, rows: Iterable[Iterable[str]]) -> None:
        chunk = io.StringIO()
        csv.writer(chunk).writerows(rows)
        self._parts.append(chunk.getvalue())
        self.size += len(chunk.getvalue().encode())


def harmless(cell: str) -> str:
    """
    Return a text cell that no spreadsheet takes for a formula: one that starts like a formula gets a `'` in front.

    As OWASP has it under CSV injection. For text only: the amount -5.00 is a number, and has to stay one.
    """
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _cells(one: Transaction) -> tuple[str, ...]:
    return (harmless(one.id), one.at.isoformat(), f"{one.amount:f}", harmless(one.currency), harmless(one.description))
