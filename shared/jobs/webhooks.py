"""
The family `webhook`: what payment providers tell us. Whoever enqueues it has checked the signature.

At most 100 a minute of each begin, which is what the providers let us ask in return.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from pydantic import Field

from jobs.payloads import Id, Payload
from jobs.payments import Store, settle
from jobs.store import Payment, app_store
from lanework import Jobs, Public, Rate, Run

webhook = Jobs(queue="webhook", lane="high", keep_completed=100, keep_failed=500)

MINUTE: Final = timedelta(minutes=1)
PAID: Final = frozenset({"paid", "paid_over", "finished"})
FAILED: Final = frozenset({"fail", "cancel", "system_fail", "wrong_amount", "failed", "expired"})


class UnknownPaymentError(Exception):
    """Raised when no payment of ours has the webhook's order id; it may not be written yet, so repeating may help."""


class WrongAmountError(Exception):
    """Raised when less was paid, or in another currency, than was to be. Repeating doesn't help."""


class Cryptomus(Payload):
    """
    A payment's news from Cryptomus; its own names.

    Attributes:
        uuid: Theirs.
        order_id: Our payment.
        status: Such as `paid`.
        amount, currency: Of the invoice.
    """

    uuid: Public[Id]
    order_id: Public[Id] = Field(alias="order_id")
    status: Public[str]
    amount: Decimal
    currency: Public[str]


class NowPayments(Payload):
    """
    A payment's news from NOWPayments; its own names.

    Attributes:
        payment_id: Theirs.
        order_id: Our payment.
        payment_status: Such as `finished`.
        price_amount, price_currency: Of the order.
    """

    payment_id: Public[int] = Field(alias="payment_id")
    order_id: Public[Id] = Field(alias="order_id")
    payment_status: Public[str] = Field(alias="payment_status")
    price_amount: Decimal = Field(alias="price_amount")
    price_currency: Public[str] = Field(alias="price_currency")


@webhook.job("webhook.cryptomus", api=False, rate=Rate(100, per=MINUTE), discard_on=(WrongAmountError,))
def hear_cryptomus(news: Cryptomus, run: Run, *, store: Callable[[], Store] = app_store) -> str:
    """Book what Cryptomus says of a payment; return how the payment stands."""
    return _hear(news.order_id, news.status, news.amount, news.currency, run, store())


@webhook.job("webhook.nowpayments", api=False, rate=Rate(100, per=MINUTE), discard_on=(WrongAmountError,))
def hear_nowpayments(news: NowPayments, run: Run, *, store: Callable[[], Store] = app_store) -> str:
    """Book what NOWPayments says of a payment; return how the payment stands."""
    return _hear(news.order_id, news.payment_status, news.price_amount, news.price_currency, run, store())


def _hear(order_id: str, status: str, amount: Decimal, currency: str, run: Run, kept: Store) -> str:
    payment = kept.payment(order_id)
    if payment is None:
        raise UnknownPaymentError(order_id)
    if payment.status == "paid":
        return payment.status
    if status in PAID:
        _check(payment, amount, currency)
        return settle(payment, kept, run)
    if status in FAILED:
        kept.put_payment(replace(payment, status="failed"))
        return "failed"
    return payment.status


def _check(payment: Payment, amount: Decimal, currency: str) -> None:
    if amount >= payment.amount and currency.upper() == payment.currency:
        return
    msg = f"payment {payment.id} is {payment.amount} {payment.currency}, the provider says {amount} {currency}"
    raise WrongAmountError(msg)
