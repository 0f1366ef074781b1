from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lanework import InvalidOptionError, Lane, State
from lanework.engine.deadletters.bulk_redrive import PATIENCE, BulkRedrive, RedriveSummary, watched_waves
from lanework.engine.deadletters.redrive import Redriver, RedriveResult
from lanework.engine.jobtypes.builtin import RedriveOptions
from lanework.engine.jobtypes.receipt import Receipt
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.job.envelope import Envelope
from lanework.testing import drain
from tests.support.fakes import Flaky
from tests.support.small_world import Greeting, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework import JobRecord, Run


def fails(_: Run) -> None:
    msg = "no route"
    raise OSError(msg)


def kill_jobs(world: World, count: int) -> None:
    """Let that many jobs die, a second after each other, so that `job-<last>` comes first in a list."""
    world.behave = fails
    for number in range(count):
        world.greet.enqueue(Greeting(name=str(number)), job_id=f"job-{number:03}", attempts=1)
        drain(world.app, Lane.HIGH)
        world.clock.advance(timedelta(seconds=1))
    world.greeted.clear()


def while_waiting(world: World, happens: Callable[[], object]) -> list[float]:
    """Let something happen whenever somebody waits; return the waits."""
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        happens()
        world.clock.advance(timedelta(seconds=seconds))

    ports = world.app.ports
    world.app.use(replace(ports, code_runner=replace(ports.code_runner, pause=pause)))
    return waits


def in_state(world: World, state: State) -> list[str]:
    records: dict[str, JobRecord] = world.app.ports.ledger.records  # type: ignore[attr-defined]
    return sorted(job_id for job_id, one in records.items() if one.state is state and one.queue == "email")


def redrive(world: World, orders: RedriveOptions, which: DeadFilter | None = None) -> RedriveSummary:
    plan = world.app.dead_letters.jobs.plan(which or DeadFilter())
    outcome = world.app.dead_letters.redrive(plan, orders)
    assert isinstance(outcome, RedriveSummary)
    return outcome


def test_a_page_of_jobs_is_redriven_here_and_now(world: World) -> None:
    kill_jobs(world, 3)
    world.behave = None

    assert redrive(world, RedriveOptions()) == RedriveSummary(moved=3)

    drain(world.app)
    assert in_state(world, State.COMPLETED) == ["job-000", "job-001", "job-002"]


@pytest.mark.parametrize("action", ["redrive", "drop"])
def test_a_job_that_somebody_moved_after_it_was_planned_is_passed_over_by_name(world: World, action: str) -> None:
    kill_jobs(world, 3)
    dead_letters = world.app.dead_letters
    plan = dead_letters.jobs.plan(DeadFilter())
    dead_letters.redrive_job(plan.jobs[1].job_id)

    outcome = dead_letters.redrive(plan) if action == "redrive" else dead_letters.drop(plan)

    assert outcome == RedriveSummary(moved=2, passed_over=1, left={"job-001": RedriveResult.NOT_DEAD})
    assert world.stored("job-001").life == 2


def test_what_the_filter_leaves_out_stays_dead(world: World) -> None:
    kill_jobs(world, 3)

    assert redrive(world, RedriveOptions(), DeadFilter(job_ids=("job-001",))) == RedriveSummary(moved=1)

    assert in_state(world, State.DEAD) == ["job-000", "job-002"]


def test_a_rate_spreads_jobs_over_time_with_no_wait_before_the_first(world: World) -> None:
    kill_jobs(world, 4)
    waits = while_waiting(world, lambda: None)

    redrive(world, RedriveOptions(rate=2))

    assert waits == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("rate", [0, -1, 0.01, 5000])
def test_a_rate_that_cannot_be_kept_is_refused_before_anything_moves(world: World, rate: float) -> None:
    kill_jobs(world, 1)

    with pytest.raises(InvalidOptionError, match=r"rate must be between 0\.1 and 1000 jobs a second, got"):
        redrive(world, RedriveOptions(rate=rate))

    assert in_state(world, State.DEAD) == ["job-000"]


