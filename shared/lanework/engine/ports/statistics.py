"""Where numbers are kept, as a protocol: raw ones as they come, and buckets that were made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lanework.model.stats.buckets import Bucket
    from lanework.model.stats.numbers import Key, Numbers

MOST_RAW: Final = 6
"""Minutes whose raw numbers one call reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """
    Everything that was ever counted.

    Attributes:
        until: The minutes before this one are in it, and none after.
        numbers: Of each lane, queue and type.
    """

    until: datetime
    numbers: Mapping[Key, Numbers] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """
    What one read gives.

    Attributes:
        minutes: Those in which anything happened, oldest first.
        total: Everything so far; None before the first minute was made.
        alerts: What stands of alerts, as `Alerts.text`; None if there never was one.
    """

    minutes: tuple[Bucket, ...] = ()
    total: Total | None = None
    alerts: str | None = None


class StatisticsStore(Protocol):
    """
    Keeps numbers. All are best effort: a lost answer may count a flush twice, a process that is killed loses its last.

    What a later or foreign release has written counts as empty, and is replaced as if there were none.

    Any method raises `UnavailableError` where the store doesn't answer.
    """

    def add(self, additions: Bucket) -> None:
        """Add to the raw numbers of a minute: one write. Depths replace those of the minute."""

    def raw(self, minutes: Sequence[datetime]) -> list[Bucket]:
        """Return what was added in these minutes, at most 6; several buckets a minute, in no order."""

    def board(self, *, since: datetime) -> Board:
        """Return the minutes that begin then or later, the total, and the alerts."""

    def hours(self, *, since: datetime) -> tuple[Bucket, ...]:
        """Return the hours that begin then or later and in which anything happened, oldest first."""

    def total(self) -> Total | None:
        """Return the total, as of now (a consistent read)."""

    def keep_minute(self, bucket: Bucket) -> None:
        """Keep a minute that is over, for a bit more than a day; one that is there is replaced."""

    def keep_hour(self, bucket: Bucket) -> None:
        """Keep an hour that is over, for 15 days; one that is there is replaced."""

    def keep_total(self, total: Total, *, before: datetime | None) -> bool:
        """Replace the total if its `until` is still `before` (None: there is none); tell whether it was."""

    def alerts(self) -> str | None:
        """Return what stands of alerts, as of now (a consistent read)."""

    def keep_alerts(self, text: str, *, before: str | None) -> bool:
        """Replace what stands of alerts if it is still `before`; tell whether it was."""
