"""What happened in the application: rows of any kind by day, which reports add up and the cleanup archives."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One thing that happened: a pipeline's run, a finding of a scan, a line of a log.

    Attributes:
        kind: Such as `pipeline` or `log`; without `#`.
        id: Unique within its kind and day.
        at: Aware; the day that it belongs to is the one in UTC.
        fields: What is known of it, as text; which fields there are follows from the kind.
    """

    kind: str
    id: str
    at: datetime
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The day, in UTC."""
        return self.at.astimezone(UTC).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """
    A part of a day's rows, compressed.

    Attributes:
        kind: Of the rows.
        day: Of the rows.
        part: From 1.
        content: JSON lines, gzipped.
    """

    kind: str
    day: date
    part: int
    content: bytes


class Rows(Protocol):
    """Where rows are kept."""

    def add_row(self, row: Row) -> None:
        """Keep a row; the same one again replaces it."""

    def rows_between(self, kind: str, start: date, end: date, *, page_size: int) -> Iterator[Sequence[Row]]:
        """Give a kind's rows of the days `start` to `end`, both included, by day and id; a page is of one day."""

    def days_before(self, kind: str, day: date) -> Sequence[date]:
        """Return the days before this one that have rows of a kind, oldest first."""

    def delete_rows(self, kind: str, day: date) -> None:
        """Forget a day's rows of a kind; none is no error."""


class Archives(Protocol):
    """Where archived rows are kept."""

    def put_archive(self, archive: Archive) -> None:
        """Keep a part; the same one again replaces it."""

    def archive(self, kind: str, day: date) -> Sequence[Archive]:
        """Return a day's parts, in order; empty if the day was not archived."""

    def delete_archives(self, kind: str, *, before: date) -> int:
        """Forget the archives of the days before this one; return how many parts they were."""
