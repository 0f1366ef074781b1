"""What the proof (tests/unit/proof) found in the engine, each as the shortest story that shows it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from lanework import (
    App,
    EnqueueError,
    Jobs,
    Quota,
    QuotaExceededError,
    Run,
    Snooze,
    State,
    UnavailableError,
    Workflow,
    WorkflowState,
    batch,
)
from lanework.engine.execution.attempt import in_order
from lanework.engine.execution.pause_watch import LOOKED_AT_EVERY
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.messaging.delivery import Ack, Delivery, Nack
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.model.lifecycle import claim_moves
from lanework.testing import NOON, Clock, app_in_memory, drain
from tests.support.factories import LEASE, a_message, a_record
from tests.support.fakes import break_ports
from tests.support.small_world import Greeting, World

BAT = Greeting(name="Bat")
HOUR = timedelta(hours=1)


def test_a_job_that_snoozes_in_the_attempt_that_a_crash_was_allowed_is_run_again(world: World) -> None:
    """It was parked with all its attempts used, and no claim could take it any more."""
    world.greet.enqueue(BAT, job_id="job-1", attempts=1)
    crashed = claim_moves.claim(life=1, claim_id="crashed", now=NOON, lease=LEASE)
    world.app.ports.ledger.change("job-1", crashed)
    world.clock.advance(LEASE)

    def snooze(_: Run) -> None:
        raise Snooze(timedelta(seconds=1))

    world.behave = snooze
    drain(world.app)
    assert (world.stored().state, world.stored().attempts, world.stored().crashed) == (State.PARKED, 1, True)

    world.behave = None
    world.clock.advance(timedelta(seconds=2))
    drain(world.app)

    assert (world.stored().state, world.stored().attempts) == (State.COMPLETED, 2)


def test_a_job_that_a_worker_parks_after_a_resume_and_a_tick_is_sent_by_a_later_tick(world: World) -> None:
    """The tick forgot the pause while workers still knew it, and what they then parked was stranded."""
    world.app.pause(queue="email")
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)
    assert world.app.resume(queue="email") == 1
    Sweeper(world.app.ports).tick()
    drain(world.app)
    assert world.stored().held_by == "queue:email"

    world.clock.advance(LOOKED_AT_EVERY)
    Sweeper(world.app.ports).tick()
    drain(world.app)

    assert world.stored().state is State.COMPLETED


class Note(BaseModel):
    """Payload of two job types."""

    text: str


def test_a_message_under_an_id_that_another_enqueue_recorded_runs_the_recorded_job() -> None:
    """DynamoDB was down for the first enqueue only: that one's code ran, with the other's payload."""
    family = Jobs(queue="notes", lane="high")
    ran: list[tuple[str, str]] = []

    @family.job("note.one")
    def one(note: Note) -> None:
        ran.append(("one", note.text))

    @family.job("note.two")
    def two(note: Note) -> None:
        ran.append(("two", note.text))

    app = app_in_memory(App(family), Clock())
    ledger, _ = break_ports(app)
    ledger.broken.add("put")
    one.enqueue(Note(text="first"), job_id="job-1")
    ledger.broken.clear()
    two.enqueue(Note(text="second"), job_id="job-1")
    lanes: Any = app.ports.lanes
    message = lanes.port.receive(Lane.HIGH)
    app.runtime.executor(in_order).execute(Delivery(body=message.body, lane=Lane.HIGH, time_left=LEASE))

    assert [("two", "second")] == ran


def test_the_ticket_of_a_dead_job_says_what_its_record_says_whatever_message_finds_it_dead(world: World) -> None:
    """The late message of another enqueue under its id made a ticket of its own type, and its redrive ran that code."""
    world.app.ports.ledger.put(a_record(state=State.DEAD, due_at=None, ended_at=NOON))
    late = a_message(type="user.farewell", payload='{"name":"Dorj"}', unrecorded=True)

    assert world.execute(late.encode(), sent_at=NOON - 2 * HOUR) == Ack()

    (body,) = world.app.ports.lanes.dead(Lane.HIGH)  # type: ignore[attr-defined]
    ticket = Envelope.decode(body)
    assert (ticket.type, ticket.payload, ticket.life) == ("user.greeting", '{"name":"Bat"}', 2)
    assert (ticket.ticket, ticket.unrecorded) == (True, False)


def test_a_job_enqueued_for_next_week_while_the_ledger_was_down_leaves_its_queue_for_the_sweep(world: World) -> None:
    """Its message was kept in the queue, which drops messages after a week: the job was gone."""
    start = NOON + timedelta(days=10)
    message = a_message(run_at=start, unrecorded=True)

    assert world.execute(message.encode()) == Ack()

    assert (world.stored().state, world.stored().sweep_at) == (State.SCHEDULED, start)
    world.clock.advance(timedelta(days=10))
    Sweeper(world.app.ports).tick()
    drain(world.app)
    assert world.greeted == [("Bat", 1)]


def test_a_message_that_comes_hours_early_is_left_to_the_entry_that_is_there_or_that_it_makes(world: World) -> None:
    start = NOON + 5 * HOUR
    for job_id, sweep_at in (("without", None), ("with", start), ("later", start + HOUR)):
        world.app.ports.ledger.put(a_record(job_id=job_id, due_at=start, sweep_at=sweep_at))

        assert world.execute(a_message(id=job_id, run_at=start).encode()) == Ack()

        assert world.stored(job_id).sweep_at == start


def test_a_message_that_comes_minutes_early_is_kept(world: World) -> None:
    world.app.ports.ledger.put(a_record(due_at=NOON + timedelta(minutes=15)))

    assert world.execute(a_message().encode()) == Nack(timedelta(minutes=15, seconds=1))


def test_a_run_is_bound_by_the_limits_of_the_type_that_its_record_names() -> None:
    """The message was another enqueue's, of a type without limits: two runs of a type that is bound to one at once."""
    family = Jobs(queue="notes", lane="high")
    most: list[int] = []

    @family.job("note.bound", concurrency=1)
    def bound(_: Greeting, run: Run) -> None:
        most.append(most[-1] + 1 if most else 1)
        if run.job_id == "job-1":
            app.runtime.executor(in_order).execute(Delivery(body=other, lane=Lane.HIGH, time_left=LEASE))
        most.append(most[-1] - 1)

    @family.job("note.free")
    def free(_: Greeting) -> None: ...

    app = app_in_memory(App(family), Clock())
    for one in ("job-1", "job-2"):
        bound.enqueue(BAT, job_id=one)
    ledger, _ = break_ports(app)
    ledger.broken.add("put")
    free.enqueue(BAT, job_id="job-2")
    ledger.broken.clear()
    lanes: Any = app.ports.lanes
    first, _, of_another_enqueue = [lanes.port.receive(Lane.HIGH) for _ in range(3)]
    other = of_another_enqueue.body
    app.runtime.executor(in_order).execute(Delivery(body=first.body, lane=Lane.HIGH, time_left=LEASE))

    assert max(most) == 1
    assert app.get("job-2").state is State.PARKED


