"""Schedules that job types declare: how they are read from a declaration, and how the table follows the code."""

from __future__ import annotations

import json
from hashlib import blake2s
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ValidationError

from lanework.errors import DeclarationError, InvalidOptionError, InvalidPayloadError, shown
from lanework.model.payload import written
from lanework.model.schedules import CatchUp, Overlap, Schedule, ScheduleRecord, Source, begun, word_of
from lanework.model.ticks import Timetable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta

    from lanework.engine.ports import Ports
    from lanework.engine.registry import Registry

_BOOKMARK: Final = "declared schedules"


def schedule_of(
    name: str,
    *,
    job_type: str,
    cron: str | None,
    every: timedelta | None,
    tz: str | None,
    overlap: str | None,
    catch_up: str | None,
    payload: str = "{}",
) -> Schedule:
    """
    Return the schedule that these words make; None leaves a word at its default.

    Raises:
        InvalidOptionError, UnknownNameError: One can't be used; the message says what to write instead.
    """
    return Schedule(
        name=name,
        job_type=job_type,
        timetable=Timetable(cron=cron, every=every, tz="UTC" if tz is None else tz),
        payload=payload,
        overlap=Overlap.SKIP if overlap is None else word_of("overlap", Overlap, overlap),
        catch_up=CatchUp.LATEST if catch_up is None else word_of("catch_up", CatchUp, catch_up),
    )


def declared_schedule(
    name: str,
    *,
    cron: str | None,
    every: timedelta | None,
    tz: str | None,
    overlap: str | None,
    catch_up: str | None,
) -> Schedule | None:
    """
    Return the schedule of a job type's declaration, None if it has none.

    Raises:
        InvalidOptionError, UnknownNameError: As in `schedule_of`, or one is there without `cron` or `every`.
    """
    if cron is None and every is None:
        for word, value in (("tz", tz), ("overlap", overlap), ("catch_up", catch_up)):
            if value is not None:
                msg = f"job {name!r}: {word}={shown(value)} goes with cron= or every=: give one, or leave it out"
                raise InvalidOptionError(msg)
        return None
    return schedule_of(name, job_type=name, cron=cron, every=every, tz=tz, overlap=overlap, catch_up=catch_up)


def check_declared(schedule: Schedule, model: type[BaseModel], *, debounce: timedelta | None) -> None:
    """
    Check that a job type can be enqueued by a schedule, which has no payload to give.

    Raises:
        DeclarationError: Its payload can't be empty, or it is debounced.
    """
    if debounce is not None:
        msg = (
            f"job {schedule.name!r}: a debounced job starts under an id of its own, not its tick's; leave out debounce="
        )
        raise DeclarationError(msg)
    try:
        written(schedule.name, model, model.model_validate({}))
    except ValidationError as error:
        fields = ", ".join(sorted({str(one["loc"][0]) for one in error.errors() if one["loc"]})) or str(error.title)
        msg = (
            f"job {schedule.name!r} has a schedule, so its payload is {{}}, which {model.__name__} doesn't accept: "
            f"give {fields} a default, or add a schedule with a payload (app.schedules.add)"
        )
        raise DeclarationError(msg) from None
    except InvalidPayloadError as error:
        msg = f"job {schedule.name!r} has a schedule, so its payload is {{}}, and {error}"
        raise DeclarationError(msg) from None


class Declared:
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
