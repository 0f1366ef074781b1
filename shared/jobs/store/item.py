"""One item of the application's table, and how its keys are written."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from pynamodb.attributes import BinaryAttribute, JSONAttribute, UnicodeAttribute
from pynamodb.models import Model

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.settings import TableSettings

T = TypeVar("T")


class Item(Model):
    """One item of the table; which attributes it has follows from its kind. Bound to a table by `bound`."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute(null=True)
    # Decimal as text: DynamoDB's numbers come back through pynamodb as floats.
    amount = UnicodeAttribute(null=True)
    currency = UnicodeAttribute(null=True)
    description = UnicodeAttribute(null=True)
    user_id = UnicodeAttribute(null=True)
    text = UnicodeAttribute(null=True)
    fields = JSONAttribute(null=True)
    packed = BinaryAttribute(legacy_encoding=False, null=True)


def bound(settings: TableSettings) -> type[Item]:
    """Return the items of the table that the settings name; nothing is read or written yet."""

    class BoundItem(Item):
        class Meta:
            table_name = settings.name
            region = settings.region
            host = settings.endpoint

    return BoundItem


def until_key(moment: datetime, thing_id: str) -> str:
    """
    Return the sort key of something that is valid until a moment: it sorts by that moment.

    Rounded up, as `ended_by` is rounded down: nothing is taken for over while it is valid.
    """
    return f"{_seconds(math.ceil(moment.timestamp()))}#{thing_id}"


def ended_by(now: datetime) -> str:
    """Return the sort key that everything which has ended by now lies before."""
    return _seconds(math.floor(now.timestamp()) + 1)


def read_until(key: str) -> tuple[datetime, str]:
    """Return the moment and the id that `until_key` put into a key."""
    seconds, _, thing_id = key.partition("#")
    return datetime.fromtimestamp(int(seconds), UTC), thing_id


def pages(things: Iterator[T], size: int) -> Iterator[Sequence[T]]:
    """Give things in pages of at most `size`, none empty."""
    while page := list(islice(things, size)):
        yield page


def _seconds(epoch: int) -> str:
    return f"{epoch:012d}"
