"""Schedules that job types declare: how they are read from a declaration, and how the table follows the code."""

from __future__ import annotations

import json
from hashlib import blake2s
from typing import TYPE_CHECKING, Final

from lanework.model.schedule.schedule import Schedule, ScheduleRecord, Source, begun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.ports.bundle import Ports

_BOOKMARK: Final = "declared schedules"


class ScheduleSync:
    """The schedules that an application's code declares, and their records in the table."""

    def __init__(self, ports: Ports, registry: Registry) -> None:
        """Read the declarations."""
        self._ports = ports
        self.by_name = {one.schedule.name: one.schedule for one in registry.types if one.schedule is not None}

    def sync(self) -> None:
        """
        Bring the table to what the code says: new ones begin now, changed ones anew, those that are gone are removed.

        Costs one read as long as the code is the one that the table was last brought to.
        """
        digest = _digest(self.by_name.values())
        if self._ports.flags.bookmark(_BOOKMARK) == digest:
            return
        ours = self._unsettle()  # first: a crash half-way leaves it to whoever ticks next
        stored = {record.schedule.name: record for record in self._ports.schedules.all()}
        write = self._ports.schedules.write
        brought = [
            self._bring(schedule, stored.get(name), write=write) is not None for name, schedule in self.by_name.items()
        ]
        gone = [
            one for one in stored.values() if one.source is Source.DECLARED and one.schedule.name not in self.by_name
        ]
        removed = [self._ports.schedules.remove(record) for record in gone]
        is_ours = all((*brought, *removed)) and self._ports.flags.move_bookmark(_BOOKMARK, digest, since=ours)
        if not is_ours:  # somebody wrote at the same moment, of another code maybe: the next tick looks again
            self._unsettle()

    def record_of(self, name: str) -> ScheduleRecord | None:
        """Return a schedule's record with what the code says of it; None if there is none any more."""
        stored, schedule = self._ports.schedules.get(name), self.by_name.get(name)
        if schedule is not None:
            return self._bring(schedule, stored, write=self.write_between_ticks)
        return None if stored is None or stored.source is Source.DECLARED else stored

    def write_between_ticks(self, record: ScheduleRecord) -> ScheduleRecord | None:
        """
        Write a record with this code's text, and have the next tick look at it, which may be another code's.

        Whoever has that code would otherwise see that the table was brought to it, and leave the text as it is.
        """
        self._unsettle()
        written = self._ports.schedules.write(record)
        self._unsettle()  # a tick may have begun and ended meanwhile
        return written

    def _unsettle(self) -> str:
        """Note that the table may follow no code, and return the note; who is about to note a code finds another's."""
        note = self._ports.new_id()
        self._ports.flags.set_bookmark(_BOOKMARK, note)
        return note

    def _bring(
        self,
        schedule: Schedule,
        stored: ScheduleRecord | None,
        *,
        write: Callable[[ScheduleRecord], ScheduleRecord | None],
    ) -> ScheduleRecord | None:
        """Return the record with this text; None if somebody else wrote it at the same moment."""
        now = self._ports.clock()
        if stored is None:
            return write(begun(schedule, Source.DECLARED, now=now))
        wanted = stored.changed_to(schedule, Source.DECLARED, now=now)
        return stored if wanted == stored else write(wanted)


def _digest(schedules: Iterable[Schedule]) -> str:
    rows = sorted(
        [
            one.name,
            one.job_type,
            one.timetable.cron,
            str(one.timetable.every),
            one.timetable.tz,
            one.overlap,
            one.catch_up,
        ]
        for one in schedules
    )
    return blake2s(json.dumps(rows).encode(), digest_size=16).hexdigest()
