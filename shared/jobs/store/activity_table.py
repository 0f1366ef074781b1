"""Rows and archives in the application's table."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from jobs.store.activity import Archive, Row
from jobs.store.item import pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.store.item import Item


class ActivityTable:
    """`Rows` and `Archives` on DynamoDB."""

    _items: type[Item]

    def add_row(self, row: Row) -> None:
        """Keep a row; the same one again replaces it."""
        self._items(_rows_pk(row.kind, row.day), row.id, at=row.at.isoformat(), fields=dict(row.fields)).save()
        self._items(f"days#{row.kind}", row.day.isoformat()).save()

    def rows_between(self, kind: str, start: date, end: date, *, page_size: int) -> Iterator[Sequence[Row]]:
        """Give a kind's rows of the days `start` to `end`, both included, by day and id; a page is of one day."""
        for offset in range((end - start).days + 1):
            items = self._items.query(_rows_pk(kind, start + timedelta(days=offset)), page_size=page_size)
            yield from pages((_row(kind, item) for item in items), page_size)

    def days_before(self, kind: str, day: date) -> Sequence[date]:
        """Return the days before this one that have rows of a kind, oldest first."""
        items = self._items.query(f"days#{kind}", self._items.sk < day.isoformat())
        return [date.fromisoformat(item.sk) for item in items]

    def delete_rows(self, kind: str, day: date) -> None:
        """Forget a day's rows of a kind; none is no error."""
        pk = _rows_pk(kind, day)
        with self._items.batch_write() as batch:
            for item in self._items.query(pk):
                batch.delete(item)
        self._items(f"days#{kind}", day.isoformat()).delete()

    def put_archive(self, archive: Archive) -> None:
        """Keep a part; the same one again replaces it."""
        key = f"{archive.day.isoformat()}#{archive.part:04d}"
        self._items(f"archive#{archive.kind}", key, packed=archive.content).save()

    def archive(self, kind: str, day: date) -> Sequence[Archive]:
        """Return a day's parts, in order; empty if the day was not archived."""
        items = self._items.query(f"archive#{kind}", self._items.sk.startswith(f"{day.isoformat()}#"))
        return [_archive(kind, item) for item in items]

    def delete_archives(self, kind: str, *, before: date) -> int:
        """Forget the archives of the days before this one; return how many parts they were."""
        items = self._items.query(
            f"archive#{kind}", self._items.sk < before.isoformat(), attributes_to_get=["pk", "sk"]
        )
        deleted = 0
        with self._items.batch_write() as batch:
            for item in items:
                batch.delete(item)
                deleted += 1
        return deleted


def _rows_pk(kind: str, day: date) -> str:
    return f"rows#{kind}#{day.isoformat()}"


def _row(kind: str, item: Item) -> Row:
    fields = {str(name): str(value) for name, value in (item.fields or {}).items()}
    return Row(kind=kind, id=item.sk, at=datetime.fromisoformat(item.at), fields=fields)


def _archive(kind: str, item: Item) -> Archive:
    day, _, part = item.sk.partition("#")
    return Archive(kind=kind, day=date.fromisoformat(day), part=int(part), content=item.packed or b"")
