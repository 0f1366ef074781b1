"""The family `scheduler`: what the application does by itself, at an interval or once a night."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from pydantic import Field

from jobs.cleanup.tokens import delete_expired
from jobs.clock import utc_now
from jobs.payloads import Payload
from jobs.reports import TransactionsBetween, report_transactions
from jobs.store import Subscriptions, Tokens, app_store
from lanework import Jobs, Run

scheduler = Jobs(queue="scheduler", lane="batch", attempts=3, keep_completed=100)

PAGE_SIZE: Final = 100


class Nothing(Payload):
    """Nothing to say: the schedule says when, and that is all."""


class ReportOn(Payload):
    """
    A day to report on.

    Attributes:
        day: In UTC, `date` for producers; without it yesterday, by the worker's clock.
    """

    day: date | None = Field(default=None, alias="date")


class Store(Tokens, Subscriptions, Protocol):
    """What this family needs of the store."""


@scheduler.job("scheduler.expire-subscriptions", every=timedelta(hours=1))
def expire_subscriptions(
    _: Nothing, run: Run, *, store: Callable[[], Store] = app_store, now: Callable[[], datetime] = utc_now
) -> int:
    """Mark the subscriptions that have ended as expired, and return how many."""
    kept, expired = store(), 0
    for page in kept.ended_subscriptions(now=now(), page_size=PAGE_SIZE):
        for one in page:
            kept.expire(one)
        expired += len(page)
        run.progress(99, f"{expired} expired")
    return expired


@scheduler.job("scheduler.cleanup-expired-otps", every=timedelta(hours=6))
def clean_up_codes(
    _: Nothing, run: Run, *, store: Callable[[], Store] = app_store, now: Callable[[], datetime] = utc_now
) -> int:
    """Delete the one-time codes that have expired, and return how many."""
    return delete_expired(store(), ("otp",), run, now=now())


@scheduler.job("scheduler.cleanup-old-sessions", every=timedelta(hours=24))
def clean_up_sessions(
    _: Nothing, run: Run, *, store: Callable[[], Store] = app_store, now: Callable[[], datetime] = utc_now
) -> int:
    """Delete the sessions that are older than 30 days, which is how long one lasts, and return how many."""
    return delete_expired(store(), ("session",), run, now=now())


@scheduler.job("daily-report", cron="0 0 * * *", attempts=3)
def report_daily(which: ReportOn, run: Run, *, now: Callable[[], datetime] = utc_now) -> str:
    """Enqueue the report of a day's transactions, and return its job's id."""
    day = which.day or now().date() - timedelta(days=1)
    receipt = report_transactions.enqueue(TransactionsBetween(start=day, end=day), job_id=f"{run.job_id}.report")
    return receipt.job_id
