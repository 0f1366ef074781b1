"""Schedules in memory, and a scheduler that only records its calls."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.model.schedule.schedule import Schedule, ScheduleRecord


class MemorySchedules:
    """Implements the `ScheduleStore` port."""

    def __init__(self) -> None:
        self._records: dict[str, ScheduleRecord] = {}
        self._lock = Lock()

    def get(self, name: str) -> ScheduleRecord | None:
        return self._records.get(name)

    def all(self) -> list[ScheduleRecord]:
        return [self._records[name] for name in sorted(self._records)]

    def due(self, *, until: datetime, limit: int) -> list[str]:
        found = [
            (record.due_at, name)
            for name, record in self._records.items()
            if record.due_at is not None and record.due_at <= until
        ]
        return [name for _, name in sorted(found)][:limit]

    def write(self, record: ScheduleRecord) -> ScheduleRecord | None:
        with self._lock:
            if not self._is_as_read(record):
                return None
            written = record.rewritten()
            self._records[record.schedule.name] = written
            return written

    def remove(self, record: ScheduleRecord) -> bool:
        with self._lock:
            return self._is_as_read(record) and self._records.pop(record.schedule.name, None) is not None

    def _is_as_read(self, record: ScheduleRecord) -> bool:
        stored = self._records.get(record.schedule.name)
        return record.revision == (0 if stored is None else stored.revision)


class MemoryScheduler:
    """
    Implements the `Scheduler` port: nothing calls, the minute tick starts all.

    Attributes:
        schedules: What it was given, by name.
    """

    def __init__(self) -> None:
        self.schedules: dict[str, Schedule] = {}

    def create(self, schedule: Schedule) -> bool:
        self.schedules[schedule.name] = schedule
        return True

    def delete(self, name: str) -> None:
        self.schedules.pop(name, None)
