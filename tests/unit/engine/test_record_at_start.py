"""Jobs that get their record when they start: one message at enqueue, and every promise from the start on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lanework import (
    Discard,
    EnqueueError,
    InvalidOptionError,
    JobNotFoundError,
    Jobs,
    Snooze,
    State,
    chain,
)
from lanework.engine.deadletters.redrive import Redriver
from lanework.engine.jobtypes.job_type import RecordFrom
from lanework.engine.jobtypes.request import builtin_request
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.messaging.delivery import Ack, Nack
from lanework.engine.operations.cancel import Cancelling
from lanework.errors import UnknownParentError, UnsendableError
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.model.limits import Quota
from lanework.testing import NOON, drain, sweep, written_items
from tests.support.fakes import Flaky, break_ports, mend_ports
from tests.support.small_world import Greeting, World, a_started_world, give_up_on_all, raises, tickets

__all__ = ["a_started_world"]

BAT = Greeting(name="Bat")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def body_of(world: World) -> str:
    """Return the body of the lane's one message."""
    lanes: Any = world.app.ports.lanes
    lanes = lanes.port if isinstance(lanes, Flaky) else lanes
    (message,) = lanes.queues[Lane.HIGH].messages
    return str(message.body)


def _refuse(*_: object) -> None:
    raise UnsendableError("no")


def test_an_enqueue_sends_a_message_and_writes_nothing(started: World) -> None:
    ledger, lanes = break_ports(started.app)

    receipt = started.greet.enqueue(BAT, job_id="job-1")

    assert (ledger.calls, lanes.calls) == ([], ["send"])
    assert receipt.duplicate is None
    assert started.events.actions == ["job.enqueued"]


def test_many_are_sent_together_and_nothing_is_written(started: World) -> None:
    ledger, lanes = break_ports(started.app)

    receipts = started.greet.enqueue_many([BAT, started.greet.request(BAT, job_id="a")] * 2)

    assert (ledger.calls, lanes.calls) == ([], ["send_many"])
    assert [None, None, None, True] == [one.duplicate for one in receipts]


def test_the_claim_inserts_the_record_and_the_end_is_the_second_write(started: World) -> None:
    started.greet.enqueue(BAT, job_id="job-1")
    ledger, _ = break_ports(started.app)

    assert started.execute(body_of(started)) == Ack()

    assert ledger.calls == ["put", "change"]
    assert (started.stored().state, started.stored().attempts) == (State.COMPLETED, 1)
    assert started.greeted == [("Bat", 1)]


def test_a_payload_over_1_kb_is_recorded_by_the_start_too(started: World) -> None:
    long = Greeting(name="x" * 2000)
    started.greet.enqueue(long, job_id="job-1")
    drain(started.app)

    assert started.greeted == [(long.name, 1)]
    assert long.name in str(started.stored().payload)


def test_a_duplicate_is_dropped_and_counted(started: World) -> None:
    started.greet.enqueue(BAT, job_id="job-1")
    body = body_of(started)
    started.greet.enqueue(BAT, job_id="job-1")
    drain(started.app)

    assert started.execute(body) == Ack()
    assert started.greeted == [("Bat", 1)]
    assert started.events.actions.count("message.dropped") == 2


def test_the_copy_of_a_message_whose_job_runs_waits_for_the_end_of_the_lease(started: World) -> None:
    started.greet.enqueue(BAT, job_id="job-1")
    body, answers = body_of(started), list[object]()
    started.behave = lambda _: answers.append(started.execute(body))
    started.execute(body)

    assert answers == [Nack(timedelta(seconds=36))]
    assert started.greeted == [("Bat", 1)]


def test_a_retry_asks_the_record_that_the_first_attempt_made(started: World) -> None:
    started.greet.enqueue(BAT, job_id="job-1")
    body = body_of(started)
    started.behave = raises(OSError("no"))
    started.execute(body)
    started.clock.advance(3 * SECOND)
    started.behave = None
    ledger, _ = break_ports(started.app)

    assert started.execute(body, receives=2) == Ack()
    assert (ledger.calls, started.greeted) == (["change", "change"], [("Bat", 1), ("Bat", 2)])


def test_a_message_that_came_before_without_a_claim_begins_its_job_all_the_same(started: World) -> None:
    started.greet.enqueue(BAT, job_id="job-1")

    assert started.execute(body_of(started), receives=2) == Ack()
    assert started.greeted == [("Bat", 1)]


