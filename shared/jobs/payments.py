"""The family `payments`: charges, and what a wallet holds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Protocol

from pydantic import AwareDatetime, EmailStr, Field

from jobs.clock import utc_now
from jobs.email import PaymentReceived, notify_payment
from jobs.gateways import Gateway, GatewayRefusedError, gateway
from jobs.payloads import Currency, Id, Payload, Title
from jobs.store import Payment, Payments, Transaction, Transactions, app_store
from lanework import Concurrency, Jobs, Public, Run

payments = Jobs(queue="payments", lane="high", keep_completed=100, keep_failed=500)

Amount = Annotated[Decimal, Field(gt=0, max_digits=20, decimal_places=4)]


class PaymentOrder(Payload):
    """
    Money to charge.

    Attributes:
        transaction_id: The payment's id; the gateway gets it as idempotency key.
        user_id: Who pays.
        email: Where the receipt goes.
        amount: More than 0.
        currency: Such as `EUR`.
        method: Such as `card`.
        created_at: Aware; default: when the producer made this value.
    """

    transaction_id: Public[Id]
    user_id: Id
    email: EmailStr
    amount: Amount
    currency: Public[Currency]
    method: Public[Title] = "card"
    created_at: AwareDatetime = Field(default_factory=utc_now)

    @property
    def payment(self) -> Payment:
        """The payment, pending."""
        return Payment(
            id=self.transaction_id,
            user_id=self.user_id,
            email=self.email,
            amount=self.amount,
            currency=self.currency,
            method=self.method,
            created_at=self.created_at,
        )


class Wallet(Payload):
    """
    A wallet to add up.

    Attributes:
        wallet_id: Whose.
    """

    wallet_id: Public[Id]


class Store(Payments, Transactions, Protocol):
    """What this family needs of the store."""


@payments.job("payment.process", timeout=timedelta(seconds=20), discard_on=(GatewayRefusedError,))
def process_payment(
    order: PaymentOrder,
    run: Run,
    *,
    store: Callable[[], Store] = app_store,
    to: Callable[[str], Gateway] = gateway,
) -> str:
    """
    Charge a payment and book it; return how it stands.

    Repeatable at every step: the gateway knows the key, a booked payment is booked once, and so is its receipt's job.
    A refusal is final: the payment has failed, and the job is dead.
    """
    kept = store()
    payment = kept.payment(order.transaction_id) or order.payment
    if payment.status == "paid":
        return payment.status
    kept.put_payment(payment)
    asked = {"transactionId": payment.id, "amount": f"{payment.amount:f}", "currency": payment.currency}
    try:
        to("payment").post({**asked, "method": payment.method}, key=payment.id)
    except GatewayRefusedError:
        kept.put_payment(replace(payment, status="failed"))
        raise
    return settle(payment, kept, run)


@payments.job("wallet.sync", lane="medium", timeout=timedelta(seconds=20), concurrency=Concurrency(1, key="wallet_id"))
def sync_wallet(wallet: Wallet, *, store: Callable[[], Payments] = app_store) -> dict[str, str]:
    """Add up a wallet's entries, keep the balance, and return it per currency; one at a time for each wallet."""
    kept = store()
    balance = kept.wallet_entries(wallet.wallet_id)
    kept.put_balance(wallet.wallet_id, balance)
    return {currency: f"{amount:f}" for currency, amount in sorted(balance.items())}


def settle(payment: Payment, kept: Store, run: Run) -> str:
    """Book a payment that was made, have its user told and the wallet added up; return how it stands."""
    paid = replace(payment, status="paid")
    kept.add_transaction(
        Transaction(
            id=paid.id,
            at=paid.created_at,
            amount=paid.amount,
            currency=paid.currency,
            description=f"Paid by {paid.method}",
            user_id=paid.user_id,
        )
    )
    kept.credit(paid)
    kept.put_payment(paid)
    received = PaymentReceived(
        email=paid.email,
        transaction_id=paid.id,
        amount=paid.amount,
        currency=paid.currency,
        paid_at=paid.created_at,
    )
    # The payment's id, not the run's: a webhook that is sent twice, and the charge itself, make one receipt.
    notify_payment.enqueue(received, job_id=f"payment.{paid.id}.receipt")
    sync_wallet.enqueue(Wallet(wallet_id=paid.user_id), job_id=f"{run.job_id}.wallet")
    return paid.status
