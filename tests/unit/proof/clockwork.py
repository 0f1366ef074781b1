"""
The proof for schedules: whoever prods, ticks, crashes, pauses and deploys, each tick is one job, and none is missed.

What is reserved in a schedule's record, and which jobs are recorded, is watched from below; what ought to run is
reckoned by the timetable alone.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import count, islice, product
from typing import TYPE_CHECKING, Any, cast

import pytest
from pydantic import BaseModel

from lanework import App, InvalidOptionError, Jobs, UnknownNameError
from lanework.engine.enqueue.enqueuer import Enqueuer
from lanework.engine.jobtypes.request import request_of
from lanework.engine.schedules.service import Schedules
from lanework.engine.schedules.trigger import ScheduleTrigger
from lanework.errors import ScheduleNotConnectedError, UnavailableError
from lanework.memory import MemoryLanes, MemoryLedger
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import ENDED, State
from lanework.model.schedule.schedule import ScheduleRecord, Source
from lanework.testing import Clock, memory_ports
from tests.support.factories import a_record
from tests.unit.proof.adversary import Adversary, Beset, BesetLanes, CrashError, Trouble
from tests.unit.proof.promises import MOST_SKEW
from tests.unit.proof.world import Silence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord
    from lanework.model.schedule.timetable import Timetable

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
CLOCKS = ("clock-1", "clock-2")
DECLARED, ADDED = "proof.declared", "added"
NAMES = (DECLARED, ADDED)

TIMETABLES: Mapping[str, Mapping[str, Any]] = {
    "each five minutes": {"cron": "*/5 * * * *"},
    "each seven minutes": {"every": 7 * MINUTE},
    "each ten minutes elsewhere": {"cron": "3,13,23,33,43,53 * * * *", "tz": "Asia/Kathmandu"},
}
WORDS: Mapping[str, Mapping[str, Any]] = {
    "the newest": {"overlap": "allow", "catch_up": "latest"},
    "all": {"overlap": "allow", "catch_up": "all"},
    "none that is late": {"overlap": "allow", "catch_up": "skip"},
    "one at a time": {"overlap": "skip", "catch_up": "latest"},
}

HONEST = 25
"""Minutes that are watched at the end: more than any two ticks of a timetable here are apart."""

_EARLY = timedelta(seconds=5)
"""How early a prod may come: EventBridge's clock may be ahead of the function's."""

_MOST_FIRED = 60
"""Of one tick; what it leaves is the next one's."""


class Nothing(BaseModel):
    """A payload that may be empty."""


@dataclass(slots=True)
class Watch:
    """
    Checks what lands, and keeps what is to be checked at the end.

    Attributes:
        now: The true time.
        taken: Run ids that somebody has taken before their tick.
        recorded: How often each job was recorded, by run id.
        since: From when nothing of a schedule may be missed.
        reserved: Run ids that were reserved, and whose schedule was not stopped since.
    """

    now: Clock
    taken: set[str] = field(default_factory=set)
    recorded: Counter[str] = field(default_factory=Counter)
    since: dict[str, datetime] = field(default_factory=dict)
    reserved: dict[str, set[str]] = field(default_factory=dict)
    _in_force: dict[str, set[Timetable]] = field(default_factory=dict)

    def record(self, job: JobRecord) -> None:
        """Check a job that was just recorded."""
        self.recorded[job.job_id] += 1
        run, _, number = job.job_id.partition("+")
        name, _, said = run.partition("@")
        tick = datetime.fromisoformat(said)
        assert (number == "2") == (run in self.taken), f"{job.job_id} is not the id of its run"
        assert self.recorded[job.job_id] == 1, f"{job.job_id} was recorded twice"
        assert tick <= self.now() + _EARLY + MOST_SKEW, f"{job.job_id} before its time"
        assert any(one.latest(tick) == tick for one in self._in_force[name]), f"{job.job_id} is no tick"

    def write(self, before: ScheduleRecord | None, after: ScheduleRecord, *, by: str) -> None:
        """Check a schedule that was just written."""
        name = after.schedule.name
        self._in_force.setdefault(name, set()).add(after.schedule.timetable)
        if by in CLOCKS and after.source is Source.DYNAMIC:
            assert before is not None, f"{by} brought {name} back"
            assert before.schedule == after.schedule, f"{by} changed what {name} does"
            assert before.paused == after.paused, f"{by} took a pause of {name} away"
        is_same = before is not None and before.schedule.timetable == after.schedule.timetable
        if after.paused or not is_same or (before is not None and before.paused):
            self.since[name] = self.now()
            self.reserved[name] = set()
        if after.last_run is not None and not after.paused and not after.is_settled:
            self.reserved.setdefault(name, set()).add(after.last_run)

    def end(self, name: str) -> None:
        """A schedule was removed."""
        self.reserved[name] = set()


