"""Schedules: each tick runs once, whoever delivers it and whatever crashes; what is passed over is said."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import pytest
from pydantic import BaseModel

from lanework import App, DeclarationError, InvalidOptionError, Jobs, Receipt, Request, Run, State, UnknownNameError
from lanework.engine.schedules.trigger import Fired, ScheduleTrigger
from lanework.errors import (
    InvalidPayloadError,
    LaneworkError,
    QuotaExceededError,
    ScheduleNotConnectedError,
    UnavailableError,
    UnknownJobTypeError,
)
from lanework.model.schedule.schedule import Schedule, ScheduleRecord, Source
from lanework.testing import NOON, Clock, EventList, app_in_memory, drain
from tests.support.fakes import Flaky, break_ports, mend_ports

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)

OverlapWord = Literal["skip", "allow"]
CatchUpWord = Literal["latest", "skip", "all"]


class Which(BaseModel):
    """Payload of the application's jobs."""

    what: str = "all"


class Named(BaseModel):
    """A payload that can't be empty."""

    name: str
    count: int


@dataclass(slots=True)
class World:
    """An application in memory and what its jobs did."""

    app: App
    clock: Clock
    events: EventList
    ran: list[tuple[str, str]] = field(default_factory=list)

    def tick(self, by: timedelta = timedelta(0)) -> Fired:
        self.clock.advance(by)
        return self.app.runtime.schedule_trigger.tick()

    def hourly(self, name: str = "hourly", *, overlap: OverlapWord = "allow", catch_up: CatchUpWord = "latest") -> None:
        self.app.schedules.add(name, "job.clean", cron="0 * * * *", overlap=overlap, catch_up=catch_up)

    def runs(self) -> list[str]:
        """Run what is enqueued and return the ids of all that ran."""
        drain(self.app)
        return [run for run, _ in self.ran]

    def reasons(self, action: str) -> list[str | None]:
        return [event.reason for event in self.events.events if event.action == action]


def declare(world: World, **facts: Any) -> App:
    """Return an application whose cleanup has this schedule, on the same ports if there are any."""
    family = Jobs(queue="cleanup", lane="low")

    @family.job("job.clean", **facts)
    def clean(which: Which, run: Run) -> None:
        world.ran.append((run.job_id, which.what))

    @family.job("job.named")
    def named(named: Named) -> None: ...

    return App(family)


@pytest.fixture(name="world")
def a_world() -> World:
    world = World(App(), Clock(NOON + MINUTE), EventList())
    world.app = app_in_memory(declare(world), world.clock, events=world.events)
    return world


def deploy(world: World, **facts: Any) -> None:
    """Deploy the application again, with another declaration."""
    ports = world.app.ports
    world.app = declare(world, **facts)
    world.app.use(ports)


def watched(world: World) -> Flaky:
    """Note the calls of the store of schedules."""
    store = Flaky(world.app.ports.schedules)
    world.app.use(replace(world.app.ports, schedules=store))
    return store


def test_each_tick_runs_once_under_its_own_id(world: World) -> None:
    world.app.schedules.add("hourly", "job.clean", Which(what="tokens"), cron="0 * * * *")

    for _ in range(150):
        world.tick(MINUTE)
        drain(world.app)

    assert world.ran == [("hourly@2026-01-02T13:00Z", "tokens"), ("hourly@2026-01-02T14:00Z", "tokens")]


def test_nothing_of_the_past_runs_when_a_schedule_begins(world: World) -> None:
    world.hourly()

    assert world.tick() == Fired()
    assert world.tick(59 * MINUTE) == Fired(enqueued=1)


def test_a_tick_that_eventbridge_delivers_twice_and_the_sweep_finds_too_runs_once(world: World) -> None:
    world.hourly()
    world.clock.advance(59 * MINUTE)

    fired = [world.app.runtime.schedule_trigger.fire("hourly", "2026-01-02T13:00:00Z") for _ in range(2)]

    assert [one.enqueued for one in (*fired, world.tick())] == [1, 0, 0]
    assert world.runs() == ["hourly@2026-01-02T13:00Z"]


