"""Pausing a lane, a queue or a type: nothing starts, is lost or polls, and all of it starts afterwards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Barrier, Event
from typing import TYPE_CHECKING, cast

import pytest

from lanework import ConfigError, InvalidOptionError, LaneworkError, State, UnavailableError, UnknownLaneError
from lanework.engine.execution.pause_watch import KNOWN_FOR, LOOKED_AT_EVERY, PauseWatch
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.messaging.delivery import Ack, Nack
from lanework.engine.operations.pauses import FORGOTTEN_AFTER
from lanework.engine.ports.flags import FlagSet
from lanework.errors import UnknownNameError
from lanework.testing import NOON, drain
from tests.support.factories import a_message
from tests.support.fakes import Flaky, break_ports, mend_ports
from tests.support.forking import in_a_fork
from tests.support.small_world import Greeting, World, put

if TYPE_CHECKING:
    from lanework.engine.ports.flags import Flags

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


def test_a_job_without_a_record_gets_one_under_its_pause_and_runs_when_that_is_over(world: World) -> None:
    """Its message would otherwise come back every half a minute, and after a thousand times SQS would move it."""
    world.app.pause(queue="email")
    body = a_message(unrecorded=True).encode()

    assert [Ack(), Ack()] == [world.execute(body), world.execute(body)]
    assert (world.stored().state, world.stored().held_by) == (State.PARKED, "queue:email")
    world.app.resume(queue="email")
    world.clock.advance(LOOKED_AT_EVERY)
    Sweeper(world.app.ports).tick()
    drain(world.app)
    assert world.greeted == [("Bat", 1)]


def test_what_cannot_be_parked_keeps_its_message(world: World) -> None:
    """A ticket's job is dead until it begins."""
    world.app.pause(queue="email")

    assert world.execute(a_message(life=2, ticket=True).encode()) == Nack(timedelta(seconds=30))


def test_a_crashed_run_is_not_taken_over_while_its_queue_is_paused(world: World) -> None:
    body = put(world, state=State.RUNNING, claim_id="x", attempts=1, due_at=NOON)
    world.app.pause(queue="email")

    assert world.execute(body) == Nack(timedelta(seconds=30))
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

    assert world.execute(body) == Nack(timedelta(seconds=30))

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


@pytest.mark.parametrize("problem", [UnavailableError("throttled"), ConfigError("no permission")])
def test_flags_that_cannot_be_read_leave_what_was_known(world: World, problem: LaneworkError) -> None:
    flags = Flaky(world.app.ports.flags)
    world.app.use(replace(world.app.ports, flags=flags))
    world.app.pause(queue="email")
    world.execute(put(world))

    def read() -> FlagSet:
        raise problem

    flags.answers["read"] = read
    world.clock.advance(LOOKED_AT_EVERY)

    assert world.execute(put(world, job_id="job-2")) == Ack()
    assert world.stored("job-2").state is State.PARKED


def test_a_clock_that_was_set_back_says_nothing_of_when_the_flags_were_read(world: World) -> None:
    world.execute(put(world))
    world.app.pause(queue="email")
    world.clock.advance(-timedelta(hours=1))

    assert world.execute(put(world, job_id="job-2")) == Ack()
    assert world.stored("job-2").state is State.PARKED


@dataclass(slots=True)
class Slow:
    """
    Flags whose reading takes as long as the test wants.

    Attributes:
        reads: How often they were read.
        is_read: Somebody reads.
        may_answer: Reads may end.
        problem: What a read ends with instead.
    """

    flags: Flags
    reads: int = 0
    is_read: Event = field(default_factory=Event)
    may_answer: Event = field(default_factory=Event)
    problem: LaneworkError | None = None

    def read(self) -> FlagSet:
        self.reads += 1
        self.is_read.set()
        assert self.may_answer.wait(30)
        if self.problem is not None:
            raise self.problem
        return self.flags.read()


def a_watch(world: World) -> tuple[Slow, PauseWatch]:
    """Return flags that pause `email`, and what a worker that was just started knows of them."""
    world.app.pause(queue="email")
    slow = Slow(world.app.ports.flags)
    return slow, PauseWatch(cast("Flags", slow), world.clock)