def test_a_workflow_that_a_quota_refused_in_its_middle_calls_back_its_failure_and_no_success() -> None:
    """The place of the job that was never made counted as nothing to wait for, and the rest had completed."""
    family = Jobs(queue="notes", lane="high", attempts=1)
    ran: list[str] = []

    @family.job("note.scarce", quota=Quota(1, per=timedelta(days=1)))
    def scarce(note: Note) -> None:
        ran.append(note.text)

    @family.job("note.called-back")
    def called_back(note: Note) -> None:
        ran.append(note.text)

    clock = Clock()
    app = app_in_memory(App(family), clock)
    after = {f"on_{when}": called_back.request(Note(text=when)) for when in ("success", "complete", "failure")}
    plan = batch([scarce.request(Note(text=text)) for text in ("first", "second")], **after)
    with pytest.raises(QuotaExceededError):
        app.workflows.enqueue(plan, workflow_id="w")

    for _ in range(3):
        clock.advance(HOUR)
        Reconciler(app.ports).tick()
        drain(app)

    assert sorted(ran) == ["complete", "failure", "first"]
    assert app.get("w.on-success").state is State.CANCELLED
    found = app.workflows.get("w")
    assert (found.record.state, found.counts.completed, found.counts.cancelled) == (WorkflowState.CANCELLED, 1, 1)


def cut_off(app: App, plan: Workflow) -> None:
    """Enqueue a workflow by a producer that stops once its shards are made."""
    store: Any = app.ports.workflows
    make_shards = store.make_shards

    def crash(*given: Any) -> None:
        make_shards(*given)
        raise UnavailableError

    store.make_shards = crash
    with pytest.raises(UnavailableError):
        app.workflows.enqueue(plan, workflow_id="w")
    store.make_shards = make_shards


def test_a_workflow_whose_enqueue_is_repeated_an_hour_later_is_not_given_up_in_the_middle_of_it() -> None:
    """The reconciler gave it up while the repeat recorded its jobs: its callbacks started before them."""
    family = Jobs(queue="notes", lane="high", attempts=1)
    ran: list[str] = []

    @family.job("note.said")
    def said(note: Note) -> None:
        ran.append(note.text)

    clock = Clock()
    app = app_in_memory(App(family), clock)
    plan = batch([said.request(Note(text="first"))], on_complete=said.request(Note(text="complete")))
    cut_off(app, plan)
    clock.advance(2 * HOUR)
    store: Any = app.ports.workflows
    make_shards = store.make_shards

    def reconciled_first(*given: Any) -> None:
        Reconciler(app.ports).tick()
        make_shards(*given)

    store.make_shards = reconciled_first
    app.workflows.enqueue(plan, workflow_id="w")

    assert app.get("w.on-complete").state is State.BLOCKED
    drain(app)
    drain(app)
    assert ran == ["first", "complete"]
    assert app.workflows.get("w").record.state is WorkflowState.COMPLETED


def test_a_workflow_that_was_given_up_takes_no_repeat() -> None:
    family = Jobs(queue="notes", lane="high", attempts=1)

    @family.job("note.said")
    def said(_: Note) -> None: ...

    clock = Clock()
    app = app_in_memory(App(family), clock)
    plan = batch([said.request(Note(text="first"))])
    cut_off(app, plan)
    clock.advance(2 * HOUR)
    Reconciler(app.ports).tick()

    with pytest.raises(EnqueueError, match="cancelled an hour later"):
        app.workflows.enqueue(plan, workflow_id="w")