@pytest.mark.parametrize(
    "at", ["<aws.scheduler.scheduled-time>", None, "soon", "", "2026-01-02T13:00:00Z", "2099-01-01T00:00:00Z"]
)
def test_an_endpoint_that_names_no_time_means_the_tick_that_has_just_come(world: World, at: str | None) -> None:
    world.hourly()
    world.clock.now = NOON + HOUR + 9 * SECOND

    world.app.runtime.schedule_trigger.fire("hourly", at)

    assert world.runs() == ["hourly@2026-01-02T13:00Z"]


@pytest.mark.parametrize("at", ["2026-01-02T13:00:00Z", "<aws.scheduler.scheduled-time>"])
def test_a_prod_that_comes_before_our_clock_is_there_is_on_time_and_an_early_one_is_not(world: World, at: str) -> None:
    world.hourly()
    world.clock.now = NOON + HOUR - 6 * SECOND
    assert world.app.runtime.schedule_trigger.fire("hourly", at) == Fired()

    world.clock.advance(2 * SECOND)
    world.app.runtime.schedule_trigger.fire("hourly", at)

    assert world.tick(10 * SECOND) == Fired()
    assert world.runs() == ["hourly@2026-01-02T13:00Z"]


def test_the_sweep_is_never_early(world: World) -> None:
    world.hourly()
    world.clock.now = NOON + HOUR - timedelta(milliseconds=1)

    assert world.tick() == Fired()


def test_a_prod_out_of_phase_finds_nothing_to_do(world: World) -> None:
    """EventBridge counts a `rate(…)` from its own beginning."""
    world.app.schedules.add("odd", "job.clean", every=timedelta(minutes=7))
    world.tick(7 * MINUTE)

    assert world.app.runtime.schedule_trigger.fire("odd", "2026-01-02T12:08:30Z") == Fired()


def test_a_prod_for_a_schedule_that_is_gone_is_said_and_harmless(world: World) -> None:
    assert world.app.runtime.schedule_trigger.fire("nobody") == Fired()
    assert world.reasons("schedule.skipped") == ["there is no such schedule, or it is being written"]


@pytest.mark.parametrize("step", ["reserve", "reserve's answer", "enqueue", "settle", "settle's answer"])
def test_a_crash_between_any_two_steps_neither_loses_nor_doubles_the_tick(world: World, step: str) -> None:
    world.hourly()
    world.clock.advance(59 * MINUTE)
    if step == "enqueue":
        ledger, lanes = break_ports(world.app)
        ledger.broken, lanes.broken = {"put"}, {"send"}
        assert world.app.runtime.schedule_trigger.tick() == Fired(is_done=False)
        mend_ports(world.app)
    else:
        store: Any = _FailsAtOneWrite(
            world.app.ports.schedules, number=2 if step.startswith("settle") else 1, is_done=step.endswith("answer")
        )
        world.app.use(replace(world.app.ports, schedules=store))
        with pytest.raises(UnavailableError):
            world.app.runtime.schedule_trigger.tick()
        world.app.use(replace(world.app.ports, schedules=store.port))

    world.tick(MINUTE)
    world.tick(MINUTE)

    assert world.runs() == ["hourly@2026-01-02T13:00Z"]
    record = world.app.schedules.get("hourly")
    assert (record.last_run, record.is_settled) == ("hourly@2026-01-02T13:00Z", True)
    assert record.due_at == NOON + 2 * HOUR


@dataclass(slots=True)
class _FailsAtOneWrite:
    """A store whose nth write fails, before it is done or after."""

    port: Any
    number: int
    is_done: bool

    def write(self, record: object) -> object:
        self.number -= 1
        if self.number == 0 and not self.is_done:
            raise UnavailableError("write")
        answer = self.port.write(record)
        if self.number == 0:
            raise UnavailableError("write")
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.port, name)


