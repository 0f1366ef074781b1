"""`report.transactions`: what moved within a period, as CSV, JSON and a page with a chart."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, TypedDict

from jobs.reports.family import PAGE_SIZE, ReportTooLargeError, report
from jobs.reports.period import Period
from jobs.reports.sheet import Sheet
from jobs.reports.summary import Summary, forms
from jobs.store import Report, Reports, Transactions, app_store
from lanework import Run


class Store(Transactions, Reports, Protocol):
    """What this report needs of the store."""


class TransactionsBetween(Period):
    """Which days the report covers."""


class TransactionReport(TypedDict):
    """
    What a report's job answers.

    Attributes:
        rows: Number of transactions.
        totals: Sum per currency, as decimal text.
        bytes: Size of the CSV.
        key: Where the store keeps its forms.
    """

    rows: int
    totals: dict[str, str]
    bytes: int
    key: str


@report.job("report.transactions", aliases=("report",), discard_on=(ReportTooLargeError,))
def report_transactions(
    period: TransactionsBetween, run: Run, *, store: Callable[[], Store] = app_store
) -> TransactionReport:
    """Write the transactions of a period to a CSV, kept under the job's id; progress after each chunk of rows."""
    kept, sheet = store(), Sheet()
    by_day = {(period.start + timedelta(days=offset)).isoformat(): 0 for offset in range(period.days)}
    for page in kept.transactions_between(period.start, period.end, page_size=PAGE_SIZE):
        sheet.add(page)
        by_day[page[-1].day.isoformat()] += len(page)
        run.progress(min(period.percent_at(page[-1].day), 99), f"{sheet.rows} rows")
    summary = Summary(
        title=f"Transactions, {period.start} to {period.end}",
        columns=("currency", "total"),
        rows=tuple(sheet.totals.items()),
        bars=tuple((day, float(number)) for day, number in by_day.items()),
    )
    for finished in (Report(job_id=run.job_id, form="csv", content=sheet.csv), *forms(summary, run.job_id)):
        kept.put_report(finished)
    return TransactionReport(rows=sheet.rows, totals=sheet.totals, bytes=sheet.size, key=finished.key)
