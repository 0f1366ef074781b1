"""What the example application asks for in its own words, each once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from jobs import producing
from jobs.email import SignIn
from jobs.exports import ExportTransactions
from jobs.payments import PaymentOrder
from jobs.tickets import Ticket
from jobs.webhooks import Cryptomus, NowPayments
from lanework import Receipt

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