def test_two_that_fire_at_the_same_moment_enqueue_one_job(world: World) -> None:
    """The second reads and fires between the first's read and its reserve."""
    world.hourly()
    world.clock.advance(59 * MINUTE)
    other = world.app.runtime.schedule_trigger
    store: Any = _Interleaved(world.app.ports.schedules, lambda: other.fire("hourly"))
    world.app.use(replace(world.app.ports, schedules=store))

    assert world.app.runtime.schedule_trigger.fire("hourly") == Fired()

    assert world.runs() == ["hourly@2026-01-02T13:00Z"]


@dataclass(slots=True)
class _Interleaved:
    """A store that lets something else happen before its first write."""

    port: Any
    meanwhile: Callable[[], object] | None

    def write(self, record: object) -> object:
        happen, self.meanwhile = self.meanwhile, None
        if happen is not None:
            happen()
        return self.port.write(record)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.port, name)


def test_a_pause_between_read_and_reserve_holds(world: World) -> None:
    world.hourly()
    world.clock.advance(59 * MINUTE)
    schedules = world.app.schedules
    store: Any = _Interleaved(world.app.ports.schedules, lambda: schedules.pause("hourly"))
    world.app.use(replace(world.app.ports, schedules=store))

    assert world.app.runtime.schedule_trigger.fire("hourly") == Fired()
    assert world.runs() == []


def test_a_second_that_finds_a_reserved_tick_enqueues_it_under_the_same_id(world: World) -> None:
    world.hourly()
    world.clock.advance(59 * MINUTE)
    record = world.app.schedules.get("hourly")
    world.app.ports.schedules.write(record.reserved(NOON + HOUR))

    assert world.app.runtime.schedule_trigger.fire("hourly").enqueued == 1
    assert world.runs() == ["hourly@2026-01-02T13:00Z"]


def test_a_tick_is_passed_over_while_the_previous_run_has_not_ended(world: World) -> None:
    world.hourly(overlap="skip")
    world.tick(HOUR)

    assert world.tick(HOUR) == Fired(passed_over=1)
    assert world.reasons("schedule.skipped") == ["its previous run hourly@2026-01-02T13:00Z has not ended"]
    assert world.runs() == ["hourly@2026-01-02T13:00Z"]
    world.tick(HOUR)
    assert world.runs()[1:] == ["hourly@2026-01-02T15:00Z"]


def test_a_previous_run_whose_record_is_gone_has_ended(world: World) -> None:
    world.hourly(overlap="skip")
    world.tick(HOUR)
    ledger: Any = world.app.ports.ledger
    ledger.records.clear()

    assert world.tick(HOUR) == Fired(enqueued=1)


def test_overlapping_runs_are_allowed_where_the_schedule_says_so(world: World) -> None:
    world.hourly(overlap="allow")
    world.tick(HOUR)

    assert world.tick(HOUR) == Fired(enqueued=1)
    assert len(world.runs()) == 2


@pytest.mark.parametrize(
    ("catch_up", "ran", "reason"),
    [
        ("latest", ["15:00"], "2 missed ticks: catch_up=latest"),
        ("skip", [], "3 missed ticks: catch_up=skip"),
        ("all", ["13:00", "14:00", "15:00"], None),
    ],
)
def test_missed_ticks_run_as_the_schedule_says(
    world: World, catch_up: CatchUpWord, ran: list[str], reason: str | None
) -> None:
    world.hourly(catch_up=catch_up)
    fired = world.tick(3 * HOUR + 10 * MINUTE)

    assert (fired.enqueued, fired.passed_over) == (len(ran), 3 - len(ran))
    assert world.runs() == [f"hourly@2026-01-02T{one}Z" for one in ran]
    assert world.reasons("schedule.skipped") == ([] if reason is None else [reason])
    assert world.tick() == Fired(), "they are dealt with"
    world.tick(50 * MINUTE)
    assert world.runs()[len(ran) :] == ["hourly@2026-01-02T16:00Z"]


