"""A lease: as long as its heartbeat and the clocks' margin, never shorter; given back when no code can run any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from lanework import App, Concurrency, JobRecord, Jobs, Run, State
from lanework.engine.execution.attempt import Attempt, in_order
from lanework.engine.execution.claim import LEASE_MARGIN
from lanework.engine.execution.lease import extend_lease
from lanework.engine.messaging.delivery import Ack, Delivery, Nack, Report
from lanework.engine.ports.messages import OutgoingMessage
from lanework.errors import ConfigError, LaneworkError, UnavailableError
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Answer, Change
from lanework.testing import NOON, Clock, EventList, app_in_memory
from tests.support.fakes import break_ports

SECOND = timedelta(seconds=1)
LEASE = 3 * SECOND
LIMIT = "concurrency:type:task.alone"


class Nothing(BaseModel):
    """A payload."""


class Worker:
    """An application in memory and a worker process of it, whose jobs' code a test plays."""

    def __init__(self) -> None:
        tasks = Jobs(queue="tasks", lane="low", attempts=3)

        @tasks.job("task.alone", concurrency=Concurrency(1))
        def alone(_: Nothing, run: Run) -> str:
            self.ran.append(run.job_id)
            return self.code(run)

        self.ran: list[str] = []
        self.code: Callable[[Run], str] = lambda _: "done"
        self.clock, self.events = Clock(), EventList()
        self.app = app_in_memory(App(tasks), self.clock, events=self.events)
        self.job = alone

    def deliver(self, drive: Callable[[Attempt], None] = in_order) -> Report | None:
        """Hand a message to a worker process that renews leases of three seconds."""
        lanes: Any = getattr(self.app.ports.lanes, "port", self.app.ports.lanes)
        message = lanes.receive(Lane.LOW)
        if message is None:
            return None
        delivery = Delivery(body=message.body, lane=Lane.LOW, time_left=timedelta(days=365), lease=LEASE)
        report = self.app.runtime.executor(drive).execute(delivery)
        match report:
            case Ack():
                lanes.delete(Lane.LOW, message.handle)
            case Nack(after) if after is not None:
                lanes.change_visibility(Lane.LOW, message.handle, after)
        return report

    def deliver_all(self) -> None:
        """Hand over every message that can be received now."""
        while self.deliver() is not None:
            pass

    def body_of(self, job_id: str) -> str:
        """Return what a message of a job says: the sweep sends it, or its old one comes back."""
        record = self.app.get(job_id)
        return Envelope.of(record, record.payload or "").encode()

    def claimed(self) -> Attempt:
        """Return a run whose code has begun and goes on."""
        self.job.enqueue(Nothing(), job_id="job-1")
        begun: list[Attempt] = []

        def begin(attempt: Attempt) -> None:
            assert attempt.claim()
            assert attempt.begin()
            begun.append(attempt)

        self.deliver(begin)
        return begun[0]


@pytest.fixture(name="worker")
def a_worker() -> Worker:
    return Worker()


def test_a_lease_and_its_slot_last_by_the_clocks_margin_longer_than_a_heartbeat(worker: Worker) -> None:
    """Another worker's clock may be 5 s ahead: it must not find a lease of 3 s over that is renewed every second."""
    run = worker.claimed()

    until = NOON + LEASE + LEASE_MARGIN
    assert (worker.app.get("job-1").due_at, worker.app.ports.limits.slots(LIMIT).holders) == (
        until,
        {run.lease().claim_id: until},
    )

    worker.clock.advance(SECOND)
    assert run.heartbeat()
    assert worker.app.get("job-1").due_at == until + SECOND
    assert worker.app.ports.limits.slots(LIMIT).holders == {run.lease().claim_id: until + SECOND}


def test_a_heartbeat_that_comes_late_shortens_neither_the_lease_nor_a_slot(worker: Worker) -> None:
    run, ports = worker.claimed(), worker.app.ports
    late = worker.clock() + LEASE
    worker.clock.advance(2 * SECOND)
    run.heartbeat()
    until = worker.app.get("job-1").due_at

    stored = extend_lease(run.lease(), until=late, ports=ports)

    assert stored is not None, "the run holds its job all the same"
    assert (worker.app.get("job-1").due_at, stored.due_at) == (until, until)
    assert set(ports.limits.slots(LIMIT).holders.values()) == {until}


