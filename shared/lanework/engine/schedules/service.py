"""What an application and its operators do with schedules: add, list, pause, resume, remove, run."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Unpack

from lanework.async_calls import async_twin
from lanework.engine.enqueue.reserved_ids import enqueue_reserved
from lanework.engine.jobtypes.options import check_known
from lanework.engine.jobtypes.request import builtin_request
from lanework.engine.jobtypes.schedule import Timing, schedule_of
from lanework.engine.schedules.sync import ScheduleSync
from lanework.errors import (
    ConfigError,
    InvalidOptionError,
    ScheduleNotConnectedError,
    UnavailableError,
    UnknownNameError,
    is_a,
    shown,
)
from lanework.model.job.payload import parsed, written
from lanework.model.schedule.schedule import Source, begun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from pydantic import BaseModel

    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import State
    from lanework.model.schedule.schedule import Schedule, ScheduleRecord

_LONGEST_PREVIEW: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """
    What `add` did.

    Attributes:
        is_connected: EventBridge triggers it; otherwise the endpoint has no such service, and the minute tick starts
            it, up to a minute late.
    """

    record: ScheduleRecord
    is_connected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A schedule, for people; `last_state` of its last run is None if there was none, or its record has expired."""

    record: ScheduleRecord
    last_state: State | None


