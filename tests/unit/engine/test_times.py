"""When a job starts: at its time, not before it, not after its last moment, or at another time than was asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from lanework import (
    Cause,
    EnqueueOptions,
    InvalidOptionError,
    JobNotFoundError,
    JobNotWaitingError,
    JobRecord,
    Run,
    Snooze,
    State,
)
from lanework.engine.deadletters.redrive import Redriver
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.messaging.delivery import Ack
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.testing import NOON, drain
from tests.support.factories import a_message
from tests.support.fakes import break_ports
from tests.support.small_world import Greeting, World

BAT = Greeting(name="Bat")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


# --- run_at


def test_a_job_starts_at_the_time_that_was_asked_for_in_whatever_zone_it_was_said(world: World) -> None:
    ulaanbaatar = timezone(8 * HOUR)
    world.greet.enqueue(BAT, job_id="job-1", run_at=datetime(2026, 1, 2, 20, 5, tzinfo=ulaanbaatar))

    world.clock.advance(5 * MINUTE - SECOND)
    assert drain(world.app) == 0
    world.clock.advance(SECOND)
    drain(world.app)

    assert (world.stored().started_at, world.stored().run_at) == (NOON + 5 * MINUTE, NOON + 5 * MINUTE)


def test_a_time_in_the_past_is_now_and_the_receipt_and_the_event_say_so(world: World) -> None:
    receipt = world.greet.enqueue(BAT, job_id="job-1", run_at=NOON - 3 * HOUR)
    drain(world.app)

    assert (receipt.overdue, world.stored().state) == (3 * HOUR, State.COMPLETED)
    assert world.events.events[0].reason == "its start lay 3:00:00 in the past: it starts now"


def test_a_million_jobs_that_wait_for_years_cost_a_tick_nothing(world: World) -> None:
    for number in range(200):
        world.greet.enqueue(BAT, job_id=f"job-{number}", delay=timedelta(days=365 + number))
    ledger, _ = break_ports(world.app)

    Sweeper(world.app.ports).tick()

    assert ledger.calls == ["due"] * 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"delay": -SECOND}, "leave it out to start at once"),
        ({"delay": timedelta(days=4000)}, "between 0 and 3660 days"),
        ({"run_at": datetime(2026, 1, 2, 13)}, "needs a time zone"),  # noqa: DTZ001 - what is refused
        ({"delay": SECOND, "run_at": NOON}, "give one of them"),
        ({"start_by": timedelta(0)}, "must be above zero"),
        ({"start_by": NOON - SECOND}, "is not after the start"),
        ({"start_by": 5 * MINUTE, "delay": HOUR}, "it would never run"),
        ({"tenant": "two words"}, "1 to 128 printable ASCII characters"),
        ({"tenant": ""}, "1 to 128 printable ASCII characters"),
    ],
)
def test_what_can_not_be_meant_is_refused(world: World, options: EnqueueOptions, said: str) -> None:
    with pytest.raises(InvalidOptionError, match=said):
        world.greet.enqueue(BAT, **options)

    assert world.app.ports.lanes.counts(Lane.HIGH).waiting == 0


# --- start_by


def test_a_job_that_was_not_started_by_its_last_moment_is_dead_and_its_code_is_not_run(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1", start_by=10 * MINUTE)
    world.clock.advance(10 * MINUTE)

    drain(world.app)

    stored = world.stored()
    assert (stored.state, stored.cause, stored.attempts) == (State.DEAD, Cause.EXPIRED, 0)
    assert stored.error == "not started by 2026-01-02 12:10:00 UTC"
    assert (world.greeted, world.app.ports.lanes.counts(Lane.HIGH).dead) == ([], 1)
    assert world.events.events[-1].cause is Cause.EXPIRED


def test_a_job_that_has_begun_is_retried_beyond_its_last_moment(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1", start_by=MINUTE)
    world.behave = _fails_first
    drain(world.app)
    world.clock.advance(HOUR)

    drain(world.app)

    assert (world.stored().state, world.stored().attempts) == (State.COMPLETED, 2)


def test_a_snooze_is_a_start(world: World) -> None:
    def snooze_first(_: Run) -> None:
        if len(world.greeted) == 1:
            raise Snooze(HOUR)

    world.greet.enqueue(BAT, job_id="job-1", start_by=MINUTE)
    world.behave = snooze_first
    drain(world.app)
    world.clock.advance(HOUR)
    Sweeper(world.app.ports).tick()

    drain(world.app)

    assert world.stored().state is State.COMPLETED


def test_a_redrive_starts_an_expired_job_all_the_same(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1", start_by=MINUTE)
    world.clock.advance(HOUR)
    drain(world.app)

    Redriver(world.app.ports).redrive(world.stored())
    drain(world.app)

    assert (world.stored().state, world.stored().life) == (State.COMPLETED, 2)


def test_the_ticket_of_an_expired_job_starts_it_too(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1", start_by=MINUTE)
    world.clock.advance(HOUR)
    drain(world.app)
    ticket = Envelope.decode(world.app.ports.lanes.dead(Lane.HIGH)[0])  # type: ignore[attr-defined]

    world.behave = _fails_first
    world.execute(ticket.encode())

    assert (world.stored().state, world.stored().start_by) == (State.RETRYING, None)
    assert world.stored().first_started_at == NOON + HOUR


def test_an_unrecorded_job_that_comes_too_late_is_recorded_as_expired(world: World) -> None:
    message = a_message(unrecorded=True, start_by=NOON - SECOND)

    assert world.execute(message.encode()) == Ack()

    assert (world.stored().state, world.stored().cause, world.greeted) == (State.DEAD, Cause.EXPIRED, [])


# --- reschedule


def waiting(world: World, **options: object) -> JobRecord:
    world.greet.enqueue(BAT, job_id="job-1", **options)  # type: ignore[arg-type]
    return world.stored()


def test_a_job_of_next_year_can_be_brought_forward_to_the_second(world: World) -> None:
    waiting(world, delay=timedelta(days=400))
    moved = world.app.reschedule("job-1", delay=30 * SECOND)
    assert (moved.state, moved.run_at) == (State.QUEUED, NOON + 30 * SECOND)

    world.clock.advance(29 * SECOND)
    assert drain(world.app) == 0
    world.clock.advance(SECOND)
    drain(world.app)

    assert world.stored().state is State.COMPLETED


def test_a_job_can_be_put_off_beyond_what_its_message_says(world: World) -> None:
    waiting(world, delay=MINUTE)
    later = world.app.reschedule("job-1", run_at=NOON + 3 * HOUR)
    assert later.state is State.SCHEDULED
    world.clock.advance(HOUR)
    drain(world.app)
    assert world.greeted == []

    world.clock.advance(2 * HOUR - SECOND)
    Sweeper(world.app.ports).tick()
    assert drain(world.app) == 0
    world.clock.advance(SECOND)
    drain(world.app)

    assert (world.stored().state, world.greeted) == (State.COMPLETED, [("Bat", 1)])


def test_a_wait_between_two_attempts_can_be_cut_short(world: World) -> None:
    waiting(world, backoff=HOUR)
    world.behave = _fails_first
    drain(world.app)
    assert world.stored().state is State.RETRYING

    world.app.reschedule("job-1")
    drain(world.app)

    assert (world.stored().state, world.stored().attempts) == (State.COMPLETED, 2)


def test_a_moved_job_whose_message_sqs_does_not_take_is_sent_by_the_tick(world: World) -> None:
    waiting(world, delay=timedelta(days=1))
    _, lanes = break_ports(world.app)
    lanes.broken.add("send")
    world.app.reschedule("job-1")
    lanes.broken.clear()
    app_in_memory_lanes = lanes.port

    assert Sweeper(world.app.ports).tick().sent == 1
    assert app_in_memory_lanes.counts(Lane.HIGH).waiting == 1


def test_a_paused_job_stays_paused_when_it_is_moved(world: World) -> None:
    waiting(world)
    world.app.pause(queue="email")
    drain(world.app)
    held = world.app.reschedule("job-1", delay=HOUR)
    assert (held.held_by, held.due_at) == ("queue:email", NOON + HOUR)

    world.app.resume(queue="email")
    world.clock.advance(MINUTE)
    Sweeper(world.app.ports).tick()
    drain(world.app)
    assert world.greeted == []
    world.clock.advance(HOUR)
    drain(world.app)

    assert world.stored().state is State.COMPLETED


def test_a_job_can_not_be_put_off_beyond_its_last_moment(world: World) -> None:
    waiting(world, delay=MINUTE, start_by=HOUR)

    with pytest.raises(InvalidOptionError, match=r"not worth starting after 2026-01-02 13:00:00 UTC"):
        world.app.reschedule("job-1", delay=HOUR)


def test_a_job_that_has_ended_or_does_not_exist_can_not_be_moved(world: World) -> None:
    waiting(world)
    drain(world.app)

    with pytest.raises(JobNotWaitingError, match=r"'job-1' is completed and doesn't wait .*: enqueue it again"):
        world.app.reschedule("job-1")
    with pytest.raises(JobNotFoundError):
        world.app.reschedule("nobody")
    with pytest.raises(InvalidOptionError, match="needs a time zone"):
        world.app.reschedule("job-1", run_at=datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None))


def _fails_first(run: Run) -> None:
    if run.attempt == 1:
        raise OSError