def test_a_heartbeat_of_a_run_that_was_taken_over_says_so(worker: Worker) -> None:
    run = worker.claimed()
    worker.clock.advance(LEASE + LEASE_MARGIN)
    worker.app.ports.lanes.send(Lane.LOW, OutgoingMessage(body=worker.body_of("job-1")))
    worker.deliver()

    assert run.heartbeat() is False
    assert extend_lease(run.lease(), until=worker.clock() + LEASE, ports=worker.app.ports) is None


def test_what_is_given_back_is_due_and_its_slot_free_when_its_code_can_not_run_any_more(worker: Worker) -> None:
    """A stop gives a job back whose code runs on until the process is killed, 5 s later at most."""
    run = worker.claimed()
    worker.job.enqueue(Nothing(), job_id="job-2")

    wait = run.requeue(ends_within=5 * SECOND)

    record = worker.app.get("job-1")
    assert wait == 5 * SECOND + LEASE_MARGIN
    assert (record.state, record.attempts, record.due_at, record.sweep_at) == (
        State.PARKED,
        0,
        NOON + wait,
        NOON + wait,
    )
    for _ in range(9):
        worker.clock.advance(SECOND)
        worker.deliver_all()
        assert worker.ran == [], "neither this job nor another under its limit"
    worker.clock.advance(2 * SECOND)
    worker.app.ports.lanes.send(Lane.LOW, OutgoingMessage(body=worker.body_of("job-1")))
    worker.deliver_all()
    assert (worker.ran[:1], worker.app.get("job-1").state) == (["job-1"], State.COMPLETED)


def test_an_operator_who_moves_what_was_given_back_to_now_does_not_start_it_beside_its_own_code(worker: Worker) -> None:
    run = worker.claimed()
    wait = run.requeue(ends_within=5 * SECOND)
    assert wait is not None

    moved = worker.app.reschedule("job-1", delay=timedelta(0))

    assert (moved.run_at, moved.due_at, moved.sweep_at) == (NOON, NOON + wait, NOON + wait)
    worker.deliver_all()
    assert worker.ran == []
    worker.clock.advance(wait)
    worker.deliver_all()
    assert worker.ran == ["job-1"]


def test_an_operator_may_move_what_was_given_back_to_any_later_start(worker: Worker) -> None:
    run = worker.claimed()
    run.requeue(ends_within=5 * SECOND)

    assert worker.app.reschedule("job-1", delay=timedelta(minutes=1)).due_at == NOON + timedelta(minutes=1)


def dead_of_a_refused_message(worker: Worker) -> JobRecord:
    """Let job-1 die, and return it as it stood before."""
    stored = worker.app.ports.ledger.get("job-1")
    assert stored is not None
    refused = operator_moves.die_unsent(stored, error="SQS refuses it", now=NOON, expires_at=NOON + timedelta(days=15))
    worker.app.ports.ledger.change("job-1", refused)
    return stored


def test_the_next_life_of_what_was_given_back_and_died_waits_for_its_code_too(worker: Worker) -> None:
    run = worker.claimed()
    wait = run.requeue(ends_within=5 * SECOND)
    assert wait is not None
    dead_of_a_refused_message(worker)

    worker.app.dead_letters.redrive_job("job-1")

    worker.deliver_all()
    assert worker.ran == []
    worker.clock.advance(wait)
    worker.deliver_all()
    assert worker.ran == ["job-1"]


def test_the_ticket_of_what_was_given_back_and_died_waits_for_its_code_too(worker: Worker) -> None:
    run = worker.claimed()
    wait = run.requeue(ends_within=5 * SECOND)
    assert wait is not None
    stored = dead_of_a_refused_message(worker)
    ticket = Envelope.of(stored, stored.payload or "").as_ticket(life=2).encode()
    worker.app.ports.lanes.send(Lane.LOW, OutgoingMessage(body=ticket))

    assert worker.deliver() == Nack.until(NOON + wait, now=NOON)
    assert worker.ran == []


def test_a_run_whose_code_has_not_begun_or_has_ended_is_given_back_at_once(worker: Worker) -> None:
    run = worker.claimed()

    assert run.requeue(ends_within=None) == timedelta(0)

    assert worker.app.get("job-1").due_at == NOON
    assert worker.app.ports.limits.slots(LIMIT).holders == {}


def test_what_a_run_does_after_it_was_given_back_counts_no_more(worker: Worker) -> None:
    run = worker.claimed()
    run.requeue(ends_within=5 * SECOND)

    run.run()
    run.record()

    assert (worker.app.get("job-1").state, worker.app.get("job-1").attempts) == (State.PARKED, 0)
    assert set(worker.app.ports.limits.slots(LIMIT).holders) == {"job:job-1"}


