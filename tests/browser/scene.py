"""An application in memory that has something to show on every page, at a time that stands still."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import sin
from random import Random
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from lanework import App, Jobs, Public, Quota, Rate, Run, State, batch, chain
from lanework.memory import MemoryLedger
from lanework.model.lanes import LANES, Lane, LaneDepth
from lanework.model.lifecycle.states import Cause, Failure
from lanework.model.stats.buckets import Bucket, Incident, Kind
from lanework.model.stats.numbers import Count, Key, Numbers
from lanework.testing import NOON, Clock, app_in_memory, drain
from tests.support.factories import a_record

if TYPE_CHECKING:
    from datetime import datetime

    from lanework import Request, Workflow

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Mail(BaseModel):
    """Payload of e-mails."""

    to: str = "bat@example.com"
    template: Public[str] = "sign-in"


class Range(BaseModel):
    """Payload of reports."""

    month: Public[str] = "2025-12"


def an_application() -> App:
    """Return an application with limits and schedules."""
    email = Jobs(queue="email", lane="high", attempts=5, concurrency=5)
    payments = Jobs(queue="payments", lane="critical")
    reports = Jobs(queue="reports", lane="low", concurrency=2)
    upkeep = Jobs(queue="upkeep", lane="batch")

    @email.job("user.signin.notification", quota=Quota(10, per=HOUR, key="to"))
    def notify(mail: Mail, run: Run) -> str:
        run.log(f"rendering {mail.template}")
        run.log("handed to SMTP")
        return "sent"

    @email.job("user.welcome")
    def welcome(mail: Mail) -> str:
        return f"sent {mail.template}"

    @payments.job("payment.capture", rate=Rate(100, per=MINUTE))
    def capture(_: Mail) -> str:
        return "captured"

    @reports.job("report.month", cron="0 6 1 * *", tz="Asia/Ulaanbaatar")
    def report(_: Range, run: Run) -> str:
        run.progress(50, "counting")
        return "s3://reports/2025-12.csv"

    @reports.job("report.part", attempts=1)
    def part(of: Range) -> int:
        if of.month == "2025-07":
            msg = "the month's file is broken"
            raise ValueError(msg)
        return 12_000

    @upkeep.job("cleanup.expired-tokens", cron="0 2 * * *")
    def cleanup(_: Range) -> int:
        return 412

    @upkeep.job("health.check", every=timedelta(minutes=5))
    def check(_: Range) -> str:
        return "ok"

    return App(email, payments, reports, upkeep)


def a_scene(*, is_counted: bool = False) -> App:
    """Return the application, with jobs in every state."""
    clock = Clock(NOON - HOUR)
    app = app_in_memory(an_application(), clock)
    for number in range(40):
        clock.advance(timedelta(seconds=73))
        name = ("user.signin.notification", "user.welcome", "payment.capture", "report.month")[number % 4]
        app.enqueue(name, {}, job_id=f"{name.split('.')[-1]}-{1000 + number}")
        clock.advance(timedelta(milliseconds=40 + 13 * number))
        drain(app)
    app.workflows.enqueue(_year(app), workflow_id="year-2025")
    drain(app)
    clock.now = NOON
    if is_counted:
        _count(app)
    ledger = app.ports.ledger
    assert isinstance(ledger, MemoryLedger)
    for record in (*_dead(), *_others()):
        ledger.records[record.job_id] = record
    app.enqueue("user.welcome", {}, job_id="welcome-2001")
    app.enqueue("payment.capture", {}, job_id="capture-2002", delay=10 * MINUTE)
    app.schedules.add("digest-weekly", "user.welcome", {}, cron="0 9 * * 1", tz="Asia/Ulaanbaatar")
    app.schedules.pause("health.check")
    app.pause(queue="reports")
    return app


def _year(app: App) -> Workflow:
    """Return a workflow in which something dies: fetch, count twelve months side by side, then capture and tell."""

    def one(type_: str, payload: dict[str, str] | None = None) -> Request:
        return app.request(type_, payload or {})

    months = [one("report.part", {"month": f"2025-{month:02}"}) for month in range(1, 13)]
    aside = chain(one("payment.capture"), one("user.welcome"))
    return chain(
        one("report.month"),
        batch([*months, aside], on_failure=one("health.check")),
        one("payment.capture"),
    )


def _dead() -> list[Any]:
    errors = (
        ("SMTPServerDisconnected: the server dropped the connection after DATA", "user.signin.notification", 14),
        ("PaymentDeclined: card {} was declined by the bank", "payment.capture", 5),
        ("TimeoutError: it took longer than 25 s", "report.month", 2),
    )
    found = []
    for place, (error, type_, count) in enumerate(errors):
        for number in range(count):
            died = NOON - (place + 1) * 4 * MINUTE - number * 47 * SECOND
            text = error.format(4200 + number)
            found.append(
                _job(
                    f"{type_.split('.')[-1]}-dead-{number}",
                    type_,
                    State.DEAD,
                    at=died - MINUTE,
                    ended_at=died,
                    error=text,
                    cause=Cause.EXHAUSTED,
                    sweep_at=died,
                    failures=_failures(died, text, 3),
                    attempts=3,
                )
            )
    return found


def _others() -> list[Any]:
    return [
        _job(
            "month-2026-01",
            "report.month",
            State.RUNNING,
            at=NOON - 80 * SECOND,
            progress=62,
            progress_note="counting orders",
            attempts=1,
            due_at=NOON + MINUTE,
        ),
        _job(
            "welcome-slow",
            "user.welcome",
            State.RUNNING,
            at=NOON - 4 * SECOND,
            attempts=2,
            due_at=NOON + MINUTE,
            failures=_failures(NOON - 3 * SECOND, "ConnectionResetError: peer reset", 1),
        ),
        _job(
            "capture-retry",
            "payment.capture",
            State.RETRYING,
            at=NOON - 30 * SECOND,
            attempts=2,
            due_at=NOON + 4 * SECOND,
            error="BankUnavailable: 503",
            failures=_failures(NOON - 9 * SECOND, "BankUnavailable: 503", 2),
        ),
        _job("month-held", "report.month", State.PARKED, at=NOON - 5 * MINUTE, held_by="queue:reports", due_at=NOON),
        _job("welcome-cancelled", "user.welcome", State.CANCELLED, at=NOON - 6 * MINUTE, ended_at=NOON - 5 * MINUTE),
    ]


def _job(job_id: str, type_: str, state: State, *, at: datetime, **facts: Any) -> Any:
    queue = {"user": "email", "payment": "payments", "report": "reports"}[type_.split(".", maxsplit=1)[0]]
    lane = {"email": Lane.HIGH, "payments": Lane.CRITICAL, "reports": Lane.LOW}[queue]
    begun = {"first_started_at": at + SECOND, "started_at": at + SECOND} if facts.get("attempts") else {}
    ordinary = {
        "type": type_,
        "queue": queue,
        "lane": lane,
        "state": state,
        "created_at": at,
        "run_at": at,
        "max_attempts": max(LANES[lane].attempts, 3),
        "payload": '{"to":"bat@example.com","template":"sign-in"}',
        "due_at": None,
        **begun,
    }
    return replace(a_record(job_id=job_id), **(ordinary | facts))


def _failures(until: datetime, error: str, count: int) -> tuple[Failure, ...]:
    return tuple(
        Failure(attempt=number + 1, life=1, at=until - (count - 1 - number) * 4 * SECOND, error=error)
        for number in range(count)
    )


def _count(app: App) -> None:
    """Let a day have been counted: more in the afternoon, a bad quarter of an hour, something late."""
    store, random = app.ports.statistics, Random(7)  # noqa: S311 - a picture's numbers
    for minute in range(60 * 23):
        at = NOON - DAY + HOUR + minute * MINUTE
        busy = 1.2 + sin(minute / 210)
        is_bad = 60 * 23 - 16 < minute < 60 * 23 - 3
        numbers = {
            Key(lane=lane, queue=queue, type=type_): _numbers(int(scale * busy * random.uniform(0.6, 1.3)), is_bad)
            for lane, queue, type_, scale in (
                (Lane.CRITICAL, "payments", "payment.capture", 14),
                (Lane.HIGH, "email", "user.signin.notification", 22),
                (Lane.MEDIUM, "email", "user.welcome", 9),
                (Lane.LOW, "reports", "report.month", 2),
                (Lane.BATCH, "upkeep", "cleanup.expired-tokens", 1),
            )
        }
        store.add(Bucket(at=at, numbers=numbers, incidents=_incidents(at) if is_bad else ()))
        app.ports.clock.now = at + 2 * MINUTE  # type: ignore[attr-defined]
        if minute % 5 == 4:
            app.runtime.roll_up.tick()
    app.ports.clock.now = NOON  # type: ignore[attr-defined]
    depths = {Lane.HIGH: LaneDepth(dead=14), Lane.CRITICAL: LaneDepth(dead=5), Lane.LOW: LaneDepth(dead=2, waiting=3)}
    for minute in range(6):
        store.add(Bucket(at=NOON - minute * MINUTE, depths=depths))
    app.runtime.alert_manager().tick(depths)


def _numbers(count: int, is_bad: bool) -> Numbers:
    bad = count // 4 if is_bad else 0
    waits = {"w0": count // 2, "w1": count - count // 2 - bad, "w5": bad}
    return Numbers(
        {
            Count.STARTED: count + bad,
            Count.FIRST_STARTS: count,
            Count.LATE: bad,
            Count.COMPLETED: count - bad,
            Count.FAILED: bad,
            Count.DEAD: bad // 3,
            **waits,
        }
    )


def _incidents(at: datetime) -> tuple[Incident, ...]:
    number = at.minute % 14
    return (
        Incident(
            kind=Kind.DEATH,
            at=at,
            job_id=f"notification-dead-{number}",
            type="user.signin.notification",
            queue="email",
            lane=Lane.HIGH,
            attempt=3,
            cause=Cause.EXHAUSTED,
        ),
        Incident(
            kind=Kind.LATE,
            at=at,
            job_id=f"capture-dead-{number % 5}",
            type="payment.capture",
            queue="payments",
            lane=Lane.CRITICAL,
            attempt=1,
            waited=timedelta(seconds=4.2),
        ),
    )
