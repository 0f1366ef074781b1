"""Charges, webhooks of payment providers, wallets: a payment is booked once, whoever tells of it and how often."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import md5, sha512
from hmac import new

import pytest
from pydantic import ValidationError

from jobs import app
from jobs.gateways import GatewayRefusedError
from jobs.payments import PaymentOrder, Wallet, process_payment, sync_wallet
from jobs.signatures import SignatureError, check_cryptomus, check_nowpayments
from jobs.webhooks import (
    Cryptomus,
    NowPayments,
    UnknownPaymentError,
    WrongAmountError,
    hear_cryptomus,
    hear_nowpayments,
)
from lanework import State
from lanework.testing import a_run, app_in_memory
from tests.support.stores import Asked, MemoryStore

ORDER = PaymentOrder(
    transaction_id="tx-1",
    user_id="u-1",
    email="bat@example.com",
    amount=Decimal("19.90"),
    currency="EUR",
    created_at=datetime(2026, 1, 2, 12, 0, tzinfo=UTC),
)
PAID = {"uuid": "c-1", "order_id": "tx-1", "status": "paid", "amount": "19.90", "currency": "EUR"}


@pytest.fixture(autouse=True)
def _in_memory() -> None:
    app_in_memory(app)


def pending() -> MemoryStore:
    store = MemoryStore()
    store.put_payment(ORDER.payment)
    return store


def test_a_payment_is_charged_booked_and_told() -> None:
    store, asked = MemoryStore(), Asked()

    assert process_payment(ORDER, a_run(job_id="j"), store=lambda: store, to=lambda _: asked) == "paid"

    (request,) = asked.requests
    assert request == (
        "tx-1",
        {"transactionId": "tx-1", "amount": "19.90", "currency": "EUR", "method": "card"},
    )
    assert [(one.id, one.amount, one.user_id) for one in store.transactions] == [("tx-1", Decimal("19.90"), "u-1")]
    assert app.get("payment.tx-1.receipt").state is State.QUEUED
    assert app.get("j.wallet").state is State.QUEUED


def test_a_payment_that_is_paid_is_not_charged_again() -> None:
    store, asked = MemoryStore(), Asked()
    for attempt in (1, 2):
        process_payment(ORDER, a_run(attempt=attempt), store=lambda: store, to=lambda _: asked)

    assert (len(asked.requests), len(store.transactions), len(store.entries)) == (1, 1, 1)


def test_a_refused_payment_has_failed_for_good_and_is_not_booked() -> None:
    store, asked = MemoryStore(), Asked(refuses=True)

    with pytest.raises(GatewayRefusedError, match="402"):
        process_payment(ORDER, a_run(), store=lambda: store, to=lambda _: asked)

    assert (store.payments["tx-1"].status, store.transactions) == ("failed", [])
    assert GatewayRefusedError in app.registry.get("payment.process").discard_on


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "1.00001"])
def test_an_amount_that_makes_no_sense_is_refused(amount: str) -> None:
    with pytest.raises(ValidationError):
        PaymentOrder.model_validate({**ORDER.model_dump(), "amount": amount})


def test_a_wallet_holds_the_sum_of_its_payments_per_currency() -> None:
    store = pending()
    process_payment(ORDER, a_run(), store=lambda: store, to=lambda _: Asked())
    other = ORDER.model_copy(update={"transaction_id": "tx-2", "amount": Decimal("0.10")})
    process_payment(other, a_run(), store=lambda: store, to=lambda _: Asked())

    assert sync_wallet(Wallet(wallet_id="u-1"), store=lambda: store) == {"EUR": "20.00"}
    assert store.balance("u-1") == {"EUR": Decimal("20.00")}


def test_a_webhook_that_comes_twice_books_a_payment_once() -> None:
    store = pending()
    news = Cryptomus.model_validate(PAID)

    assert [hear_cryptomus(news, a_run(), store=lambda: store) for _ in range(2)] == ["paid", "paid"]
    assert len(store.transactions) == 1


def test_the_other_providers_news_books_it_too() -> None:
    store = pending()
    news = NowPayments.model_validate(
        {
            "payment_id": 7,
            "order_id": "tx-1",
            "payment_status": "finished",
            "price_amount": 19.9,
            "price_currency": "eur",
        }
    )

    assert hear_nowpayments(news, a_run(), store=lambda: store) == "paid"


@pytest.mark.parametrize(("status", "stands"), [("confirm_check", "pending"), ("fail", "failed"), ("cancel", "failed")])
def test_news_that_is_no_payment_books_nothing(status: str, stands: str) -> None:
    store = pending()

    assert hear_cryptomus(Cryptomus.model_validate({**PAID, "status": status}), a_run(), store=lambda: store) == stands
    assert store.transactions == []


@pytest.mark.parametrize("changes", [{"amount": "19.89"}, {"currency": "MNT"}])
def test_less_money_or_other_money_is_not_taken_for_the_payment(changes: dict[str, str]) -> None:
    store = pending()

    with pytest.raises(WrongAmountError, match=r"payment tx-1 is 19\.90 EUR"):
        hear_cryptomus(Cryptomus.model_validate({**PAID, **changes}), a_run(), store=lambda: store)

    assert store.transactions == []


def test_news_of_a_payment_that_nobody_knows_yet_is_tried_again() -> None:
    with pytest.raises(UnknownPaymentError):
        hear_cryptomus(Cryptomus.model_validate(PAID), a_run(), store=MemoryStore)

    assert UnknownPaymentError not in app.registry.get("webhook.cryptomus").discard_on


def signed_as_php_does(members: str, key: str) -> bytes:
    sign = md5(b64encode(("{" + members.replace("/", "\\/") + "}").encode()) + key.encode(), usedforsecurity=False)
    return ("{" + members + f',"sign":"{sign.hexdigest()}"' + "}").encode()


def test_a_webhook_of_cryptomus_is_known_by_its_sign() -> None:
    body = signed_as_php_does('"uuid":"c-1","status":"paid","url":"https://a.mn/б","amount":"1.00"', "key")

    assert check_cryptomus(body, "key")["url"] == "https://a.mn/б"
    for other in (body.replace(b"1.00", b"9.00"), body.replace(b'"sign"', b'"sing"'), b"[]", b"{", b'{"sign":7}'):
        with pytest.raises(SignatureError):
            check_cryptomus(other, "key")
    with pytest.raises(SignatureError, match="doesn't match"):
        check_cryptomus(body, "another key")
    with pytest.raises(SignatureError, match="not configured"):
        check_cryptomus(signed_as_php_does('"uuid":"c-1"', ""), "")


def test_a_webhook_of_nowpayments_is_known_by_its_header() -> None:
    body = b'{"payment_id": 5, "fee": {"currency": "btc", "amount": 1}, "order_id": "tx-1"}'
    in_order = b'{"fee":{"amount":1,"currency":"btc"},"order_id":"tx-1","payment_id":5}'
    headers = {"x-nowpayments-sig": new(b"secret", in_order, sha512).hexdigest()}

    assert check_nowpayments(body, headers, "secret")["payment_id"] == 5
    for changed, given, secret in (
        (body.replace(b"5", b"6"), headers, "secret"),
        (body, {}, "secret"),
        (body, headers, "other"),
        (body, headers, ""),
    ):
        with pytest.raises(SignatureError):
            check_nowpayments(changed, given, secret)
