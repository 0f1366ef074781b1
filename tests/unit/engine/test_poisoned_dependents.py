"""A blocked job that can't be handled: its siblings and the clock's other work go on, and it is reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from lanework import ConfigError, State, chain
from lanework.engine.limits.release import SlotDispatcher
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.maintenance.sweep import Sweeper
from lanework.errors import LaneworkError, UnavailableError, UnsendableError
from lanework.model.events import Action
from lanework.model.job.envelope import LARGEST_PAYLOAD, Envelope
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause
from lanework.model.workflow.dependency import Fact, Moment, ParentStatus, step_of
from lanework.testing import NOON, drain
from tests.support.factories import a_record
from tests.support.fakes import Flaky, break_limits, break_ports, mend_ports

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.ports.limits import Slots
    from lanework.engine.ports.messages import OutgoingMessage
    from lanework.model.lifecycle.change import Answer, Change
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
    assert world.stored("c00").state is (State.BLOCKED if "on_failure" in odd else State.DEAD), "without a ticket"


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
    assert len(told) <= 6, "at growing intervals"
    assert "later-release" in (told[0].reason or "")


@pytest.mark.parametrize(
    "result", ["9" * 5_000, "{", "[" * 100_000, '"\\ud800"'], ids=["digits", "cut", "deep", "lone"]
)
def test_a_result_that_cant_be_read_ends_the_job_that_takes_it(result: str) -> None:
    child = a_record(state=State.BLOCKED, after=("p",), open_parents=("p",), takes="name")
    at = Moment(now=NOON, look_ahead=MINUTE, expires_at=NOON)

    change = step_of(child, {"p": Fact(status=ParentStatus.DONE, result=result)}, at)

    assert change is not None
    assert change.write["cause"] is Cause.INVALID


def raising(error: Exception) -> Callable[..., NoReturn]:
    def call(*_: object, **__: object) -> NoReturn:
        raise error

    return call


def test_siblings_die_though_the_dead_letter_queue_refuses_the_tickets(world: World) -> None:
    family_of(world, on_failure="die")
    world.behave = fails
    _, lanes = break_ports(world.app)
    lanes.answers["send_to_dlq"] = raising(UnsendableError("Invalid characters found"))

    world.execute(lanes.port.receive(Lane.HIGH).body)

    assert healthy(world) == {State.DEAD}


def test_siblings_run_though_nobody_foresaw_what_is_wrong_with_one(world: World) -> None:
    family_of(world)
    ledger = Flaky(world.app.ports.ledger)
    stand_in: Any = ledger
    world.app.use(replace(world.app.ports, ledger=stand_in))

    def change(job_id: str, change: Change) -> Answer:
        if job_id == "c00":
            raise ZeroDivisionError
        answer: Answer = ledger.port.change(job_id, change)
        return answer

    ledger.answers["change"] = change

    drain(world.app)

    assert healthy(world) == {State.COMPLETED}
    assert "worker.fault" in world.events.actions


@pytest.mark.parametrize("error", [ZeroDivisionError(), ConfigError("no permission"), UnavailableError("throttled")])
@pytest.mark.parametrize("method", ["children", "record_end"])
def test_an_end_stands_and_its_message_goes_though_what_follows_fails(
    world: World, method: str, error: Exception
) -> None:
    first, second = (world.greet.request({"name": name}) for name in ("first", "second"))
    world.app.workflows.enqueue(chain(first, second), workflow_id="w")
    family_of(world)
    workflows = Flaky(world.app.ports.workflows, answers={method: raising(error)})
    stand_in: Any = workflows
    world.app.use(replace(world.app.ports, workflows=stand_in))

    drain(world.app)

    assert (world.stored("p").state, world.stored("w.1").state) == (State.COMPLETED, State.COMPLETED)
    assert world.app.ports.lanes.counts(Lane.HIGH).in_flight == 0
    is_foreseen = isinstance(error, LaneworkError)
    assert ("worker.fault" in world.events.actions) is not is_foreseen
    if method == "record_end" and not is_foreseen:
        assert world.stored("w.2").state is State.COMPLETED, "who waits for the job itself is let go"
    workflows.answers.clear()
    tick(world)
    assert healthy(world) == {State.COMPLETED}
    assert world.stored("w.2").state is State.COMPLETED


def waiters_of_a_limit(world: World, name: str, *odd: str, **facts: Any) -> None:
    """Record jobs that wait for the slots of a limit: the odd ones, and behind them a healthy one."""
    waiting: dict[str, Any] = {"state": State.PARKED, "held_by": name, "due_at": NOON}
    for job_id in odd:
        world.app.ports.ledger.put(a_record(job_id=job_id, sweep_at=NOON, **waiting | facts))
    world.app.ports.ledger.put(a_record(job_id="healthy", sweep_at=NOON + MINUTE, **waiting))
    world.app.ports.limits.announce(name, n=2, now=NOON, look_at=NOON)


LIMIT = "concurrency:type:user.greeting"


def test_a_waiter_of_a_limit_is_woken_behind_one_that_cant_be_sent(world: World) -> None:
    waiters_of_a_limit(world, LIMIT, "odd", max_attempts=0)

    Sweeper(world.app.ports).tick()

    drain(world.app)
    assert world.stored("healthy").state is State.COMPLETED
    world.clock.advance(2 * MINUTE)
    Sweeper(world.app.ports).tick()
    assert world.stored("odd").cause is Cause.UNSENDABLE


@pytest.mark.parametrize("error", [UnsendableError("Invalid characters found"), ConfigError("no permission")])
def test_a_waiter_of_a_limit_is_woken_behind_one_that_sqs_refuses(world: World, error: Exception) -> None:
    waiters_of_a_limit(world, LIMIT, "odd")
    _, lanes = break_ports(world.app)

    def send(lane: Lane, message: OutgoingMessage) -> None:
        if Envelope.decode(message.body).id == "odd":
            raise error
        lanes.port.send(lane, message)

    lanes.answers["send"] = send

    SlotDispatcher(ports=world.app.ports).tick(has_time=lambda: True)

    mend_ports(world.app)
    drain(world.app)
    assert (world.stored("healthy").state, world.stored("odd").state) == (State.COMPLETED, State.PARKED)
    assert world.stored("odd").held_by is None, "the sweep sends it, or ends it"


def test_a_waiter_of_a_limit_is_woken_behind_many_that_cant_be_read(world: World) -> None:
    odd = [f"odd-{number}" for number in range(25)]
    waiters_of_a_limit(world, LIMIT, *odd, state=State.UNKNOWN, damage="state: 'frozen'")

    for _ in range(4):
        Sweeper(world.app.ports).tick()
        world.clock.advance(MINUTE)

    drain(world.app)
    assert world.stored("healthy").state is State.COMPLETED


def test_a_limit_that_cant_be_looked_at_holds_up_no_other(world: World) -> None:
    waiters_of_a_limit(world, LIMIT)
    world.app.ports.limits.announce("concurrency:all", n=1, now=NOON, look_at=NOON)
    limits = break_limits(world.app)

    def slots(name: str) -> Slots:
        if name == "concurrency:all":
            msg = "throttled"
            raise UnavailableError(msg)
        found: Slots = limits.port.slots(name)
        return found

    limits.answers["slots"] = slots

    with pytest.raises(UnavailableError, match="throttled"):
        Sweeper(world.app.ports).tick()

    drain(world.app)
    assert world.stored("healthy").state is State.COMPLETED