def test_of_very_many_missed_ticks_the_newest_thousand_run(world: World) -> None:
    world.app.schedules.add("often", "job.clean", every=MINUTE, overlap="allow", catch_up="all")

    fired = world.tick(timedelta(days=365))

    assert fired.enqueued == 1000
    assert world.reasons("schedule.skipped") == ["1 missed ticks: catch_up=all"]


def test_a_tick_that_is_a_little_late_is_not_missed(world: World) -> None:
    world.hourly(catch_up="skip")

    assert world.tick(59 * MINUTE + 4 * MINUTE).enqueued == 1


def test_a_tick_without_time_leaves_the_rest_to_the_next(world: World) -> None:
    world.hourly(catch_up="all")
    left = iter([True, True, False])
    world.clock.advance(3 * HOUR)

    fired = world.app.runtime.schedule_trigger.tick(has_time=lambda: next(left))

    assert (fired.enqueued, fired.is_done) == (1, False)
    assert world.tick() == Fired(enqueued=2)


def test_while_paused_nothing_fires_and_a_resume_catches_up_with_nothing(world: World) -> None:
    world.hourly(catch_up="all")
    assert world.app.schedules.pause("hourly").due_at is None

    assert world.tick(3 * HOUR) == Fired()
    assert world.app.runtime.schedule_trigger.fire("hourly") == Fired()
    assert world.app.schedules.resume("hourly").due_at == NOON + 4 * HOUR
    assert world.tick() == Fired()
    world.tick(HOUR)
    assert world.runs() == ["hourly@2026-01-02T16:00Z"]


def test_resuming_what_is_not_paused_loses_no_tick(world: World) -> None:
    world.hourly()
    world.clock.advance(HOUR)

    world.app.schedules.resume("hourly")

    assert world.tick() == Fired(enqueued=1)


def test_a_manual_run_is_beside_the_ticks(world: World) -> None:
    world.hourly()
    first, again = world.app.schedules.run("hourly"), world.app.schedules.run("hourly")
    world.tick(HOUR)

    assert (first.job_id, again.duplicate) == ("hourly@2026-01-02T12:01:00Z+manual", True)
    assert world.runs() == [first.job_id, "hourly@2026-01-02T13:00Z"]


def test_a_run_that_cannot_be_enqueued_is_said_and_others_go_on(world: World) -> None:
    for name in ("a", "b", "c"):
        world.hourly(name)

    def enqueue(request: Request) -> Receipt[object]:
        if str(request.job_id).startswith("b@"):
            raise QuotaExceededError("quota:type:job.clean", n=1, per=HOUR, retry_at=NOON + 2 * HOUR)
        return world.app.enqueue_request(request)

    world.clock.advance(HOUR)
    fired = ScheduleTrigger(world.app.ports, world.app.registry, enqueue).tick()

    assert fired == Fired(enqueued=2, failed=1)
    (reason,) = world.reasons("schedule.failed")
    assert str(reason).startswith("QuotaExceededError: quota:type:job.clean is used up")
    assert world.app.schedules.get("b").last_run is None
    assert world.tick() == Fired(), "the tick is passed over"


def test_a_payload_that_no_longer_fits_passes_the_tick_over(world: World) -> None:
    world.app.schedules.add("a", "job.named", {"name": "x", "count": 1}, cron="0 * * * *")
    store = world.app.ports.schedules
    record = world.app.schedules.get("a")
    store.write(replace(record, schedule=replace(record.schedule, payload="{}")))
    gone = store.write(replace(record, schedule=replace(record.schedule, name="z", job_type="job.gone"), revision=0))

    assert gone is not None
    assert world.tick(HOUR) == Fired(failed=2)
    assert world.reasons("schedule.failed") == [
        "InvalidPayloadError: payload of job.named is not valid: name, count",
        "UnknownJobTypeError: unknown job type 'job.gone', did you mean 'job.named'?",
    ]