def test_a_snoozed_job_goes_on_by_a_message_that_makes_no_record(started: World) -> None:
    started.greet.enqueue(BAT, job_id="job-1")
    body = body_of(started)
    started.behave = raises(Snooze(MINUTE))
    started.execute(body)
    sent: Any = started.app.ports.lanes
    messages = [Envelope.decode(one.body) for one in sent.queues[Lane.HIGH].messages]

    assert [True, False] == [one.unrecorded for one in messages]
    assert started.stored().state is State.PARKED


def test_a_dead_one_has_a_ticket_and_is_redriven_by_it_and_by_its_record(started: World) -> None:
    started.greet.enqueue(BAT, job_id="job-1")
    started.behave = raises(Discard("no"))
    started.execute(body_of(started))
    (ticket,) = tickets(started)

    assert (ticket.ticket, ticket.unrecorded, ticket.life) == (True, False, 2)
    started.behave = raises(Discard("again"))
    started.execute(ticket.encode())
    assert (started.stored().life, started.stored().state) == (2, State.DEAD)
    started.behave = None
    Redriver(started.app.ports).redrive(started.stored())
    drain(started.app)
    assert (started.stored().life, started.stored().state) == (3, State.COMPLETED)


def test_sqs_down_records_the_job_for_the_sweep(started: World) -> None:
    _, lanes = break_ports(started.app)
    lanes.broken.add("send")
    started.greet.enqueue(BAT, job_id="job-1")
    assert started.events.actions == ["job.send_deferred", "job.enqueued"]
    mend_ports(started.app)

    assert (started.stored().state, started.stored().sweep_at) == (State.QUEUED, NOON)
    sweep(started.app)
    drain(started.app)
    assert started.greeted == [("Bat", 1)]


def test_a_send_whose_answer_was_lost_runs_once(started: World) -> None:
    _, lanes = break_ports(started.app)
    lanes.mute.add("send")
    started.greet.enqueue(BAT, job_id="job-1")
    mend_ports(started.app)

    sweep(started.app)
    drain(started.app)
    assert started.greeted == [("Bat", 1)]


def test_both_down_is_an_error_and_the_caller_may_run_it_itself(started: World) -> None:
    ledger, lanes = break_ports(started.app)
    ledger.broken |= {"put", "change"}
    lanes.broken.add("send")

    with pytest.raises(EnqueueError, match=r"job 'job-1' was not enqueued: not sent \(.*\), and not recorded \("):
        started.greet.enqueue(BAT, job_id="job-1")
    assert started.greet.enqueue(BAT, fallback="inline").ran_inline


def test_dynamodb_down_at_the_claim_keeps_the_message(started: World) -> None:
    started.greet.enqueue(BAT, job_id="job-1")
    ledger, _ = break_ports(started.app)
    ledger.broken.add("put")

    assert isinstance(started.execute(body_of(started)), Nack)
    assert started.greeted == []
    mend_ports(started.app)
    assert started.execute(body_of(started), receives=2) == Ack()
    assert started.greeted == [("Bat", 1)]


def test_a_message_that_sqs_refuses_for_what_it_is_leaves_no_job(started: World) -> None:
    _, lanes = break_ports(started.app)
    lanes.answers["send"] = _refuse

    with pytest.raises(EnqueueError, match="not sent: no") as refused:
        started.greet.enqueue(BAT, job_id="job-1")
    assert refused.value.is_final


def test_a_job_that_waits_cannot_be_looked_up_nor_cancelled_and_the_error_says_why(started: World) -> None:
    started.greet.enqueue(BAT, job_id="job-1")

    for ask in (started.app.get, started.app.cancel, started.app.reschedule):
        with pytest.raises(JobNotFoundError, match=r'one with record="start" has none before it starts'):
            ask("job-1")
    started.behave = lambda _: started.app.cancel("job-1") is Cancelling.ASKED
    drain(started.app)
    assert started.app.get("job-1").result == "true"


def test_a_receipt_waits_for_the_record_too(started: World) -> None:
    started.behave = 7
    receipt = started.greet.enqueue(BAT)
    drain(started.app)

    assert receipt.result(timeout=timedelta(0)) == 7


def test_a_delay_up_to_15_minutes_is_the_messages(started: World) -> None:
    started.greet.enqueue(BAT, job_id="job-1", delay=15 * MINUTE)

    assert started.app.ports.lanes.counts(Lane.HIGH).delayed == 1
    started.clock.advance(14 * MINUTE)
    assert isinstance(started.execute(body_of(started)), Nack), "it is early on this worker's clock"
    started.clock.advance(MINUTE)
    drain(started.app)
    assert started.greeted == [("Bat", 1)]


