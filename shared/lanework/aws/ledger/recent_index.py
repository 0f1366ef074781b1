"""
The `recent` index: jobs by the time of their enqueue, a day's spread over shards (docs/decisions/0064).

A day says itself over how many shards it is spread: whoever writes to more than `SHARDS` of them first puts a mark into
the first shard, which sorts as newer than any job. So writers may differ, and a reader needs no setting to find them.
"""

from __future__ import annotations

from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.clients import translated
from lanework.aws.ledger.indexes import enqueued_page, mark_of, marked, recent_page
from lanework.aws.ledger.item import EXPIRY, recent_shard_of
from lanework.aws.table import ABSENT, Table
from lanework.errors import LaneworkError
from lanework.model.job.ids import SHARDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from lanework.aws.clients import Clients
    from lanework.engine.ports.index_keys import JobKey, Page

_KEPT: Final = timedelta(days=20)
"""How long a day's mark is kept: lists look 15 days back."""

_KNOWN_FOR_S: Final = 60.0
"""
How long a process goes by what it read of a day, except for its first page, which says it anew. What walks the day from
its beginning looks at jobs that are two minutes old.
"""

_UNMARKED_FOR_S: Final = 5.0
"""How long `SHARDS` are written to after a mark couldn't be, before that is tried again."""


class RecentIndex:
    """Spreads what is written, and reads all of it. Errors as `translated`."""

    def __init__(self, clients: Clients, table: str, *, shards: int) -> None:
        """Spread what this process writes over so many shards, `SHARDS` at least."""
        self._clients = clients
        self._table = Table(clients, table)
        self._shards = shards
        self._marked: set[str] = set()
        self._unmarked_until = 0.0
        self._known: dict[str, tuple[int, float]] = {}

    def shards_to_write(self, created_at: datetime) -> int:
        """Return over how many shards jobs of a moment's day are spread; the first time of a day marks it."""
        day = created_at.date().isoformat()
        if self._shards <= SHARDS or day in self._marked:
            return self._shards
        if monotonic() < self._unmarked_until:
            return SHARDS
        try:
            self._mark(day, created_at)
        except LaneworkError:  # fewer shards are right, too: a reader looks there in any case
            self._unmarked_until = monotonic() + _UNMARKED_FOR_S
            return SHARDS
        self._marked.add(day)
        return self._shards

    def page(self, *, day: str, before: str | None, limit: int, keep: Callable[[JobKey], bool] | None) -> Page[JobKey]:
        shards = SHARDS if before is None else self._shards_to_read(day)
        with translated("listing jobs"):
            page, shards = recent_page(
                self._clients.dynamodb,
                self._table.name,
                day=day,
                before=before,
                limit=limit,
                keep=keep,
                shards=shards,
            )
        if before is None:
            self._known[day] = (shards, monotonic() + _KNOWN_FOR_S)
        return page

    def enqueued(self, *, day: str, after: str, until: datetime) -> Page[JobKey]:
        shards = self._shards_to_read(day)
        with translated("listing jobs"):
            client, table = self._clients.dynamodb, self._table.name
            return enqueued_page(client, table, day=day, after=after, until=until, shards=shards)

    def _mark(self, day: str, created_at: datetime) -> None:
        item = {
            **_key_of(day),
            "recent_shard": {"S": recent_shard_of(day, 0)},
            "recent_key": {"S": mark_of(self._shards)},
            "expires_at": {"N": EXPIRY.serialize(created_at + _KEPT)},
        }
        is_less = {
            "ConditionExpression": f"{ABSENT} OR recent_key < :mark",
            "ExpressionAttributeValues": {":mark": item["recent_key"]},
        }
        self._table.put_if(item, is_less, doing=f"marking {day} in the index of jobs")

    def _shards_to_read(self, day: str) -> int:
        shards, until = self._known.get(day, (SHARDS, 0.0))
        if monotonic() < until:
            return shards
        item = self._table.get(_key_of(day), doing="reading how the index of jobs is spread")
        shards = SHARDS if item is None else marked(item["recent_key"]["S"])
        self._known[day] = (shards, monotonic() + _KNOWN_FOR_S)
        return shards


def _key_of(day: str) -> dict[str, Any]:
    return {"pk": {"S": f"index#{day}"}, "sk": {"S": "recent"}}
