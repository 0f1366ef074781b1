from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lanework import App, DeclarationError, InvalidOptionError, JobFailedError, Jobs, Lane, State
from lanework.engine.jobtypes.builtin import CleanupPayload
from lanework.engine.jobtypes.receipt import Receipt
from lanework.engine.maintenance.cleanup import BATCH, PAGE, Cleaned, Cleaner
from lanework.engine.queries.job_view import as_json
from lanework.errors import UnavailableError
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.lifecycle.retention import Cleaning
from lanework.testing import NOON, app_in_memory, drain
from tests.support.factories import a_record
from tests.support.fakes import break_ports, mend_ports
from tests.support.small_world import Greeting, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework import JobRecord, Run

COMPLETED = Cleaning(state=State.COMPLETED)
DEAD = Cleaning(state=State.DEAD)


def put_ended(
    world: World, count: int, *, state: State = State.COMPLETED, queue: str = "email", **facts: object
) -> None:
    """Record jobs that ended a minute after each other; `<queue>-<state>-0` is the newest."""
    for number in range(count):
        at = NOON - timedelta(minutes=number)
        ordinary: dict[str, object] = {
            "state": state,
            "due_at": None,
            "ended_at": at,
            "created_at": at,
            "run_at": at,
            "sweep_at": at if state is State.DEAD else None,
            "expires_at": at + timedelta(days=8),
        }
        world.app.ports.ledger.put(a_record(job_id=f"{queue}-{state}-{number}", queue=queue, **(ordinary | facts)))


def listed(world: World) -> list[str]:
    return [job.job_id for job in world.app.inspector.page(limit=100).jobs]


def retire(world: World, cleaning: Cleaning) -> Cleaned:
    became = world.app.runtime.cleanups.clean(world.app.runtime.cleanups.plan(cleaning))
    assert isinstance(became, Cleaned)
    return became


def failing(_: Run) -> None:
    msg = "card of bat@example.com refused"
    raise OSError(msg)


def test_a_retired_job_loses_its_content_and_its_place_in_lists_but_keeps_its_id_used(world: World) -> None:
    def behave(run: Run) -> dict[str, str]:
        run.progress(50, "for bat@example.com")
        run.log("mailed bat@example.com")
        run.once("step", lambda: "bat@example.com")
        return {"to": "bat@example.com"}

    world.behave = behave
    world.greet.enqueue(Greeting(name="bat@example.com"), job_id="job-1")
    drain(world.app)
    before = world.stored()

    assert retire(world, COMPLETED) == Cleaned(retired=1)

    after = world.stored()
    assert "bat@example.com" not in str(as_json(after)) + str(after)
    assert (after.state, after.ended_at, after.expires_at) == (State.COMPLETED, before.ended_at, before.expires_at)
    assert as_json(after)["retired"] is True
    assert (world.app.inspector.log("job-1"), world.app.ports.ledger.step("job-1", "step")) == ((), None)
    assert listed(world) == []
    assert world.greet.enqueue(Greeting(name="Bold"), job_id="job-1").duplicate
    assert drain(world.app) == 0


def test_the_result_of_a_retired_job_is_said_to_be_gone(world: World) -> None:
    world.behave = 42
    receipt = world.greet.enqueue(Greeting(name="Bat"), job_id="job-1")
    drain(world.app)
    retire(world, COMPLETED)

    with pytest.raises(JobFailedError, match="its result was not kept: the job was retired, and its content removed"):
        receipt.result(timeout=timedelta(0))


def test_a_dead_job_is_dropped_and_stripped_of_its_errors_and_its_ticket_starts_nothing(world: World) -> None:
    world.behave = failing
    world.greet.enqueue(Greeting(name="Bat"), job_id="job-1", attempts=1)
    drain(world.app)

    assert retire(world, DEAD) == Cleaned(retired=1)

    assert (world.stored().state, world.stored().error, world.stored().failures) == (State.CANCELLED, None, ())
    assert listed(world) == []
    assert world.app.dead_letters.jobs.page(DeadFilter()).jobs == ()
    world.app.ports.lanes.move_back(Lane.HIGH, rate=None)
    drain(world.app)
    assert len(world.greeted) == 1
    assert world.events.actions[-3:] == ["job.discarded_from_dlq", "job.retired", "message.dropped"]


def test_the_newest_of_each_queue_are_kept(world: World) -> None:
    put_ended(world, 5)
    put_ended(world, 3, queue="report")
    put_ended(world, 2, state=State.CANCELLED)

    assert retire(world, Cleaning(state=State.COMPLETED, keep=2)) == Cleaned(retired=4)

    assert {"email-completed-0", "email-completed-1", "report-completed-0", "report-completed-1"} == {
        job_id for job_id in listed(world) if "completed" in job_id
    }
    assert len(listed(world)) == 6


