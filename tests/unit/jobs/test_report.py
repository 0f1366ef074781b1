"""The transactions report: which days, what is in the CSV, and how it tells its progress."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from jobs.reports import LARGEST_BYTES, ReportTooLargeError, Sheet, TransactionsBetween, harmless, report_transactions
from jobs.store import Form, Report, Transaction
from lanework.testing import Notes, a_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FIRST = datetime(2025, 12, 1, 9, 0, tzinfo=UTC)


def a_transaction(
    number: int, *, day: int = 0, amount: str = "10.00", currency: str = "MNT", description: str = ""
) -> Transaction:
    return Transaction(
        id=f"t{number}",
        at=FIRST + timedelta(days=day),
        amount=Decimal(amount),
        currency=currency,
        description=description,
    )


class StoreInMemory:
    """Keeps transactions and reports."""

    def __init__(self, *transactions: Transaction) -> None:
        self.transactions = list(transactions)
        self.reports: list[Report] = []

    def add_transaction(self, transaction: Transaction) -> None:
        self.transactions.append(transaction)

    def transactions_between(self, start: date, end: date, *, page_size: int) -> Iterator[Sequence[Transaction]]:
        for day in sorted({one.day for one in self.transactions if start <= one.day <= end}):
            rows = [one for one in self.transactions if one.day == day]
            for first in range(0, len(rows), page_size):
                yield rows[first : first + page_size]

    def put_report(self, report: Report) -> None:
        self.reports.append(report)

    def report(self, job_id: str, form: Form) -> Report | None:
        return next((one for one in self.reports if (one.job_id, one.form) == (job_id, form)), None)


def days(start: str, end: str) -> TransactionsBetween:
    return TransactionsBetween.model_validate({"start": start, "end": end})


def test_the_report_counts_rows_and_sums_each_currency() -> None:
    store = StoreInMemory(
        a_transaction(1, amount="10.10"),
        a_transaction(2, amount="-0.10"),
        a_transaction(3, day=4, amount="7.25", currency="USD"),
        a_transaction(4, day=5),
    )
    answer = report_transactions(days("2025-12-01", "2025-12-05"), a_run(job_id="r1"), store=lambda: store)

    assert {"rows": 3, "totals": {"MNT": "10.00", "USD": "7.25"}} == {name: answer[name] for name in ("rows", "totals")}


def test_the_csv_is_kept_under_the_jobs_id_with_the_size_that_the_job_answers() -> None:
    store = StoreInMemory(a_transaction(1, description="Ном, дэвтэр"))
    answer = report_transactions(days("2025-12-01", "2025-12-01"), a_run(job_id="r1"), store=lambda: store)
    kept = store.reports[0]

    assert ("report#r1", len(kept.content.encode())) == (answer["key"], answer["bytes"])
    assert [
        ["id", "at", "amount", "currency", "description"],
        ["t1", "2025-12-01T09:00:00+00:00", "10.00", "MNT", "Ном, дэвтэр"],
    ] == list(csv.reader(kept.content.splitlines()))


def test_progress_follows_the_days_that_are_done() -> None:
    progress = Notes()
    store = StoreInMemory(a_transaction(1), a_transaction(2, day=1), a_transaction(3, day=3))
    report_transactions(days("2025-12-01", "2025-12-04"), a_run(job_id="r1", notes=progress), store=lambda: store)

    assert [(25, "1 rows"), (50, "2 rows"), (99, "3 rows")] == progress.said


def test_a_period_without_transactions_gives_a_csv_with_its_header_only() -> None:
    store = StoreInMemory()
    answer = report_transactions(days("2025-12-01", "2025-12-04"), a_run(job_id="r1"), store=lambda: store)

    assert (0, {}, ["id,at,amount,currency,description"]) == (
        answer["rows"],
        answer["totals"],
        store.reports[0].content.splitlines(),
    )


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_description_cannot_become_a_formula(start: str) -> None:
    sheet = Sheet()
    sheet.add([a_transaction(1, description=start)])

    assert f"'{start}" in sheet.csv


@pytest.mark.parametrize("cell", ["Ном", "a=b", "1-2", ""])
def test_a_harmless_cell_stays_as_it_is(cell: str) -> None:
    assert cell == harmless(cell)


def test_a_refund_stays_a_number() -> None:
    sheet = Sheet()
    sheet.add([a_transaction(1, amount="-5.00")])

    assert ",-5.00," in sheet.csv


def test_a_report_that_outgrows_its_item_is_refused_and_nothing_kept() -> None:
    store = StoreInMemory(a_transaction(1, description="x" * LARGEST_BYTES))

    with pytest.raises(ReportTooLargeError, match=r"after 1 rows, over the limit of 307,200; ask for fewer days"):
        report_transactions(days("2025-12-01", "2025-12-01"), a_run(job_id="r1"), store=lambda: store)
    assert [] == store.reports


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        ("2025-12-02", "2025-12-01", r"end \(2025-12-01\) lies before start \(2025-12-02\)"),
        ("2024-01-01", "2025-01-01", "covers at most 366 days"),
        ("soon", "2025-12-01", "valid date"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused(start: str, end: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        days(start, end)


def test_a_leap_year_fits_into_one_report() -> None:
    assert 366 == days("2024-01-01", "2024-12-31").days
