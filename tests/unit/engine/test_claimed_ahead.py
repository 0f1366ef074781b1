"""A job that is claimed before there is a slot for it: it begins when its code does, or it was never claimed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from lanework import App, Cancel, Concurrency, JobRecord, Jobs, Rate, Run, State
from lanework.engine.execution.attempt import Attempt, in_order
from lanework.engine.execution.claim import LEASE_MARGIN
from lanework.engine.execution.lease import unclaim_for
from lanework.engine.messaging.delivery import Ack, Delivery, Nack, Report
from lanework.engine.ports.messages import OutgoingMessage
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.testing import NOON, Clock, EventList, app_in_memory

SECOND = timedelta(seconds=1)
LEASE = 60 * SECOND
AT_ONCE = Nack(timedelta(0))


class Nothing(BaseModel):
    """A payload."""


class Worker:
    """An application in memory, and a worker process of it that claims jobs before it has slots for them."""

    def __init__(self) -> None:
        tasks = Jobs(queue="tasks", lane="low", attempts=3)

        @tasks.job("task.plain")
        def plain(_: Nothing, run: Run) -> str:
            self.ran.append(run.job_id)
            return self.code(run)

        @tasks.job("task.alone", concurrency=Concurrency(1))
        def alone(_: Nothing, run: Run) -> None:
            self.ran.append(run.job_id)

        @tasks.job("task.paced", rate=Rate(1, per=10 * SECOND))
        def paced(_: Nothing, run: Run) -> None:
            self.ran.append(run.job_id)

        self.ran: list[str] = []
        self.code: Callable[[Run], str] = lambda _: "done"
        self.clock, self.events = Clock(), EventList()
        self.app = app_in_memory(App(tasks), self.clock, events=self.events)
        self.plain, self.alone, self.paced = plain, alone, paced

    def deliver(self, drive: Callable[[Attempt], None] = in_order) -> Report | None:
        """Hand a message to the process."""
        lanes: Any = self.app.ports.lanes
        message = lanes.receive(Lane.LOW)
        if message is None:
            return None
        delivery = Delivery(body=message.body, lane=Lane.LOW, time_left=timedelta(days=365), lease=LEASE)
        self.handle = message.handle
        report = self.app.runtime.executor(drive).execute(delivery)
        self.answer(report)
        return report

    def answer(self, report: Report) -> None:
        """Do as an attempt says."""
        lanes: Any = self.app.ports.lanes
        match report:
            case Ack():
                lanes.delete(Lane.LOW, self.handle)
            case Nack(after) if after is not None:
                lanes.change_visibility(Lane.LOW, self.handle, after)

    def deliver_all(self) -> None:
        """Hand over every message that can be received now."""
        while self.deliver() is not None:
            pass

    def ahead(self) -> Attempt:
        """Let the next job be claimed, and return its attempt."""
        claimed: list[Attempt] = []

        def claim(attempt: Attempt) -> None:
            assert attempt.claim()
            claimed.append(attempt)

        assert self.deliver(claim) == Nack()
        return claimed[0]

    def claimed_ahead(self, job: Any = None, **options: Any) -> Attempt:
        """Enqueue job-1 and let it be claimed."""
        (job or self.plain).enqueue(Nothing(), job_id="job-1", **options)
        return self.ahead()

    def go_on(self, attempt: Attempt) -> None:
        """Let a job that was claimed ahead begin, and run to its end if it may."""
        if attempt.begin(is_ahead=True):
            attempt.run()
            attempt.record()
        self.answer(attempt.report)

    def give_back(self, attempt: Attempt) -> None:
        """Let a job that was claimed ahead not begin."""
        attempt.unclaim()
        self.answer(attempt.report)

    def record(self, job_id: str = "job-1") -> JobRecord:
        return self.app.get(job_id)


@pytest.fixture(name="worker")
def a_worker() -> Worker:
    return Worker()


def test_a_job_that_was_claimed_ahead_begins_when_its_code_does(worker: Worker) -> None:
    attempt = worker.claimed_ahead()
    assert "job.started" not in worker.events.actions
    worker.clock.advance(SECOND / 4)

    def take_two_seconds(_: Run) -> str:
        worker.clock.advance(2 * SECOND)
        return "done"

    worker.code = take_two_seconds
    worker.go_on(attempt)

    started, completed = (one for one in worker.events.events if one.action in ("job.started", "job.completed"))
    assert (started.waited, completed.ran_for) == (SECOND / 4, 2 * SECOND)
    begun_at = NOON + SECOND / 4
    assert (worker.record().first_started_at, worker.record().started_at) == (begun_at, begun_at)
    assert (worker.record().state, worker.record().attempts) == (State.COMPLETED, 1)


def test_a_job_that_was_claimed_ahead_and_not_begun_is_given_back_as_if_it_had_not_been_claimed(worker: Worker) -> None:
    attempt = worker.claimed_ahead()

    worker.give_back(attempt)

    record = worker.record()
    assert attempt.report == AT_ONCE
    assert (record.state, record.attempts, record.first_started_at, record.sweep_at) == (State.PARKED, 0, None, None)
    assert "job.started" not in worker.events.actions
    worker.deliver_all()
    assert (worker.record().state, worker.record().attempts, worker.ran) == (State.COMPLETED, 1, ["job-1"])


def test_an_entry_of_the_sweep_stays_when_a_job_is_given_back(worker: Worker) -> None:
    worker.plain.enqueue(Nothing(), job_id="job-1", delay=timedelta(minutes=20))
    entry = worker.record().sweep_at
    worker.clock.advance(timedelta(minutes=20))
    worker.app.ports.lanes.send(Lane.LOW, a_message(worker))

    worker.give_back(worker.ahead())

    assert entry is not None
    assert worker.record().sweep_at == entry


def a_message(worker: Worker) -> Any:
    record = worker.record()
    return OutgoingMessage(body=Envelope.of(record, record.payload or "").encode())


def test_a_job_that_was_claimed_ahead_holds_no_slot_of_a_limit(worker: Worker) -> None:
    first = worker.claimed_ahead(worker.alone)
    worker.alone.enqueue(Nothing(), job_id="job-2")

    worker.deliver()
    assert worker.ran == ["job-2"]

    second_now = worker.app.ports.limits.slots("concurrency:type:task.alone").holders
    assert second_now == {}
    worker.go_on(first)
    assert worker.ran == ["job-2", "job-1"]


def test_a_job_that_was_claimed_ahead_and_finds_its_limit_full_is_parked_as_any_other(worker: Worker) -> None:
    first = worker.claimed_ahead(worker.alone)
    worker.alone.enqueue(Nothing(), job_id="job-2")
    second = worker.ahead()
    assert second.begin(is_ahead=True)

    assert not first.begin(is_ahead=True)

    record = worker.record()
    assert (record.state, record.attempts, record.held_by) == (State.PARKED, 0, "concurrency:type:task.alone")
    assert (record.first_started_at, first.report) == (None, Ack())


def test_a_start_that_a_rate_reserved_is_kept_when_a_job_is_given_back(worker: Worker) -> None:
    worker.paced.enqueue(Nothing(), job_id="job-0")
    worker.paced.enqueue(Nothing(), job_id="job-1")
    worker.deliver_all()
    start = worker.record().rate_slot
    assert start is not None
    worker.clock.advance(start - worker.clock())

    worker.give_back(worker.ahead())

    assert worker.record().rate_slot == start
    worker.deliver_all()
    assert worker.ran == ["job-0", "job-1"]


def test_a_job_that_was_claimed_ahead_of_a_pause_does_not_begin(worker: Worker) -> None:
    attempt = worker.claimed_ahead()
    worker.app.pause(queue="tasks")
    worker.clock.advance(3 * SECOND)

    worker.go_on(attempt)

    assert (worker.ran, attempt.report) == ([], AT_ONCE)
    worker.deliver_all()
    assert (worker.record().state, worker.record().held_by, worker.record().attempts) == (
        State.PARKED,
        "queue:tasks",
        0,
    )
    worker.app.resume(queue="tasks")


def test_a_job_whose_time_is_over_before_its_code_begins_expires(worker: Worker) -> None:
    attempt = worker.claimed_ahead(start_by=SECOND)
    worker.clock.advance(SECOND)

    worker.go_on(attempt)
    worker.deliver_all()

    assert (worker.ran, worker.record().state, worker.record().cause) == ([], State.DEAD, "expired")


def test_a_cancel_of_a_job_that_was_claimed_ahead_is_obeyed_where_it_is_known_and_true_where_not(
    worker: Worker,
) -> None:
    """It says `asked`, as of any running job: the code may run, and the job then ends cancelled unless it returns."""
    known = worker.claimed_ahead()
    assert worker.app.cancel("job-1") == "asked"
    known.heartbeat()

    worker.go_on(known)

    assert (worker.ran, worker.record().state, known.report) == ([], State.CANCELLED, Ack())
    worker.plain.enqueue(Nothing(), job_id="job-2")
    unknown = worker.ahead()
    worker.app.cancel("job-2")
    worker.code = lambda _: give_up()
    worker.go_on(unknown)
    assert worker.record("job-2").state is State.CANCELLED


def give_up() -> str:
    raise Cancel("no more")  # noqa: TRY003 - a job's own words


def test_a_cancelled_job_that_is_not_begun_ends_cancelled_at_once(worker: Worker) -> None:
    attempt = worker.claimed_ahead()
    worker.app.cancel("job-1")

    worker.give_back(attempt)

    assert (worker.record().state, attempt.report) == (State.CANCELLED, Ack())


def test_a_job_whose_lease_is_over_before_its_code_begins_does_not_begin(worker: Worker) -> None:
    """Its process was stopped meanwhile, and another one may have the job."""
    attempt = worker.claimed_ahead()
    worker.clock.advance(LEASE + LEASE_MARGIN)
    worker.app.ports.lanes.send(Lane.LOW, a_message(worker))
    worker.deliver()

    worker.go_on(attempt)

    assert (worker.ran, worker.record().state, worker.record().attempts) == (["job-1"], State.COMPLETED, 2)


def test_a_lease_that_is_renewed_while_a_job_is_held_ahead_lets_it_begin(worker: Worker) -> None:
    attempt = worker.claimed_ahead()
    worker.clock.advance(LEASE)
    assert attempt.heartbeat()
    worker.clock.advance(LEASE)

    worker.go_on(attempt)

    assert (worker.ran, worker.record().state) == (["job-1"], State.COMPLETED)


def test_the_one_attempt_after_a_crash_is_not_used_up_by_a_job_that_is_given_back(worker: Worker) -> None:
    worker.plain.enqueue(Nothing(), job_id="job-1", attempts=1)
    worker.ahead()  # and its process is killed
    worker.clock.advance(LEASE + LEASE_MARGIN)
    worker.app.ports.lanes.send(Lane.LOW, a_message(worker))
    worker.give_back(worker.ahead())
    assert (worker.record().attempts, worker.record().crashed) == (1, True)

    worker.deliver_all()

    assert (worker.record().state, worker.record().attempts) == (State.COMPLETED, 2)


def test_a_life_that_was_begun_ahead_and_given_back_is_begun_by_the_same_ticket(worker: Worker) -> None:
    def fail(_: Run) -> str:
        raise OSError

    worker.code = fail
    worker.plain.enqueue(Nothing(), job_id="job-1", attempts=1)
    worker.deliver_all()
    record = worker.record()
    ticket = Envelope.of(record, record.payload or "").as_ticket(life=2).encode()
    worker.app.ports.lanes.send(Lane.LOW, OutgoingMessage(body=ticket))
    worker.code = lambda _: "done"

    worker.give_back(worker.ahead())
    assert (worker.record().life, worker.record().attempts) == (2, 0)
    worker.deliver_all()

    assert (worker.record().state, worker.record().attempts) == (State.COMPLETED, 1)


# --- given back by the parent of a process that has died


def test_a_job_whose_process_died_before_its_code_began_is_given_back_by_its_parent(worker: Worker) -> None:
    lease = worker.claimed_ahead().lease()

    assert unclaim_for(lease, worker.app.ports)

    worker.answer(AT_ONCE)
    worker.deliver_all()
    assert (worker.record().state, worker.record().attempts) == (State.COMPLETED, 1)


def test_what_another_holds_or_was_asked_to_stop_is_left_to_its_lease_by_a_parent(worker: Worker) -> None:
    lease = worker.claimed_ahead().lease()
    worker.app.cancel("job-1")

    assert not unclaim_for(lease, worker.app.ports)

    assert worker.record().state is State.RUNNING
    worker.clock.advance(LEASE + LEASE_MARGIN)
    worker.app.ports.lanes.send(Lane.LOW, a_message(worker))
    worker.deliver_all()
    assert worker.record().state is State.CANCELLED
    assert unclaim_for(lease, worker.app.ports), "its message may come: there is nothing to wait for"
