"""The limits in memory."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from lanework.engine.ports.limits import Slots

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta


class MemoryLimits:
    """Implements the `Limits` port."""

    def __init__(self) -> None:
        self._slots: dict[str, Slots] = {}
        self._look_at: dict[str, datetime] = {}
        self._free_from: dict[str, datetime] = {}
        self._reserved_by: dict[str, str] = {}
        self._lock = Lock()

    def take(self, name: str, *, n: int, holder: str, until: datetime, kept_for: str) -> tuple[bool, Slots]:
        with self._lock:
            slots = self._of(name)
            if slots.holders.keys().isdisjoint((holder, kept_for)) and len(slots.holders) >= n:
                return False, slots
            others = {one: at for one, at in slots.holders.items() if one != kept_for}
            return True, self._write(name, {**others, holder: until})

    def keep_for(self, name: str, *, n: int, holder: str, until: datetime) -> tuple[bool, Slots]:
        with self._lock:
            slots = self._of(name)
            if holder in slots.holders or len(slots.holders) >= n:
                return False, slots
            return True, self._write(name, {**slots.holders, holder: until})

    def extend(self, name: str, holder: str, *, until: datetime) -> None:
        with self._lock:
            held_until = self._of(name).holders.get(holder)
            if held_until is not None and held_until < until:
                self._write(name, {**self._of(name).holders, holder: until})

    def give_back(self, name: str, holder: str) -> Slots:
        with self._lock:
            return self._write(name, {one: at for one, at in self._of(name).holders.items() if one != holder})

    def drop(self, name: str, holders: Mapping[str, datetime]) -> bool:
        with self._lock:
            held = self._of(name).holders
            if held.keys().isdisjoint(holders):
                return True
            if any(held.get(one) != at for one, at in holders.items()):
                return False
            self._write(name, {one: at for one, at in held.items() if one not in holders})
            return True

    def slots(self, name: str) -> Slots:
        return self._of(name)

    def announce(self, name: str, *, n: int, now: datetime, look_at: datetime) -> None:
        with self._lock:
            self._slots[name] = replace(self._of(name), n=n, waiting_since=now)
            self._look_at[name] = look_at

    def look_again(self, name: str, slots: Slots, *, at: datetime | None) -> None:
        with self._lock:
            if self._of(name).waiting_since != slots.waiting_since:
                return
            if at is None:
                self._slots[name] = replace(self._of(name), waiting_since=None)
                self._look_at.pop(name, None)
            else:
                self._look_at[name] = at

    def contended(self, *, until: datetime, limit: int) -> list[str]:
        found = sorted((at, name) for name, at in self._look_at.items() if at <= until)
        return [name for _, name in found][:limit]

    def reserve(self, name: str, *, at: datetime, interval: timedelta, missed: datetime | None, by: str) -> bool:
        with self._lock:
            free_from = self._free_from.get(name)
            is_last = missed is not None and free_from == missed + interval
            is_own = self._reserved_by.get(name) == by and free_from == at + interval
            if free_from is not None and free_from > at and not (is_last or is_own):
                return False
            self._free_from[name], self._reserved_by[name] = at + interval, by
            return True

    def next_start(
        self, name: str, *, now: datetime, interval: timedelta, missed: datetime | None, by: str
    ) -> datetime:
        if self.reserve(name, at=now, interval=interval, missed=missed, by=by):
            return now
        with self._lock:
            if self._reserved_by.get(name) != by:
                self._free_from[name] = self._free_from.get(name, now) + interval
                self._reserved_by[name] = by
            return self._free_from[name] - interval

    def free_from(self, name: str) -> datetime | None:
        return self._free_from.get(name)

    def _of(self, name: str) -> Slots:
        return self._slots.get(name, Slots())

    def _write(self, name: str, holders: Mapping[str, datetime]) -> Slots:
        self._slots[name] = replace(self._of(name), holders=holders)
        return self._slots[name]
