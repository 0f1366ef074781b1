"""What the application does by itself: logs, files, subscriptions, backups, newsletters, the look at its own health."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from jobs import app
from jobs.analytics import Backup, EventsOf, HealthCheck, back_up, check_health, roll_up
from jobs.cleanup import (
    OldArchives,
    OldFiles,
    OldLogs,
    TempFiles,
    archive_old_logs,
    delete_old_archives,
    delete_old_artifacts,
    delete_temp_files,
)
from jobs.cleanup.logs import PART_BYTES, lines_of
from jobs.newsletter import Issue, send_newsletter
from jobs.scheduler import Nothing, ReportOn, clean_up_codes, clean_up_sessions, expire_subscriptions, report_daily
from jobs.store import Row, Subscription, Token, Transaction, User
from lanework import State
from lanework.testing import Notes, a_run, app_in_memory
from tests.support.stores import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def a_line(number: int, *, age_days: int, text: str = "hello") -> Row:
    return Row(kind="log", id=f"l{number:06}", at=NOW - timedelta(days=age_days), fields={"text": text})


def test_logs_older_than_thirty_days_are_archived_and_then_deleted() -> None:
    young = a_line(3, age_days=30)
    store = MemoryStore(rows=[a_line(1, age_days=31), a_line(2, age_days=45, text="Ном"), young])

    answer = archive_old_logs(OldLogs(), a_run(), store=lambda: store, now=lambda: NOW)

    assert answer == {"days": 2, "lines": 2, "parts": 2}
    assert store.rows == [young]
    (kept,) = store.archive("log", (NOW - timedelta(days=45)).date())
    assert lines_of(kept) == [{"id": "l000002", "at": "2026-01-15T03:00:00+00:00", "text": "Ном"}]


def test_a_day_with_many_logs_becomes_parts_that_fit_into_an_item() -> None:
    lines = [a_line(number, age_days=40, text=os.urandom(5_000).hex()) for number in range(100)]
    store = MemoryStore(rows=list(lines))

    answer = archive_old_logs(OldLogs(), a_run(), store=lambda: store, now=lambda: NOW)

    assert answer["parts"] == len(store.archives) > 1
    assert sum(len(lines_of(one)) for one in store.archives) == 100
    assert all(len(one.content) < PART_BYTES for one in store.archives)


def test_a_run_that_died_before_the_deletion_is_repeated_without_loss() -> None:
    store = MemoryStore(rows=[a_line(1, age_days=31)])

    class Dying(MemoryStore):
        def delete_rows(self, kind: str, day: date) -> None:
            raise OSError(kind, day)

    dying = Dying(rows=store.rows)
    with pytest.raises(OSError, match="log"):
        archive_old_logs(OldLogs(), a_run(), store=lambda: dying, now=lambda: NOW)

    assert len(dying.rows) == len(dying.archives) == 1


def test_archives_older_than_ninety_days_go() -> None:
    store = MemoryStore(rows=[a_line(1, age_days=89), a_line(2, age_days=91)])
    archive_old_logs(OldLogs(), a_run(), store=lambda: store, now=lambda: NOW)

    assert delete_old_archives(OldArchives(), store=lambda: store, now=lambda: NOW) == 1
    assert [one.day for one in store.archives] == [(NOW - timedelta(days=89)).date()]


def a_file(folder: Path, name: str, age: timedelta) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(name)
    written = (NOW - age).timestamp()
    os.utime(path, (written, written))
    return path


def test_old_files_go_and_nothing_outside_of_their_folder(tmp_path: Path) -> None:
    outside = a_file(tmp_path, "outside", timedelta(days=400))
    young = a_file(tmp_path, "temp/young", timedelta(hours=23))
    artifact = a_file(tmp_path, "artifacts/build/old", timedelta(days=8))
    a_file(tmp_path, "temp/deep/old", timedelta(hours=25))
    (tmp_path / "temp/link").symlink_to(outside)
    os.utime(tmp_path / "temp/link", (0, 0), follow_symlinks=False)

    assert delete_temp_files(TempFiles(), a_run(), folder=lambda: tmp_path, now=lambda: NOW) == 2
    assert (outside.exists(), young.exists(), artifact.exists()) == (True, True, True)
    assert delete_old_artifacts(OldFiles(), a_run(), folder=lambda: tmp_path, now=lambda: NOW) == 1
    assert delete_old_artifacts(OldFiles(), a_run(), folder=lambda: tmp_path / "none", now=lambda: NOW) == 0


def test_subscriptions_that_have_ended_are_marked_as_expired() -> None:
    over = Subscription(id="s1", user_id="u1", ends_at=NOW)
    runs_on = Subscription(id="s2", user_id="u1", ends_at=NOW + timedelta(seconds=1))
    store = MemoryStore(subscriptions=[over, runs_on])

    assert expire_subscriptions(Nothing(), a_run(), store=lambda: store, now=lambda: NOW) == 1
    assert (store.is_expired("s1"), store.is_expired("s2")) == (True, False)


def test_codes_and_sessions_are_removed_by_jobs_of_their_own() -> None:
    store = MemoryStore(tokens=[Token(kind=kind, id=kind, expires_at=NOW) for kind in ("otp", "session", "refresh")])

    assert clean_up_codes(Nothing(), a_run(), store=lambda: store, now=lambda: NOW) == 1
    assert clean_up_sessions(Nothing(), a_run(), store=lambda: store, now=lambda: NOW) == 1
    assert [one.kind for one in store.tokens] == ["refresh"]


def test_the_daily_report_is_of_the_day_before_unless_one_is_named() -> None:
    app_in_memory(app)

    job_ids = [
        report_daily(ReportOn(), a_run(job_id="a"), now=lambda: NOW),
        report_daily(ReportOn.model_validate({"date": "2025-12-24"}), a_run(job_id="b"), now=lambda: NOW),
    ]

    payloads = [json.loads(app.get(one).payload or "") for one in job_ids]
    assert [one["start"] for one in payloads] == ["2026-02-28", "2025-12-24"]


def test_a_newsletter_is_a_mail_for_each_reader_however_often_its_job_runs() -> None:
    app_in_memory(app)
    readers = [User(id=f"u{n}", email=f"u{n}@example.com", name="x", newsletter=True) for n in range(150)]
    store = MemoryStore(users=[*readers, User(id="no", email="no@example.com", name="x")])

    answers = [send_newsletter(Issue(), a_run(job_id="n", attempt=attempt), store=lambda: store) for attempt in (1, 2)]

    assert answers == [150, 150]
    assert {app.get(f"n.{one.id}").state for one in readers} == {State.QUEUED}


@dataclass(frozen=True)
class Numbers:
    waiting: int
    dead: int


def test_a_health_check_warns_above_a_hundred_failed_and_a_thousand_waiting() -> None:
    notes = Notes()
    lanes = {"high": Numbers(1_000, 100), "low": Numbers(1_001, 101)}

    warnings = check_health(HealthCheck(), a_run(notes=notes), lanes=lambda: lanes)

    assert warnings == ["high failure rate in low: 101 failed", "low is backing up: 1001 waiting"]
    assert notes.lines == warnings


def test_a_health_check_looks_at_the_lanes_of_the_application_by_itself() -> None:
    app_in_memory(app)

    assert check_health(HealthCheck(waiting=-1), a_run())[0] == "critical is backing up: 0 waiting"


@pytest.mark.parametrize(("kind", "rows"), [("full", 2), ("incremental", 1)])
def test_a_backup_keeps_whole_days_that_are_over(kind: str, rows: int) -> None:
    store = MemoryStore()
    for number, age in enumerate((0, 1, 31, 32)):
        at = NOW - timedelta(days=age)
        store.add_transaction(Transaction(id=f"t{number}", at=at, amount=Decimal("1.50"), currency="EUR"))

    answer = back_up(Backup.model_validate({"type": kind}), a_run(), store=lambda: store, now=lambda: NOW)

    assert answer["rows"] == rows
    kept = json.loads(gzip.decompress(store.archives[-1].content))
    assert (kept["id"], kept["amount"]) == ("t1", "1.50")


def test_a_rollup_counts_a_days_events() -> None:
    at = datetime(2026, 2, 1, 5, tzinfo=UTC)
    rows = [Row(kind="event", id=str(n), at=at, fields={"event": "login", "user": "u"}) for n in range(3)]
    store, notes = MemoryStore(rows=rows), Notes()

    assert roll_up(EventsOf(day=at.date()), a_run(notes=notes), store=lambda: store) == {"login": 3}
    assert store.rows[-1].fields == {"login": "3"}
    assert [percent for percent, _ in notes.said] == [25, 75, 100]
