"""Jobs that wait for other jobs: when they start, what a parent's end does to them, and what can't be asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lanework import (
    Cancelling,
    ConfigError,
    Discard,
    EnqueueError,
    InvalidOptionError,
    State,
    UnknownNameError,
    UnknownParentError,
)
from lanework.engine.deadletters.redrive import Redriver
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.maintenance.sweep import Sweeper
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause
from lanework.testing import drain
from tests.support.fakes import Flaky, break_ports, mend_ports

if TYPE_CHECKING:
    from lanework import Request, Run
    from tests.support.small_world import World

MINUTE = timedelta(minutes=1)
PAYLOAD = {"name": "Bat"}


def ask(world: World, job_id: str, *after: str, **options: Any) -> Request:
    return world.greet.request(PAYLOAD, job_id=job_id, after=list(after), **options)


def enqueue(world: World, job_id: str, *after: str, **options: Any) -> None:
    world.app.enqueue_request(ask(world, job_id, *after, **options))


def states(world: World, *ids: str) -> list[State]:
    return [world.stored(one).state for one in ids]


def dies(_: Run) -> object:
    reason = "no use"
    raise Discard(reason)


def test_a_job_starts_once_its_parents_have_completed(world: World) -> None:
    enqueue(world, "a")
    enqueue(world, "b", delay=MINUTE)
    enqueue(world, "c", "a", "b")

    assert states(world, "c") == [State.BLOCKED]
    drain(world.app)
    assert (states(world, "a", "c"), world.stored("c").open_parents) == ([State.COMPLETED, State.BLOCKED], ("b",))
    world.clock.advance(MINUTE)
    drain(world.app)
    assert states(world, "b", "c") == [State.COMPLETED, State.COMPLETED]
    assert len(world.greeted) == 3


def test_a_job_whose_parents_have_completed_before_starts_at_once(world: World) -> None:
    enqueue(world, "a")
    drain(world.app)

    enqueue(world, "b", "a")

    assert states(world, "b") == [State.QUEUED]
    drain(world.app)
    assert states(world, "b") == [State.COMPLETED]


def test_its_wait_is_counted_from_when_it_may_start(world: World) -> None:
    enqueue(world, "a", delay=MINUTE)
    enqueue(world, "b", "a")
    world.clock.advance(MINUTE)
    drain(world.app)

    record = world.stored("b")
    assert record.run_at == record.first_started_at == record.created_at + MINUTE


def test_a_delay_that_is_not_over_goes_on_after_the_parents(world: World) -> None:
    enqueue(world, "a")
    enqueue(world, "b", "a", delay=MINUTE)
    enqueue(world, "far", "a", delay=60 * MINUTE)
    drain(world.app)

    assert states(world, "b", "far") == [State.QUEUED, State.SCHEDULED]
    world.clock.advance(MINUTE)
    drain(world.app)
    assert states(world, "b") == [State.COMPLETED]


def test_jobs_of_one_call_may_wait_for_each_other_in_any_order(world: World) -> None:
    world.app.enqueue_many([ask(world, "c", "b"), ask(world, "b", "a"), ask(world, "a")])

    drain(world.app)

    assert states(world, "a", "b", "c") == [State.COMPLETED] * 3


def test_a_job_that_nobody_waits_for_costs_no_call_more(world: World) -> None:
    ledger, _ = break_ports(world.app)
    enqueue(world, "a")
    world.execute(Envelope.of(world.stored("a"), '{"name":"Bat"}').encode())

    assert ledger.calls == ["put", "get", "change", "change"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("wait", (State.BLOCKED, None)),
        ("cancel", (State.CANCELLED, None)),
        ("run", (State.COMPLETED, None)),
        ("die", (State.DEAD, Cause.PARENT_FAILED)),
    ],
)
def test_a_dead_parent_does_to_its_children_what_they_say(
    world: World, policy: str, expected: tuple[State, Cause | None]
) -> None:
    enqueue(world, "a")
    enqueue(world, "b", "a", on_failure=policy)
    world.behave = lambda run: dies(run) if run.job_id == "a" else None
    drain(world.app)

    assert (world.stored("b").state, world.stored("b").cause) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("wait", State.CANCELLED), ("cancel", State.CANCELLED), ("run", State.QUEUED), ("die", State.DEAD)],
)
def test_a_cancelled_parent_does_so_for_good(world: World, policy: str, expected: State) -> None:
    enqueue(world, "a", delay=MINUTE)
    enqueue(world, "b", "a", on_failure=policy)

    assert world.app.cancel("a") is Cancelling.CANCELLED
    assert states(world, "b") == [expected]


def test_a_death_in_the_middle_that_is_redriven_lets_the_rest_go_on(world: World) -> None:
    world.app.enqueue_many([ask(world, "a"), ask(world, "b", "a"), ask(world, "c", "b")])
    world.behave = lambda run: dies(run) if run.job_id == "b" else None
    drain(world.app)
    assert states(world, "a", "b", "c") == [State.COMPLETED, State.DEAD, State.BLOCKED]

    world.behave = None
    Redriver(world.app.ports).redrive(world.stored("b"))
    drain(world.app)

    assert states(world, "b", "c") == [State.COMPLETED] * 2


def test_dropping_a_dead_parent_cancels_what_waits_for_it(world: World) -> None:
    world.app.enqueue_many([ask(world, "a"), ask(world, "b", "a"), ask(world, "c", "b")])
    world.behave = dies
    drain(world.app)

    Redriver(world.app.ports).drop(world.stored("a"))

    assert states(world, "b", "c") == [State.CANCELLED] * 2


def test_a_cancel_goes_through_a_chain_of_a_thousand(world: World) -> None:
    chain = [ask(world, "0", delay=MINUTE), *(ask(world, str(n), str(n - 1)) for n in range(1, 1000))]
    world.app.enqueue_many(chain)

    world.app.cancel("0")
    for _ in range(80):
        drain(world.app)  # the rest is handed to a job of Lanework's own

    assert set(states(world, *map(str, range(1000)))) == {State.CANCELLED}


def test_a_job_that_died_of_its_parent_waits_again_when_it_is_redriven(world: World) -> None:
    enqueue(world, "a")
    enqueue(world, "b", "a", on_failure="die")
    world.behave = lambda run: dies(run) if run.job_id == "a" else None
    drain(world.app)

    Redriver(world.app.ports).redrive(world.stored("b"))
    assert (world.stored("b").state, world.stored("b").life) == (State.DEAD, 2), "its parent is still dead"

    world.behave = None
    Redriver(world.app.ports).redrive(world.stored("a"))
    drain(world.app)
    Redriver(world.app.ports).redrive(world.stored("b"))
    drain(world.app)
    assert (world.stored("b").state, world.stored("b").life) == (State.COMPLETED, 3)


def test_the_ticket_of_a_job_that_died_of_its_parent_does_not_run_it_without(world: World) -> None:
    enqueue(world, "a")
    enqueue(world, "b", "a", on_failure="die")
    world.behave = dies
    drain(world.app)
    world.behave = None
    lanes: Any = world.app.ports.lanes
    ticket = next(body for body in lanes.dead(Lane.HIGH) if Envelope.decode(body).id == "b")

    world.execute(ticket)

    assert ("b", 1) not in world.greeted
    assert (world.stored("b").state, world.stored("b").life) == (State.DEAD, 2)


def test_what_a_crash_left_blocked_is_let_go_by_the_reconciler(world: World) -> None:
    enqueue(world, "a")
    enqueue(world, "b", "a")
    store = world.app.ports.workflows
    world.app.use(replace(world.app.ports, workflows=type(store)()))  # the end of a finds nobody, as if it had crashed
    drain(world.app)
    assert states(world, "a", "b") == [State.COMPLETED, State.BLOCKED]

    assert Reconciler(world.app.ports).tick().unblocked == 0, "it is looked at after a minute"
    world.clock.advance(MINUTE)
    assert Reconciler(world.app.ports).tick().unblocked == 1
    drain(world.app)
    assert states(world, "b") == [State.COMPLETED]


def test_a_waiting_job_is_looked_at_at_growing_intervals(world: World) -> None:
    enqueue(world, "a", delay=600 * MINUTE)
    enqueue(world, "b", "a")
    ledger, _ = break_ports(world.app)
    looks = 0
    for _ in range(600):
        world.clock.advance(MINUTE)
        ledger.calls.clear()
        Reconciler(world.app.ports).tick()
        looks += ledger.calls.count("change")

    assert 10 <= looks <= 20


def test_a_parent_that_ends_while_its_child_is_recorded_is_not_missed(world: World) -> None:
    enqueue(world, "a")
    store: Any = world.app.ports.workflows
    noted = store.add_children

    def add_children(edges: Any) -> None:
        drain(world.app)
        noted(edges)

    store.add_children = add_children
    enqueue(world, "b", "a")

    drain(world.app)
    assert states(world, "a", "b") == [State.COMPLETED] * 2


def test_a_job_let_go_whose_message_is_not_sent_is_left_to_the_sweep(world: World) -> None:
    enqueue(world, "a")
    enqueue(world, "b", "a")
    _, lanes = break_ports(world.app)
    lanes.broken.add("send")
    world.execute(Envelope.of(world.stored("a"), world.stored("a").payload or "").encode())
    mend_ports(world.app)

    assert states(world, "b") == [State.QUEUED]
    Sweeper(world.app.ports).tick()
    drain(world.app)
    assert states(world, "b") == [State.COMPLETED]


def test_a_parent_whose_record_is_gone_counts_as_cancelled_once_it_may_have_expired(world: World) -> None:
    enqueue(world, "a", delay=MINUTE)
    enqueue(world, "b", "a")
    ledger: Any = world.app.ports.ledger
    del ledger.records["a"]

    world.clock.advance(timedelta(days=6))
    Reconciler(world.app.ports).tick()
    assert states(world, "b") == [State.BLOCKED], "its record may not be made yet"
    world.clock.advance(timedelta(days=2))
    Reconciler(world.app.ports).tick()
    assert states(world, "b") == [State.CANCELLED]


def test_many_children_are_let_go_by_a_job_of_laneworks_own(world: World) -> None:
    ids = [f"child-{number}" for number in range(150)]
    enqueue(world, "a")
    world.app.enqueue_many([ask(world, one, "a") for one in ids])

    world.execute(Envelope.of(world.stored("a"), world.stored("a").payload or "").encode())
    assert State.QUEUED not in states(world, *ids)
    drain(world.app)

    assert states(world, *ids) == [State.COMPLETED] * 150


def test_a_repeated_enqueue_of_a_waiting_job_is_a_duplicate(world: World) -> None:
    enqueue(world, "a", delay=MINUTE)
    enqueue(world, "b", "a")

    assert world.app.enqueue_request(ask(world, "b", "a")).duplicate
    assert states(world, "b") == [State.BLOCKED]


def test_an_unknown_parent_is_refused_and_nothing_enqueued(world: World) -> None:
    with pytest.raises(UnknownParentError, match=r"job 'b' can't wait for 'nobody': never enqueued here"):
        world.app.enqueue_many([ask(world, "a"), ask(world, "b", "nobody")])

    assert world.app.inspector.page().jobs == ()


def test_a_circle_is_refused_and_shown(world: World) -> None:
    with pytest.raises(InvalidOptionError, match="in a circle: a → c → b → a"):
        world.app.enqueue_many([ask(world, "a", "c"), ask(world, "b", "a"), ask(world, "c", "b")])
    with pytest.raises(InvalidOptionError, match="in a circle: a → a"):
        enqueue(world, "a", "a")


def test_options_that_make_no_sense_are_refused(world: World) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'cancel'"):
        enqueue(world, "b", "a", on_failure="cancle")
    with pytest.raises(InvalidOptionError, match=r"after takes a list of job ids: after=\['a'\]"):
        world.greet.request(PAYLOAD, after="a")
    with pytest.raises(InvalidOptionError, match="50 others, not 51"):
        enqueue(world, "b", *map(str, range(51)))
    with pytest.raises(InvalidOptionError, match="on_failure is for jobs with parents"):
        enqueue(world, "b", on_failure="run")
    for name in ("no id", "workflow/", "workflow/w/failed/ended", "workflow/w/never"):
        with pytest.raises(InvalidOptionError, match=f"job_id '{name}' can't be used"):
            enqueue(world, "b", name)


def test_a_waiting_job_is_not_sent_unrecorded(world: World) -> None:
    enqueue(world, "a")
    ledger, _ = break_ports(world.app)
    ledger.broken.add("get_many")

    with pytest.raises(EnqueueError, match="what it waits for is out of reach"):
        enqueue(world, "b", "a")
    world.app.use(replace(world.app.ports, ledger=Flaky(ledger.port, broken={"put"})))
    with pytest.raises(EnqueueError, match="that others wait for, can't be sent unrecorded"):
        enqueue(world, "c", "a")


def test_an_end_stands_whatever_hinders_what_follows_from_it(world: World) -> None:
    enqueue(world, "a")
    enqueue(world, "b", "a")
    store: Any = world.app.ports.workflows
    children = store.children

    def refuse(*_: Any, **__: Any) -> Any:
        reason = "no permission"
        raise ConfigError(reason)

    store.children = refuse
    drain(world.app)
    assert states(world, "a", "b") == [State.COMPLETED, State.BLOCKED]

    store.children = children
    world.clock.advance(MINUTE)
    Reconciler(world.app.ports).tick()
    assert states(world, "b") == [State.QUEUED]
