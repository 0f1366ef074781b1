"""Pausing a lane, a queue or a type: nothing starts, is lost or polls, and all of it starts afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lanework import InvalidOptionError, State, UnknownLaneError
from lanework.engine.delivery import Ack, Keep
from lanework.engine.pauses import FORGOTTEN_AFTER, LOOKED_AT_EVERY
from lanework.engine.sweep import Sweeper
from lanework.errors import UnknownNameError
from lanework.testing import NOON, drain
from tests.factories import a_message
from tests.fakes import Flaky, break_ports, mend_ports
from tests.unit.engine.conftest import Greeting, World
from tests.unit.engine.test_execute import put

BAT = Greeting(name="Bat")
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("what", [{"lane": "high"}, {"queue": "email"}, {"job_type": "user.greeting"}])
def test_a_paused_job_leaves_its_queue_and_starts_after_the_resume(world: World, what: dict[str, str]) -> None:
    world.app.pause(**what)  # type: ignore[arg-type]
    world.greet.enqueue(BAT, job_id="job-1")

    drain(world.app)

    assert (world.greeted, world.stored().state, world.stored().attempts) == ([], State.PARKED, 0)
    world.clock.advance(100 * MINUTE)
    assert Sweeper(world.app.ports).tick().sent == 0, "no tick looks at what is held"
    assert world.app.resume(**what) == 1  # type: ignore[arg-type]
    world.clock.advance(LOOKED_AT_EVERY)
    assert Sweeper(world.app.ports).tick().sent == 1
    drain(world.app)
    assert (world.stored().state, world.stored().held_by) == (State.COMPLETED, None)


def test_other_jobs_run_on(world: World) -> None:
    world.app.pause(lane="low")
    world.greet.enqueue(BAT)

    drain(world.app)

    assert world.greeted == [("Bat", 1)]


def test_a_delayed_job_that_was_paused_still_starts_no_sooner_than_it_should(world: World) -> None:
    world.app.pause(queue="email")
    body = put(world, due_at=NOON + 5 * MINUTE)
    assert world.execute(body) == Ack()
    world.app.resume(queue="email")
    world.clock.advance(LOOKED_AT_EVERY)
    Sweeper(world.app.ports).tick()

    assert drain(world.app) == 0
    world.clock.advance(5 * MINUTE)
    drain(world.app)
    assert world.greeted == [("Bat", 1)]


def test_a_worker_that_parks_after_the_resume_is_made_good_by_the_tick(world: World) -> None:
    """Workers know the flags of some seconds ago."""
    world.app.pause(queue="email")
    world.greet.enqueue(BAT, job_id="job-1")
    world.greet.enqueue(BAT, job_id="job-2")
    world.execute(world.app.ports.lanes.receive("high").body)  # type: ignore[attr-defined]
    assert world.app.resume(queue="email") == 1

    drain(world.app)
    assert world.stored("job-2").held_by == "queue:email"
    swept = Sweeper(world.app.ports).tick()

    assert (swept.released, swept.sent) == (1, 2)
    assert Sweeper(world.app.ports).tick().released == 0
    assert world.app.ports.flags.read().resumed == {"queue:email"}, "some worker may not have looked yet"
    world.clock.advance(FORGOTTEN_AFTER + LOOKED_AT_EVERY)
    Sweeper(world.app.ports).tick()
    assert world.app.ports.flags.read().resumed == frozenset()


def test_a_running_job_ends_and_a_cancelled_one_is_gone(world: World) -> None:
    world.behave = lambda _: world.app.pause(queue="email")
    assert world.execute(put(world)) == Ack()
    assert world.stored().state is State.COMPLETED

    world.clock.advance(LOOKED_AT_EVERY)
    body = put(world, job_id="job-2")
    world.execute(body)
    world.app.cancel("job-2")
    assert world.app.resume(queue="email") == 0
    assert world.stored("job-2").held_by is None


def test_what_cannot_be_parked_keeps_its_message(world: World) -> None:
    """An unrecorded job has no record to park, and a ticket's job is dead until it begins."""
    world.app.pause(queue="email")

    assert world.execute(a_message(unrecorded=True).encode()) == Keep(timedelta(seconds=30))
    assert world.execute(a_message(life=2, ticket=True).encode()) == Keep(timedelta(seconds=30))


def test_a_crashed_run_is_not_taken_over_while_its_queue_is_paused(world: World) -> None:
    body = put(world, state=State.RUNNING, claim_id="x", attempts=1, due_at=NOON)
    world.app.pause(queue="email")

    assert world.execute(body) == Keep(timedelta(seconds=30))
    assert world.greeted == []


def test_a_message_of_a_job_that_is_over_is_acked_though_its_queue_is_paused(world: World) -> None:
    body = put(world)
    world.execute(body)
    world.app.pause(queue="email")
    world.clock.advance(LOOKED_AT_EVERY)

    assert world.execute(body) == Ack()


def test_a_pause_that_cannot_be_written_keeps_the_message(world: World) -> None:
    body = put(world)
    world.app.pause(queue="email")
    ledger, _ = break_ports(world.app)
    ledger.broken.add("change")

    assert world.execute(body) == Keep(timedelta(seconds=30))

    mend_ports(world.app)
    assert world.stored().state is State.QUEUED


def test_flags_are_read_every_few_seconds_and_not_before_every_job(world: World) -> None:
    flags = Flaky(world.app.ports.flags)
    world.app.use(replace(world.app.ports, flags=flags))
    for number in range(10):
        world.execute(put(world, job_id=f"job-{number}"))
    world.clock.advance(LOOKED_AT_EVERY)
    world.execute(put(world, job_id="job-10"))

    assert flags.calls == ["read", "read"]


def test_flags_that_cannot_be_read_leave_what_was_known(world: World) -> None:
    flags = Flaky(world.app.ports.flags)
    world.app.use(replace(world.app.ports, flags=flags))
    world.app.pause(queue="email")
    world.execute(put(world))
    flags.broken.add("read")
    world.clock.advance(LOOKED_AT_EVERY)

    assert world.execute(put(world, job_id="job-2")) == Ack()
    assert world.stored("job-2").state is State.PARKED


@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        ({}, InvalidOptionError, "name one lane, one queue or one job type"),
        ({"lane": "low", "queue": "email"}, InvalidOptionError, "name one"),
        ({"lane": "lo"}, UnknownLaneError, "did you mean 'low'"),
        ({"queue": "emial"}, UnknownNameError, "unknown queue 'emial', did you mean 'email'"),
        ({"job_type": "user.greet"}, UnknownNameError, "did you mean 'user.greeting'"),
    ],
)
def test_a_pause_of_nothing_known_is_refused(
    world: World, what: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        world.app.pause(**what)  # type: ignore[arg-type]