class Refusing:
    """
    A ledger that refuses outcomes for a while.

    Attributes:
        error: What it refuses with.
        until: Until when.
    """

    def __init__(self, worker: Worker, error: LaneworkError, *, lasts: timedelta) -> None:
        self.error = error
        self.until = worker.clock() + lasts
        self._clock = worker.clock
        self._ledger = worker.app.ports.ledger
        worker.app.use(replace(worker.app.ports, ledger=self))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def change(self, job_id: str, change: Change) -> Answer:
        if change.name not in ("claim", "beat") and self._clock() < self.until:
            raise self.error
        return self._ledger.change(job_id, change)


REFUSALS = [ConfigError("AccessDeniedException"), UnavailableError("ExpiredTokenException: the clock is 7 min behind")]


@pytest.mark.parametrize("error", REFUSALS)
@pytest.mark.parametrize("lasts", [2 * SECOND, 7 * SECOND])
def test_a_finished_jobs_outcome_is_tried_for_as_long_as_it_holds_the_job_and_told_once(
    worker: Worker, error: LaneworkError, lasts: timedelta
) -> None:
    worker.job.enqueue(Nothing(), job_id="job-1")
    Refusing(worker, error, lasts=lasts)

    assert worker.deliver() == Ack()

    assert (worker.ran, worker.app.get("job-1").state) == (["job-1"], State.COMPLETED)
    (told,) = [one for one in worker.events.events if one.action == "run.write_failed"]
    assert str(error) in str(told.reason)


@pytest.mark.parametrize("error", REFUSALS)
def test_an_outcome_that_can_not_be_written_is_given_up_when_the_lease_is_over(
    worker: Worker, error: LaneworkError
) -> None:
    worker.job.enqueue(Nothing(), job_id="job-1")
    Refusing(worker, error, lasts=timedelta(hours=1))

    assert worker.deliver() == Nack()

    assert worker.app.get("job-1").state is State.RUNNING
    assert LEASE + LEASE_MARGIN <= worker.clock() - NOON < LEASE + LEASE_MARGIN + 2 * SECOND
    assert worker.events.actions.count("run.write_failed") == 2


@pytest.mark.parametrize("error", REFUSALS)
def test_in_lambda_an_outcome_is_tried_until_shortly_before_the_invocation_ends(
    worker: Worker, error: LaneworkError
) -> None:
    worker.job.enqueue(Nothing(), job_id="job-1")
    Refusing(worker, error, lasts=20 * SECOND)
    lanes: Any = worker.app.ports.lanes
    message = lanes.receive(Lane.LOW)

    def execute() -> Report:
        return worker.app.runtime.executor(in_order).execute(
            Delivery(body=message.body, lane=Lane.LOW, time_left=30 * SECOND)
        )

    assert execute() == Ack()
    assert worker.app.get("job-1").state is State.COMPLETED

    worker.job.enqueue(Nothing(), job_id="job-2")
    Refusing(worker, error, lasts=timedelta(hours=1))
    began, message = worker.clock(), lanes.receive(Lane.LOW)
    assert execute() == Nack()
    assert 29 * SECOND < worker.clock() - began < 30 * SECOND


def test_a_cancelled_runs_end_is_tried_again_too(worker: Worker) -> None:
    worker.job.enqueue(Nothing(), job_id="job-1")

    def code(run: Run) -> str:
        worker.app.cancel(run.job_id)
        Refusing(worker, REFUSALS[0], lasts=5 * SECOND)
        msg = "no"
        raise OSError(msg)

    worker.code = code
    assert worker.deliver() == Ack()
    assert worker.app.get("job-1").state is State.CANCELLED


def test_a_service_that_stays_away_costs_no_more_tries_than_its_waits_allow(worker: Worker) -> None:
    """A clock that stands still, as in a test of a user's, must not make it try for ever."""
    worker.job.enqueue(Nothing(), job_id="job-1")
    ledger, _ = break_ports(worker.app)
    worker.app.use(replace(worker.app.ports, code_runner=replace(worker.app.ports.code_runner, pause=lambda _: None)))

    def code(_: Run) -> str:
        ledger.broken.add("change")
        return "done"

    worker.code = code
    assert worker.deliver() == Nack()
    assert ledger.calls.count("change") < 20
