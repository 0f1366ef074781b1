"""The numbers in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.engine.ports.statistics import Board
from lanework.model.stats.buckets import joined

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lanework.engine.ports.statistics import Total
    from lanework.model.stats.buckets import Bucket


class MemoryStatistics:
    """Implements the `StatisticsStore` port."""

    def __init__(self) -> None:
        self._raw: dict[datetime, Bucket] = {}
        self._minutes: dict[datetime, Bucket] = {}
        self._hours: dict[datetime, Bucket] = {}
        self._total: Total | None = None
        self._alerts: str | None = None

    def add(self, additions: Bucket) -> None:
        before = self._raw.get(additions.at)
        self._raw[additions.at] = joined(additions.at, [additions] if before is None else [before, additions])

    def raw(self, minutes: Sequence[datetime]) -> list[Bucket]:
        return [self._raw[minute] for minute in minutes if minute in self._raw]

    def board(self, *, since: datetime) -> Board:
        return Board(minutes=_since(self._minutes, since), total=self._total, alerts=self._alerts)

    def hours(self, *, since: datetime) -> tuple[Bucket, ...]:
        return _since(self._hours, since)

    def total(self) -> Total | None:
        return self._total

    def keep_minute(self, bucket: Bucket) -> None:
        self._minutes[bucket.at] = bucket

    def keep_hour(self, bucket: Bucket) -> None:
        self._hours[bucket.at] = bucket

    def keep_total(self, total: Total, *, before: datetime | None) -> bool:
        if (None if self._total is None else self._total.until) != before:
            return False
        self._total = total
        return True

    def alerts(self) -> str | None:
        return self._alerts

    def keep_alerts(self, text: str, *, before: str | None) -> bool:
        if self._alerts != before:
            return False
        self._alerts = text
        return True


def _since(buckets: dict[datetime, Bucket], since: datetime) -> tuple[Bucket, ...]:
    return tuple(bucket for at, bucket in sorted(buckets.items()) if at >= since)
