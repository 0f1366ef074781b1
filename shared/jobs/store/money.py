"""Payments on their way, and what they add up to in a wallet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

PaymentStatus = Literal["pending", "paid", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """
    Money that a user wants to pay.

    Attributes:
        id: The transaction's id.
        user_id: Who pays, and whose wallet it goes to.
        email: Where the receipt goes.
        amount: More than 0.
        currency: ISO 4217 code, or a coin's.
        method: Such as `card` or `cryptomus`.
        created_at: Aware.
        status: Where it stands.
    """

    id: str
    user_id: str
    email: str
    amount: Decimal
    currency: str
    method: str
    created_at: datetime
    status: PaymentStatus = "pending"


class Payments(Protocol):
    """Where payments and wallets are kept."""

    def put_payment(self, payment: Payment) -> None:
        """Keep a payment; the same one again replaces it."""

    def payment(self, payment_id: str) -> Payment | None:
        """Return a payment, or None."""

    def credit(self, payment: Payment) -> None:
        """Enter a payment into its user's wallet; the same one again changes nothing."""

    def wallet_entries(self, wallet_id: str) -> dict[str, Decimal]:
        """Return the sum of a wallet's entries per currency."""

    def put_balance(self, wallet_id: str, balance: dict[str, Decimal]) -> None:
        """Keep what a wallet holds, per currency."""

    def balance(self, wallet_id: str) -> dict[str, Decimal]:
        """Return what a wallet holds, as it was kept last; empty if it never was."""
