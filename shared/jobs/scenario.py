"""What `lanework demo` enqueues, and what must come of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from jobs.cleanup import ExpiredTokens, delete_expired_tokens
from jobs.demo import Doomed, Flaky, Greet, doomed, flaky, greet
from jobs.email.otp import Otp, send_otp
from jobs.email.payment import PaymentReceived, notify_payment
from jobs.email.signin import SignIn, notify_sign_in
from jobs.reports import TransactionsBetween, report_transactions
from jobs.store import Token, Transaction, app_store
from lanework import Cause, State
from lanework.testing import Expectation

if TYPE_CHECKING:
    from lanework import Request

ROWS = 300


def scenario() -> list[Expectation]:
    """Fill the application's table with something to work on, and return the demo's jobs."""
    now = datetime.now(UTC)
    _fill_the_table(now)
    return [
        Expectation(request=_otp(), shows="a one-time code, critical"),
        Expectation(request=_sign_in("signin-1"), shows="an e-mail, high"),
        Expectation(request=_sign_in("signin-twice"), times=2, shows="enqueued twice, runs once"),
        Expectation(request=_payment(now), shows="a payment, high"),
        Expectation(request=flaky.request(Flaky(fail_times=2), job_id="flaky"), attempts=3, shows="fails twice"),
        Expectation(
            request=doomed.request(Doomed(), job_id="doomed"),
            state=State.DEAD,
            attempts=2,
            cause=Cause.EXHAUSTED,
            shows="always fails, dies",
        ),
        Expectation(
            request=greet.request(Greet(name="Bat"), job_id="delayed", delay=timedelta(seconds=5)),
            shows="delayed by 5 s, async",
        ),
        Expectation(request=_report(now), shows="a CSV with progress, low"),
        Expectation(request=delete_expired_tokens.request(ExpiredTokens(), job_id="cleanup"), shows="a cleanup, batch"),
    ]


def _otp() -> Request:
    payload = Otp(email="bat@example.com", code="314159", purpose="sign-in")
    return send_otp.request(payload, job_id="otp")


def _sign_in(job_id: str) -> Request:
    payload = SignIn(
        user_id="user-1",
        email="bat@example.com",
        name="Бат",
        provider="github",
        ip_address="192.0.2.1",
        user_agent="Mozilla/5.0",
    )
    return notify_sign_in.request(payload, job_id=job_id)


def _payment(now: datetime) -> Request:
    payload = PaymentReceived(
        email="bat@example.com", transaction_id="tx-1", amount=Decimal("19.90"), currency="EUR", paid_at=now
    )
    return notify_payment.request(payload, job_id="payment")


def _report(now: datetime) -> Request:
    today = now.date()
    payload = TransactionsBetween(start=today - timedelta(days=6), end=today)
    return report_transactions.request(payload, job_id="report")


def _fill_the_table(now: datetime) -> None:
    store = app_store()
    for number in range(ROWS):
        store.add_transaction(
            Transaction(
                id=f"tx-{number}",
                at=now - timedelta(days=number % 7),
                amount=Decimal(number) / 100,
                currency="EUR",
                description=f"Order {number}",
            )
        )
    for number in range(50):
        age = timedelta(hours=number + 1)
        store.add_token(Token(kind="session", id=f"session-{number}", expires_at=now - age))
