"""Who uses the application, and what they subscribed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """
    Somebody with an account.

    Attributes:
        id: Who.
        email: Where mail goes; an account is found by it, in any case.
        name: How to greet them.
        newsletter: Whether they asked for it.
    """

    id: str
    email: str
    name: str
    newsletter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """
    Something that somebody pays for until a time.

    Attributes:
        id: Which.
        user_id: Whose.
        ends_at: Aware; kept in whole seconds, rounded up.
    """

    id: str
    user_id: str
    ends_at: datetime


class Users(Protocol):
    """Where accounts are kept."""

    def put_user(self, user: User) -> None:
        """Keep an account; the same address again replaces it."""

    def user_by_email(self, email: str) -> User | None:
        """Return the account with an address, or None."""

    def newsletter_readers(self, *, page_size: int) -> Iterator[Sequence[User]]:
        """Give those who asked for the newsletter, by address, in pages of at most `page_size`, none empty."""


class Subscriptions(Protocol):
    """Where subscriptions are kept."""

    def add_subscription(self, subscription: Subscription) -> None:
        """Keep an active subscription."""

    def ended_subscriptions(self, *, now: datetime, page_size: int) -> Iterator[Sequence[Subscription]]:
        """Give active subscriptions that ended by `now`, oldest first, in pages of at most `page_size`, none empty."""

    def expire(self, subscription: Subscription) -> None:
        """Mark a subscription as expired; one that is marked already stays so."""

    def is_expired(self, subscription_id: str) -> bool:
        """Tell whether a subscription is marked as expired."""