@pytest.mark.parametrize(
    ("count", "waves"), [(1, [1]), (2, [1, 1]), (10, [1, 1]), (11, [1, 2]), (100, [1, 10]), (50_000, [1, 1_000])]
)
def test_a_canary_is_one_then_a_tenth_and_never_more_than_can_be_watched(count: int, waves: list[int]) -> None:
    assert waves == watched_waves(count)


def test_a_canary_sends_each_wave_after_the_one_before_has_ended(world: World) -> None:
    kill_jobs(world, 20)
    world.behave = None
    sent: list[int] = []

    def work() -> None:
        sent.append(len(in_state(world, State.QUEUED)))
        drain(world.app)

    while_waiting(world, work)

    assert redrive(world, RedriveOptions(canary=True)) == RedriveSummary(moved=20)

    assert (sent, len(in_state(world, State.QUEUED))) == ([1, 2], 17)


def test_a_canary_stops_when_its_first_job_dies_again_and_says_so(world: World) -> None:
    kill_jobs(world, 20)
    while_waiting(world, lambda: drain(world.app))

    outcome = redrive(world, RedriveOptions(canary=True))

    assert outcome == RedriveSummary(moved=1, stopped="job 'job-019' died again: OSError")
    assert len(in_state(world, State.DEAD)) == 20
    assert [("19", 1)] == world.greeted


def test_a_canary_stops_when_one_of_the_tenth_dies_again_while_the_others_still_run(world: World) -> None:
    kill_jobs(world, 30)

    def behave(run: Run) -> None:
        if run.job_id == "job-027":
            fails(run)

    world.behave = behave

    def work_one_at_a_time() -> None:
        for job_id in ("job-027", "job-029"):
            if world.stored(job_id).state is State.QUEUED:
                world.execute(_message_of(world, job_id))

    while_waiting(world, work_one_at_a_time)

    outcome = redrive(world, RedriveOptions(canary=True))

    assert outcome == RedriveSummary(moved=4, stopped="job 'job-027' died again: OSError")
    assert in_state(world, State.QUEUED) == ["job-026", "job-028"]


def test_a_canary_that_does_not_end_stops_the_rest_too(world: World) -> None:
    kill_jobs(world, 5)
    begun = world.clock()

    outcome = redrive(world, RedriveOptions(canary=True))

    assert outcome.stopped == "1 of the 1 jobs sent ahead have not ended, 'job-004' first"
    assert PATIENCE <= world.clock() - begun < PATIENCE + timedelta(seconds=10)
    assert len(in_state(world, State.DEAD)) == 4


def test_a_wave_that_is_repeated_after_a_crash_sends_nothing_twice(world: World) -> None:
    kill_jobs(world, 20)
    kept: dict[str, object] = {}

    def keep(name: str, call: Callable[[], object]) -> object:
        kept.setdefault(name, call())
        return kept[name]

    def rollout() -> BulkRedrive:
        ports = world.app.ports
        return BulkRedrive(ports, Redriver(ports).redrive, RedriveOptions(canary=True), once=keep)  # type: ignore[arg-type]

    class CrashError(Exception):
        pass

    def crash() -> None:
        raise CrashError

    while_waiting(world, crash)
    which = DeadFilter(died_before=world.clock())
    with pytest.raises(CrashError):
        rollout().run(which, count=20)
    drain(world.app)
    while_waiting(world, lambda: drain(world.app))

    outcome = rollout().run(which, count=20)

    assert (outcome.moved, outcome.stopped) == (0, "job 'job-019' died again: OSError")
    assert len(world.greeted) == 1


def test_what_dies_again_during_a_redrive_of_all_is_not_redriven_again(world: World) -> None:
    kill_jobs(world, 5)
    while_waiting(world, lambda: drain(world.app))

    assert redrive(world, RedriveOptions(rate=1)) == RedriveSummary(moved=5)

    drain(world.app)
    assert [2] * 5 == [world.stored(f"job-{number:03}").life for number in range(5)]


