"""A blocked job that can't be handled: its siblings and the clock's other work go on, and it is reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lanework import State
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.maintenance.sweep import Sweeper
from lanework.model.events import Action
from lanework.model.job.envelope import LARGEST_PAYLOAD
from lanework.model.lifecycle.states import Cause
from lanework.model.workflow.dependency import Fact, Moment, Standing, step_of
from lanework.testing import NOON, drain
from tests.support.factories import a_record

if TYPE_CHECKING:
    from lanework.model.workflow.dependency import OnFailureName
    from tests.support.small_world import World

MINUTE = timedelta(minutes=1)
CHILDREN = 12
LARGE = "x" * (LARGEST_PAYLOAD + 1)


def fails(_: object) -> object:
    msg = "the parent's own"
    raise OSError(msg)


def poison(world: World, job_id: str, **fields: Any) -> None:
    ledger: Any = world.app.ports.ledger
    ledger.records[job_id] = replace(ledger.records[job_id], **fields)


def family_of(world: World, *, on_failure: OnFailureName = "wait", takes: str | None = None) -> None:
    """Enqueue a parent and its children; all of the children wait for it, and take its result into a field."""
    world.greet.enqueue({"name": "p"}, job_id="p", attempts=1)
    for number in range(CHILDREN):
        request = world.greet.request({"name": "c"}, job_id=f"c{number:02}", after=["p"], on_failure=on_failure)
        world.app.enqueue_request(request)
        poison(world, f"c{number:02}", takes=takes)


def tick(world: World, times: int = 15) -> None:
    for _ in range(times):
        world.clock.advance(5 * MINUTE)
        Reconciler(world.app.ports).tick()
        Sweeper(world.app.ports).tick()
        drain(world.app)


def healthy(world: World) -> set[State]:
    return {world.stored(f"c{number:02}").state for number in range(1, CHILDREN)}


@pytest.mark.parametrize(
    "odd",
    [{"payload": LARGE}, {"max_attempts": 0}, {"version": 0}, {"on_failure": "later-release"}],
    ids=["large", "attempts", "version", "policy"],
)
def test_siblings_of_a_job_that_cant_be_handled_die_with_their_parent(world: World, odd: dict[str, Any]) -> None:
    family_of(world, on_failure="die")
    poison(world, "c00", **odd)
    world.behave = fails

    drain(world.app)
    tick(world)

    assert healthy(world) == {State.DEAD}
    assert world.stored("p").cause is Cause.EXHAUSTED, "what its child is does nothing to how it ended"


@pytest.mark.parametrize(
    "odd",
    [{"payload": LARGE}, {"max_attempts": 0}, {"version": 0}, {"payload": "{"}],
    ids=["large", "attempts", "version", "json"],
)
def test_siblings_of_a_job_that_cant_be_handled_run_when_their_parent_completes(
    world: World, odd: dict[str, Any]
) -> None:
    family_of(world, takes="name" if odd == {"payload": "{"} else None)
    poison(world, "c00", **odd)
    world.behave = lambda _: "a name"

    drain(world.app)
    tick(world)

    assert healthy(world) == {State.COMPLETED}
    assert world.stored("c00").state is State.DEAD
    assert world.stored("c00").cause in {Cause.UNSENDABLE, Cause.INVALID}


def test_a_delayed_job_starts_though_a_blocked_one_can_never_be_understood(world: World) -> None:
    family_of(world, on_failure="die")
    poison(world, "c00", on_failure="later-release", payload="{")
    world.greet.enqueue({"name": "Bat"}, job_id="innocent", delay=timedelta(hours=1))
    world.behave = fails
    drain(world.app)
    world.behave = None

    tick(world)

    assert world.stored("innocent").state is State.COMPLETED
    assert world.stored("c00").state is State.BLOCKED
    told = [one for one in world.events.events if one.action is Action.JOB_UNREADABLE]
    assert {one.job_id for one in told} == {"c00"}
    assert "later-release" in (told[0].reason or "")


@pytest.mark.parametrize(
    "result", ["9" * 5_000, "{", "[" * 100_000, '"\\ud800"'], ids=["digits", "cut", "deep", "lone"]
)
def test_a_result_that_cant_be_read_ends_the_job_that_takes_it(result: str) -> None:
    child = a_record(state=State.BLOCKED, after=("p",), open_parents=("p",), takes="name")
    at = Moment(now=NOON, look_ahead=MINUTE, expires_at=NOON)

    change = step_of(child, {"p": Fact(standing=Standing.DONE, result=result)}, at)

    assert change is not None
    assert change.write["cause"] is Cause.INVALID


def test_a_waiter_of_a_limit_is_woken_behind_one_that_cant_be_sent(world: World) -> None:
    ports, name = world.app.ports, "concurrency:type:user.greeting"
    waiting: dict[str, Any] = {"state": State.PARKED, "held_by": name, "due_at": NOON}
    ports.ledger.put(a_record(job_id="odd", sweep_at=NOON, max_attempts=0, **waiting))
    ports.ledger.put(a_record(job_id="healthy", sweep_at=NOON + MINUTE, **waiting))
    ports.limits.announce(name, n=2, now=NOON, look_at=NOON)

    Sweeper(ports).tick()

    drain(world.app)
    assert world.stored("healthy").state is State.COMPLETED
    world.clock.advance(2 * MINUTE)
    Sweeper(ports).tick()
    assert world.stored("odd").cause is Cause.UNSENDABLE