def test_a_schedule_that_can_no_longer_be_read_does_not_hold_up_the_others(world: World) -> None:
    """Its zone is unknown to the zone data of this deployment."""
    world.hourly("a")
    world.hourly("b")
    store: Any = _Unreadable(world.app.ports.schedules)
    world.app.use(replace(world.app.ports, schedules=store))

    assert world.tick(HOUR) == Fired(enqueued=1, failed=1)
    assert world.reasons("schedule.failed") == ["InvalidOptionError: unknown time zone 'Mars/Olympus'"]


@dataclass(slots=True)
class _Unreadable:
    """A store that can't read the schedule `a`."""

    port: Any

    def get(self, name: str) -> object:
        if name == "a":
            msg = "unknown time zone 'Mars/Olympus'"
            raise InvalidOptionError(msg)
        return self.port.get(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.port, name)


def test_a_schedule_of_another_release_fires_by_no_tick_and_no_prod(world: World) -> None:
    world.hourly("a")
    world.app.ports.schedules.write(replace(world.app.schedules.get("a"), damage="overlap: 'queue' is none"))
    world.clock.advance(HOUR)

    assert world.app.runtime.schedule_trigger.fire("a") == Fired(failed=1)
    assert (world.tick(), world.runs()) == (Fired(failed=1), [])
    assert world.reasons("schedule.failed") == ["its record can't be read: overlap: 'queue' is none"] * 2


@pytest.mark.parametrize("error", [ZeroDivisionError(), UnavailableError("throttled")])
def test_whatever_happens_to_one_schedule_the_others_fire(world: World, error: Exception) -> None:
    for name in ("a", "b", "c"):
        world.hourly(name)
    store = watched(world)

    def write(record: ScheduleRecord) -> ScheduleRecord | None:
        if record.schedule.name == "b":
            raise error
        written: ScheduleRecord | None = store.port.write(record)
        return written

    store.answers["write"] = write

    with raised_if_ours(error):
        world.tick(HOUR)

    assert [run.partition("@")[0] for run in world.runs()] == ["a", "c"]


@pytest.mark.parametrize("error", [ZeroDivisionError(), UnavailableError("throttled")])
def test_added_schedules_fire_though_what_is_declared_cant_be_compared(world: World, error: Exception) -> None:
    world.hourly("a")
    deploy(world, cron="0 0 1 1 *")
    store = watched(world)

    def all_() -> list[ScheduleRecord]:
        raise error

    store.answers["all"] = all_

    with raised_if_ours(error):
        world.tick(HOUR)

    assert world.runs() == ["a@2026-01-02T13:00Z"]


def raised_if_ours(error: Exception) -> AbstractContextManager[object]:
    """What AWS says is raised once the rest is done; what nobody foresaw is logged."""
    return pytest.raises(LaneworkError) if isinstance(error, LaneworkError) else nullcontext()


def test_a_declared_schedule_begins_with_the_first_minute_after_its_deployment(world: World) -> None:
    deploy(world, cron="0 2 * * *", tz="Asia/Ulaanbaatar")

    assert world.tick() == Fired()
    (listed,) = world.app.schedules.list()
    assert listed.record.source is Source.DECLARED
    assert listed.record.revision > 0
    world.tick(timedelta(hours=6))
    assert world.runs() == ["job.clean@2026-01-02T18:00Z"]


