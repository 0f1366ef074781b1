from __future__ import annotations

import signal
from dataclasses import replace
from datetime import timedelta

import pytest

from lanework import App, Cause, ClaimLostError, InvalidOptionError, Jobs, LaneworkError, Run, State
from lanework.engine.messaging.delivery import Ack, Delivery, Nack
from lanework.engine.ports.messages import OutgoingMessage
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.model.lifecycle import claim_moves
from lanework.testing import NOON, a_run, app_in_memory, drain
from tests.support.factories import a_message, a_record
from tests.support.fakes import break_ports
from tests.support.small_world import Greeting, World, put, raises, tickets

SECOND = timedelta(seconds=1)


def test_a_job_runs_and_its_result_is_kept(world: World) -> None:
    world.behave = {"sent": 1}

    assert world.execute(put(world)) == Ack()

    assert (world.stored().state, world.stored().result) == (State.COMPLETED, '{"sent":1}')
    assert world.events.actions == ["job.started", "job.completed"]


def test_a_job_costs_two_writes_while_it_runs(world: World) -> None:
    body = put(world)
    ledger, lanes = break_ports(world.app)

    world.execute(body)

    assert (ledger.calls, lanes.calls) == (["change", "change"], [])


def test_a_failed_attempt_comes_back_after_two_four_and_eight_seconds_and_then_is_dead(world: World) -> None:
    world.behave = raises(OSError("no route"))
    body = put(world, max_attempts=4)

    reports = []
    for _ in range(4):
        reports.append(world.execute(body))
        world.clock.advance(timedelta(seconds=8))

    assert [Nack(2 * SECOND), Nack(4 * SECOND), Nack(8 * SECOND), Ack()] == reports
    assert (world.stored().state, world.stored().cause) == (State.DEAD, Cause.EXHAUSTED)
    assert world.stored().error == "OSError: no route"
    assert [1, 2, 3, 4] == [one.attempt for one in world.stored().failures]


def test_a_dead_job_leaves_a_ticket_for_its_next_life(world: World) -> None:
    world.behave = raises(OSError("no"))

    world.execute(put(world, max_attempts=1))

    assert [(2, True, "job-1")] == [(one.life, one.ticket, one.id) for one in tickets(world)]


def test_a_ticket_that_sqs_moved_back_is_a_redrive_and_pressed_twice_it_is_one_life(world: World) -> None:
    world.behave = raises(OSError("no"))
    world.execute(put(world, max_attempts=1))
    ticket = tickets(world)[0].encode()
    world.behave = "well again"

    assert [Ack(), Ack()] == [world.execute(ticket), world.execute(ticket)]

    assert (world.stored().state, world.stored().life, world.stored().attempts) == (State.COMPLETED, 2, 1)
    assert world.greeted == [("Bat", 1), ("Bat", 1)]
    assert len(world.stored().failures) == 1, "the history stays"


def test_a_message_of_an_earlier_life_is_dropped(world: World) -> None:
    world.behave = raises(OSError("no"))
    first_life = put(world, max_attempts=1)
    world.execute(first_life)
    world.behave = raises(OSError("again"))
    world.execute(tickets(world)[0].encode())

    assert world.execute(first_life) == Ack()

    assert world.stored().life == 2
    assert world.events.actions[-1] == "message.dropped"


def test_a_crash_between_death_and_ticket_is_made_good_by_the_next_delivery(world: World) -> None:
    world.behave = raises(OSError("no"))
    body = put(world, max_attempts=1)
    _, lanes = break_ports(world.app)
    lanes.broken.add("send_to_dlq")
    assert world.execute(body) == Nack()
    lanes.broken.clear()

    assert world.execute(body) == Ack()

    assert lanes.calls == ["send_to_dlq", "send_to_dlq"]
    assert world.greeted == [("Bat", 1)]


def test_a_duplicate_message_waits_for_the_running_attempt(world: World) -> None:
    body = put(world)
    duplicate: list[object] = []
    world.behave = lambda _: duplicate.append(world.execute(body))

    assert world.execute(body) == Ack()

    assert duplicate == [Nack(36 * SECOND)], "until just after the lease of 35 s"
    assert world.greeted == [("Bat", 1)]


def test_a_completed_job_never_runs_again(world: World) -> None:
    body = put(world)
    world.execute(body)

    assert world.execute(body) == Ack()

    assert world.greeted == [("Bat", 1)]


def test_a_message_that_comes_early_waits_until_it_is_due(world: World) -> None:
    assert world.execute(put(world, due_at=NOON + timedelta(seconds=20, milliseconds=500))) == Nack(21 * SECOND)
    assert world.greeted == []


