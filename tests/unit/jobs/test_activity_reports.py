"""Reports over rows: what they add up, in which forms they are kept, and what they refuse."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from jobs import app
from jobs.reports import CoverageReport, PipelineReport
from jobs.store import Row
from lanework.testing import Notes, a_run
from tests.support.stores import MemoryStore

MONDAY = datetime(2025, 10, 6, 9, 0, tzinfo=UTC)
RANGE = {"startDate": "2025-10-01", "endDate": "2025-10-23"}


def a_row(kind: str, number: int = 1, *, days: int = 0, **fields: str) -> Row:
    return Row(kind=kind, id=f"r{number}", at=MONDAY + timedelta(days=days), fields=fields)


ROWS = [
    a_row("pipeline", 1, pipeline="deploy", status="SUCCESS", seconds="10"),
    a_row("pipeline", 2, days=1, pipeline="deploy", status="failed", seconds="20"),
    a_row("pipeline", 3, days=40, pipeline="deploy", status="failed", seconds="20"),
    a_row("pipeline", 4, pipeline="nightly", status="success", seconds="5.5"),
    a_row("coverage", 1, file="app/a.py", lines="100", covered="10"),
    a_row("coverage", 2, days=1, file="app/a.py", lines="100", covered="90"),
    a_row("coverage", 3, file="lib/b.py", lines="100", covered="0"),
    a_row("finding", 1, severity="HIGH", package="x", finding="CVE-1"),
    a_row("finding", 2, severity="high", package="x", finding="CVE-2"),
    a_row("finding", 3, severity="odd", package="=cmd()", finding="CVE-3"),
    a_row("event", 1, event="login", user="u1"),
    a_row("event", 2, event="login", user="u1"),
    a_row("event", 3, event="<script>", user="u2"),
    a_row("audit", 1, actor="bat", action="delete", target="=1+1"),
]
EXPECTED = {
    "report.pipeline": [
        ["pipeline", "runs", "succeeded", "failed", "success %", "mean seconds"],
        ["deploy", "2", "1", "1", "50.0", "15.0"],
        ["nightly", "1", "1", "0", "100.0", "5.5"],
    ],
    "report.test-coverage": [
        ["file", "lines", "covered", "covered %"],
        ["app/a.py", "100", "90", "90.0"],
        ["lib/b.py", "100", "0", "0.0"],
        ["all", "200", "90", "45.0"],
    ],
    "report.security-scan": [
        ["severity", "findings", "packages"],
        ["critical", "0", "0"],
        ["high", "2", "1"],
        ["medium", "0", "0"],
        ["low", "0", "0"],
        ["odd", "1", "1"],
    ],
    "report.analytics": [["event", "times", "users"], ["login", "2", "1"], ["<script>", "1", "1"]],
    "report.audit-log": [
        ["at", "actor", "action", "target"],
        ["2025-10-06T09:00:00+00:00", "bat", "delete", "'=1+1"],
    ],
}


def made(name: str, payload: dict[str, Any], store: MemoryStore, notes: Notes | None = None) -> dict[str, Any]:
    job_type = app.registry.get(name)
    asked = job_type.model.model_validate(payload)
    stored = job_type.model.model_validate_json(asked.model_dump_json())
    answer: Any = job_type.function(stored, a_run(job_id="r", notes=notes), store=lambda: store)
    return dict(answer)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_report_adds_up_the_rows_of_its_period(name: str) -> None:
    store = MemoryStore(rows=list(ROWS))

    answer = made(name, RANGE, store)

    assert list(csv.reader(store.reports["r", "csv"].splitlines())) == EXPECTED[name]
    assert answer["lines"] == len(EXPECTED[name]) - 1
    said = json.loads(store.reports["r", "json"])
    assert [list(one.values()) for one in said["rows"]] == EXPECTED[name][1:]
    page = store.reports["r", "html"]
    assert "<svg" in page
    assert page.count("<tr>") == len(EXPECTED[name])
    assert "<script>" not in page


def test_a_report_may_be_about_one_pipeline_or_one_project() -> None:
    store = MemoryStore(rows=list(ROWS))

    assert made("report.pipeline", {**RANGE, "pipelineId": "nightly"}, store)["rows"] == 1
    assert made("report.test-coverage", {**RANGE, "projectId": "app"}, store)["rows"] == 2


def test_a_given_csv_is_used_instead_of_the_table() -> None:
    store = MemoryStore(rows=list(ROWS))
    text = "at,pipeline,status,seconds\n2025-10-02T00:00:00Z,mine,success,2\n2026-01-01,late,success,2\n"

    answer = made("report.pipeline", {**RANGE, "csv": text}, store)

    assert answer["rows"] == 1
    assert list(csv.reader(store.reports["r", "csv"].splitlines()))[1:] == [["mine", "1", "1", "0", "100.0", "2.0"]]


def test_progress_follows_the_days() -> None:
    notes = Notes()
    made("report.pipeline", RANGE, MemoryStore(rows=list(ROWS)), notes)

    assert [(26, "up to 2025-10-06"), (30, "up to 2025-10-07")] == notes.said


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"endDate": "2025-09-30"}, r"end \(2025-09-30\) lies before start \(2025-10-01\)"),
        ({"startDate": "2024-01-01"}, "covers at most 366 days"),
        ({"csv": "at,pipeline\n"}, "the CSV has no column status, seconds; it needs at, pipeline, status, seconds"),
        ({"csv": "at,pipeline,status,seconds\nsoon,a,b,1\n"}, "line 2 of the CSV can't be read: Invalid isoformat"),
        ({"csv": "at,pipeline,status,seconds\n2025-10-02,a,b,long\n"}, "line 2 of the CSV can't be read: could not"),
        ({"csv": "at,pipeline,status,seconds\n2025-10-02,a\n"}, "line 2 of the CSV can't be read"),
    ],
)
def test_a_report_that_could_not_be_made_is_refused_when_it_is_enqueued(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        PipelineReport.model_validate({**RANGE, **changes})


def test_a_period_without_rows_is_a_report_that_says_so() -> None:
    assert CoverageReport.model_validate(RANGE).days == 23
    assert made("report.test-coverage", RANGE, MemoryStore())["rows"] == 0