def test_more_than_a_page_is_redriven_by_a_job_with_progress_and_a_result(world: World) -> None:
    kill_jobs(world, 130)
    world.behave = None
    dead_letters = world.app.dead_letters

    receipt = dead_letters.redrive(dead_letters.jobs.plan(DeadFilter()))

    assert isinstance(receipt, Receipt)
    assert len(in_state(world, State.DEAD)) == 130
    drain(world.app)
    job = world.stored(receipt.job_id)
    assert (job.type, job.queue, job.lane) == ("lanework.redrive", "lanework", Lane.LOW)
    assert (job.state, job.progress, job.progress_note) == (State.COMPLETED, 100, "130 of 130")
    assert job.result == '{"moved":130,"passedOver":0,"stopped":null}'
    drain(world.app)
    assert len(in_state(world, State.COMPLETED)) == 130


def test_a_redrive_by_a_job_can_be_cancelled_on_its_way(world: World) -> None:
    kill_jobs(world, 130)
    dead_letters = world.app.dead_letters
    receipt = dead_letters.redrive(dead_letters.jobs.plan(DeadFilter()), RedriveOptions(rate=1))
    assert isinstance(receipt, Receipt)

    def cancel_at_ten() -> None:
        if len(in_state(world, State.QUEUED)) == 10:
            world.app.cancel(receipt.job_id)

    while_waiting(world, cancel_at_ten)
    drain(world.app, Lane.LOW)

    assert world.stored(receipt.job_id).state is State.CANCELLED
    assert 115 <= len(in_state(world, State.DEAD)) <= 121


def test_a_redrive_that_outlasts_its_invocation_goes_on_in_the_next_and_counts_on(world: World) -> None:
    kill_jobs(world, 130)
    dead_letters = world.app.dead_letters
    receipt = dead_letters.redrive(dead_letters.jobs.plan(DeadFilter()), RedriveOptions(rate=0.1))
    assert isinstance(receipt, Receipt)

    drain(world.app, Lane.LOW)
    assert world.stored(receipt.job_id).state is State.PARKED
    assert 80 <= len(in_state(world, State.QUEUED)) <= 90
    world.clock.advance(timedelta(seconds=5))
    drain(world.app, Lane.LOW)

    job = world.stored(receipt.job_id)
    assert (job.state, job.attempts, job.progress) == (State.COMPLETED, 1, 100)
    assert job.result == '{"moved":130,"passedOver":0,"stopped":null}'


def test_more_than_a_page_is_dropped_by_a_job_too(world: World) -> None:
    kill_jobs(world, 101)
    dead_letters = world.app.dead_letters

    receipt = dead_letters.drop(dead_letters.jobs.plan(DeadFilter()))

    assert isinstance(receipt, Receipt)
    drain(world.app)
    assert world.stored(receipt.job_id).type == "lanework.drop"
    assert len(in_state(world, State.CANCELLED)) == 101


def test_a_ledger_that_fails_on_the_way_fails_the_job_which_goes_on_with_its_next_attempt(world: World) -> None:
    kill_jobs(world, 101)
    dead_letters = world.app.dead_letters
    receipt = dead_letters.redrive(dead_letters.jobs.plan(DeadFilter()))
    assert isinstance(receipt, Receipt)
    ledger = Flaky(world.app.ports.ledger, broken={"dead"})
    world.app.use(replace(world.app.ports, ledger=ledger))

    drain(world.app, Lane.LOW)
    assert world.stored(receipt.job_id).state is State.RETRYING
    ledger.broken.clear()
    world.clock.advance(timedelta(seconds=10))
    drain(world.app, Lane.LOW)

    assert world.stored(receipt.job_id).state is State.COMPLETED
    world.app.use(replace(world.app.ports, ledger=ledger.port))
    assert len(in_state(world, State.QUEUED)) == 101


def _message_of(world: World, job_id: str) -> str:
    record = world.stored(job_id)
    return Envelope.of(record, record.payload or "").encode()
