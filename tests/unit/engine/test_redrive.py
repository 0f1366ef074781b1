from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lanework import Cause, InvalidPayloadError, Lane, State, UnavailableError, UnknownJobTypeError
from lanework.engine.deadletters.redrive import Redriver, RedriveResult
from lanework.engine.maintenance.sweep import Sweeper
from lanework.model.events import Action
from lanework.model.job.envelope import Envelope
from lanework.model.job.payload import Edit
from lanework.testing import NOON, drain
from tests.support.factories import a_record
from tests.support.fakes import break_ports, mend_ports
from tests.support.small_world import Greeting, World

if TYPE_CHECKING:
    from lanework import JobRecord, Run

LARGE = "я" * 2_000


def raising(_: Run) -> None:
    msg = "no route"
    raise OSError(msg)


def a_dead_job(world: World, *, name: str = "Bat", attempts: int = 1) -> JobRecord:
    """Let a job die as jobs do, with its ticket in the DLQ; the next life would go well."""
    world.behave = raising
    world.greet.enqueue(Greeting(name=name), job_id="job-1", attempts=attempts)
    while world.stored().state is not State.DEAD:
        drain(world.app)
        world.clock.advance(timedelta(seconds=10))
    world.behave = "well again"
    world.greeted.clear()
    return world.stored()


def redriver(world: World) -> Redriver:
    return Redriver(world.app.ports)


def move_tickets_back(world: World) -> None:
    """Press the console's button."""
    world.app.ports.lanes.move_back(Lane.HIGH, rate=None)


def test_a_redriven_job_runs_at_once_with_all_its_attempts_and_keeps_its_history(world: World) -> None:
    dead = a_dead_job(world, attempts=2)

    assert redriver(world).redrive(dead) is RedriveResult.REDRIVEN

    assert (world.stored().attempts, world.stored().life, world.stored().cause) == (0, 2, None)
    drain(world.app)
    assert world.greeted == [("Bat", 1)]
    assert (world.stored().state, world.stored().attempts) == (State.COMPLETED, 1)
    assert [(1, 1), (1, 2)] == [(one.life, one.attempt) for one in world.stored().failures]


def test_pressed_twice_it_is_one_life(world: World) -> None:
    dead = a_dead_job(world)

    assert [RedriveResult.REDRIVEN, RedriveResult.NOT_DEAD] == [
        redriver(world).redrive(dead),
        redriver(world).redrive(dead),
    ]

    drain(world.app)
    assert (world.greeted, world.stored().life) == ([("Bat", 1)], 2)


def test_pressed_again_after_it_died_again_with_an_old_record_nothing_happens(world: World) -> None:
    dead = a_dead_job(world)
    redriver(world).redrive(dead)
    world.behave = raising
    drain(world.app)

    assert redriver(world).redrive(dead) is RedriveResult.NOT_DEAD
    assert (world.stored().state, world.stored().life) == (State.DEAD, 2)


def test_a_crash_between_redrive_and_send_is_carried_by_the_sweep(world: World) -> None:
    dead = a_dead_job(world)
    _, lanes = break_ports(world.app)
    lanes.broken.add("send")

    assert redriver(world).redrive(dead) is RedriveResult.REDRIVEN
    mend_ports(world.app)
    assert drain(world.app) == 0

    assert Sweeper(world.app.ports).tick().sent == 1
    drain(world.app)
    assert (world.stored().state, world.stored().sweep_at) == (State.COMPLETED, None)
    assert "left to the sweep" in str(world.events.events[-4].reason)


def test_a_redriven_job_that_was_sent_is_not_sent_again_by_the_next_sweep(world: World) -> None:
    redriver(world).redrive(a_dead_job(world))

    assert Sweeper(world.app.ports).tick().sent == 0
    world.clock.advance(timedelta(hours=1))
    assert Sweeper(world.app.ports).tick().sent == 1, "its message may have been lost"


def test_a_redrive_whose_answer_was_lost_and_that_the_client_repeated_is_sent(world: World) -> None:
    dead = a_dead_job(world)
    ledger = world.app.ports.ledger

    class Repeating:
        """Applies a change twice and returns the second answer, as a client does that repeats a call."""

        def __getattr__(self, name: str) -> object:
            return getattr(ledger, name)

        def change(self, job_id: str, change: object) -> object:
            ledger.change(job_id, change)  # type: ignore[arg-type]
            return ledger.change(job_id, change)  # type: ignore[arg-type]

    world.app.use(replace(world.app.ports, ledger=Repeating()))  # type: ignore[arg-type]

    assert redriver(world).redrive(dead) is RedriveResult.REDRIVEN
    assert drain(world.app) == 1


def test_a_ledger_that_does_not_answer_is_told_and_nothing_is_sent(world: World) -> None:
    dead = a_dead_job(world)
    ledger, lanes = break_ports(world.app)
    ledger.broken.add("change")

    with pytest.raises(UnavailableError):
        redriver(world).redrive(dead)
    assert "send" not in lanes.calls


def test_a_ticket_that_the_console_moves_after_a_redrive_by_record_runs_nothing_twice(world: World) -> None:
    redriver(world).redrive(a_dead_job(world))
    drain(world.app)

    move_tickets_back(world)
    drain(world.app)

    assert world.greeted == [("Bat", 1)]
    assert (world.stored().state, world.stored().life) == (State.COMPLETED, 2)
    assert world.events.actions[-1] == "message.dropped"