def test_a_redeploy_shifts_nothing_and_misses_nothing(world: World) -> None:
    deploy(world, every=6 * HOUR)
    world.tick(HOUR)
    deploy(world, every=6 * HOUR, overlap="allow")
    world.tick(6 * HOUR)
    deploy(world, every=6 * HOUR, overlap="allow")

    world.tick(HOUR)

    assert world.runs() == ["job.clean@2026-01-02T18:00Z"]
    assert world.app.schedules.next("job.clean") == (NOON + 12 * HOUR,)


def test_a_changed_timetable_begins_anew_and_a_removed_declaration_is_gone(world: World) -> None:
    deploy(world, cron="0 * * * *")
    world.tick()
    deploy(world, cron="30 * * * *")
    assert world.tick(HOUR) == Fired(), "13:00 belonged to the old one"
    world.tick(30 * MINUTE)
    deploy(world)
    world.tick(HOUR)

    assert world.runs() == ["job.clean@2026-01-02T13:30Z"]
    assert world.app.schedules.list() == ()


def test_a_prod_right_after_a_deployment_follows_the_new_code(world: World) -> None:
    deploy(world, cron="0 * * * *")
    world.tick()
    world.clock.advance(HOUR)
    deploy(world, cron="30 * * * *")

    assert world.app.runtime.schedule_trigger.fire("job.clean") == Fired()
    deploy(world)
    assert world.app.runtime.schedule_trigger.fire("job.clean") == Fired()
    assert world.runs() == []


def test_a_tick_that_was_reserved_before_a_deployment_changed_the_timetable_still_runs(world: World) -> None:
    deploy(world, cron="0 * * * *")
    world.tick()
    record = world.app.schedules.get("job.clean")
    world.app.ports.schedules.write(record.reserved(NOON + HOUR))
    deploy(world, cron="30 2 * * *")

    world.tick(HOUR)

    assert world.runs() == ["job.clean@2026-01-02T13:00Z"]


def test_following_the_code_costs_one_read_a_minute(world: World) -> None:
    deploy(world, cron="0 * * * *")
    world.tick()
    store = watched(world)

    world.tick(MINUTE)

    assert store.calls == ["due"]


def test_a_pause_of_a_declared_schedule_outlives_a_deployment(world: World) -> None:
    deploy(world, cron="0 * * * *")
    world.app.schedules.pause("job.clean")
    deploy(world, cron="30 * * * *", overlap="allow")

    assert world.tick(2 * HOUR) == Fired()
    assert world.app.schedules.get("job.clean").paused


def test_a_checkout_with_another_timetable_pauses_and_resumes_the_deployed_one(world: World) -> None:
    deploy(world, cron="0 * * * *")
    world.tick()
    deployed = world.app
    deploy(world, cron="0 0 1 1 *")

    world.app.schedules.pause("job.clean")
    world.app.schedules.resume("job.clean")

    world.app = deployed
    assert world.tick(59 * MINUTE) == Fired(enqueued=1)


def test_a_prod_that_still_reaches_the_code_before_a_deployment_is_made_good_by_the_next_minute(world: World) -> None:
    deploy(world, cron="0 0 1 1 *")
    before = world.app
    deploy(world, cron="0 * * * *")
    world.tick()

    before.runtime.schedule_trigger.fire("job.clean")

    assert [world.tick(MINUTE).enqueued for _ in range(59)] == [0] * 58 + [1]


def test_a_deployment_that_is_cut_off_while_it_brings_its_schedules_is_made_good(world: World) -> None:
    deploy(world, cron="0 * * * *")
    world.tick()
    before = world.app
    deploy(world, cron="0 0 1 1 *")
    store = watched(world)
    store.mute.add("write")
    with pytest.raises(UnavailableError):
        world.tick()

    world.app = before
    world.app.use(replace(world.app.ports, schedules=store.port))
    world.tick()

    assert world.tick(59 * MINUTE) == Fired(enqueued=1)


