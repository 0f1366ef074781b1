"""The family `report`: numbers about the application's own data, two reports at a time."""

from jobs.reports.activity import (
    AnalyticsReport,
    AuditLogReport,
    CoverageReport,
    PipelineReport,
    SecurityReport,
    report_analytics,
    report_audit_log,
    report_coverage,
    report_pipelines,
    report_security,
)
from jobs.reports.family import ReportTooLargeError, report
from jobs.reports.sheet import LARGEST_BYTES, Sheet, harmless
from jobs.reports.transactions import TransactionsBetween, report_transactions

__all__ = [
    "LARGEST_BYTES",
    "AnalyticsReport",
    "AuditLogReport",
    "CoverageReport",
    "PipelineReport",
    "ReportTooLargeError",
    "SecurityReport",
    "Sheet",
    "TransactionsBetween",
    "harmless",
    "report",
    "report_analytics",
    "report_audit_log",
    "report_coverage",
    "report_pipelines",
    "report_security",
    "report_transactions",
]
