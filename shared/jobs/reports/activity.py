"""Reports over rows of the application's table, or over a CSV that comes with the request."""

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Protocol, Self, TypedDict

from pydantic import Field, model_validator

from jobs.payloads import Id, Text, Title
from jobs.reports.family import PAGE_SIZE, ReportTooLargeError, report
from jobs.reports.period import Period
from jobs.reports.sheet import Lines
from jobs.reports.summary import Summary, forms
from jobs.reports.tallies import (
    AnalyticsTally,
    AuditTally,
    CoverageTally,
    LongJobProgress,
    PipelineTally,
    SecurityTally,
)
from jobs.store import Report, Reports, Row, Rows, app_store
from lanework import Run

LARGEST_CSV = 150_000


class Store(Rows, Reports, Protocol):
    """What these reports need of the store."""


class ActivityReport(Period):
    """
    What to report on.

    Attributes:
        user_id: Who asked.
        csv: Rows to use instead of the table's: a header with `at` and the report's own fields.
    """

    kind: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]

    user_id: Id | None = None
    csv: Annotated[Text, Field(max_length=LARGEST_CSV)] | None = None

    @model_validator(mode="after")
    def _csv_can_be_read(self) -> Self:
        """Refuse a CSV that the report couldn't use before anything is enqueued."""
        for _ in self.rows_of_csv():
            pass
        return self

    def is_about(self, row: Row) -> bool:
        """Tell whether a row is one of those asked for."""
        return self.start <= row.day <= self.end

    def rows_of_csv(self) -> Iterator[Row]:
        """
        Yield the rows of the CSV, if there is one.

        Raises:
            ValueError: A column is missing, or a time or number can't be read; it says in which line.
        """
        if self.csv is None:
            return
        lines = csv.DictReader(self.csv.splitlines())
        missing = [name for name in ("at", *self.fields) if name not in (lines.fieldnames or ())]
        if missing:
            msg = f"the CSV has no column {', '.join(missing)}; it needs at, {', '.join(self.fields)}"
            raise ValueError(msg)
        for number, line in enumerate(lines, start=2):
            try:
                at = datetime.fromisoformat(line["at"])
                for name in ("seconds", "lines", "covered"):
                    float(line.get(name) or 0)
                fields = {name: line[name].strip() for name in self.fields}
            except (ValueError, AttributeError, TypeError) as error:
                msg = f"line {number} of the CSV can't be read: {error}"
                raise ValueError(msg) from None
            yield Row(kind=self.kind, id=str(number), at=at if at.tzinfo else at.replace(tzinfo=UTC), fields=fields)


class PipelineReport(ActivityReport):
    """
    How pipelines ran.

    Attributes:
        pipeline_id: One of them; None is all.
    """

    kind = "pipeline"
    fields = PipelineTally.fields

    pipeline_id: Title | None = None

    def is_about(self, row: Row) -> bool:
        """Tell whether a row is one of those asked for."""
        return super().is_about(row) and self.pipeline_id in (None, row.fields["pipeline"])


class CoverageReport(ActivityReport):
    """
    How much of the code tests run.

    Attributes:
        project_id: Whose files: those whose names begin with it and a slash; None is all.
    """

    kind = "coverage"
    fields = CoverageTally.fields

    project_id: Title | None = None

    def is_about(self, row: Row) -> bool:
        """Tell whether a row is one of those asked for."""
        return super().is_about(row) and (
            self.project_id is None or row.fields["file"].startswith(f"{self.project_id}/")
        )


class SecurityReport(ActivityReport):
    """What a security scan found."""

    kind = "finding"
    fields = SecurityTally.fields


class AnalyticsReport(ActivityReport):
    """What users did."""

    kind = "event"
    fields = AnalyticsTally.fields


class AuditLogReport(ActivityReport):
    """Who did what to what."""

    kind = "audit"
    fields = AuditTally.fields


class ActivityAnswer(TypedDict):
    """
    What such a report's job answers.

    Attributes:
        rows: Rows that were counted.
        lines: Lines of the table that they came to.
        key: Where the store keeps its forms: csv, json, html.
    """

    rows: int
    lines: int
    key: str


@report.job("report.pipeline", discard_on=(ReportTooLargeError,))
def report_pipelines(asked: PipelineReport, run: Run, *, store: Callable[[], Store] = app_store) -> ActivityAnswer:
    """Report how pipelines ran."""
    return _report("Pipelines", asked, PipelineTally(), run, store())


@report.job("report.test-coverage", discard_on=(ReportTooLargeError,))
def report_coverage(asked: CoverageReport, run: Run, *, store: Callable[[], Store] = app_store) -> ActivityAnswer:
    """Report how much of the code tests run."""
    return _report("Test coverage", asked, CoverageTally(), run, store())


@report.job("report.security-scan", discard_on=(ReportTooLargeError,))
def report_security(asked: SecurityReport, run: Run, *, store: Callable[[], Store] = app_store) -> ActivityAnswer:
    """Report what a security scan found."""
    return _report("Security scan", asked, SecurityTally(), run, store())


@report.job("report.analytics", discard_on=(ReportTooLargeError,))
def report_analytics(asked: AnalyticsReport, run: Run, *, store: Callable[[], Store] = app_store) -> ActivityAnswer:
    """Report what users did."""
    return _report("Analytics", asked, AnalyticsTally(), run, store())


@report.job("report.audit-log", discard_on=(ReportTooLargeError,))
def report_audit_log(asked: AuditLogReport, run: Run, *, store: Callable[[], Store] = app_store) -> ActivityAnswer:
    """Report who did what to what."""
    return _report("Audit log", asked, AuditTally(), run, store())


def _report(title: str, asked: ActivityReport, tally: LongJobProgress, run: Run, kept: Store) -> ActivityAnswer:
    """Add up the rows asked for, and keep what they come to in its three forms."""
    rows = 0
    for row in _rows(asked, run, kept):
        tally.add(row)
        rows += 1
    summary = tally.summary(f"{title}, {asked.start} to {asked.end}")
    finished = Report(job_id=run.job_id, form="csv", content=_csv(summary))
    for one in (finished, *forms(summary, run.job_id)):
        kept.put_report(one)
    return ActivityAnswer(rows=rows, lines=len(summary.rows), key=finished.key)


def _rows(asked: ActivityReport, run: Run, kept: Rows) -> Iterator[Row]:
    if asked.csv is not None:
        yield from filter(asked.is_about, asked.rows_of_csv())
        return
    for page in kept.rows_between(asked.kind, asked.start, asked.end, page_size=PAGE_SIZE):
        yield from filter(asked.is_about, page)
        run.progress(min(asked.percent_at(page[-1].day), 99), f"up to {page[-1].day}")


def _csv(summary: Summary) -> str:
    lines = Lines(summary.columns)
    lines.append(summary.rows)
    return lines.csv