def test_what_was_retired_is_not_looked_at_again(world: World) -> None:
    put_ended(world, 5)
    retire(world, Cleaning(state=State.COMPLETED, keep=1))
    ledger, _ = break_ports(world.app)

    assert world.app.runtime.cleanups.plan(Cleaning(state=State.COMPLETED, keep=1)).count == 0
    read = ledger.port.get_many.__self__.records
    assert sum(1 for record in read.values() if record.retired) == 4


def test_a_walk_goes_back_over_the_days_and_reads_no_items_of_other_queues(world: World) -> None:
    for days in (0, 7, 15):
        at = NOON - timedelta(days=days)
        facts = {"state": State.COMPLETED, "due_at": None, "ended_at": NOON, "created_at": at, "run_at": at}
        world.app.ports.ledger.put(a_record(job_id=f"email-{days}", **facts))
        world.app.ports.ledger.put(a_record(job_id=f"report-{days}", queue="report", **facts))
    read: list[str] = []
    ledger = world.app.ports.ledger
    get_many = ledger.get_many

    def noted(job_ids: Sequence[str], *, consistent: bool = False) -> dict[str, JobRecord]:
        read.extend(job_ids)
        return get_many(job_ids, consistent=consistent)

    ledger.get_many = noted  # type: ignore[method-assign]

    found = Cleaner(world.app.ports).choose((Cleaning(state=State.COMPLETED, queue="email"),))

    assert [one.job_id for one in found] == ["email-0", "email-7", "email-15"]
    assert read == ["email-0", "email-7", "email-15"]


def test_an_expired_record_is_neither_kept_nor_retired(world: World) -> None:
    put_ended(world, 1, expires_at=NOON)
    put_ended(world, 2, queue="report")

    assert world.app.runtime.cleanups.plan(Cleaning(state=State.COMPLETED, keep=1)).count == 1
    assert world.app.runtime.cleanups.plan(COMPLETED).count == 2


def test_a_job_that_was_redriven_between_reading_and_retiring_is_left_alone(world: World) -> None:
    world.behave = failing
    world.greet.enqueue(Greeting(name="Bat"), job_id="job-1", attempts=1)
    drain(world.app)
    cleaner = Cleaner(world.app.ports)
    chosen = cleaner.choose((DEAD,))
    world.behave = "well"
    world.app.dead_letters.redrive(world.app.dead_letters.jobs.plan(DeadFilter()))

    assert cleaner.retire(chosen) == Cleaned(passed_over=1)

    drain(world.app)
    assert (world.stored().state, world.greeted[-1]) == (State.COMPLETED, ("Bat", 1))
    assert not world.stored().retired
    assert world.stored().payload is not None


def test_a_job_that_is_redriven_after_it_was_read_for_the_last_time_keeps_its_payload(world: World) -> None:
    world.behave = failing
    world.greet.enqueue(Greeting(name="Bat"), job_id="job-1", attempts=1)
    drain(world.app)
    ledger = world.app.ports.ledger
    get_many = ledger.get_many

    def read_then_redrive(job_ids: list[str]) -> dict[str, JobRecord]:
        found = get_many(job_ids)
        for record in found.values():
            world.app.dead_letters.redrive_job(record.job_id, payload='{"name":"Bold"}')
        return found

    chosen = Cleaner(world.app.ports).choose((DEAD,))
    ledger.get_many = read_then_redrive  # type: ignore[method-assign,assignment]

    assert Cleaner(world.app.ports).retire(chosen) == Cleaned(passed_over=1)

    assert (world.stored().state, world.stored().payload) == (State.QUEUED, '{"name":"Bold","provider":"github"}')


def test_a_crash_while_it_is_stripped_leaves_a_job_that_the_next_cleaning_finds(world: World) -> None:
    world.behave = 42
    world.greet.enqueue(Greeting(name="Bat"), job_id="job-1")
    drain(world.app)
    ledger, _ = break_ports(world.app)
    ledger.broken.add("change")

    with pytest.raises(UnavailableError):
        retire(world, COMPLETED)
    mend_ports(world.app)

    assert listed(world) == ["job-1"]
    assert retire(world, COMPLETED) == Cleaned(retired=1)
    assert listed(world) == []


def test_a_retirement_whose_answer_was_lost_and_that_the_client_repeated_counts(world: World) -> None:
    put_ended(world, 1)
    ledger = world.app.ports.ledger
    change = ledger.change
    ledger.change = lambda *asked: (change(*asked), change(*asked))[1]  # type: ignore[method-assign]

    assert retire(world, COMPLETED) == Cleaned(retired=1)


def test_more_than_a_page_is_retired_by_a_job_with_progress_and_a_result(world: World) -> None:
    put_ended(world, PAGE + 20)
    plan = world.app.runtime.cleanups.plan(Cleaning(state=State.COMPLETED, keep=5))

    receipt = world.app.runtime.cleanups.clean(plan)

    assert (plan.count, plan.is_counted, dict(plan.types)) == (PAGE + 15, True, {"user.greeting": PAGE + 15})
    assert isinstance(receipt, Receipt)
    drain(world.app)
    job = world.stored(receipt.job_id)
    assert (job.type, job.state, job.progress, job.progress_note) == (
        *("lanework.clean", State.COMPLETED),
        *(100, "115 retired"),
    )
    assert job.result == '{"retired":115}'
    assert len(listed(world)) == 5 + 1


