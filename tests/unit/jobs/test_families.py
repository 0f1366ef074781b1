"""The application's job types, as declared."""

from __future__ import annotations

import subprocess
import sys

import pytest

from jobs import app, email
from lanework.model.job.payload import public_part

TYPES = {
    "account.forgot-password": ("email", "critical", 5, None),
    "analytics.rollup": ("analytics", "low", 3, None),
    "cleanup.expired-tokens": ("cleanup", "batch", 3, "0 2 * * *"),
    "cleanup.old-archives": ("cleanup", "batch", 3, "0 2 * * *"),
    "cleanup.old-artifacts": ("cleanup", "batch", 3, "0 4 * * SUN"),
    "cleanup.old-logs": ("cleanup", "batch", 3, "0 3 * * *"),
    "cleanup.temp-files": ("cleanup", "batch", 3, "0 4 * * *"),
    "daily-backup": ("analytics", "low", 3, "0 1 * * *"),
    "daily-report": ("scheduler", "batch", 3, "0 0 * * *"),
    "demo.crash": ("demo", "critical", None, None),
    "demo.doomed": ("demo", "high", 2, None),
    "demo.flaky": ("demo", "medium", 3, None),
    "demo.greet": ("demo", "medium", None, None),
    "demo.nap": ("demo", "low", None, None),
    "deployment.run": ("deployment", "high", 3, None),
    "email.alert": ("email", "critical", 5, None),
    "email.bulk": ("newsletter", "batch", 3, None),
    "email.deployment-notification": ("email", "high", 3, None),
    "email.password-reset": ("email", "critical", 5, None),
    "email.pipeline-complete": ("email", "medium", 3, None),
    "email.send": ("email", "medium", 3, None),
    "email.test-results": ("email", "medium", 3, None),
    "email.welcome": ("email", "medium", 3, None),
    "export.transactions": ("export", "low", None, None),
    "health-check": ("analytics", "low", 3, "* * * * *"),
    "invoice.created": ("tickets", "high", 4, None),
    "newsletter.weekly": ("newsletter", "batch", 3, "0 9 * * MON"),
    "ops.alert": ("email", "critical", 5, None),
    "payment.notification": ("email", "high", 3, None),
    "payment.process": ("payments", "high", None, None),
    "payment.received": ("tickets", "critical", 4, None),
    "pipeline.run": ("pipeline", "high", 3, None),
    "push.send": ("notification", "medium", 3, None),
    "reminder": ("tickets", "medium", 4, None),
    "report.analytics": ("report", "low", 3, None),
    "report.audit-log": ("report", "low", 3, None),
    "report.pipeline": ("report", "low", 3, None),
    "report.security-scan": ("report", "low", 3, None),
    "report.test-coverage": ("report", "low", 3, None),
    "report.transactions": ("report", "low", 3, None),
    "scheduler.cleanup-expired-otps": ("scheduler", "batch", 3, "every 6:00:00"),
    "scheduler.cleanup-old-sessions": ("scheduler", "batch", 3, "every 1 day, 0:00:00"),
    "scheduler.expire-subscriptions": ("scheduler", "batch", 3, "every 1:00:00"),
    "sms.send": ("notification", "medium", 3, None),
    "test.run": ("test", "medium", 3, None),
    "ticket.approved": ("tickets", "high", 4, None),
    "ticket.assigned": ("tickets", "high", 4, None),
    "ticket.created": ("tickets", "high", 4, None),
    "ticket.quoted": ("tickets", "high", 4, None),
    "user.otp": ("email", "critical", 5, None),
    "user.signin.notification": ("email", "high", 5, None),
    "wallet.sync": ("payments", "medium", None, None),
    "webhook.cryptomus": ("webhook", "high", None, None),
    "webhook.nowpayments": ("webhook", "high", None, None),
}
"""Queue, lane, attempts (None: the lane's), and when it is enqueued by itself."""


def when(name: str) -> str | None:
    schedule = app.registry.get(name).schedule
    if schedule is None:
        return None
    return schedule.timetable.cron or f"every {schedule.timetable.every}"


def test_every_job_type_is_in_its_queue_and_lane_with_its_attempts_and_its_schedule() -> None:
    declared = {
        one.name: (one.queue, one.options.lane, one.options.attempts, when(one.name))
        for one in app.registry.types
        if one.queue != "lanework"
    }

    assert declared == TYPES


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("email.welcome", {"Concurrency(5)"}),
        ("email.send", {"Concurrency(5)", "Rate(50, per=0:01:00)"}),
        ("email.password-reset", set()),
        ("report.analytics", {"Concurrency(2)"}),
        ("pipeline.run", {"Concurrency(10)"}),
        ("test.run", {"Concurrency(5)"}),
        ("deployment.run", {"Concurrency(3)"}),
        ("push.send", {"Concurrency(10)"}),
        ("cleanup.old-logs", {"Concurrency(1)"}),
        ("health-check", {"Concurrency(2)"}),
        ("webhook.cryptomus", {"Rate(100, per=0:01:00)"}),
        ("webhook.nowpayments", {"Rate(100, per=0:01:00)"}),
        ("email.bulk", {"Rate(500, per=0:01:00)"}),
    ],
)
def test_a_type_is_under_the_limits_of_its_queue_and_its_own(name: str, limits: set[str]) -> None:
    def shown(limit: object) -> str:
        per = getattr(limit, "per", None)
        return f"{type(limit).__name__}({getattr(limit, 'n')}{'' if per is None else f', per={per}'})"  # noqa: B009

    assert {shown(bound.limit) for bound in app.registry.get(name).waits_for} == limits


def test_the_last_hundred_completed_and_five_hundred_failed_are_kept() -> None:
    kept = {queue: (one.completed, one.failed) for queue, one in app.registry.retentions.items()}

    assert set(kept) == set(app.registry.queues) - {"demo", "lanework"}
    assert {numbers for queue, numbers in kept.items() if queue != "scheduler"} == {(100, 500)}
    assert kept["scheduler"] == (100, None)


def test_of_a_sign_in_only_the_provider_may_be_logged() -> None:
    signin = email.SignIn.model_validate(
        {
            "userId": "u1",
            "email": "bat@example.com",
            "name": "Bat",
            "provider": "github",
            "ipAddress": "::1",
            "userAgent": "",
        }
    )

    assert {"provider": "github"} == public_part(signin)


def test_of_a_one_time_code_only_purpose_may_be_logged() -> None:
    assert {"purpose": "sign-in"} == public_part(email.Otp(email="bat@example.com", code="012345"))


def test_importing_the_jobs_loads_no_aws_library_and_no_template_engine() -> None:
    code = "import sys, jobs; print(sorted({'boto3', 'botocore', 'pynamodb', 'jinja2'} & set(sys.modules)))"
    imported = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )

    assert b"[]" == imported.stdout.strip()