def test_an_attempt_whose_worker_vanished_is_followed_by_another_after_its_lease(world: World) -> None:
    body = put(world, max_attempts=1)
    world.app.ports.ledger.change(
        "job-1", claim_moves.claim(life=1, claim_id="vanished", now=NOON, lease=timedelta(seconds=35))
    )
    assert world.execute(body) == Nack(36 * SECOND)
    world.clock.advance(timedelta(seconds=36))

    assert world.execute(body) == Ack()

    assert (world.stored().state, world.stored().crashed, world.greeted) == (State.COMPLETED, True, [("Bat", 2)])


def test_a_job_that_kills_its_worker_again_and_again_is_dead_as_crashed(world: World) -> None:
    record = a_record(
        max_attempts=1, state=State.RUNNING, claim_id="x", attempts=2, crashed=True, due_at=NOON, started_at=NOON
    )
    world.app.ports.ledger.put(record)

    assert world.execute(a_message(attempts=1).encode()) == Ack()

    assert (world.stored().state, world.stored().cause) == (State.DEAD, Cause.CRASHED)
    assert len(tickets(world)) == 1
    assert world.greeted == []


def test_an_attempt_that_outlived_its_lease_cannot_change_the_job(world: World) -> None:
    body = put(world)

    def outlive(run: Run) -> str:
        if run.attempt == 1:
            world.clock.advance(timedelta(seconds=40))
            assert world.execute(body) == Ack()
            with pytest.raises(ClaimLostError):
                run.progress(10)
        return f"attempt {run.attempt}"

    world.behave = outlive

    assert world.execute(body) == Nack(), "its message is left to the attempt that took over"
    assert world.stored().result == '"attempt 2"'
    assert world.events.actions[-1] == "run.write_refused"


def test_a_completion_whose_answer_was_lost_counts(world: World) -> None:
    body = put(world)
    ledger, _ = break_ports(world.app)

    def lose_the_answer(_: Run) -> str:
        ledger.mute.add("change")
        return "done"

    world.behave = lose_the_answer
    assert world.execute(body) == Nack()
    ledger.mute.clear()

    assert world.execute(body) == Ack()
    assert (world.stored().result, world.greeted) == ('"done"', [("Bat", 1)])


def test_a_claim_that_cannot_be_made_runs_nothing_and_uses_no_attempt(world: World) -> None:
    body = put(world)
    ledger, _ = break_ports(world.app)
    ledger.broken.add("change")

    assert world.execute(body) == Nack(5 * SECOND)
    assert world.execute(body, receives=4) == Nack(40 * SECOND), "the wait grows"

    ledger.broken.clear()
    assert (world.greeted, world.stored().attempts) == ([], 0)
    assert world.events.actions == ["run.claim_failed"] * 2


def test_a_message_whose_record_was_retired_is_dropped(world: World) -> None:
    assert world.execute(a_message().encode()) == Ack()

    assert (world.greeted, world.events.actions) == ([], ["message.dropped"])


def test_a_ticket_whose_record_was_retired_makes_a_new_one(world: World) -> None:
    assert world.execute(a_message(life=2, ticket=True).encode()) == Ack()

    assert (world.stored().state, world.stored().life, world.stored().attempts) == (State.COMPLETED, 2, 1)


def test_what_cannot_be_decoded_is_kept_in_the_dead_letter_queue(world: World) -> None:
    assert world.execute("not json") == Ack()

    assert world.app.ports.lanes.dead(Lane.HIGH) == ("not json",)  # type: ignore[attr-defined]
    (event,) = world.events.events
    assert (event.action, event.cause) == ("message.undecodable", Cause.INVALID)


def test_what_cannot_be_decoded_is_not_acked_before_its_copy_is_kept(world: World) -> None:
    _, lanes = break_ports(world.app)
    lanes.broken.add("send_to_dlq")

    assert world.execute("not json") == Nack()


def test_a_payload_that_no_longer_fits_is_dead_at_once(world: World) -> None:
    assert world.execute(put(world, payload='{"nome":"Bat"}')) == Ack()

    assert (world.stored().state, world.stored().cause, world.stored().attempts) == (State.DEAD, Cause.INVALID, 1)
    assert world.stored().error == "payload of user.greeting is not valid: name: Field required"


def test_a_type_without_code_waits_for_a_deploy_and_is_dead_when_none_came(world: World) -> None:
    body = put(world, type="user.farewell")

    assert world.execute(body) == Nack(30 * SECOND)
    assert world.stored().attempts == 0

    world.clock.advance(timedelta(hours=1))
    assert world.execute(body) == Ack()
    assert (world.stored().cause, world.stored().error) == (
        Cause.UNKNOWN_TYPE,
        "no code for job type 'user.farewell', version 1, is deployed",
    )


