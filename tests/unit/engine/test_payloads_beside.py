"""A payload over 1 KB lies beside its job, as a write of its own: whatever fails between the two, no job is lost."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lanework import EnqueueError, RetryAfter, Run, Snooze, State
from lanework.engine.maintenance.sweep import Sweeper
from lanework.errors import UnavailableError
from lanework.memory import MemoryLanes, MemoryLedger
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.lanes import Lane
from lanework.testing import drain
from tests.support.small_world import Greeting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.small_world import World

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LARGE = "Bat " * 1_000


class ProcessEnded(BaseException):
    """The producer is killed."""


@dataclass
class Writes:
    """
    Makes the writes of a call that takes several, except one.

    Attributes:
        fails: Which, from 1.
        error: How it fails, before it took effect.
    """

    fails: int
    error: BaseException = field(default_factory=lambda: UnavailableError("throttled"))
    made: int = 0

    def __call__(self, write: Callable[[], Any]) -> Any:
        self.made += 1
        if self.made == self.fails:
            raise self.error
        return write()


@pytest.fixture(name="ledger")
def a_ledger(world: World) -> MemoryLedger:
    assert isinstance(world.app.ports.ledger, MemoryLedger)
    return world.app.ports.ledger


def pass_time(world: World, by: timedelta) -> None:
    until = world.clock() + by
    while world.clock() < until:
        world.clock.advance(min(MINUTE, until - world.clock()))
        Sweeper(world.app.ports).tick()
        drain(world.app)


@pytest.mark.parametrize("which", [1, 2], ids=["the payload", "the record"])
@pytest.mark.parametrize("delay", [timedelta(0), HOUR])
def test_a_write_that_is_throttled_loses_no_job_that_was_accepted(
    world: World, ledger: MemoryLedger, which: int, delay: timedelta
) -> None:
    ledger.each = Writes(fails=which)
    accepted = world.greet.enqueue(Greeting(name=LARGE), delay=delay or None)
    world.app.pause(queue="email")
    drain(world.app)
    pass_time(world, 2 * HOUR)
    world.app.resume(queue="email")
    pass_time(world, 10 * MINUTE)

    assert world.greeted == [(LARGE, 1)]
    assert world.stored(accepted.job_id).state is State.COMPLETED


def test_many_are_not_lost_by_one_write_that_is_throttled(world: World, ledger: MemoryLedger) -> None:
    ledger.each = Writes(fails=3)
    receipts = world.greet.enqueue_many([Greeting(name=f"{number}{LARGE}") for number in range(4)])
    world.app.pause(queue="email")
    drain(world.app)
    world.app.resume(queue="email")
    pass_time(world, 10 * MINUTE)

    assert {f"{number}{LARGE}" for number in range(4)} == {name for name, _ in world.greeted}
    assert {State.COMPLETED} == {world.stored(one.job_id).state for one in receipts}


def test_a_producer_killed_between_the_two_leaves_no_job_and_its_id_is_free(world: World, ledger: MemoryLedger) -> None:
    ledger.each = Writes(fails=2, error=ProcessEnded())
    with suppress(ProcessEnded):
        world.greet.enqueue(Greeting(name=f"first {LARGE}"), job_id="mine")
    assert ledger.get("mine") is None

    again = world.greet.enqueue(Greeting(name=f"second {LARGE}"), job_id="mine")
    drain(world.app)

    assert not again.duplicate
    assert world.greeted == [(f"second {LARGE}", 1)]


def test_a_repeated_enqueue_changes_no_payload_of_a_job_that_exists(world: World, ledger: MemoryLedger) -> None:
    world.greet.enqueue(Greeting(name=f"first {LARGE}"), job_id="mine")

    assert world.greet.enqueue(Greeting(name=f"second {LARGE}"), job_id="mine").duplicate
    assert world.greet.enqueue_many([world.greet.request(Greeting(name=f"third {LARGE}"), job_id="mine")])[0].duplicate
    drain(world.app)

    assert world.greeted == [(f"first {LARGE}", 1)]
    assert set(ledger.payloads) == {"mine"}


def test_a_large_payload_under_the_id_of_a_small_one_leaves_nothing_behind(world: World, ledger: MemoryLedger) -> None:
    world.greet.enqueue(Greeting(name="small"), job_id="mine")

    assert world.greet.enqueue(Greeting(name=LARGE), job_id="mine").duplicate
    assert ledger.payloads == {}


def snooze(run: Run) -> None:
    if run.attempt == 1 and not run.cancelled:
        raise Snooze(2 * HOUR)


def retry_late(run: Run) -> None:
    if run.attempt == 1:
        raise RetryAfter(2 * HOUR)


@pytest.mark.parametrize("how", ["pause", "snooze", "a late retry", "a later start"])
def test_a_missing_payload_is_put_back_by_the_worker_that_has_the_message(
    world: World, ledger: MemoryLedger, how: str
) -> None:
    job = world.greet.enqueue(Greeting(name=LARGE))
    ledger.payloads.clear()
    if how == "pause":
        world.app.pause(queue="email")
    elif how == "a later start":
        world.app.reschedule(job.job_id, run_at=world.clock() + 2 * HOUR)
    else:
        world.behave = snooze if how == "snooze" else retry_late
    drain(world.app)

    lanes = world.app.ports.lanes
    assert isinstance(lanes, MemoryLanes)
    assert not lanes.counts(Lane.HIGH).holds_anything, "no message carries it any more"
    assert set(ledger.payloads) == {job.job_id}
    world.app.resume(queue="email")
    world.behave = None
    pass_time(world, 3 * HOUR)
    assert world.stored(job.job_id).state is State.COMPLETED
    assert world.greeted[-1][0] == LARGE


def test_a_message_whose_payload_was_replaced_puts_nothing_back(world: World, ledger: MemoryLedger) -> None:
    job = world.greet.enqueue(Greeting(name=LARGE))
    ledger.payloads.clear()
    ledger.records[job.job_id] = replace(ledger.records[job.job_id], superseded_at=world.clock())
    world.app.pause(queue="email")

    drain(world.app)

    assert ledger.payloads == {}


@pytest.mark.parametrize("how", ["pause", "snooze", "a late retry"])
def test_a_message_is_kept_while_its_payload_cannot_be_put_back(world: World, ledger: MemoryLedger, how: str) -> None:
    job = world.greet.enqueue(Greeting(name=LARGE))
    ledger.payloads.clear()
    if how == "pause":
        world.app.pause(queue="email")
    world.behave = snooze if how == "snooze" else retry_late

    class Away:
        """A ledger that can't say what lies beside a job."""

        def __getattr__(self, name: str) -> object:
            if name == "put_back":
                raise UnavailableError(name)
            return getattr(ledger, name)

    world.app.use(replace(world.app.ports, ledger=Away()))  # type: ignore[arg-type]
    drain(world.app)
    assert world.app.ports.lanes.counts(Lane.HIGH).holds_anything
    world.app.use(replace(world.app.ports, ledger=ledger))
    pass_time(world, 2 * MINUTE)
    assert set(ledger.payloads) == {job.job_id}


