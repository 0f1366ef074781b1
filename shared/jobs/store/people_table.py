"""Accounts and subscriptions in the application's table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.store.item import ended_by, pages, read_until, until_key
from jobs.store.people import Subscription, User

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from jobs.store.item import Item


class PeopleTable:
    """`Users` and `Subscriptions` on DynamoDB."""

    _items: type[Item]

    def put_user(self, user: User) -> None:
        """Keep an account; the same address again replaces it."""
        fields = {"id": user.id, "email": user.email, "name": user.name}
        reader = self._items("newsletter", user.email.lower(), fields=fields)
        self._items(_user_pk(user.email), "account", fields={**fields, "newsletter": user.newsletter}).save()
        if user.newsletter:
            reader.save()
        else:
            reader.delete()

    def user_by_email(self, email: str) -> User | None:
        """Return the account with an address, or None."""
        try:
            return User(**self._items.get(_user_pk(email), "account").fields)
        except self._items.DoesNotExist:
            return None

    def newsletter_readers(self, *, page_size: int) -> Iterator[Sequence[User]]:
        """Give those who asked for the newsletter, by address, in pages of at most `page_size`, none empty."""
        items = self._items.query("newsletter", page_size=page_size)
        return pages((User(**item.fields, newsletter=True) for item in items), page_size)

    def add_subscription(self, subscription: Subscription) -> None:
        """Keep an active subscription."""
        key = until_key(subscription.ends_at, subscription.id)
        self._items("subscriptions", key, user_id=subscription.user_id).save()

    def ended_subscriptions(self, *, now: datetime, page_size: int) -> Iterator[Sequence[Subscription]]:
        """Give active subscriptions that ended by `now`, oldest first, in pages of at most `page_size`, none empty."""
        items = self._items.query("subscriptions", self._items.sk < ended_by(now), page_size=page_size)
        return pages((_subscription(item) for item in items), page_size)

    def expire(self, subscription: Subscription) -> None:
        """Mark a subscription as expired; one that is marked already stays so."""
        self._items(f"subscription#{subscription.id}", "expired", user_id=subscription.user_id).save()
        self._items("subscriptions", until_key(subscription.ends_at, subscription.id)).delete()

    def is_expired(self, subscription_id: str) -> bool:
        """Tell whether a subscription is marked as expired."""
        return bool(self._items.count(f"subscription#{subscription_id}"))


def _user_pk(email: str) -> str:
    return f"user#{email.lower()}"


def _subscription(item: Item) -> Subscription:
    ends_at, subscription_id = read_until(item.sk)
    return Subscription(id=subscription_id, user_id=item.user_id or "", ends_at=ends_at)