class WatchedStore:
    """A store of schedules whose landed writes are watched."""

    def __init__(self, store: Any, watch: Watch, actor: Callable[[], str]) -> None:
        self._store, self._watch, self._actor = store, watch, actor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, record: ScheduleRecord) -> ScheduleRecord | None:
        before = self._store.get(record.schedule.name)
        written: ScheduleRecord | None = self._store.write(record)
        if written is not None:
            self._watch.write(before, written, by=self._actor())
        return written

    def remove(self, record: ScheduleRecord) -> bool:
        is_removed: bool = self._store.remove(record)
        if is_removed:
            self._watch.end(record.schedule.name)
        return is_removed


class WatchedJobs(MemoryLedger):
    """A ledger whose new jobs are watched."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def put(self, record: JobRecord) -> JobRecord | None:
        existing = super().put(record)
        if existing is None:
            self._watch.record(record)
        return existing


class Clockwork:
    """
    A stack's schedules, two instances of its clock function, and an operator.

    Attributes:
        time: The true time.
    """

    def __init__(self, skews: Mapping[str, int], *, words: str, deployed: str) -> None:
        self.time = Clock()
        self._skews, self._words = skews, words
        self._watch = Watch(self.time)
        self._adversary = Adversary(self._interfere)
        self._base = replace(memory_ports(self.time), events=Silence())
        self._store = self._base.schedules
        self._jobs = WatchedJobs(self._watch)
        self._actors = ["operator"]
        self._numbers = count(1)
        self._apps = {name: _application(deployed, words) for name in CLOCKS}

    # --- what each does

    def deploy(self, clock: str, timetable: str) -> None:
        """An instance of the clock function begins to run other code."""
        self._apps[clock] = _application(timetable, self._words)

    def tick(self, trouble: Trouble, clock: str) -> None:
        """The minute's tick."""
        left = count(_MOST_FIRED, -1)
        with self._acting(clock, trouble), suppress(UnavailableError):
            self._clock_of(clock).tick(has_time=lambda: next(left) > 0)

    def prod(self, trouble: Trouble, clock: str, name: str, *, minutes_off: int | None) -> None:
        """EventBridge prods: for a time about now, or with its placeholder left as it is."""
        at = "<aws.scheduler.scheduled-time>"
        if minutes_off is not None:
            at = f"{self.time() + minutes_off * MINUTE:%Y-%m-%dT%H:%M:00Z}"
        left = count(_MOST_FIRED, -1)
        with self._acting(clock, trouble), suppress(UnavailableError):
            self._clock_of(clock).fire(name, at, has_time=lambda: next(left) > 0)

    def operate(self, trouble: Trouble, act: str, name: str, timetable: str) -> None:
        """An operator pauses, resumes, adds or removes."""
        refusals = (UnavailableError, ScheduleNotConnectedError, UnknownNameError, InvalidOptionError)
        with self._acting("operator", trouble), suppress(*refusals):
            schedules = self._schedules()
            match act:
                case "pause":
                    schedules.pause(name)
                case "resume":
                    schedules.resume(name)
                case "remove":
                    schedules.remove(name)
                case _:
                    schedules.add(ADDED, "proof.other", **TIMETABLES[timetable], **WORDS[self._words])

    def take(self, name: str, *, ahead: int, how: str) -> None:
        """
        Somebody has the id of a run that is to come: refused at the door, and in a record from before that was so.

        Args:
            name: The schedule.
            ahead: Which of its ticks; the next ones are too near to be known as another's by their age.
            how: His job: `delayed` for years, or `another` type's.
        """
        record = self._store.get(name)
        if record is None:
            return
        ticks = islice(record.schedule.timetable.after(self.time() + 2 * MINUTE + 2 * MOST_SKEW), ahead, None)
        run = record.schedule.run_id(next(ticks))
        app = self._apps["clock-1"]
        with pytest.raises(InvalidOptionError, match="Lanework's own"):
            request_of(app.registry.get("proof.other"), {}, {"job_id": run})
        if run in self._jobs.records or self._watch.recorded[run]:
            return
        job_type = record.schedule.job_type if how == "delayed" else "proof.theirs"
        far = self.time() + 3000 * timedelta(days=1)
        theirs = a_record(job_id=run, state=State.SCHEDULED, due_at=far, sweep_at=far, run_at=far)
        self._jobs.records[run] = replace(theirs, type=job_type, payload="{}", created_at=self.time())
        self._watch.taken.add(run)

    def end_jobs(self) -> None:
        """Every job that was enqueued has run; what somebody else delayed waits on."""
        for job_id, record in self._jobs.records.items():
            if record.state not in ENDED and job_id not in self._watch.taken:
                self._jobs.records[job_id] = replace(record, state=State.COMPLETED)

    # --- what must hold

    def every_tick_has_its_job(self) -> None:
        """The adversary rests, both clocks run the same code, nothing is paused: from now on nothing is missed."""
        self._apps["clock-2"] = self._apps["clock-1"]
        for name in NAMES:
            self.operate(Trouble(), "resume", name, "")
        self.tick(Trouble(), "clock-1")
        self.time.advance(2 * MOST_SKEW)
        honest_from = self.time()
        for _ in range(HONEST):
            self.end_jobs()
            self.time.advance(MINUTE)
            self.tick(Trouble(), "clock-1")
        jobs = self._jobs.records.keys() | self._sent()
        there = (jobs - self._watch.taken) | {run for run in self._watch.taken if f"{run}+2" in jobs}
        for record in self._store.all():
            name = record.schedule.name
            since = self._watch.since[name] + MOST_SKEW if self._words == "all" else honest_from
            for tick in record.schedule.timetable.between(since, self.time() - MOST_SKEW):
                run = record.schedule.run_id(tick)
                assert run in there, f"{run} was missed"
            lost = self._watch.reserved.get(name, set()) - there
            assert not lost, f"reserved, and never enqueued: {lost}"

    # --- how

    def _sent(self) -> set[str]:
        """Return the jobs of all messages: one whose record can't be written is sent unrecorded."""
        lanes = cast("MemoryLanes", self._base.lanes)
        found = set()
        while (message := lanes.receive(Lane.LOW)) is not None:
            found.add(Envelope.decode(message.body).id)
        return found

    def _interfere(self, what: str) -> None:
        match what:
            case "another ticks":
                self.tick(Trouble(), "clock-2")
            case "another prods":
                for name in NAMES:
                    self.prod(Trouble(), "clock-2", name, minutes_off=None)
            case "added anew":
                for act in ("remove", "add"):
                    self.operate(Trouble(), act, ADDED, "each seven minutes")
            case "paused" | "paused and resumed":
                for act, name in product(("pause", "resume") if "resumed" in what else ("pause",), NAMES):
                    self.operate(Trouble(), act, name, "")
            case _:
                self.time.advance(10 * MINUTE if "ten" in what else MINUTE)

    def _clock_of(self, name: str) -> ScheduleTrigger:
        ports = self._ports(name)
        return ScheduleTrigger(ports, self._apps[name].registry, Enqueuer(ports).enqueue)

    def _schedules(self) -> Schedules:
        ports = self._ports("operator")
        return Schedules(ports, self._apps["clock-1"].registry, Enqueuer(ports).enqueue)

    def _ports(self, who: str) -> Ports:
        skew = self._skews[who] * SECOND
        return replace(
            self._base,
            schedules=cast("Any", Beset(self._watched(), "dynamodb", self._adversary)),
            ledger=cast("Any", Beset(self._jobs, "dynamodb", self._adversary)),
            flags=cast("Any", Beset(self._base.flags, "dynamodb", self._adversary)),
            lanes=cast("Any", BesetLanes(self._base.lanes, "sqs", self._adversary)),
            clock=lambda: self.time() + skew,
            new_id=lambda: f"id-{next(self._numbers)}",
            new_nonce=lambda: f"nonce-{next(self._numbers)}",
        )

    def _watched(self) -> WatchedStore:
        return WatchedStore(self._store, self._watch, lambda: self._actors[-1])

    @contextmanager
    def _acting(self, who: str, trouble: Trouble) -> Iterator[None]:
        """Let somebody act, with this trouble; a crash ends the step. Steps nest: somebody else acts in the middle."""
        self._actors.append(who)
        if len(self._actors) == 2:
            self._adversary.plan(trouble)
        try:
            yield
        except CrashError:
            pass
        finally:
            self._actors.pop()
            if len(self._actors) == 1:
                self._adversary.rest()


@cache
def _application(timetable: str, words: str) -> App:
    family = Jobs(queue="proof", lane="low")

    @family.job(DECLARED, **TIMETABLES[timetable], **WORDS[words])
    def declared(_: Nothing) -> None: ...

    @family.job("proof.other")
    def other(_: Nothing) -> None: ...

    return App(family)
