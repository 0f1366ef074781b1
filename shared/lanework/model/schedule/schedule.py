"""Schedules as values: what fires when, with what payload, and what becomes of ticks that were missed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final, Literal

from lanework.errors import InvalidOptionError, is_a, shown

if TYPE_CHECKING:
    from lanework.model.schedule.timetable import Timetable

LATE_AFTER: Final = timedelta(minutes=5)
"""A tick that is found later than this is a missed one."""

MOST_CAUGHT_UP: Final = 1000
"""Missed ticks that `catch_up="all"` makes up, the newest of them."""

SCHEDULED_TIME: Final = "<aws.scheduler.scheduled-time>"
"""What EventBridge fills in with the time that a call is for (EventBridge Scheduler, "Adding context attributes")."""

_TICK: Final = re.compile(r"[^@]+@(?P<tick>\d{4}-\d\d-\d\dT\d\d:\d\dZ)(\+\d)?")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_RUN: Final = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]{0,63})@\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z(\+[a-z0-9]+)?")
"""What `Schedule.run_id` and `Schedule.manual_run_id` make."""


class Overlap(StrEnum):
    """What a tick does while the schedule's previous run has not ended."""

    SKIP = "skip"
    ALLOW = "allow"


class CatchUp(StrEnum):
    """Which of the ticks that were missed run after all."""

    LATEST = "latest"
    SKIP = "skip"
    ALL = "all"


OverlapName = Literal["skip", "allow"]
CatchUpName = Literal["latest", "skip", "all"]


class Source(StrEnum):
    """Where a schedule comes from: a job type's declaration, or somebody who added it."""

    DECLARED = "declared"
    DYNAMIC = "dynamic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """
    A job that is enqueued at each tick.

    Attributes:
        name: Lower-case letters, digits, dots, _ and -, at most 64 (EventBridge Scheduler, CreateSchedule). A declared
            schedule's is its job type's.
        job_type: What is enqueued.
        timetable: When.
        payload: JSON text.
        overlap: `skip` passes a tick over while the previous run has not ended; `allow` doesn't look.
        catch_up: Of missed ticks `latest` runs the newest; `skip` none that is over 5 minutes late; `all` each, oldest
            first, at most 1,000.
    """

    name: str
    job_type: str
    timetable: Timetable
    payload: str = "{}"
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.LATEST

    def __post_init__(self) -> None:
        """Check all of it, and that EventBridge can say it."""
        if not (is_a(self.name, str) and _NAME.fullmatch(self.name)):
            msg = (
                f"schedule {shown(self.name)} can't be used as a name: 1 to 64 of lower-case letters, digits, . _ and "
                "-, beginning with a letter or digit"
            )
            raise InvalidOptionError(msg)
        if self.catch_up is CatchUp.ALL and self.overlap is Overlap.SKIP:
            msg = (
                f"schedule {self.name!r}: catch_up='all' doesn't go with overlap='skip', which would skip each "
                "missed tick while the one before it runs; write overlap='allow', or catch_up='latest'"
            )
            raise InvalidOptionError(msg)
        self.timetable.expression_for_eventbridge()

    def run_id(self, tick: datetime) -> str:
        """Return the id of the job that a tick enqueues: the same however often the tick is delivered."""
        return f"{self.name}@{tick:%Y-%m-%dT%H:%MZ}"

    def manual_run_id(self, now: datetime) -> str:
        """Return the id of a run that somebody asked for, beside the ticks; one a second."""
        return f"{self.name}@{now:%Y-%m-%dT%H:%M:%SZ}+manual"


def schedule_of_run(job_id: str) -> str | None:
    """Return the name of the schedule whose run a job's id says that it is; None if it says nothing of the kind."""
    found = _RUN.fullmatch(job_id)
    return None if found is None else found["name"]


