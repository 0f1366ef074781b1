"""
Firing schedules: EventBridge calls for each, and the minute tick makes good what it didn't; both do the same.

A tick is taken in three steps, one conditional write, one enqueue, one conditional write: it is *reserved* in the
schedule's record, so that nobody else takes it; its job is *enqueued* under the run id, which every repeat has too;
then the record is *settled*. A crash between the first and the last leaves the record due, and the next minute
enqueues the same job again, a duplicate if it was there. So a tick that fires runs once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.enqueue.reserved_ids import enqueue_reserved, is_anothers
from lanework.engine.jobtypes.request import builtin_request
from lanework.engine.messaging.message_events import Apart
from lanework.engine.schedules.sync import ScheduleSync
from lanework.errors import (
    ConfigError,
    EnqueueError,
    InvalidOptionError,
    InvalidPayloadError,
    LaneworkError,
    UnavailableError,
)
from lanework.model.events import Action, Event
from lanework.model.lifecycle.states import ENDED
from lanework.model.schedule.schedule import MOST_CAUGHT_UP, Overlap, chosen, tick_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.bundle import Ports
    from lanework.model.schedule.schedule import Schedule, ScheduleRecord

CLOCK_BEHIND: Final = timedelta(seconds=5)
"""How far our clock may be behind EventBridge's: such a call is on time, not early."""

_PAGE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """
    What a tick or a trigger did.

    Attributes:
        enqueued: Jobs that were enqueued, duplicates included.
        passed_over: Ticks that were not run: their previous run has not ended, or they were missed.
        failed: Ticks whose job can't be enqueued.
        is_done: Nothing more was due; otherwise the next minute goes on.
    """

    enqueued: int = 0
    passed_over: int = 0
    failed: int = 0
    is_done: bool = True

    def __add__(self, other: Fired) -> Fired:
        """Return both together."""
        return Fired(
            enqueued=self.enqueued + other.enqueued,
            passed_over=self.passed_over + other.passed_over,
            failed=self.failed + other.failed,
            is_done=self.is_done and other.is_done,
        )


_LEFT: Final = Fired(is_done=False)


