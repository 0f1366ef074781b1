"""The eight queues of seed 001, row by row, on the embedded stack."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from jobs import producing
from jobs.analytics import EventsOf, HealthCheck, check_health, roll_up
from jobs.cleanup import OldLogs, archive_old_logs
from jobs.cleanup.logs import lines_of
from jobs.demo import Doomed, Flaky, Greet, doomed, flaky, greet
from jobs.email import SendEmail, send_email
from jobs.engineering import Pipeline, run_pipeline
from jobs.payments import PaymentOrder
from jobs.settings import MailSettings, SettingsError
from jobs.store import Form, Row, Token
from lanework import Cause, State
from lanework.http.auth.tokens import Role
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.lanes import Lane
from lanework.model.schedule.timetable import Timetable
from tests.support.notices import CONTEXTS, SUBJECTS
from tests.support.seeds import gaps

if TYPE_CHECKING:
    from lanework.model.lanes import LaneName
    from tests.support.seeds import World

REPORTS = ("report.pipeline", "report.test-coverage", "report.security-scan", "report.analytics", "report.audit-log")
DAYS = {"startDate": "2025-10-01", "endDate": "2025-10-23", "userId": "user-id"}
OCTOBER = datetime(2025, 10, 6, 9, tzinfo=UTC)


def test_001_01_the_eight_queues_are_there_with_their_limits_and_lanes(world: World) -> None:
    expected = {
        "email": (5, Lane.MEDIUM),
        "report": (2, Lane.LOW),
        "pipeline": (10, Lane.HIGH),
        "test": (5, Lane.MEDIUM),
        "deployment": (3, Lane.HIGH),
        "notification": (10, Lane.MEDIUM),
        "cleanup": (1, Lane.BATCH),
        "analytics": (2, Lane.LOW),
    }
    _, said = world.api("GET", "/api/v1/jobs/queues")
    assert set(expected) <= set(said["data"])

    declared = {
        (one.queue, bound.limit.n, Lane(str(one.options.lane)))
        for one in world.app.registry.types
        for bound in one.bounds
        if bound.scope == f"queue:{one.queue}"
    }
    assert declared == {(queue, *numbers) for queue, numbers in expected.items()}


def test_001_02_a_job_has_one_of_the_four_priorities(world: World) -> None:
    words: tuple[LaneName, ...] = ("critical", "high", "normal", "low")
    receipts = [greet.enqueue(Greet(name=word), lane=word) for word in words]

    lanes = [world.end(one.job_id).lane for one in receipts]

    assert lanes == [Lane.CRITICAL, Lane.HIGH, Lane.MEDIUM, Lane.LOW]


def test_001_03_three_attempts_from_two_seconds_and_so_many_are_kept(world: World) -> None:
    failed = world.end(world.slow["payment"])
    kept = world.app.registry.retentions["email"]

    assert (failed.attempts, [wait <= gap for wait, gap in zip((2, 4), gaps(failed), strict=True)]) == (3, [True, True])
    assert (kept.completed, kept.failed) == (100, 500)


def test_001_04_a_call_overrides_attempts_base_delay_and_priority(world: World) -> None:
    receipt = doomed.enqueue(Doomed(), attempts=3, backoff=timedelta(seconds=1), lane="critical")

    record = world.end(receipt.job_id)

    assert (record.attempts, record.lane, record.backoff_base) == (3, Lane.CRITICAL, timedelta(seconds=1))


def test_001_05_each_kind_of_mail_goes_to_one_or_many_by_smtp_in_its_lane(world: World) -> None:
    many = ["one@golive.dev", "two@golive.dev"]
    receipts = {name: world.app.enqueue(name, {"to": many, "context": context}) for name, context in CONTEXTS.items()}
    reset = {"email": "one@golive.dev", "url": "https://golive.dev/reset?token=1"}
    receipts["email.password-reset"] = world.app.enqueue("email.password-reset", reset)
    records = {name: world.end(one.job_id) for name, one in receipts.items()}

    assert {name: one.state for name, one in records.items()} == dict.fromkeys(records, State.COMPLETED)
    assert {name: one.lane.value for name, one in records.items()} == {
        "email.welcome": "medium",
        "email.password-reset": "critical",
        "email.pipeline-complete": "medium",
        "email.test-results": "medium",
        "email.deployment-notification": "high",
        "email.alert": "critical",
    }
    arrived = {str(mail["Subject"]): mail for mail in world.mailbox.to("two@golive.dev")}
    assert set(SUBJECTS.values()) == set(arrived)
    html = arrived["Welcome, John Doe"].get_body(("html",))
    assert html is not None
    assert "https://app.golive.dev/dashboard" in html.get_content()


def test_001_06_each_kind_of_report_is_made_over_its_days(world: World) -> None:
    world.store.add_row(
        Row(kind="audit", id="r1", at=OCTOBER, fields={"actor": "bat", "action": "delete", "target": "x"})
    )
    receipts = {name: world.app.enqueue(name, DAYS) for name in REPORTS}

    ended = {name: world.end(one.job_id) for name, one in receipts.items()}

    assert {one.state for one in ended.values()} == {State.COMPLETED}
    forms: tuple[Form, ...] = ("csv", "json", "html")
    for form in forms:
        kept = world.store.report(receipts["report.audit-log"].job_id, form)
        assert kept is not None
        assert "delete" in kept.content


def test_001_07_cleanups_run_at_their_hours_and_archive_before_they_delete(world: World) -> None:
    at = {
        "cleanup.expired-tokens": "cron(0 2 * * ? *)",
        "cleanup.old-logs": "cron(0 3 * * ? *)",
        "cleanup.temp-files": "cron(0 4 * * ? *)",
        "cleanup.old-artifacts": "cron(0 4 ? * SUN *)",
    }
    template = world.stack.deployer.project.template.read_text()
    for name, expression in at.items():
        assert (
            f"Name: {name}\n            GroupName: !Ref ScheduleGroup\n            ScheduleExpression: {expression}"
            in template
        )
    old = world.app.ports.clock() - timedelta(days=31)
    world.store.add_row(Row(kind="log", id="l1", at=old, fields={"text": "Ном"}))
    world.store.add_token(Token(kind="refresh", id="r1", expires_at=old))

    logs = archive_old_logs.enqueue(OldLogs())
    others = [world.app.enqueue(name, {}) for name in at if name != "cleanup.old-logs"]

    assert json.loads(world.end(logs.job_id).result or "") == {"days": 1, "lines": 1, "parts": 1}
    assert [lines_of(one)[0]["text"] for one in world.store.archive("log", old.date())] == ["Ном"]
    assert {world.end(one.job_id).state for one in others} == {State.COMPLETED}
    assert list(world.store.expired_tokens("refresh", now=world.app.ports.clock(), page_size=1)) == []


def test_001_08_a_job_is_added_now_later_at_a_time_or_again_and_again(world: World) -> None:
    now = world.app.ports.clock()
    delayed = greet.enqueue(Greet(name="later"), delay=timedelta(milliseconds=1500))
    at_a_time = greet.enqueue(Greet(name="at"), run_at=now + timedelta(seconds=3))
    for number, cron in enumerate(("0 * * * *", "0 0 * * *", "0 9 * * 1-5", "*/15 * * * *", "0 0 1 * *")):
        world.app.schedules.add(f"file-{number}", "demo.greet", {}, cron=cron)

    for receipt in (delayed, at_a_time):
        record = world.end(receipt.job_id)
        assert record.first_started_at is not None
        assert record.first_started_at >= record.run_at
    weekdays = world.app.schedules.next("file-2", 5)
    assert [(one.hour, one.weekday() < 5) for one in weekdays] == [(9, True)] * 5
    for number in range(5):
        world.app.schedules.remove(f"file-{number}")


def test_001_09_the_backup_and_the_health_check_are_scheduled_and_run(world: World) -> None:
    listed = {one.record.schedule.name: one.record.schedule.timetable for one in world.app.schedules.list()}
    assert (listed["daily-backup"], listed["health-check"]) == (
        Timetable(cron="0 1 * * *"),
        Timetable(cron="* * * * *"),
    )

    backup = world.app.schedules.run("daily-backup")

    assert json.loads(world.end(backup.job_id).result or "")["days"] == 31


def test_001_10_a_processor_of_ones_own_has_its_own_concurrency_and_progress(world: World) -> None:
    world.store.add_row(Row(kind="event", id="e1", at=OCTOBER, fields={"event": "login", "user": "u1"}))

    record = world.end(roll_up.enqueue(EventsOf(day=OCTOBER.date())).job_id)

    assert (record.result, record.progress) == ('{"login":1}', 100)
    assert "type:analytics.rollup" in {bound.scope for bound in world.app.registry.get("analytics.rollup").bounds}


def test_001_11_progress_from_0_to_100_can_be_read(world: World) -> None:
    receipt = run_pipeline.enqueue(Pipeline(name="nightly", project="shop"))
    world.end(receipt.job_id)

    status, said = world.api("GET", f"/api/jobs/{receipt.job_id}/progress")

    assert (status, said["progress"]) == (200, 100)


def test_001_12_a_jobs_result_is_kept(world: World) -> None:
    receipt = greet.enqueue(Greet(name="Bat"))

    assert receipt.result(timeout=timedelta(seconds=60)) == "Hello, Bat!"
    assert world.api("GET", f"/api/jobs/{receipt.job_id}")[1]["result"] == "Hello, Bat!"


def test_001_13_what_may_pass_is_tried_again_and_what_will_not_is_not(world: World) -> None:
    transient = world.end(flaky.enqueue(Flaky(fail_times=1)).job_id)
    gone = SendEmail(to="gone@example.com", subject="Hi", text="x")
    permanent = world.end(send_email.enqueue(gone).job_id)

    assert (transient.state, transient.attempts) == (State.COMPLETED, 2)
    assert (permanent.state, permanent.cause, permanent.attempts) == (State.DEAD, Cause.DISCARDED, 1)
    assert "550 5.1.1" in (permanent.error or "")


def test_001_14_monitoring_needs_a_bearer_token_and_steering_the_admin_role(world: World) -> None:
    path = "/api/v1/jobs/queues/email/pause"

    assert world.api("GET", "/api/v1/jobs/queues", role=None)[0] == 401
    assert [world.api("POST", path, role=role)[0] for role in (Role.VIEWER, Role.PRODUCER)] == [403, 403]
    assert world.api("GET", "/api/v1/jobs/queues", role=Role.VIEWER)[0] == 200


def test_001_15_the_monitoring_endpoints_answer_in_the_files_shapes(world: World) -> None:
    dead = world.end(doomed.enqueue(Doomed(), attempts=1).job_id)
    numbers = {"waiting", "active", "completed", "failed", "delayed", "paused"}

    _, all_queues = world.api("GET", "/api/v1/jobs/queues")
    _, one_queue = world.api("GET", "/api/v1/jobs/queues/demo/stats")
    _, failed = world.api("GET", "/api/v1/jobs/queues/demo/failed?start=0&end=50")
    shown = next(one for one in failed["data"] if one["id"] == dead.job_id)
    assert all_queues["success"]
    assert numbers <= set(all_queues["data"]["email"])
    assert one_queue["data"]["failed"] >= 1
    assert {"id", "name", "data", "failedReason", "attemptsMade", "timestamp"} <= set(shown)
    assert (shown["name"], shown["attemptsMade"]) == ("demo.doomed", 1)

    steered = [
        world.api("POST", f"/api/v1/jobs/queues/demo/{what}", body)[0]
        for what, body in (
            (f"job/{dead.job_id}/retry", None),
            ("pause", None),
            ("resume", None),
            ("clean", {"grace": 604_800_000, "status": "completed"}),
        )
    ]
    assert steered == [200, 200, 200, 202]
    assert world.end(dead.job_id).life == 2


def test_001_16_the_same_is_to_be_had_from_code(world: World) -> None:
    dead = world.end(doomed.enqueue(Doomed(), attempts=1).job_id)

    assert set(world.app.inspector.counts()) == set(Lane)
    assert dead.job_id in [
        one.job_id for one in world.app.dead_letters.jobs.page(DeadFilter(queue="demo"), limit=100).jobs
    ]
    assert world.app.get(dead.job_id).error == "OnPurposeError: this job always fails"
    world.app.pause(queue="test")
    assert "queue:test" in world.app.ports.flags.read().paused
    world.app.resume(queue="test")


def test_001_17_each_minute_the_health_check_warns_above_its_thresholds(world: World) -> None:
    calm = world.end(check_health.enqueue(HealthCheck()).job_id)
    alarmed = world.end(check_health.enqueue(HealthCheck(waiting=-1)).job_id)

    assert (HealthCheck().failed, HealthCheck().waiting) == (100, 1_000)
    assert json.loads(calm.result or "") == []
    assert len(json.loads(alarmed.result or "")) == 5
    assert "critical is backing up: 0 waiting" in world.app.inspector.log(alarmed.job_id)[0]


def test_001_18_a_job_that_was_done_gives_its_stored_result_back(world: World) -> None:
    order = PaymentOrder(
        transaction_id="order-18", user_id="u18", email="u18@example.com", amount=Decimal(5), currency="EUR"
    )
    first = producing.process_payment(order)
    assert first.result(timeout=timedelta(seconds=60)) == "paid"

    again = producing.process_payment(order)

    assert (again.duplicate, again.result(timeout=timedelta(seconds=1))) == (True, "paid")
    assert world.store.wallet_entries("u18") == {"EUR": Decimal(5)}


def test_001_19_starts_completions_and_failures_are_logged_with_ids(world: World) -> None:
    receipt = flaky.enqueue(Flaky(fail_times=1))
    world.end(receipt.job_id)

    for action in ("job.started", "job.retrying", "job.completed"):
        line = json.loads(world.logged(since=world.began, wanted=f'"{action}"'))
        assert {"job_id", "job_type"} <= set(line) or {"job_id", "type"} <= set(line)


def test_001_20_the_mail_server_is_a_setting_and_what_makes_no_sense_is_refused(world: World) -> None:
    assert world.stack.deployer.parameters["SmtpHost"] == "127.0.0.1"
    settings = MailSettings.from_environ(
        {
            "SMTP_HOST": "smtp.gmail.com",
            "SMTP_PORT": "587",
            "SMTP_USERNAME": "u",
            "SMTP_PASSWORD": "p",
            "MAIL_FROM": "noreply@golive.dev",
        }
    )
    assert (settings.starttls, settings.logs_in) == (True, True)
    with pytest.raises(SettingsError, match="MAIL_FROM"):
        MailSettings.from_environ({"SMTP_HOST": "smtp.gmail.com"})