class Schedules:
    """The schedules of an application: those that its code declares, and those that were added."""

    def __init__(self, ports: Ports, registry: Registry, enqueue: Callable[[Request], Receipt[Any]]) -> None:
        """Take the ports, the job types and the application's own way in."""
        self._ports = ports
        self._registry = registry
        self._enqueue = enqueue
        self._declared = ScheduleSync(ports, registry)

    def add(
        self,
        name: str,
        job_type: str,
        payload: BaseModel | Mapping[str, object] | str = "{}",
        **timing: Unpack[Timing],
    ) -> Added:
        """
        Add a schedule, or change one that was added. Safe to repeat: only a changed timetable starts again, from now.

        Args:
            name: Lower-case letters, digits, dots, _ and -, at most 64.
            job_type: What is enqueued at each tick.
            payload: With which payload: an instance of the type's model, a mapping of its fields, or JSON text.
            **timing: See `Timing`.

        Raises:
            UnknownJobTypeError, InvalidPayloadError, TooLargeError: As in `App.enqueue`.
            InvalidOptionError, UnknownNameError: Something else can't be used; the message says what to write instead.
            ScheduleNotConnectedError: It is recorded, but EventBridge didn't take it.
        """
        model = self._registry.get(job_type)
        text = written(model.name, model.model, parsed(model.name, model.model, payload))
        check_known(timing, Timing.__optional_keys__, of="a schedule")
        schedule = schedule_of(name, model.name, timing, payload=text)
        now = self._ports.clock()
        builtin_request(model, text, schedule.run_id(now))
        self._refuse_declared(name, "added over")
        if schedule.timetable.next(now) is None:
            msg = f"schedule {name!r} would never fire: its last tick was {schedule.timetable.latest(now)}"
            raise InvalidOptionError(msg)
        record = self._recorded(schedule, now)
        try:
            return Added(record=record, is_connected=self._ports.scheduler.create(schedule))
        except (UnavailableError, ConfigError) as error:
            raise ScheduleNotConnectedError(name, str(error)) from error

    def list(self) -> tuple[Listed, ...]:
        """Return every schedule, by name; one that was declared just now begins with the next minute."""
        records = self._all()
        states = self._states(record.last_run for record in records)
        return tuple(Listed(record=record, last_state=states.get(record.last_run or "")) for record in records)

    def upcoming(self, count: int) -> tuple[tuple[datetime, ScheduleRecord], ...]:
        """Return the schedules that fire next, at most so many (1 to 1,000), the soonest first, and when. One read."""
        _check_count(count)
        now = self._ports.clock()
        due = ((next_of(record, now), record) for record in self._all())
        soonest = sorted(((at, one) for at, one in due if at is not None), key=lambda pair: pair[0])
        return tuple(soonest[:count])

    def _all(self) -> tuple[ScheduleRecord, ...]:
        """Return every schedule, by name, those included that no tick has seen yet."""
        records = {record.schedule.name: record for record in self._ports.schedules.all()}
        now = self._ports.clock()
        for name, schedule in self._declared.by_name.items():
            records.setdefault(name, begun(schedule, Source.DECLARED, now=now))
        return tuple(record for _, record in sorted(records.items()))

    def get(self, name: str) -> ScheduleRecord:
        """Return a schedule; UnknownNameError, which names the nearest, if there is none."""
        found, declared, now = self._ports.schedules.get(name), self._declared.by_name.get(name), self._ports.clock()
        if declared is not None and found is None:
            return begun(declared, Source.DECLARED, now=now)
        if found is not None:  # what the code says counts, also before the next minute's tick has seen it
            return found if declared is None else found.changed_to(declared, Source.DECLARED, now=now)
        known = {record.schedule.name for record in self._ports.schedules.all()} | set(self._declared.by_name)
        kind = "schedule"
        raise UnknownNameError(kind, name, sorted(known))

    def next(self, name: str, count: int = 1) -> tuple[datetime, ...]:
        """
        Return a schedule's next ticks, in UTC, 1 to 1,000, or fewer; also those that a pause would hold up.

        Raises:
            UnknownNameError, InvalidOptionError: There is no such schedule, or the count can't be used.
        """
        _check_count(count)
        return tuple(islice(self._readable(name).schedule.timetable.after(self._ports.clock()), count))

    def pause(self, name: str) -> ScheduleRecord:
        """Let nothing fire until it is resumed; what is enqueued runs. UnknownNameError if there is no schedule."""
        return self._change(name, lambda record: record.paused_now())

    def resume(self, name: str) -> ScheduleRecord:
        """Let it fire again, from now: ticks during the pause are skipped. UnknownNameError if there is none."""
        return self._change(name, lambda record: record.resumed(self._ports.clock()) if record.paused else record)

    def remove(self, name: str) -> None:
        """
        Remove a schedule that was added. Jobs that it has enqueued stay.

        Raises:
            UnknownNameError: There is no such schedule.
            InvalidOptionError: A job type declares it.
            UnavailableError, ConfigError: EventBridge or DynamoDB didn't take it; repeat it.
        """

        def attempt() -> bool | None:
            record = self.get(name)
            self._refuse_declared(name, "removed", record)
            self._ports.scheduler.delete(name)
            return self._ports.schedules.remove(record) or None

        self._ports.retry_conflicts(attempt, what=f"schedule {name!r}")

    def run(self, name: str) -> Receipt[Any]:
        """
        Enqueue a schedule's job now, beside its ticks: it counts as none of them and holds none up.

        Raises:
            UnknownNameError: There is no such schedule.
            EnqueueError, InvalidPayloadError, UnknownJobTypeError: As in `App.enqueue`.
        """
        schedule = self._readable(name).schedule
        now = self._ports.clock()
        request = builtin_request(self._registry.get(schedule.job_type), schedule.payload, schedule.manual_run_id(now))
        return enqueue_reserved(request, self._enqueue, self._ports, since=now)

    add_async = async_twin(add)
    list_async = async_twin(list)  # noqa: A003 - the method
    upcoming_async = async_twin(upcoming)
    get_async = async_twin(get)
    next_async = async_twin(next)  # noqa: A003 - the method
    pause_async = async_twin(pause)
    resume_async = async_twin(resume)
    remove_async = async_twin(remove)
    run_async = async_twin(run)

    def _readable(self, name: str) -> ScheduleRecord:
        """Return a schedule, of which all can be read."""
        record = self.get(name)
        if record.damage is not None:
            msg = f"schedule {name!r}: {record.words}; add it again, or remove it"
            raise InvalidOptionError(msg)
        return record

    def _recorded(self, schedule: Schedule, now: datetime) -> ScheduleRecord:
        def attempt() -> ScheduleRecord | None:
            stored = self._ports.schedules.get(schedule.name)
            if stored is None:
                wanted = begun(schedule, Source.DYNAMIC, now=now)
            else:
                self._refuse_declared(schedule.name, "added over", stored)
                wanted = stored.changed_to(schedule, Source.DYNAMIC, now=now)
            return stored if wanted == stored else self._ports.schedules.write(wanted)

        return self._ports.retry_conflicts(attempt, what=f"schedule {schedule.name!r}")

    def _change(self, name: str, change: Callable[[ScheduleRecord], ScheduleRecord]) -> ScheduleRecord:
        def attempt() -> ScheduleRecord | None:
            # What is stored has the text of the code that is deployed, which may not be ours: it is left as it is.
            record = self._ports.schedules.get(name)
            if record is None or record.damage is not None:
                record = self._readable(name)
            wanted = change(record)
            if wanted == record and record.revision:
                return record
            write = self._ports.schedules.write if record.revision else self._declared.write_between_ticks
            return write(wanted)

        return self._ports.retry_conflicts(attempt, what=f"schedule {name!r}")

    def _refuse_declared(self, name: str, what: str, record: ScheduleRecord | None = None) -> None:
        if name in self._declared.by_name or (record is not None and record.source is Source.DECLARED):
            msg = (
                f"schedule {name!r} is declared by a job type and can't be {what}: edit its declaration and the "
                "template, and deploy; `lanework schedules pause` stops it for now"
            )
            raise InvalidOptionError(msg)

    def _states(self, runs: Iterable[str | None]) -> dict[str, State]:
        found = self._ports.ledger.get_many(sorted({run for run in runs if run is not None}))
        return {job_id: one.state for job_id, one in found.items()}


def next_of(record: ScheduleRecord, now: datetime) -> datetime | None:
    """Return a schedule's first tick from now; None while it is paused, or if there is none any more."""
    return None if record.paused or record.damage else record.schedule.timetable.next(now)


def _check_count(count: int) -> None:
    if not is_a(count, int) or not 1 <= count <= _LONGEST_PREVIEW:
        msg = f"the number of ticks must be between 1 and {_LONGEST_PREVIEW:,}, got {shown(count)}"
        raise InvalidOptionError(msg)