def test_a_worker_that_was_just_started_starts_nothing_before_it_knows_what_is_paused(world: World) -> None:
    """Sixteen jobs come at once, while one thread reads the flags for all of them."""
    slow, watch = a_watch(world)
    with ThreadPoolExecutor(16) as threads:
        first = threads.submit(watch.holding, a_message())
        assert slow.is_read.wait(30)
        others = [threads.submit(watch.holding, a_message()) for _ in range(15)]
        assert not any(one.done() for one in (first, *others))
        slow.may_answer.set()

        assert {one.result() for one in (first, *others)} == {"queue:email"}
    assert slow.reads == 1


@pytest.mark.parametrize("problem", [UnavailableError("away"), ConfigError("no permission")])
def test_what_cannot_be_known_fails_for_all_who_waited_for_it_by_one_read(world: World, problem: LaneworkError) -> None:
    slow, watch = a_watch(world)
    slow.problem = problem
    coming = Barrier(16)

    def ask() -> None:
        coming.wait(30)
        with pytest.raises(type(problem)):
            watch.holding(a_message())

    with ThreadPoolExecutor(16) as threads:
        asked = [threads.submit(ask) for _ in range(16)]
        assert slow.is_read.wait(30)
        slow.may_answer.set()
        for one in asked:
            one.result()
    assert slow.reads <= 16
    slow.problem = None
    assert watch.holding(a_message()) == "queue:email"


def test_while_one_thread_looks_again_the_others_go_by_what_is_known(world: World) -> None:
    slow, watch = a_watch(world)
    slow.may_answer.set()
    watch.holding(a_message())
    world.clock.advance(LOOKED_AT_EVERY)
    slow.may_answer.clear()
    slow.is_read.clear()
    with ThreadPoolExecutor(1) as threads:
        looking = threads.submit(watch.holding, a_message())
        assert slow.is_read.wait(30)

        assert watch.holding(a_message()) == "queue:email"
        slow.may_answer.set()
        assert looking.result() == "queue:email"


def test_an_environment_that_was_frozen_for_long_waits_for_the_flags_as_a_new_one_does(world: World) -> None:
    slow, watch = a_watch(world)
    slow.may_answer.set()
    world.app.resume(queue="email")
    assert watch.holding(a_message()) is None
    world.clock.advance(KNOWN_FOR)
    world.app.pause(queue="email")

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: watch.holding(a_message()), range(8))) == {"queue:email"}


@pytest.mark.parametrize("wait", [timedelta(0), KNOWN_FOR])
def test_a_job_waits_without_an_attempt_where_nobody_can_say_what_is_paused(world: World, wait: timedelta) -> None:
    flags = Flaky(world.app.ports.flags)
    world.app.use(replace(world.app.ports, flags=flags))
    if wait:
        world.execute(put(world, job_id="job-0"))
    world.clock.advance(wait)
    flags.broken.add("read")
    world.greeted.clear()

    report = world.execute(put(world), receives=3)

    assert isinstance(report, Nack)
    assert timedelta(0) < cast("timedelta", report.after) <= timedelta(seconds=20)
    assert (world.greeted, world.stored().state, world.stored().attempts) == ([], State.QUEUED, 0)
    assert world.events.actions[-1] == "run.claim_failed"
    assert isinstance(world.execute(put(world, job_id="job-3")), Nack), "nor the next, that soon after"
    flags.broken.clear()
    assert world.execute(put(world, job_id="job-2")) == Ack()


def test_in_a_process_that_was_forked_the_flags_are_read_anew(world: World) -> None:
    """A fork takes the lock along, too, and not the thread that holds it."""
    slow, watch = a_watch(world)
    with ThreadPoolExecutor(1) as threads:
        threads.submit(watch.holding, a_message())
        assert slow.is_read.wait(30)
        answer = in_a_fork(lambda: _says(slow, watch))
        slow.may_answer.set()

    assert answer == "2 queue:email"


def _says(slow: Slow, watch: PauseWatch) -> str:
    slow.may_answer = Event()
    slow.may_answer.set()
    return f"{slow.reads + 1} {watch.holding(a_message())}"


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
