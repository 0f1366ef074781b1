"""What the five systems promise, row by row: docs/seeds.md is made of it, and each row has a test."""

from typing import Final

SYSTEMS: Final = {
    "000": "Yellow Books: sign-in e-mail",
    "001": "GoLive: eight queues",
    "002": "Budget tracker: scheduler",
    "003": "Tickets module",
    "004": "SLA lanes",
}

ROWS: Final = {
    "000-01": "enqueue on sign-in without blocking it",
    "000-02": "type `user.signin.notification`",
    "000-03": "payload userId, email, name, provider, ipAddress, userAgent",
    "000-04": "the Mongolian e-mail exactly as in the file (UTF-8 subject and body, localised date)",
    "000-05": "log-only mail mode with its banner `EMAIL SENT (LOG-ONLY MODE)`",
    "000-06": "five attempts: at once, then after 2, 4, 8, 16 s",
    "000-07": "after five, state dlq; review, then retry or delete",
    "000-08": "idempotency: no duplicate e-mail",
    "000-09": "at most 10 e-mails per user per hour, both numbers tunable",
    "000-10": "`POST /api/jobs/signin-notification` → 202 `{message, jobId, status}`",
    "000-11": "`GET /api/jobs/{id}` → `{jobId, type, status, createdAt, processedAt, attemptCount, error}`",
    "000-12": (
        "`GET /api/admin/dlq` → `{count, jobs:[{jobId, jobType, status, error, attemptCount, createdAt, processedAt}]}`"
    ),
    "000-13": "tracking in a table that can be queried by status",
    "000-14": "monitoring: metrics, alerts, logs",
    "000-15": "test by script and by curl",
    "001-01": (
        "queues with concurrency and priority: email 5 NORMAL, report 2 NORMAL, pipeline 10 HIGH, test 5 "
        "NORMAL, deployment 3 HIGH, notification 10 NORMAL, cleanup 1 LOW, analytics 2 LOW"
    ),
    "001-02": "priorities CRITICAL HIGH NORMAL LOW",
    "001-03": (
        "defaults: attempts 3, exponential from 2 s, keep the last 100 completed and 500 failed (count-based, "
        "per queue)"
    ),
    "001-04": "per-job override of attempts, base delay, priority, retention",
    "001-05": (
        "e-mail types welcome, password-reset (HIGH), pipeline-complete, test-results, deployment- "
        "notification (HIGH), alert (CRITICAL); `to` one or a list; HTML templates from a context; SMTP"
    ),
    "001-06": (
        "report types pipeline-report, test-coverage, security-scan, analytics, audit-log, with start and end dates"
    ),
    "001-07": (
        "cleanup: expired-tokens daily 02:00, old-logs daily 03:00 (archive > 30 days), temp-files daily "
        "04:00, old-artifacts Sunday 04:00 (> 7 days)"
    ),
    "001-08": "add, delayed (ms), at a time, repeating (cron; the five expressions of the file)",
    "001-09": "`daily-backup` and `health-check` schedules",
    "001-10": "custom processor with its own concurrency",
    "001-11": "progress 0–100, readable",
    "001-12": "stored results",
    "001-13": "transient against permanent errors",
    "001-14": "ADMIN role and bearer token on monitoring",
    "001-15": (
        "`GET /api/v1/jobs/queues`, `…/{q}/stats`, `…/{q}/failed?start&end`, `POST …/{q}/job/{id}/retry`, "
        "`…/pause`, `…/resume`, `…/clean {grace, status}`, in the file's shapes"
    ),
    "001-16": "the same from code",
    "001-17": "health check each minute: warn at failed > 100, waiting > 1,000",
    "001-18": "idempotent job pattern: the stored result comes back",
    "001-19": "log started, completed, failed with ids",
    "001-20": "SMTP settings",
    "002-01": "queues email, scheduler",
    "002-02": "OTP first, payment success after",
    "002-03": "3 attempts",
    "002-04": "completed removed, failed kept",
    "002-05": (
        "expire-subscriptions hourly, cleanup-expired-otps every 6 h, cleanup-old-sessions every 24 h (> 30 days)"
    ),
    "002-06": ("set up again on every deploy without doubling (and, better than the file, without shifting the phase)"),
    "002-07": "status: list of schedules and counts",
    "002-08": "one firing runs once across replicas",
    "002-09": "survive restarts",
    "002-10": "graceful stop",
    "002-11": "adding a job or an e-mail type is a documented three-step change",
    "002-12": "last 100 completed",
    "002-13": "dashboard at one address",
    "002-14": "durations logged",
    "003-01": "queues tickets, notifications (e-mail, SMS, push), dead letter",
    "003-02": (
        "types ticket.created, .quoted, .approved, .assigned, invoice.created, payment.received, email.send, "
        "sms.send, reminder, daily-report"
    ),
    "003-03": "options priority, delay, jobId",
    "003-04": "envelope `{type, data}`",
    "003-05": "3 retries 2, 4, 8 s, then dead letter",
    "003-06": "priorities 1–4",
    "003-07": "delays of 5 s and 24 h",
    "003-08": "same jobId, one job",
    "003-09": "cron enqueue once, not once per replica",
    "003-10": "works without the broker, with a warning (but no job may be lost, as theirs are)",
    "003-11": "events on completion",
    "003-12": "payload validated first, nothing sensitive logged",
    "003-13": "concurrency per queue",
    "003-14": "tests at every level",
    "003-15": "dashboard",
    "003-16": "success and failure rates",
    "003-17": "retry in the UI",
    "003-18": "cron",
    "003-19": "dependencies",
    "003-20": "batching",
    "003-21": "Prometheus/Grafana metrics",
    "003-22": "webhooks on completion",
    "003-23": "finer priorities",
    "003-24": "rate limits",
    "003-25": "timeouts that kill",
    "003-26": "per-job logs",
    "003-27": "analytics (run times, waits, failures by type over time)",
    "003-28": "archiving to cold storage",
    "003-29": "many workers",
    "004-01": "CRITICAL < 1 s, 20 workers (password reset, OTP, 2FA)",
    "004-02": "HIGH < 5 s, 10 (payments, notifications, webhooks)",
    "004-03": "MEDIUM < 30 s, 5 (transactions, e-mails, wallet sync)",
    "004-04": "LOW < 5 min, 2 (reports, exports, analytics)",
    "004-05": "BATCH, 1 (cleanup, archives, bulk e-mail)",
    "004-06": "slow work never delays critical work",
    "004-07": (
        "helpers for password reset, OTP, payment, payment notification, e-mail, wallet sync, report, export, "
        "old-log cleanup(90), bulk e-mails"
    ),
    "004-08": (
        "rate limits per minute: Cryptomus 100, NOWPayments 100, e-mail 50, bulk e-mail 500; the other side "
        "never sees too many"
    ),
    "004-09": "attempts 5/3/2/1/1",
    "004-10": "failed jobs kept, filtered by type and date, newest first, re-added by hand",
    "004-11": "alert when more than 10 die in 24 h",
    "004-12": "`GET /api/jobs/metrics` per lane `{waiting, active, completed, failed, delayed, total}`",
    "004-13": "pause and resume by priority number",
    "004-14": "test endpoints in development only",
    "004-15": (
        "application endpoints that answer at once: forgot-password (which must not tell which accounts "
        "exist, as the file's does), send-otp, payments/process, support/contact, reports/transactions, "
        "exports/transactions, webhooks/cryptomus (signature checked)"
    ),
    "004-16": "daily cleanup 02:00, newsletter Monday 09:00 in rate-limited batches",
    "004-17": "per-job timeout (10 min in the example)",
    "004-18": "broker down: run directly",
    "004-19": "SIGTERM: finish and close",
    "004-20": (
        "dashboard: lane cards, 5 s refresh, waiting yellow, active blue, completed green, failed red, total grey"
    ),
    "004-21": "alert on final failure with type, priority, id, attempts",
    "004-22": "enqueue < 10 ms, response < 50 ms",
    "004-23": (
        "load test: 100 password resets at once queued in < 1 s in all, 20 at a time, none blocks, all "
        "e-mails sent within 10 s"
    ),
}
"""Promises by row id."""