@pytest.mark.parametrize("is_claimed", [False, True])
def test_a_missing_payload_is_put_back_by_enqueueing_again_under_the_same_id(
    world: World, ledger: MemoryLedger, is_claimed: bool
) -> None:
    world.greet.enqueue(Greeting(name=LARGE), job_id="mine")
    if is_claimed:
        world.behave = snooze
        drain(world.app)
        world.behave = None
    else:
        world.app.ports.lanes.queues[Lane.HIGH].messages.clear()  # type: ignore[attr-defined]
    ledger.payloads.clear()

    assert world.greet.enqueue(Greeting(name=LARGE), job_id="mine").duplicate
    pass_time(world, 4 * HOUR)

    assert world.stored("mine").state is State.COMPLETED
    assert world.greeted[-1][0] == LARGE


def test_a_dead_job_whose_large_payload_is_there_is_redriven_with_it(world: World) -> None:
    world.behave = lambda _: 1 / 0
    world.greet.enqueue(Greeting(name=LARGE), job_id="mine")
    pass_time(world, 5 * MINUTE)
    assert world.stored("mine").state is State.DEAD

    world.behave = None
    world.app.dead_letters.redrive(world.app.dead_letters.jobs.plan(DeadFilter(job_ids=("mine",))))
    pass_time(world, MINUTE)

    assert world.stored("mine").state is State.COMPLETED
    assert world.greeted[-1][0] == LARGE


def test_nothing_is_accepted_where_neither_is_there(world: World, ledger: MemoryLedger) -> None:
    ledger.each = Writes(fails=1)
    sent: Any = world.app.ports.lanes

    class Away:
        def __getattr__(self, name: str) -> object:
            if name == "send":
                return self.send
            return getattr(sent, name)

        def send(self, *_: object) -> None:
            raise UnavailableError("SQS")

    world.app.use(replace(world.app.ports, lanes=Away()))  # type: ignore[arg-type]
    with pytest.raises(EnqueueError):
        world.greet.enqueue(Greeting(name=LARGE))