def test_adding_again_keeps_what_is_due_and_a_new_timetable_starts_from_now(world: World) -> None:
    world.hourly()
    world.clock.advance(HOUR)
    world.hourly()
    assert world.tick() == Fired(enqueued=1)

    world.clock.advance(HOUR)
    world.app.schedules.add("hourly", "job.clean", cron="30 * * * *", overlap="allow")
    assert world.tick() == Fired()
    assert world.runs() == ["hourly@2026-01-02T13:00Z"]


def test_a_removed_schedule_fires_no_more_and_its_name_is_free(world: World) -> None:
    scheduler: Any = world.app.ports.scheduler
    world.hourly()
    world.app.schedules.remove("hourly")

    assert (scheduler.schedules, world.tick(2 * HOUR)) == ({}, Fired())
    world.hourly()
    assert world.tick(HOUR) == Fired(enqueued=1)


def test_a_clock_that_read_a_schedule_before_it_was_removed_and_added_anew_leaves_the_new_one(world: World) -> None:
    world.hourly()
    world.clock.advance(HOUR)
    store = world.app.ports.schedules

    class Meanwhile(Flaky):
        def write(self, record: ScheduleRecord) -> ScheduleRecord | None:
            world.app.use(replace(world.app.ports, schedules=store))
            world.app.schedules.remove("hourly")
            world.app.schedules.add("hourly", "job.clean", cron="30 * * * *", overlap="allow")
            return store.write(record)

    world.app.use(replace(world.app.ports, schedules=Meanwhile(store)))

    assert world.tick() == Fired()
    found = world.app.schedules.get("hourly")
    assert found.schedule.timetable.cron == "30 * * * *"


def test_the_list_says_where_each_last_run_stands(world: World) -> None:
    deploy(world, cron="0 2 * * *")
    world.hourly("b")
    world.hourly("a")
    world.tick(HOUR)

    def states() -> list[tuple[str, State | None]]:
        return [(one.record.schedule.name, one.last_state) for one in world.app.schedules.list()]

    assert states() == [("a", State.QUEUED), ("b", State.QUEUED), ("job.clean", None)]
    drain(world.app)
    assert states()[0] == ("a", State.COMPLETED)


def test_what_eventbridge_does_not_take_is_recorded_and_starts_by_the_minute_tick(world: World) -> None:
    scheduler = Flaky(world.app.ports.scheduler, broken={"create"})
    world.app.use(replace(world.app.ports, scheduler=scheduler))

    with pytest.raises(
        ScheduleNotConnectedError, match=r"'hourly' is recorded, and the minute tick starts it.*add it again"
    ):
        world.hourly()

    assert world.tick(HOUR) == Fired(enqueued=1)


def test_a_schedule_that_eventbridge_does_not_let_go_stays(world: World) -> None:
    scheduler = Flaky(world.app.ports.scheduler, broken={"delete"})
    world.hourly()
    world.app.use(replace(world.app.ports, scheduler=scheduler))

    with pytest.raises(UnavailableError):
        world.app.schedules.remove("hourly")

    assert len(world.app.schedules.list()) == 1


@pytest.mark.parametrize(
    ("facts", "error", "complaint"),
    [
        ({"job_type": "job.cleen"}, UnknownJobTypeError, "did you mean 'job.clean'?"),
        ({"payload": {"what": 5}}, InvalidPayloadError, "payload of job.clean is not valid: what"),
        ({"cron": "0 25 * * *"}, InvalidOptionError, "cron field 2 (hour) can't be '25'"),
        ({"tz": "Asia/Ulaanbatar"}, InvalidOptionError, "did you mean 'Asia/Ulaanbaatar'?"),
        ({"cron": "0 0 1 * 1"}, InvalidOptionError, "write two schedules"),
        ({"cron": "0 0 1 1 ? 2020"}, InvalidOptionError, "would never fire: its last tick was 2020-01-01"),
        ({"every": HOUR}, InvalidOptionError, "give one of them"),
        ({"name": "Nightly"}, InvalidOptionError, "schedule 'Nightly' can't be used as a name"),
        ({"name": "x" * 65}, InvalidOptionError, "can't be used as a name"),
        ({"overlap": "skp"}, UnknownNameError, "unknown overlap 'skp', did you mean 'skip'?"),
        ({"catch_up": "al"}, UnknownNameError, "unknown catch_up 'al', did you mean 'all'?"),
        ({"catch_up": "all"}, InvalidOptionError, "catch_up='all' doesn't go with overlap='skip'"),
    ],
)
def test_what_cannot_be_added_is_refused_with_what_to_write(
    world: World, facts: dict[str, Any], error: type[Exception], complaint: str
) -> None:
    ordinary = {"name": "hourly", "job_type": "job.clean", "payload": {}, "cron": "0 * * * *"}

    with pytest.raises(error) as refused:
        world.app.schedules.add(**(ordinary | facts))

    assert complaint in str(refused.value)
    assert world.app.schedules.list() == ()