def test_a_ticket_that_the_console_moves_before_the_redriven_job_runs_is_the_same_life(world: World) -> None:
    redriver(world).redrive(a_dead_job(world))

    move_tickets_back(world)
    drain(world.app)

    assert (world.greeted, world.stored().life) == ([("Bat", 1)], 2)


@pytest.mark.parametrize("before", ["Bat", LARGE])
@pytest.mark.parametrize("after", ["Bold", LARGE.replace("я", "ю")])
def test_an_edited_job_runs_with_its_new_payload_even_if_the_old_ticket_comes_first(
    world: World, before: str, after: str
) -> None:
    dead = a_dead_job(world, name=before)
    move_tickets_back(world)

    after_edit = world.app.dead_letters.redrive_job(dead.job_id, payload=f'{{"name":"{after}"}}')

    assert (after_edit.state, after_edit.life) == (State.QUEUED, 3)

    drain(world.app)
    assert (world.greeted, world.stored().state) == ([(after, 1)], State.COMPLETED)
    assert after in str(world.stored().payload)


def test_an_edited_job_that_the_sweep_sends_has_its_new_payload_too(world: World) -> None:
    dead = a_dead_job(world)
    _, lanes = break_ports(world.app)
    lanes.broken.add("send")
    redriver(world).redrive(dead, edit=Edit(payload='{"name":"Bold"}'))
    mend_ports(world.app)

    Sweeper(world.app.ports).tick()
    drain(world.app)

    assert world.greeted == [("Bold", 1)]


def test_an_edit_that_does_not_fit_the_type_is_refused_and_changes_nothing(world: World) -> None:
    dead = a_dead_job(world)

    with pytest.raises(InvalidPayloadError, match=r"payload of user\.greeting is not valid: name: "):
        world.app.dead_letters.checked_edit(dead, '{"name": 5}')
    with pytest.raises(UnknownJobTypeError, match=r"did you mean 'user\.greeting'"):
        world.app.dead_letters.checked_edit(a_record(type="user.greetin"), "{}")
    assert world.stored() == dead


def test_a_job_whose_payload_is_gone_is_left_dead_and_told(world: World) -> None:
    dead = a_dead_job(world)
    ledger = world.app.ports.ledger
    ledger.records["job-1"] = a_record(payload=None)  # type: ignore[attr-defined]

    assert redriver(world).redrive(a_record(payload=None, state=State.DEAD)) is RedriveResult.NO_PAYLOAD
    assert dead.life == 1


def test_a_dropped_job_is_cancelled_and_its_ticket_brings_nothing_back(world: World) -> None:
    dead = a_dead_job(world)

    assert [RedriveResult.DROPPED, RedriveResult.NOT_DEAD] == [
        redriver(world).drop(dead),
        redriver(world).redrive(dead),
    ]

    move_tickets_back(world)
    drain(world.app)
    assert (world.stored().state, world.greeted) == (State.CANCELLED, [])
    assert world.stored().expires_at == world.clock() + timedelta(days=15)


def test_a_job_that_was_never_there_is_not_found(world: World) -> None:
    nobody = a_record(job_id="nobody", state=State.DEAD)

    assert [RedriveResult.NOT_FOUND] * 2 == [redriver(world).redrive(nobody), redriver(world).drop(nobody)]


def test_each_redrive_and_each_drop_is_one_event(world: World) -> None:
    dead = a_dead_job(world)
    world.events.events.clear()

    redriver(world).redrive(dead)
    redriver(world).redrive(dead)
    world.behave = raising
    drain(world.app)
    redriver(world).drop(world.stored())

    assert [Action.JOB_REDRIVEN, Action.JOB_DISCARDED_FROM_DLQ] == [
        one.action for one in world.events.events if one.action in (Action.JOB_REDRIVEN, Action.JOB_DISCARDED_FROM_DLQ)
    ]
    assert ("job-1", "user.greeting", "email", Lane.HIGH, Cause.EXHAUSTED) == (
        *(world.events.events[-1].job_id, world.events.events[-1].type, world.events.events[-1].queue),
        *(world.events.events[-1].lane, world.events.events[-1].cause),
    )


def test_the_message_of_the_new_life_is_no_ticket_and_no_unrecorded_one(world: World) -> None:
    redriver(world).redrive(a_dead_job(world))

    message = world.app.ports.lanes.receive(Lane.HIGH)  # type: ignore[attr-defined]

    envelope = Envelope.decode(message.body)
    assert (envelope.life, envelope.ticket, envelope.unrecorded) == (2, False, False)


def test_a_crashed_job_gets_its_allowance_of_a_crash_again(world: World) -> None:
    crashed = a_record(state=State.DEAD, cause=Cause.CRASHED, crashed=True, ended_at=NOON, sweep_at=NOON, due_at=None)
    world.app.ports.ledger.put(crashed)

    redriver(world).redrive(crashed)

    assert (world.stored().crashed, world.stored().attempts) == (False, 0)


def test_an_edited_payload_is_of_the_version_of_the_code_that_checked_it(world: World) -> None:
    dead = replace(a_dead_job(world), version=7)
    world.app.ports.ledger.records["job-1"] = dead  # type: ignore[attr-defined]

    redriver(world).redrive(dead, edit=world.app.dead_letters.checked_edit(dead, '{"name":"Bold"}'))

    drain(world.app)
    assert (world.stored().version, world.greeted) == (1, [("Bold", 1)])
