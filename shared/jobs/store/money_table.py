"""Payments and wallets in the application's table."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from jobs.store.money import Payment

if TYPE_CHECKING:
    from jobs.store.item import Item


class MoneyTable:
    """`Payments` on DynamoDB."""

    _items: type[Item]

    def put_payment(self, payment: Payment) -> None:
        """Keep a payment; the same one again replaces it."""
        self._items(
            f"payment#{payment.id}",
            "payment",
            at=payment.created_at.isoformat(),
            amount=str(payment.amount),
            currency=payment.currency,
            user_id=payment.user_id,
            fields={"email": payment.email, "method": payment.method, "status": payment.status},
        ).save()

    def payment(self, payment_id: str) -> Payment | None:
        """Return a payment, or None."""
        try:
            item = self._items.get(f"payment#{payment_id}", "payment", consistent_read=True)
        except self._items.DoesNotExist:
            return None
        return Payment(
            id=payment_id,
            user_id=item.user_id or "",
            amount=Decimal(item.amount),
            currency=item.currency,
            created_at=datetime.fromisoformat(item.at),
            **item.fields,
        )

    def credit(self, payment: Payment) -> None:
        """Enter a payment into its user's wallet; the same one again changes nothing."""
        self._items(
            f"wallet#{payment.user_id}", f"entry#{payment.id}", amount=str(payment.amount), currency=payment.currency
        ).save()

    def wallet_entries(self, wallet_id: str) -> dict[str, Decimal]:
        """Return the sum of a wallet's entries per currency."""
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for item in self._items.query(f"wallet#{wallet_id}", self._items.sk.startswith("entry#"), consistent_read=True):
            sums[item.currency] += Decimal(item.amount)
        return dict(sums)

    def put_balance(self, wallet_id: str, balance: dict[str, Decimal]) -> None:
        """Keep what a wallet holds, per currency."""
        kept = {currency: str(amount) for currency, amount in balance.items()}
        self._items(f"wallet#{wallet_id}", "balance", fields=kept).save()

    def balance(self, wallet_id: str) -> dict[str, Decimal]:
        """Return what a wallet holds, as it was kept last; empty if it never was."""
        try:
            item = self._items.get(f"wallet#{wallet_id}", "balance", consistent_read=True)
        except self._items.DoesNotExist:
            return {}
        return {currency: Decimal(amount) for currency, amount in item.fields.items()}