class ScheduleTrigger:
    """Fires schedules. Its reads grow with what is due, not with how many schedules there are."""

    def __init__(self, ports: Ports, registry: Registry, enqueue: Callable[[Request], Receipt[object]]) -> None:
        """Take the ports, the job types (what they declare counts, not what the table says of it) and what enqueues."""
        self._ports = ports
        self._registry = registry
        self._enqueue = enqueue
        self._declared = ScheduleSync(ports, registry)

    def tick(self, *, has_time: Callable[[], bool] = lambda: True) -> Fired:
        """
        Bring the table to the code's declarations and fire every schedule that is due, while there is time.

        Raises:
            LaneworkError: Something was refused or didn't answer, the first of it; the other schedules have fired.
        """
        apart = Apart(self._ports)
        with apart.each("the declared schedules"):
            self._declared.sync()
        now = self._ports.clock()
        names = self._ports.schedules.due(until=now, limit=_PAGE)
        fired = Fired(is_done=len(names) < _PAGE)
        for name in names:
            with apart.each(f"schedule {name}"):
                fired += self._fire(name, now, has_time) if has_time() else _LEFT
        apart.raise_first()
        return fired

    def fire(self, name: str, at: str | None = None, *, has_time: Callable[[], bool] = lambda: True) -> Fired:
        """
        Fire one schedule, as EventBridge asks for; whatever else is asked for finds nothing to do.

        What is no time (an endpoint left the placeholder), or lies in the future, is taken as now.
        """
        now = self._ports.clock()
        said = _moment(at)
        upto = now + CLOCK_BEHIND if said is None or said > now + CLOCK_BEHIND else max(now, said)
        return self._fire(name, upto, has_time)

    def _fire(self, name: str, upto: datetime, has_time: Callable[[], bool]) -> Fired:
        """Fire a schedule's ticks up to a moment, one after the other."""
        record, fired = self._ready(name)
        if record is None:
            return fired
        choice = chosen(record.schedule, after=record.last_tick, upto=upto, now=self._ports.clock())
        if choice.missed:
            count = f"over {MOST_CAUGHT_UP}" if choice.missed > MOST_CAUGHT_UP else str(choice.missed)
            reason = f"{count} missed ticks: catch_up={record.schedule.catch_up}"
            self._emit(Action.SCHEDULE_SKIPPED, name, reason=reason)
            fired += Fired(passed_over=choice.missed)
        if choice.upto is not None and not choice.run:
            self._ports.schedules.write(record.passed(choice.upto))
        for tick in choice.run:
            if not has_time():
                return fired + _LEFT
            record, one = self._run(record, tick)
            fired += one
            if record is None:
                break
        return fired

    def _ready(self, name: str) -> tuple[ScheduleRecord | None, Fired]:
        """Return a schedule that may fire, with the job of its newest tick enqueued; None if it may not."""
        try:
            record = self._declared.record_of(name)
        except InvalidOptionError as error:  # zone data that is older or newer than what the schedule was written with
            self._emit(Action.SCHEDULE_FAILED, name, error=error)
            return None, Fired(failed=1)
        if record is None:
            self._emit(Action.SCHEDULE_SKIPPED, name, reason="there is no such schedule, or it is being written")
            return None, Fired()
        if record.damage is not None:
            self._emit(Action.SCHEDULE_FAILED, name, reason=record.words)
            return None, Fired(failed=1)
        if record.paused:
            return None, Fired()
        return (record, Fired()) if record.is_settled else self._enqueue_reserved(record, last_run=None)

    def _run(self, record: ScheduleRecord, tick: datetime) -> tuple[ScheduleRecord | None, Fired]:
        """Run one tick; return the record as it is then, None if this schedule is left to the next minute."""
        if record.schedule.overlap is Overlap.SKIP and self._still_runs(record.last_run):
            reason = f"its previous run {record.last_run} has not ended"
            self._emit(Action.SCHEDULE_SKIPPED, record.schedule.name, run=record.schedule.run_id(tick), reason=reason)
            return self._ports.schedules.write(record.passed(tick)), Fired(passed_over=1)
        reserved = self._ports.schedules.write(record.reserved(tick))
        if reserved is None:
            return None, Fired()  # somebody else has taken it, or paused the schedule
        return self._enqueue_reserved(reserved, last_run=record.last_run)

    def _enqueue_reserved(self, record: ScheduleRecord, *, last_run: str | None) -> tuple[ScheduleRecord | None, Fired]:
        """Enqueue the job of a reserved tick, and settle; `last_run` is what stays if it can't be enqueued."""
        schedule, run = record.schedule, record.last_run or record.schedule.run_id(record.last_tick)
        try:
            request, tick = self._request(schedule, run), record.last_tick
            last_run = enqueue_reserved(request, self._enqueue, self._ports, since=tick).job_id
            fired = Fired(enqueued=1)
        except (UnavailableError, EnqueueError, ConfigError) as error:
            self._emit(Action.SCHEDULE_DEFERRED, schedule.name, run=run, error=error)
            return None, _LEFT
        except LaneworkError as error:
            self._emit(Action.SCHEDULE_FAILED, schedule.name, run=run, error=error)
            fired = Fired(failed=1)
        return self._ports.schedules.write(record.settled(last_run=last_run)), fired

    def _request(self, schedule: Schedule, run: str) -> Request:
        return builtin_request(self._registry.get(schedule.job_type), schedule.payload, run)

    def _still_runs(self, job_id: str | None) -> bool:
        if job_id is None:
            return False
        found = self._ports.ledger.get_many([job_id]).get(job_id)
        if found is None or found.state in ENDED or found.is_expired(self._ports.clock()):
            return False
        tick = tick_of(job_id)
        return tick is None or not is_anothers(found, since=tick)

    def _emit(
        self,
        action: Action,
        name: str,
        *,
        run: str | None = None,
        reason: str | None = None,
        error: Exception | None = None,
    ) -> None:
        said = None if error is None else _said(error)
        event = Event(
            action=action,
            at=self._ports.clock(),
            schedule=name,
            job_id=run,
            reason=reason or said,
            error=said,
            error_type=None if error is None else type(error).__name__,
        )
        self._ports.events.emit(event)


def _said(error: Exception) -> str:
    """Return what a log may show of an error: of a payload's problems the fields, since their text may quote values."""
    if isinstance(error, InvalidPayloadError):
        fields = ", ".join(problem.partition(":")[0] for problem in error.problems)
        return f"{type(error).__name__}: payload of {error.job_type} is not valid: {fields}"
    return f"{type(error).__name__}: {error}"


def _moment(text: str | None) -> datetime | None:
    """Return the moment that EventBridge names, None if it is none."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