CALLS: dict[str, Callable[[World], object]] = {
    "a delay or run_at over 15 minutes": lambda world: world.greet.enqueue(BAT, delay=16 * MINUTE),
    "after": lambda world: world.greet.enqueue(BAT, after=["job-0"]),
    "a job that others wait for": lambda world: world.app.enqueue_many(
        [world.greet.request(BAT, job_id="a"), world.full.request(BAT, after=["a"])]
    ),
    "a place in a workflow": lambda world: world.app.workflows.enqueue(
        chain(world.full.request(BAT), world.greet.request(BAT)), workflow_id="w-1"
    ),
    "enqueue_with": lambda world: world.app.enqueue_with(
        world.greet.request(BAT), items=[{"Put": {"TableName": "t", "Item": {"id": "1"}}}]
    ),
}


@pytest.mark.parametrize("what", CALLS)
def test_a_call_that_needs_a_record_before_the_start_is_refused(started: World, what: str) -> None:
    with pytest.raises(InvalidOptionError, match=rf"user\.greeting has record=\"start\".*, and {what} needs one"):
        CALLS[what](started)

    ledger: Any = started.app.ports.ledger
    assert (ledger.records, written_items(started.app)) == ({}, [])


@pytest.mark.parametrize(
    "said", [{"quota": Quota(1, per=HOUR)}, {"unique_for": HOUR, "key": "name"}, {"debounce": HOUR, "key": "name"}]
)
def test_a_declaration_that_needs_a_record_before_the_start_is_refused(said: dict[str, Any]) -> None:
    family = Jobs(queue="email", record="start")

    with pytest.raises(InvalidOptionError, match=rf"a\.job has record=\"start\".* and {next(iter(said))} needs one"):
        family.job("a.job", **said)
    family.job("a.full", record="full", **said)


def test_record_takes_two_words() -> None:
    with pytest.raises(InvalidOptionError, match="record must be 'full' or 'start', got 'begin'"):
        Jobs(queue="email", record="begin")  # type: ignore[arg-type]


@pytest.mark.parametrize(("of_family", "of_type", "is_start"), [("start", None, True), ("start", "full", False)])
def test_a_type_has_the_last_word(of_family: RecordFrom, of_type: RecordFrom | None, *, is_start: bool) -> None:
    family = Jobs(queue="email", record=of_family)

    @family.job("a.job", record=of_type)
    def job(_: Greeting) -> None: ...

    assert job.type.is_recorded_at_start is is_start


def test_a_schedules_run_and_a_request_with_an_idempotency_key_have_their_record_from_the_enqueue(
    started: World,
) -> None:
    """No message alone may claim the id of a run (0034), and a key is held by its record."""
    run = builtin_request(started.greet.type, BAT, "nightly@2026-11-30T00:39Z")
    keyed = replace(started.greet.request(BAT), job_id=f"key-{'0' * 40}", digest="0" * 16)
    ledger, _ = break_ports(started.app)

    for request in (run, keyed):
        assert started.app.enqueue_request(request).duplicate is False
        assert started.app.enqueue_request(request).duplicate is True
    assert ledger.calls.count("put") == 4
    mend_ports(started.app)
    drain(started.app)
    assert started.greeted == [("Bat", 1)] * 2


def test_one_can_be_waited_for_once_it_has_started(started: World) -> None:
    started.greet.enqueue(BAT, job_id="job-1")
    with pytest.raises(UnknownParentError, match='with record="full"'):
        started.full.enqueue(BAT, after=["job-1"])
    drain(started.app)

    started.full.enqueue(BAT, job_id="job-2", after=["job-1"])
    sweep(started.app)
    drain(started.app)
    assert started.stored("job-2").state is State.COMPLETED


def test_what_sqs_moved_before_it_began_goes_back_to_its_lane(started: World) -> None:
    started.greet.enqueue(BAT, job_id="job-1")
    give_up_on_all(started)
    Reconciler(started.app.ports).tick()
    started.clock.advance(6 * MINUTE)
    drain(started.app)

    assert started.greeted == [("Bat", 1)]


def test_a_full_record_of_a_type_that_is_declared_otherwise_now_runs(started: World) -> None:
    started.full.enqueue(BAT, job_id="job-1")
    body = body_of(started).replace("user.full", "user.greeting")

    assert started.execute(body) == Ack()
    assert started.stored().state is State.COMPLETED
