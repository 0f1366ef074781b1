"""What the application asks for in its own words: its lane, what is the same again, what is refused or split."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from jobs import app, producing
from jobs.email import SignIn
from jobs.exports import ExportTransactions
from jobs.payments import PaymentOrder
from jobs.tickets import Ticket
from jobs.webhooks import Cryptomus, NowPayments
from lanework import EnqueueError, InvalidPayloadError, Receipt
from lanework.testing import app_in_memory
from tests.fakes import break_ports

DAY = date(2026, 1, 1)
SIGN_IN = SignIn.model_validate(
    {"userId": "u", "email": "a@b.mn", "name": "B", "provider": "x", "ipAddress": "::1", "userAgent": ""}
)
ORDER = PaymentOrder(transaction_id="t", user_id="u", email="a@b.mn", amount=Decimal(1), currency="EUR")
PAID = Cryptomus(uuid="c", order_id="t", status="paid", amount=Decimal(1), currency="EUR")
FINISHED = NowPayments(
    payment_id=1, order_id="t", payment_status="finished", price_amount=Decimal(1), price_currency="eur"
)
ASKED: dict[str, tuple[Callable[[], Receipt[Any] | None], str, str, bool]] = {
    "reset": (lambda: producing.send_password_reset("a@b.mn", "tok"), "email.password-reset", "critical", True),
    "forgot": (lambda: producing.forgot_password("a@b.mn"), "account.forgot-password", "critical", False),
    "code": (lambda: producing.send_code("a@b.mn", "123456"), "user.otp", "critical", False),
    "sign-in": (lambda: producing.send_sign_in(SIGN_IN, session="s"), "user.signin.notification", "high", True),
    "welcome": (
        lambda: producing.send_welcome("a@b.mn", username="B", dashboard_url="https://b.mn"),
        "email.welcome",
        "medium",
        True,
    ),
    "alert": (lambda: producing.send_alert(["a@b.mn"], "Disk", "full"), "email.alert", "critical", False),
    "mail": (lambda: producing.send_email("a@b.mn", "Hi", "x", job_id="m")[0], "email.send", "medium", True),
    "template": (
        lambda: producing.send_template("a@b.mn", "Hi", "reminder", {"about": "x"}),
        "email.send",
        "medium",
        False,
    ),
    "bulk": (lambda: producing.send_bulk_emails([("a@b.mn", "Hi", "x")], batch="w1")[0], "email.bulk", "batch", True),
    "received": (
        lambda: producing.send_payment_notification(
            "a@b.mn", transaction_id="t", amount=Decimal(1), currency="EUR", paid_at=datetime(2026, 1, 1, tzinfo=UTC)
        ),
        "payment.notification",
        "high",
        True,
    ),
    "payment": (lambda: producing.process_payment(ORDER), "payment.process", "high", True),
    "cryptomus": (lambda: producing.hear_of_payment(PAID), "webhook.cryptomus", "high", True),
    "nowpayments": (lambda: producing.hear_of_payment(FINISHED), "webhook.nowpayments", "high", True),
    "wallet": (lambda: producing.sync_wallet_balance("u"), "wallet.sync", "medium", False),
    "sms": (lambda: producing.send_sms("+97699112233", "x"), "sms.send", "medium", False),
    "push": (lambda: producing.send_push("u", "Hi", "x"), "push.send", "medium", False),
    "ticket": (
        lambda: producing.ticket_created(Ticket(ticket_id="t", landlord_id="l")),
        "ticket.created",
        "high",
        True,
    ),
    "report": (lambda: producing.generate_report(DAY, DAY), "report.transactions", "low", False),
    "export": (
        lambda: producing.export_transactions(ExportTransactions(start=DAY, end=DAY, user_id="u")),
        "export.transactions",
        "low",
        False,
    ),
    "logs": (lambda: producing.clean_up_old_logs(90), "cleanup.old-logs", "batch", False),
}


@pytest.fixture(autouse=True)
def _in_memory() -> None:
    app_in_memory(app)


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_for_goes_into_its_lane_and_asking_twice_is_once_where_it_is_the_same(name: str) -> None:
    ask, job_type, lane, is_known_again = ASKED[name]

    first, second = ask(), ask()

    assert first is not None
    assert second is not None
    record = app.get(first.job_id)
    assert (record.type, record.lane, first.duplicate, second.duplicate) == (job_type, lane, False, is_known_again)


@pytest.mark.parametrize("name", ASKED)
def test_asking_takes_under_ten_milliseconds_of_its_own_time(name: str) -> None:
    """The processor's time, of the fastest of five: the machine may be busy, the ports here are in memory."""
    ask = ASKED[name][0]
    spent = []
    for _ in range(5):
        before = time.process_time()
        ask()
        spent.append(time.process_time() - before)

    assert min(spent) < 0.010


def test_no_id_holds_an_address_or_a_token() -> None:
    for name in ("reset", "welcome", "bulk", "sign-in"):
        ASKED[name][0]()

    ids = [one.job_id for one in app.inspector.page(limit=100).jobs]
    assert (len(ids), [one for one in ids if "b.mn" in one or "tok" in one]) == (4, [])


def all_jobs() -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = app.inspector.page(limit=100, cursor=cursor)
        yield from (json.loads(one.payload or "{}") for one in page.jobs)
        cursor = page.cursor
        if cursor is None:
            return


def test_a_mail_to_ten_thousand_is_split_into_mails_of_fifty_and_everybody_gets_one() -> None:
    everybody = [f"u{number}@example.com" for number in range(10_000)]

    receipts = producing.send_email(everybody, "Hi", "x", job_id="all")

    assert [receipts[0].job_id, receipts[-1].job_id, len(receipts)] == ["all", "all.200", 200]
    sent_to = [address for one in receipts for address in json.loads(app.get(one.job_id).payload or "")["to"]]
    assert sent_to == everybody


@pytest.mark.parametrize(
    "recipients", [[], "nobody", ["a@example.com"] * 60 + ["nobody"], ["a@example.com\nBcc: b@example.com"]]
)
def test_a_mail_to_nobody_or_to_a_bad_address_among_many_is_refused_and_sent_to_none(recipients: Any) -> None:
    with pytest.raises(InvalidPayloadError, match=r"email\.send.*to"):
        producing.send_email(recipients, "Hi", "x")

    assert list(all_jobs()) == []


def test_a_bad_mail_among_many_keeps_all_of_them_from_being_sent() -> None:
    with pytest.raises(InvalidPayloadError, match="subject"):
        producing.send_bulk_emails([("a@example.com", "Hi", "x"), ("b@example.com", "Hi\nBcc: c@d.mn", "x")], batch="w")

    assert list(all_jobs()) == []


def test_a_template_that_lacks_a_value_is_refused_and_nothing_sent() -> None:
    with pytest.raises(InvalidPayloadError, match=r"template 'reminder': data\.about: Field required"):
        producing.send_template("a@example.com", "Hi", "reminder", {})

    assert list(all_jobs()) == []


def test_while_nothing_can_be_enqueued_a_reset_is_sent_from_here_and_what_is_wrong_is_still_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ledger, lanes = break_ports(app)
    ledger.broken.add("put")
    lanes.broken.add("send")

    assert producing.send_password_reset("a@b.mn", "tok").ran_inline

    assert "a@b.mn" in capsys.readouterr().out, "where no mail server is set, mails are shown"
    with pytest.raises(InvalidPayloadError, match="email"):
        producing.send_password_reset("nobody", "tok")
    with pytest.raises(EnqueueError):
        producing.send_code("a@b.mn", "123456")
