"""Ids of our own, which no caller may give; and what goes on where somebody has one all the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lanework import InvalidOptionError, State
from lanework.engine.enqueue.reserved_ids import taken_ids
from lanework.engine.messaging.delivery import Ack
from lanework.model.job.ids import is_ours
from lanework.model.lanes import Lane
from lanework.testing import NOON, drain
from tests.support.factories import a_message, a_record
from tests.support.fakes import break_ports
from tests.support.small_world import Greeting, World

if TYPE_CHECKING:
    from collections.abc import Callable

BAT = Greeting(name="Bat")
MINUTE, YEARS = timedelta(minutes=1), timedelta(days=3000)
RUN = "nightly@2026-01-02T12:05Z"

OURS = [
    RUN,
    "nightly@2026-01-02T12:05:07Z+manual",
    "nightly@2026-01-02T12:05Z+2",
    "lanework.clean@2026-01-02T12",
    "lanework.archive@2026-01-02T12",
    "lanework-anything",
    f"webhook-{'a' * 32}",
    f"key-{'0' * 40}",
    "alert-death-user.greeting@20260102T120000-raised",
]
THEIRS = [
    f"{RUN}.report",
    "daily@2026-01-02T03:00:00+08:00",
    "bat@example.com",
    "report@2026-01-02",
    "webhook-4711",
    "key-1",
    "laneworks",
    "alert-1",
]

DOORS: dict[str, Callable[[World, str], object]] = {
    "enqueue": lambda world, job_id: world.greet.enqueue(BAT, job_id=job_id),
    "enqueue by name": lambda world, job_id: world.app.enqueue("user.greeting", {"name": "x"}, job_id=job_id),
    "request": lambda world, job_id: world.greet.request(BAT, job_id=job_id),
    "delayed": lambda world, job_id: world.greet.enqueue(BAT, job_id=job_id, delay=YEARS),
}


@pytest.mark.parametrize("job_id", OURS)
@pytest.mark.parametrize("door", DOORS)
def test_an_id_of_ours_is_refused_with_a_sentence(world: World, door: str, job_id: str) -> None:
    with pytest.raises(InvalidOptionError, match="is an id of Lanework's own"):
        DOORS[door](world, job_id)

    assert drain(world.app) == 0


@pytest.mark.parametrize("job_id", THEIRS)
def test_what_only_looks_like_one_is_a_callers(world: World, job_id: str) -> None:
    assert not is_ours(job_id)
    assert world.greet.enqueue(BAT, job_id=job_id).job_id == job_id


def test_a_job_may_wait_for_a_schedules_run(world: World) -> None:
    every_five_minutes(world)
    tick(world)

    world.greet.enqueue(BAT, job_id="after", after=[RUN])
    drain(world.app)

    assert world.stored("after").state is State.COMPLETED


@pytest.mark.parametrize("job_id", [one for one in OURS if not one.startswith("key-")])
@pytest.mark.parametrize("kind", ["unrecorded", "ticket"])
def test_a_message_that_claims_one_and_has_no_record_makes_none(world: World, kind: str, job_id: str) -> None:
    facts: dict[str, Any] = {"unrecorded": True} if kind == "unrecorded" else {"ticket": True, "life": 2}

    report = world.execute(a_message(id=job_id, **facts).encode())

    assert (report, world.greeted, world.events.actions) == (Ack(), [], ["message.dropped"])
    assert world.app.ports.ledger.get(job_id) is None


def test_a_run_of_ours_is_not_sent_without_a_record(world: World) -> None:
    every_five_minutes(world)
    ledger, _ = break_ports(world.app)
    ledger.broken.add("put")

    tick(world)

    assert drain_all(world) == []
    ledger.broken.clear()
    tick(world)
    assert world.app.ports.ledger.get(RUN) is not None


def drain_all(world: World) -> list[object]:
    lanes: Any = world.app.ports.lanes
    return [one for one in (lanes.port.receive(lane) for lane in Lane) if one is not None]


def every_five_minutes(world: World) -> None:
    world.app.schedules.add("nightly", "user.greeting", {"name": "Bat"}, cron="*/5 * * * *")


def tick(world: World) -> None:
    world.clock.advance(5 * MINUTE)
    world.app.runtime.schedule_trigger.tick()


@pytest.mark.parametrize(
    "old",
    [
        a_record(job_id=RUN, state=State.SCHEDULED, sweep_at=NOON + YEARS, due_at=NOON + YEARS, run_at=NOON + YEARS),
        replace(a_record(job_id=RUN), type="user.other"),
        a_record(job_id=RUN, state=State.BLOCKED, due_at=None, after=("never",)),
    ],
    ids=["delayed for years", "of another type", "waits for ever"],
)
def test_a_run_whose_id_somebody_took_goes_on_under_the_next_and_says_so(world: World, old: Any) -> None:
    every_five_minutes(world)
    world.app.ports.ledger.put(replace(old, created_at=NOON - timedelta(days=100)))

    tick(world)
    drain(world.app)

    assert world.stored(f"{RUN}+2").state is State.COMPLETED
    assert world.greeted == [("Bat", 1)]
    assert "job.id_taken" in world.events.actions
    assert [(one.job_id, one.by) for one in taken_ids(world.app.ports)] == [(RUN, old.type)]
    tick(world)
    drain(world.app)
    assert world.stored("nightly@2026-01-02T12:10Z").state is State.COMPLETED, "and the next tick is an ordinary one"


def test_a_tick_that_is_repeated_after_a_crash_runs_once_under_the_next_id(world: World) -> None:
    every_five_minutes(world)
    old = a_record(job_id=RUN, state=State.SCHEDULED, sweep_at=NOON + YEARS, due_at=NOON + YEARS)
    world.app.ports.ledger.put(replace(old, created_at=NOON - timedelta(days=100)))
    schedules: Any = world.app.ports.schedules
    tick(world)
    record = schedules.get("nightly")
    schedules.write(replace(record, last_run=RUN, due_at=record.last_tick))

    world.app.runtime.schedule_trigger.tick()
    drain(world.app)

    assert world.greeted == [("Bat", 1)]


def test_what_took_the_last_run_holds_up_no_tick(world: World) -> None:
    """A release that didn't know settled the schedule with somebody's job, which never ends."""
    every_five_minutes(world)
    tick(world)
    drain(world.app)
    ledger: Any = world.app.ports.ledger
    ledger.records[RUN] = replace(
        a_record(job_id=RUN, state=State.SCHEDULED, due_at=NOON + YEARS), created_at=NOON - timedelta(days=100)
    )

    tick(world)
    drain(world.app)

    assert world.stored("nightly@2026-01-02T12:10Z").state is State.COMPLETED


def test_ids_that_are_all_taken_are_an_error(world: World) -> None:
    every_five_minutes(world)
    for suffix in ("", "+2", "+3", "+4", "+5"):
        world.app.ports.ledger.put(replace(a_record(job_id=f"{RUN}{suffix}"), type="user.other"))

    tick(world)

    assert "schedule.failed" in world.events.actions


def test_an_alert_names_who_has_the_id_and_is_over_once_none_was_found_for_an_hour(world: World) -> None:
    every_five_minutes(world)
    world.app.ports.ledger.put(replace(a_record(job_id=RUN), type="user.other"))
    tick(world)

    (alert,) = world.app.runtime.alert_manager().tick({}).active

    assert (alert.rule.value, alert.subject, alert.next_step) == ("taken", RUN, f"lanework get {RUN}")
    assert "user.other" in alert.text
    for _ in range(14):
        tick(world)
        world.app.runtime.alert_manager().tick({})
    assert world.app.runtime.alerts().active == ()


@pytest.mark.parametrize("text", ["{", "7", '[["a","b"]]', '[["a","b","soon"]]', '[["a","b","2026-01-02T12:00:00"]]'])
def test_what_another_release_noted_of_taken_ids_counts_for_nothing(world: World, text: str) -> None:
    world.app.ports.flags.set_bookmark("taken ids", text)

    assert taken_ids(world.app.ports) == ()
