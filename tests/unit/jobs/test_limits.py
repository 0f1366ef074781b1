"""What the example application lets a user have, and what it does not try again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs import app
from jobs.email import SignIn, notify_sign_in
from jobs.mail import InvalidMessageError, RefusedError
from jobs.reports import ReportTooLargeError
from jobs.settings import SettingsError, SignInSettings
from lanework import Quota, QuotaExceededError
from lanework.testing import NOON, app_in_memory, drain


def a_sign_in(user: str) -> SignIn:
    return SignIn.model_validate(
        {
            "userId": user,
            "email": "bat@example.com",
            "name": "Bat",
            "provider": "github",
            "ipAddress": "192.168.1.1",
            "userAgent": "Mozilla/5.0",
        }
    )


def test_a_user_is_told_of_ten_sign_ins_an_hour() -> None:
    app_in_memory(app)
    for _ in range(10):
        notify_sign_in.enqueue(a_sign_in("bat"))

    with pytest.raises(QuotaExceededError) as refused:
        notify_sign_in.enqueue(a_sign_in("bat"))

    assert timedelta(hours=1) <= refused.value.retry_at - NOON <= timedelta(minutes=61)
    notify_sign_in.enqueue(a_sign_in("ada"))
    assert drain(app) == 11


def test_the_numbers_are_settings() -> None:
    settings = SignInSettings.from_environ({"SIGNIN_MAILS_PER_USER": "3", "SIGNIN_MAILS_MINUTES": "5"})

    assert Quota(settings.mails, per=settings.window) == Quota(3, per=timedelta(minutes=5))
    with pytest.raises(SettingsError, match="SIGNIN_MAILS_PER_USER"):
        SignInSettings.from_environ({"SIGNIN_MAILS_PER_USER": "0"})


def test_a_mail_that_was_refused_for_good_is_not_sent_again() -> None:
    for name in ("user.signin.notification", "user.otp", "payment.notification", "email.send"):
        assert app.registry.get(name).discard_on == (RefusedError, InvalidMessageError)


def test_a_report_that_is_too_large_is_not_made_again() -> None:
    assert app.registry.get("report.transactions").discard_on == (ReportTooLargeError,)
