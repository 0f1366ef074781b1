"""The sign-in e-mail of seed 000, row by row, on the embedded stack."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from jobs.email import notify_sign_in
from jobs.settings import SignInSettings
from lanework import QuotaExceededError, State
from lanework.local.emulator.subprocess_env import clean_environment
from tests.support.seeds import LANEWORK, SIGN_IN, STACK, a_sign_in, gaps, with_parameters
from tests.support.sign_in_mail import SUBJECT, TEXT

if TYPE_CHECKING:
    from tests.support.seeds import World

MOMENT = "2025-12-19T07:00:00Z"


def test_000_01_the_enqueue_returns_while_the_mail_server_would_still_be_refusing(world: World) -> None:
    receipt = notify_sign_in.enqueue(a_sign_in(userId="u-01", email="busy-01@example.com"))

    assert world.app.get(receipt.job_id).state in (State.QUEUED, State.RUNNING, State.RETRYING)


def test_000_02_the_type_is_user_signin_notification(world: World) -> None:
    receipt = notify_sign_in.enqueue(a_sign_in(userId="u-02", email="u-02@example.com"))

    assert (world.end(receipt.job_id).type, world.app.get(receipt.job_id).state) == (
        "user.signin.notification",
        State.COMPLETED,
    )


def test_000_03_the_payload_has_the_files_fields_by_their_names(world: World) -> None:
    receipt = world.app.enqueue("user.signin.notification", {**SIGN_IN, "userId": "u-03", "email": "u-03@example.com"})

    record = world.end(receipt.job_id)
    stored = json.loads(world.app.ports.ledger.payload_of(record) or "{}")
    assert record.state is State.COMPLETED
    assert {"user_id", "email", "name", "provider", "ip_address", "user_agent"} <= set(stored)
    plain = world.mail_to("u-03@example.com").get_body(("plain",))
    assert plain is not None
    assert "📍 IP Address: 192.168.1.1" in plain.get_content()


def test_000_04_the_mongolian_mail_arrives_as_the_file_has_it(world: World) -> None:
    notify_sign_in.enqueue(a_sign_in(userId="u-04", signedInAt=MOMENT))

    mail = world.mail_to("test@example.com")
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert (mail["Subject"], plain.get_content().splitlines()) == (SUBJECT, TEXT.splitlines())
    assert plain.get_content_charset() == "utf-8"


def test_000_06_five_attempts_at_once_then_after_2_4_8_16_seconds(world: World) -> None:
    record = world.end(world.slow["signin"])

    assert (record.attempts, len(record.failures)) == (5, 5)
    assert [wait <= gap for wait, gap in zip((2, 4, 8, 16), gaps(record), strict=True)] == [True] * 4
    assert record.run_at == record.created_at, "the first at once"


def test_000_07_after_five_it_is_dead_and_can_be_reviewed_then_retried_or_deleted(world: World) -> None:
    first, second = world.end(world.slow["signin"]), world.end(world.slow["signin-2"])
    _, shown = world.api("GET", "/api/admin/dlq?type=user.signin.notification&limit=100")
    assert {first.job_id, second.job_id} <= {one["jobId"] for one in shown["jobs"]}
    assert all(one["status"] == "dlq" for one in shown["jobs"])

    status, retried = world.api("POST", f"/api/jobs/{first.job_id}/retry", {})
    dropped, _ = world.api("POST", "/api/admin/dlq/drop", {"jobIds": [second.job_id]})

    assert (status, retried["life"], dropped) == (202, 2, 202)
    assert world.app.get(second.job_id).state is State.CANCELLED


def test_000_08_the_same_sign_in_enqueued_twice_is_one_mail(world: World) -> None:
    signin = a_sign_in(userId="u-08", email="u-08@example.com")
    receipts = [notify_sign_in.enqueue(signin, job_id="signin-u-08-session") for _ in range(3)]
    world.end("signin-u-08-session")

    assert [one.duplicate for one in receipts] == [False, True, True]
    assert len(world.mailbox.to("u-08@example.com")) == 1


def test_000_09_a_user_gets_ten_mails_an_hour_and_both_numbers_are_parameters(world: World) -> None:
    for _ in range(10):
        notify_sign_in.enqueue(a_sign_in(userId="u-09", email="u-09@example.com"))

    with pytest.raises(QuotaExceededError) as refused:
        notify_sign_in.enqueue(a_sign_in(userId="u-09", email="u-09@example.com"))

    wait = refused.value.retry_at - world.app.ports.clock()
    assert timedelta(minutes=55) < wait <= timedelta(minutes=61)
    tuned = SignInSettings.from_environ({"SIGNIN_MAILS_PER_USER": "50", "SIGNIN_MAILS_MINUTES": "1440"})
    assert (tuned.mails, tuned.window) == (50, timedelta(days=1))
    template = world.stack.deployer.project.template.read_text()
    assert "SIGNIN_MAILS_PER_USER: !Ref SignInMailsPerUser" in template


def test_000_10_the_endpoint_answers_202_with_message_job_id_and_status(world: World) -> None:
    payload = {**SIGN_IN, "userId": "u-10", "email": "u-10@example.com"}
    status, said = world.api("POST", "/api/jobs/signin-notification", payload)

    assert status == 202
    assert {"message", "jobId", "status"} <= set(said)
    assert world.end(said["jobId"]).state is State.COMPLETED


def test_000_11_a_jobs_state_is_shown_in_the_files_shape(world: World) -> None:
    receipt = notify_sign_in.enqueue(a_sign_in(userId="u-11", email="u-11@example.com"))
    world.end(receipt.job_id)

    status, said = world.api("GET", f"/api/jobs/{receipt.job_id}")

    fields = ("jobId", "type", "status", "createdAt", "processedAt", "attemptCount", "error")
    assert status == 200
    assert [said[name] for name in ("jobId", "status", "attemptCount", "error")] == [
        receipt.job_id,
        "completed",
        1,
        None,
    ]
    assert set(fields) <= set(said)


def test_000_12_dead_jobs_are_listed_in_the_files_shape(world: World) -> None:
    dead = world.end(world.slow["payment"])

    status, said = world.api("GET", "/api/admin/dlq?type=payment.notification&limit=100")

    (shown,) = [one for one in said["jobs"] if one["jobId"] == dead.job_id]
    fields = {"jobId", "jobType", "status", "error", "attemptCount", "createdAt", "processedAt"}
    assert (status, said["count"]) == (200, len(said["jobs"]))
    assert fields <= set(shown)
    assert "451 4.3.0" in shown["error"]


def test_000_13_jobs_are_in_a_table_that_is_asked_by_state(world: World) -> None:
    dead = world.end(world.slow["payment"])

    _, said = world.api("GET", "/api/jobs?status=dead&type=payment.notification")

    assert dead.job_id in [one["jobId"] for one in said["jobs"]]
    assert {one["status"] for one in said["jobs"]} == {"dead"}


def test_000_14_there_are_numbers_alarms_and_logs(world: World) -> None:
    receipt = notify_sign_in.enqueue(a_sign_in(userId="u-14", email="u-14@example.com"))
    world.end(receipt.job_id)

    line = json.loads(world.logged(since=world.began, wanted='"job.completed"'))
    assert {"job_id", "action", "attempt"} <= set(line)
    _, numbers = world.api("GET", "/api/jobs/metrics")
    assert numbers["metrics"]["HIGH"]["completed"] >= 1
    alarms = world.stack.deployer.project.template.read_text().count("AWS::CloudWatch::Alarm")
    assert alarms >= 5


def test_000_15_it_is_tried_from_a_script_with_the_command_line(world: World) -> None:
    environment = {
        **clean_environment(),
        "LANEWORK_STACK": STACK,
        "AWS_REGION": world.stack.handle.region,
        "AWS_ENDPOINT_URL": world.stack.handle.endpoint,
    }
    project = world.stack.deployer.project.root
    command = [LANEWORK, "enqueue", "demo.greet", "--payload", '{"name": "Bat"}', "--job-id", "by-script"]

    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.strip()) == (0, "by-script"), done.stderr
    assert world.end("by-script").result == '"Hello, Bat!"'


def test_000_05_without_a_mail_server_mails_are_shown_under_their_banner(world: World) -> None:
    """Last, since the stack is deployed anew for it, and back."""
    since = world.app.ports.clock()
    silent = with_parameters(world.stack, SmtpHost="")
    try:
        receipt = notify_sign_in.enqueue(a_sign_in(userId="u-05", email="u-05@example.com"))
        world.end(receipt.job_id)
        assert world.logged(since=since, wanted="EMAIL SENT (LOG-ONLY MODE)")
    finally:
        with_parameters(silent, SmtpHost="127.0.0.1")

    assert world.mailbox.to("u-05@example.com") == []