def tick_of(run_id: str) -> datetime | None:
    """Return the tick that a run id names; None of an id that names none."""
    said = _TICK.fullmatch(run_id)
    return None if said is None else datetime.strptime(said["tick"], "%Y-%m-%dT%H:%M%z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRecord:
    """
    A schedule as the table keeps it, and how far it has come.

    Attributes:
        last_tick: The newest tick that is dealt with; at first, when the schedule began or was resumed.
        due_at: From when the clock looks at it; None while it is paused, or after its last tick. At or before
            `last_tick`: a tick is reserved, and its job may not be enqueued yet.
        last_run: The job of the newest tick that ran.
        revision: Another one with each write, which requires the one that it read. 0 is not written yet.
        damage: What of it can't be read, such as a later release's word. Then it fires nothing, and `schedule` holds
            what is not known. It is never written: another text, or its removal, takes its place.
    """

    schedule: Schedule
    source: Source
    last_tick: datetime
    due_at: datetime | None
    last_run: str | None = None
    paused: bool = False
    revision: int = 0
    damage: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the job of the newest tick is enqueued for certain."""
        return self.due_at is None or self.due_at > self.last_tick

    @property
    def words(self) -> str:
        """When it fires, in words, or what of it can't be read."""
        return self.schedule.timetable.words if self.damage is None else f"its record can't be read: {self.damage}"

    def rewritten(self) -> ScheduleRecord:
        """
        Return it with its next revision.

        The first is the time at which it began: one that was removed and added anew is not mistaken for the old one.
        """
        first = int(self.last_tick.timestamp() * 1000)
        return replace(self, revision=self.revision + 1 if self.revision else first)

    def reserved(self, tick: datetime) -> ScheduleRecord:
        """Return it with a tick taken, so that nobody else runs it; its job is enqueued next."""
        return replace(self, last_tick=tick, last_run=self.schedule.run_id(tick), due_at=tick)

    def settled(self, *, last_run: str | None) -> ScheduleRecord:
        """Return it with its newest tick dealt with."""
        return replace(self, last_run=last_run, due_at=self.schedule.timetable.next(self.last_tick))

    def passed(self, tick: datetime) -> ScheduleRecord:
        """Return it with its ticks up to this one passed over."""
        return replace(self, last_tick=tick, due_at=self.schedule.timetable.next(tick))

    def paused_now(self) -> ScheduleRecord:
        """Return it paused."""
        return replace(self, paused=True, due_at=None)

    def resumed(self, now: datetime) -> ScheduleRecord:
        """Return it going on from now: what a pause held up is not caught up with."""
        return replace(self.passed(now), paused=False)

    def changed_to(self, schedule: Schedule, source: Source, *, now: datetime) -> ScheduleRecord:
        """
        Return it as a newer text of it has it; only another timetable starts anew, from now.

        One that isn't settled goes on instead: the job of its newest tick may yet have to be enqueued. One that can't
        be read starts anew, and stays paused if it was.
        """
        if self.damage is not None:
            anew = replace(begun(schedule, source, now=now), revision=self.revision)
            return anew.paused_now() if self.paused else anew
        same = replace(self, schedule=schedule, source=source)
        if self.schedule.timetable == schedule.timetable or not self.is_settled:
            return same
        return replace(same, last_tick=now) if self.paused else same.passed(now)


def begun(schedule: Schedule, source: Source, *, now: datetime) -> ScheduleRecord:
    """Return a schedule's first record: nothing of the past runs."""
    return ScheduleRecord(schedule=schedule, source=source, last_tick=now, due_at=schedule.timetable.next(now))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is to become of the ticks since the last: those that run, the newest, and how many are missed."""

    run: tuple[datetime, ...] = ()
    upto: datetime | None = None
    missed: int = 0


def chosen(schedule: Schedule, *, after: datetime, upto: datetime, now: datetime) -> Choice:
    """Return which ticks of a time run, as the schedule's `catch_up` says. Looks at the newest 1,000 and one more."""
    newest_first = takewhile(lambda tick: tick > after, schedule.timetable.before(upto))
    ticks = tuple(islice(newest_first, MOST_CAUGHT_UP + 1))[::-1]
    match schedule.catch_up:
        case CatchUp.LATEST:
            run = ticks[-1:]
        case CatchUp.SKIP:
            run = tuple(tick for tick in ticks if now - tick <= LATE_AFTER)
        case CatchUp.ALL:
            run = ticks[-MOST_CAUGHT_UP:]
    return Choice(run=run, upto=ticks[-1] if ticks else None, missed=len(ticks) - len(run))


def input_of(name: str) -> str:
    """Return what EventBridge hands to the clock function for a schedule, as JSON text."""
    return json.dumps({"schedule": name, "at": SCHEDULED_TIME})
