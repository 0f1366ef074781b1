"""What SQS moved to a dead-letter queue, and the audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lanework import Cause, State
from lanework.engine.deadletters.dlq_scan import MOST_BOUNCES
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.ports.messages import OutgoingMessage
from lanework.errors import UnavailableError
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.model.lifecycle import operator_moves
from lanework.testing import NOON, drain
from tests.support.factories import a_message, a_record
from tests.support.fakes import Flaky, break_ports
from tests.support.small_world import Greeting, World, give_up_on_all, raises

if TYPE_CHECKING:
    from lanework.model.lifecycle.change import Answer, Change

BAT = Greeting(name="Bat")
MINUTE = timedelta(minutes=1)
HIDDEN = timedelta(minutes=2)


def dead(world: World) -> list[str]:
    lanes: Any = world.app.ports.lanes
    return list(lanes.dead(Lane.HIGH))


def tick(world: World) -> int:
    letters = Reconciler(world.app.ports).tick().letters
    Sweeper(world.app.ports).tick()
    return letters


def test_a_job_that_sqs_gave_up_on_runs_later_and_is_not_dead(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1")
    give_up_on_all(world)

    assert tick(world) == 1

    assert (dead(world), world.stored().bounces, world.stored().sweep_at) == ([], 1, NOON + timedelta(hours=1))
    assert drain(world.app) == 0, "and not at once, which brought it there"
    world.clock.advance(MINUTE)
    drain(world.app)
    assert world.stored().state is State.COMPLETED


def test_its_waits_grow_and_in_the_end_it_is_dead_with_the_cause(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1")
    waits = []
    for _ in range(MOST_BOUNCES):
        give_up_on_all(world)
        Reconciler(world.app.ports).tick()
        entered = world.stored().sweep_at
        assert entered is not None
        waits.append((entered - world.clock()) // MINUTE)
        world.clock.advance(entered - world.clock())
        Sweeper(world.app.ports).tick()
    give_up_on_all(world)
    Reconciler(world.app.ports).tick()

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360]
    assert (world.stored().state, world.stored().cause) == (State.DEAD, Cause.INFRA)
    (ticket,) = dead(world)
    assert (Envelope.decode(ticket).ticket, Envelope.decode(ticket).life) == (True, 2)


def test_tickets_and_copies_that_we_sent_stay_where_they_are(world: World) -> None:
    world.behave = raises(OSError())
    world.greet.enqueue(BAT, attempts=1)
    drain(world.app)
    world.app.ports.lanes.send_to_dlq(Lane.HIGH, "not json", cause="invalid", error="no")

    assert (tick(world), len(dead(world))) == (0, 2)
    seen = world.app.ports.lanes.receive_dead(Lane.HIGH, limit=10, hide_for=MINUTE)
    assert len(seen) == 2, "and a redrive finds them there"


def test_a_letter_behind_many_tickets_is_found(world: World) -> None:
    for number in range(60):
        world.app.ports.lanes.send_to_dlq(Lane.HIGH, f"ticket {number}", cause="exhausted", error="")
    world.greet.enqueue(BAT, job_id="job-1")
    give_up_on_all(world)

    assert tick(world) == 1
    assert world.stored().bounces == 1


def test_a_job_that_runs_is_not_touched_until_its_lease_is_over(world: World) -> None:
    world.app.ports.ledger.put(
        a_record(state=State.RUNNING, claim_id="x", attempts=1, due_at=NOON + MINUTE, started_at=NOON)
    )
    world.app.ports.lanes.send(Lane.HIGH, _sending(a_message()))
    give_up_on_all(world)

    assert (tick(world), len(dead(world))) == (0, 1)
    world.clock.advance(HIDDEN)
    assert (tick(world), dead(world)) == (1, [])


def test_a_message_whose_job_is_over_is_deleted(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)
    world.app.ports.lanes.send(Lane.HIGH, _sending(a_message()))
    give_up_on_all(world)

    assert (tick(world), dead(world)) == (1, [])
    assert world.greeted == [("Bat", 1)]


def test_what_cannot_be_decoded_is_recorded_with_its_cause(world: World) -> None:
    world.app.ports.lanes.send(Lane.HIGH, _sending("not json"))
    give_up_on_all(world)

    assert (tick(world), dead(world)) == (1, ["not json"])
    assert world.events.actions[-1] == "message.undecodable"
    world.clock.advance(HIDDEN)
    assert tick(world) == 0, "and it is recorded once"


def test_an_unrecorded_job_goes_back_to_its_lane(world: World) -> None:
    world.app.ports.lanes.send(Lane.HIGH, _sending(a_message(unrecorded=True)))
    give_up_on_all(world)

    assert tick(world) == 1
    world.clock.advance(timedelta(minutes=5))
    drain(world.app)
    assert world.stored().state is State.COMPLETED


def test_a_ticket_that_never_came_to_its_claim_lies_in_the_dead_letter_queue_again(world: World) -> None:
    world.behave = raises(OSError())
    world.greet.enqueue(BAT, job_id="job-1", attempts=1)
    drain(world.app)
    lanes: Any = world.app.ports.lanes
    lanes.move_back(Lane.HIGH, rate=None)
    give_up_on_all(world)

    assert tick(world) == 1
    assert [Envelope.decode(body).life for body in dead(world)] == [2]
    world.behave = None
    lanes.move_back(Lane.HIGH, rate=None)
    drain(world.app)
    assert world.stored().state is State.COMPLETED


def test_a_letter_is_deleted_only_once_something_stands_in_its_place(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1")
    give_up_on_all(world)
    ledger, _ = break_ports(world.app)
    ledger.broken.add("change")

    assert Reconciler(world.app.ports).tick().letters == 0

    lanes: Any = world.app.ports.lanes
    assert len(lanes.port.dead(Lane.HIGH)) == 1


def test_a_job_that_nothing_carries_is_found_a_day_before_its_message_would_be_gone(world: World) -> None:
    world.app.ports.ledger.put(a_record())
    world.app.ports.ledger.put(a_record(job_id="fine", state=State.COMPLETED, due_at=None))
    world.app.ports.ledger.put(a_record(job_id="entered", sweep_at=NOON + timedelta(days=300)))
    world.clock.advance(timedelta(days=6))

    audited = Reconciler(world.app.ports).tick()

    assert (audited.audited, audited.stranded) == (3, 1)
    Sweeper(world.app.ports).tick()
    drain(world.app)
    assert world.stored().state is State.COMPLETED


@pytest.mark.parametrize("error", [ZeroDivisionError(), UnavailableError("throttled")])
@pytest.mark.parametrize("port", ["workflows", "ledger"])
def test_the_audit_goes_on_though_other_parts_fail(world: World, port: str, error: Exception) -> None:
    world.app.ports.ledger.put(a_record())
    world.clock.advance(timedelta(days=6))
    flaky = Flaky(getattr(world.app.ports, port))

    def fail(*_: object, **__: object) -> None:
        raise error

    flaky.answers |= {"due_shards": fail, "held": fail}
    stand_in: Any = {port: flaky}
    world.app.use(replace(world.app.ports, **stand_in))

    audited = Reconciler(world.app.ports).tick()

    assert audited.stranded == 1
    assert set(audited.refused) == {error}


@pytest.mark.parametrize("error", [ZeroDivisionError(), UnavailableError("throttled")])
def test_the_audit_goes_on_past_a_job_that_cant_be_entered(world: World, error: Exception) -> None:
    for job_id in ("a", "odd", "z"):
        world.app.ports.ledger.put(a_record(job_id=job_id))
    world.clock.advance(timedelta(days=6))
    ledger, _ = break_ports(world.app)

    def change(job_id: str, change: Change) -> Answer:
        if job_id == "odd":
            raise error
        answer: Answer = ledger.port.change(job_id, change)
        return answer

    ledger.answers["change"] = change

    assert Reconciler(world.app.ports).tick().stranded == 2


def test_the_audit_looks_at_each_job_once_and_reads_nothing_more_when_the_day_is_done(world: World) -> None:
    for number in range(2050):
        world.app.ports.ledger.put(a_record(job_id=f"job-{number}", state=State.COMPLETED, due_at=None))
    world.clock.advance(timedelta(days=6))

    audited = [Reconciler(world.app.ports).tick().audited for _ in range(4)]

    assert audited == [2000, 50, 0, 0]


def test_a_quiet_tick_costs_the_same_however_many_jobs_are_fine(world: World) -> None:
    def calls() -> int:
        ledger, lanes = break_ports(world.app)
        Reconciler(world.app.ports).tick()
        Sweeper(world.app.ports).tick()
        count = len(ledger.calls) + len(lanes.calls)
        world.app.use(_with(world, ledger.port, lanes.port))
        return count

    calls()  # the day's audit, which looks at each job once in its life
    few = calls()
    for number in range(200):
        world.greet.enqueue(BAT, job_id=f"job-{number}")
    drain(world.app)

    assert calls() == few


@pytest.mark.parametrize("state", [State.QUEUED, State.RETRYING, State.PARKED])
def test_a_bounce_changes_nothing_of_a_job_that_moved_on_meanwhile(world: World, state: State) -> None:
    record = a_record(state=state)
    world.app.ports.ledger.put(record)
    seen = operator_moves.bounce(record, at=NOON)
    world.execute(a_message().encode())

    assert world.app.ports.ledger.change("job-1", seen).record == world.stored()
    assert world.stored().bounces == 0


def _sending(message: Envelope | str) -> Any:
    return OutgoingMessage(body=message if isinstance(message, str) else message.encode())


def _with(world: World, ledger: Any, lanes: Any) -> Any:
    return replace(world.app.ports, ledger=ledger, lanes=lanes)


def test_a_job_of_which_no_message_can_be_made_is_set_aside_when_sqs_gave_up_on_it(world: World) -> None:
    """It was dead without an end for who waits for it, and its letter was looked at for ever."""
    world.greet.enqueue(BAT, job_id="job-1")
    world.greet.enqueue(BAT, job_id="child", after=["job-1"], on_failure="cancel")
    ledger: Any = world.app.ports.ledger
    ledger.records["job-1"] = replace(ledger.records["job-1"], max_attempts=0, bounces=MOST_BOUNCES)
    give_up_on_all(world)

    assert tick(world) == 1

    assert (world.stored().state, world.stored().cause) == (State.DEAD, Cause.UNSENDABLE)
    assert "no message can be made of it" in (world.stored().error or "")
    assert (dead(world), world.stored("child").state) == ([], State.CANCELLED)


def test_a_letter_of_a_dead_job_of_which_no_ticket_can_be_made_is_removed(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1")
    ledger: Any = world.app.ports.ledger
    odd = replace(ledger.records["job-1"], state=State.DEAD, cause=Cause.EXHAUSTED, max_attempts=0, nonce="another")
    ledger.records["job-1"] = odd
    give_up_on_all(world)

    assert tick(world) == 1

    assert dead(world) == []
    assert "run.write_failed" in world.events.actions