def test_a_cleaning_that_outlasts_its_invocation_goes_on_in_the_next_and_counts_on(world: World) -> None:
    put_ended(world, 130)
    ledger = world.app.ports.ledger
    clear = ledger.clear_beside

    def slowly(job_id: str) -> None:
        clear(job_id)
        world.clock.advance(timedelta(seconds=10))

    ledger.clear_beside = slowly  # type: ignore[method-assign]
    receipt = world.app.runtime.cleanups.clean(world.app.runtime.cleanups.plan(COMPLETED))
    assert isinstance(receipt, Receipt)

    drain(world.app, Lane.LOW)
    assert world.stored(receipt.job_id).state is State.PARKED
    world.clock.advance(timedelta(seconds=5))
    drain(world.app, Lane.LOW)

    job = world.stored(receipt.job_id)
    assert (job.state, job.attempts, job.result) == (State.COMPLETED, 1, '{"retired":130}')


def test_a_cleaning_can_be_cancelled_on_its_way(world: World) -> None:
    put_ended(world, 130)
    receipt = world.app.runtime.cleanups.clean(world.app.runtime.cleanups.plan(COMPLETED))
    assert isinstance(receipt, Receipt)
    ledger = world.app.ports.ledger
    clear = ledger.clear_beside

    def cancelling(job_id: str) -> None:
        clear(job_id)
        world.clock.advance(timedelta(seconds=1))
        if job_id.endswith("-10"):
            world.app.cancel(receipt.job_id)

    ledger.clear_beside = cancelling  # type: ignore[method-assign]
    drain(world.app, Lane.LOW)

    assert world.stored(receipt.job_id).state is State.CANCELLED
    assert len(listed(world)) in range(100 - 1, 101)


def a_keeping_app(world: World, **keeps: int) -> App:
    family = Jobs(queue="email", **keeps)  # type: ignore[arg-type]

    @family.job("user.greeting")
    def greet(greeting: Greeting) -> None: ...

    return app_in_memory(App(family), world.clock, events=world.events)


def test_a_family_that_keeps_a_number_is_cleaned_once_an_hour(world: World) -> None:
    world.app = a_keeping_app(world, keep_completed=2, keep_failed=0)
    put_ended(world, 4)
    put_ended(world, 2, state=State.DEAD, error="E: no")
    put_ended(world, 2, queue="report")

    assert world.app.runtime.hourly_jobs.tick() == ("lanework.clean@2026-01-02T12",)
    assert world.app.runtime.hourly_jobs.tick() == ()
    drain(world.app)

    assert {"email-completed-0", "email-completed-1", "report-completed-0", "report-completed-1"} == {
        job_id for job_id in listed(world) if "@" not in job_id
    }
    world.clock.advance(timedelta(hours=1))
    assert world.app.runtime.hourly_jobs.tick() == ("lanework.clean@2026-01-02T13",)


def test_a_tick_that_was_cut_off_enqueues_its_hour_once(world: World) -> None:
    world.app = a_keeping_app(world, keep_completed=0)
    set_bookmark = world.app.ports.flags.set_bookmark
    world.app.ports.flags.set_bookmark = lambda *_: None  # type: ignore[method-assign]
    world.app.runtime.hourly_jobs.tick()
    world.app.ports.flags.set_bookmark = set_bookmark  # type: ignore[method-assign]

    world.app.runtime.hourly_jobs.tick()

    assert world.app.ports.lanes.counts(Lane.LOW).waiting <= 2
    drain(world.app)
    assert world.events.actions.count("job.completed") == 1


def test_an_application_that_keeps_all_asks_nothing_of_its_ports_each_minute(world: World) -> None:
    world.app.ports.flags.bookmark = None  # type: ignore[assignment,method-assign]

    assert world.app.runtime.hourly_jobs.tick() == ()


@pytest.mark.parametrize("option", ["keep_completed", "keep_failed"])
def test_a_negative_number_to_keep_is_refused(option: str) -> None:
    with pytest.raises(InvalidOptionError, match=f"{option} must be 0 .* or more, got -1"):
        Jobs(queue="email", **{option: -1})  # type: ignore[arg-type]


def test_two_families_of_one_queue_that_keep_different_numbers_are_refused() -> None:
    families = [Jobs(queue="email", keep_completed=keep) for keep in (1, 2)]
    for number, family in enumerate(families):

        @family.job(f"user.greeting-{number}")
        def greet(greeting: Greeting) -> None: ...

    with pytest.raises(DeclarationError, match="two families of queue 'email' keep different numbers of jobs"):
        App(*families)


def test_an_order_is_the_same_after_its_way_through_a_message() -> None:
    order = CleanupPayload(cleanings=(Cleaning(state=State.DEAD, queue="email", keep=3, ended_before=NOON),))

    assert order == CleanupPayload.model_validate_json(order.model_dump_json())
    assert BATCH >= PAGE