def test_a_redriven_job_without_code_waits_anew_from_when_its_message_was_sent(world: World) -> None:
    body = put(world, type="user.farewell")
    world.clock.advance(timedelta(days=3))

    assert world.execute(body, sent_at=world.clock()) == Nack(30 * SECOND)


def test_a_payload_of_a_newer_version_waits_for_the_code_that_reads_it(world: World) -> None:
    body = put(world, version=2)

    assert world.execute(body) == Nack(30 * SECOND)
    world.clock.advance(timedelta(hours=1))
    assert world.execute(body) == Ack()
    assert world.stored().error == "no code for job type 'user.greeting', version 2, is deployed"


def test_a_renamed_type_runs_jobs_that_still_carry_its_old_name() -> None:
    family = Jobs(queue="email")

    @family.job("user.greeting.v2", aliases=("user.greeting",), version=3)
    def greet(greeting: Greeting) -> str:
        return greeting.name

    app = app_in_memory(App(family))
    record = a_record(lane=Lane.HIGH)
    app.ports.ledger.put(record)
    app.ports.lanes.send(Lane.HIGH, OutgoingMessage(body=Envelope.of(record, record.payload or "").encode()))
    drain(app)

    assert app.get("job-1").result == '"Bat"'


def test_the_payload_of_the_record_wins_over_the_messages(world: World) -> None:
    body = put(world)
    ledger = world.app.ports.ledger
    ledger.records["job-1"] = replace(ledger.records["job-1"], payload='{"name":"Dorj"}')  # type: ignore[attr-defined]

    world.execute(body)

    assert world.greeted == [("Dorj", 1)]


def test_progress_is_kept_with_the_job(world: World) -> None:
    seen: list[object] = []

    def half(run: Run) -> None:
        run.progress(50, "rendering")
        seen.append((world.stored().progress, world.stored().progress_note))

    world.behave = half
    world.execute(put(world))

    assert seen == [(50, "rendering")]


def test_a_job_runs_on_where_its_progress_cannot_be_kept(world: World) -> None:
    body = put(world)
    ledger, _ = break_ports(world.app)

    def report(run: Run) -> str:
        ledger.broken.add("change")
        run.progress(50)
        ledger.broken.clear()
        return "done"

    world.behave = report

    assert world.execute(body) == Ack()
    assert world.stored().result == '"done"'


@pytest.mark.parametrize("percent", [-1, 101])
def test_progress_out_of_range_is_refused(percent: int) -> None:
    with pytest.raises(InvalidOptionError, match=f"between 0 and 100, got {percent}"):
        a_run().progress(percent)


@pytest.mark.parametrize(("result", "why"), [(object(), "not JSON"), ("x" * 300_000, "300,002 bytes")])
def test_a_result_that_cannot_be_kept_does_not_undo_the_job(world: World, result: object, why: str) -> None:
    world.behave = result

    assert world.execute(put(world)) == Ack()

    assert (world.stored().state, world.stored().result) == (State.COMPLETED, None)
    assert why in (world.stored().result_omitted or "")


def test_a_failed_run_that_was_asked_to_stop_ends_cancelled(world: World) -> None:
    body = put(world)
    ledger = world.app.ports.ledger

    def cancelled(_: Run) -> None:
        ledger.records["job-1"] = replace(ledger.records["job-1"], cancel_asked=True)  # type: ignore[attr-defined]
        raise OSError

    world.behave = cancelled

    assert world.execute(body) == Ack()
    assert world.stored().state is State.CANCELLED


def test_a_ctrl_c_is_no_failure_of_the_job(world: World) -> None:
    world.behave = lambda _: signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        world.execute(put(world))

    assert world.stored().state is State.RUNNING


def test_no_job_runs_without_a_claim(world: World) -> None:
    def unguarded(execution: object) -> None:
        execution.run()  # type: ignore[attr-defined]

    with pytest.raises(LaneworkError, match="POWERTOOLS_IDEMPOTENCY_DISABLED"):
        world.app.runtime.executor(unguarded).execute(_delivery(put(world)))

    assert world.greeted == []


def test_an_async_job_runs_too() -> None:
    family = Jobs(queue="async")

    @family.job("async.greeting")
    async def greet(greeting: Greeting) -> str:
        return f"Hello, {greeting.name}"

    app = app_in_memory(App(family))
    greet.enqueue(Greeting(name="Bat"), job_id="job-1")
    drain(app)

    assert app.get("job-1").result == '"Hello, Bat"'


def test_events_carry_what_is_public_of_a_payload_and_nothing_else(world: World) -> None:
    world.execute(put(world, payload='{"name":"secret","provider":"github"}'))

    completed = world.events.events[-1]
    assert completed.public == {"provider": "github"}
    assert "secret" not in repr(world.events.events)


def _delivery(body: str) -> Delivery:
    return Delivery(body=body, lane=Lane.HIGH, time_left=SECOND)