def test_a_declared_schedule_is_changed_in_the_code_only(world: World) -> None:
    deploy(world, cron="0 * * * *")
    world.tick()

    for act in (
        lambda: world.app.schedules.remove("job.clean"),
        lambda: world.app.schedules.add("job.clean", "job.clean", cron="1 * * * *"),
    ):
        with pytest.raises(InvalidOptionError, match="declared by a job type and can't be"):
            act()
    app = App()
    app.use(world.app.ports)
    with pytest.raises(InvalidOptionError, match="declared by a job type"):
        app.schedules.remove("job.clean")


@pytest.mark.parametrize("act", ["get", "pause", "resume", "remove", "run", "next"])
def test_an_unknown_schedule_is_told_the_nearest(world: World, act: str) -> None:
    world.hourly("nightly")

    with pytest.raises(UnknownNameError, match="unknown schedule 'nigthly', did you mean 'nightly'"):
        getattr(world.app.schedules, act)("nigthly")


def test_the_next_ticks_are_told_up_to_a_bound(world: World) -> None:
    world.hourly()

    assert world.app.schedules.next("hourly", 2) == (NOON + HOUR, NOON + 2 * HOUR)
    with pytest.raises(InvalidOptionError, match="between 1 and 1,000, got 0"):
        world.app.schedules.next("hourly", 0)


@pytest.mark.parametrize(
    ("model", "facts", "complaint"),
    [
        (Named, {"cron": "0 2 * * *"}, r"Named doesn't accept: give count, name a default, or add a schedule"),
        (Which, {"cron": "0 2 * * *", "key": "what", "debounce": MINUTE}, "leave out debounce="),
        (Which, {"tz": "Europe/Berlin"}, "tz='Europe/Berlin' goes with cron= or every="),
        (Which, {"overlap": "skip"}, "overlap='skip' goes with cron= or every="),
        (Which, {"cron": "0 2 * * *", "every": HOUR}, "give one of them"),
        (Which, {"cron": "0 0 1 * 1"}, "write two schedules"),
    ],
)
def test_a_schedule_that_cannot_be_declared_is_refused(model: type[BaseModel], facts: Any, complaint: str) -> None:
    def clean(which: BaseModel) -> None: ...

    clean.__annotations__["which"] = model
    with pytest.raises((DeclarationError, InvalidOptionError), match=complaint):
        Jobs(queue="cleanup").job("job.clean", **facts)(clean)


def test_a_declared_schedule_is_part_of_its_job_type(world: World) -> None:
    deploy(world, cron="0 2 * * *", catch_up="skip")

    schedule = world.app.registry.get("job.clean").schedule

    assert isinstance(schedule, Schedule)
    assert (schedule.name, schedule.payload, schedule.catch_up) == ("job.clean", "{}", "skip")
    assert schedule.run_id(datetime.fromisoformat("2026-01-02T02:00:00+00:00")) == "job.clean@2026-01-02T02:00Z"
