from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lanework import Cause, InvalidOptionError, JobNotFoundError, Lane, LaneworkError, State
from lanework.engine.deadletters.query import MOST_COUNTED
from lanework.errors import NotDeadError, NothingMatchesError
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.job.fingerprint import fingerprint
from lanework.testing import NOON, drain
from tests.support.factories import a_record
from tests.support.fakes import Flaky, break_ports
from tests.support.small_world import Greeting, World, raises

SECOND = timedelta(seconds=1)


def send_to_dlq(world: World, count: int, *, first: int = 0, **facts: object) -> None:
    """Record dead jobs, each of which died a second after the one before."""
    for number in range(first, first + count):
        at = NOON + number * SECOND
        ordinary = {"cause": Cause.EXHAUSTED, "error": f"OSError: no route to host {number}"}
        record = a_record(
            job_id=f"job-{number:05}", state=State.DEAD, due_at=None, ended_at=at, sweep_at=at, **(ordinary | facts)
        )
        world.app.ports.ledger.put(record)


def ids(world: World, which: DeadFilter) -> list[str]:
    return [job.job_id for job in world.app.dead_letters.jobs.matching(which)]


def test_chosen_jobs_that_can_not_be_moved_are_left_out_each_with_its_reason(world: World) -> None:
    send_to_dlq(world, 2)
    send_to_dlq(world, 1, first=2, lane=Lane.LOW)
    send_to_dlq(world, 1, first=3)
    jobs = world.app.dead_letters.jobs
    world.app.dead_letters.redrive_job("job-00000")
    chosen = ("job-00000", "job-00001", "job-00002", "job-00003", "job-1")

    plan = jobs.plan_of_chosen(DeadFilter(job_ids=chosen, lane=Lane.HIGH, died_before=NOON + 3 * SECOND))

    assert (plan.count, [job.job_id for job in plan.jobs], plan.filter.job_ids) == (1, ["job-00001"], ("job-00001",))
    assert plan.left_out == {
        "job-00000": "queued",
        "job-00002": "not what the filter asks for",
        "job-00003": "died again meanwhile",
        "job-1": "not found",
    }


def test_a_plan_of_chosen_jobs_of_which_none_is_dead_asks_for_no_other(world: World) -> None:
    send_to_dlq(world, 2)
    dead_letters = world.app.dead_letters

    plan = dead_letters.jobs.plan_of_chosen(DeadFilter(job_ids=("job-1",)))

    assert (plan.count, ids(world, plan.filter)) == (0, [])


def test_all_that_match_are_found_page_by_page_the_latest_death_first(world: World) -> None:
    send_to_dlq(world, 250)
    send_to_dlq(world, 1, first=250, lane=Lane.LOW)

    assert [f"job-{number:05}" for number in reversed(range(250))] == ids(world, DeadFilter(lane=Lane.HIGH))
    assert ids(world, DeadFilter(lane=Lane.LOW)) == ["job-00250"]


def test_a_page_goes_on_where_the_one_before_ended(world: World) -> None:
    send_to_dlq(world, 7)
    jobs = world.app.dead_letters.jobs

    first = jobs.page(DeadFilter(), limit=4)
    second = jobs.page(DeadFilter(), limit=4, cursor=first.cursor)

    assert ["job-00006", "job-00005", "job-00004", "job-00003"] == [job.job_id for job in first.jobs]
    assert (["job-00002", "job-00001", "job-00000"], None) == ([job.job_id for job in second.jobs], second.cursor)
    assert jobs.page(DeadFilter(), limit=7).cursor is None


def test_a_page_reads_a_bounded_part_of_the_dead_whatever_the_filter(world: World) -> None:
    send_to_dlq(world, 1_500)
    ledger, _ = break_ports(world.app)

    page = world.app.dead_letters.jobs.page(DeadFilter(lane=Lane.LOW), limit=10)

    assert (page.jobs, page.cursor) == ((), f"{(NOON + 500 * SECOND).isoformat(timespec='milliseconds')}#job-00500")
    assert (ledger.calls.count("dead"), ledger.calls.count("get_many")) == (10, 10)


@pytest.mark.parametrize(
    ("limit", "cursor", "complaint"),
    [
        (0, None, "limit must be between 1 and 100, got 0"),
        (101, None, "limit must be between 1 and 100, got 101"),
        (1, "yesterday", "cursor 'yesterday' is not one that this list gave out"),
        (1, "yesterday#job", "cursor 'yesterday#job' is not one that this list gave out"),
    ],
)
def test_a_limit_or_a_cursor_that_cannot_be_used_is_refused(
    world: World, limit: int, cursor: str | None, complaint: str
) -> None:
    with pytest.raises(InvalidOptionError, match=complaint):
        world.app.dead_letters.jobs.page(DeadFilter(), limit=limit, cursor=cursor)


def test_what_the_index_still_holds_of_a_job_that_lives_again_or_has_expired_is_left_out(world: World) -> None:
    send_to_dlq(world, 3)
    records = world.app.ports.ledger.records  # type: ignore[attr-defined]
    behind = Flaky(world.app.ports.ledger)
    stale = world.app.ports.ledger.dead(before=None, limit=10)
    records["job-00000"] = a_record(job_id="job-00000")
    send_to_dlq(world, 1, first=3, expires_at=NOON)
    del records["job-00001"]

    class Lagging:
        def __getattr__(self, name: str) -> object:
            return (lambda **_: stale) if name == "dead" else getattr(behind, name)

    world.app.use(replace(world.app.ports, ledger=Lagging()))  # type: ignore[arg-type]

    assert ids(world, DeadFilter()) == ["job-00002"]


def test_a_plan_counts_what_would_move_and_changes_nothing(world: World) -> None:
    send_to_dlq(world, 130)
    ledger, lanes = break_ports(world.app)

    plan = world.app.dead_letters.jobs.plan(DeadFilter(cause=Cause.EXHAUSTED))

    assert (plan.count, plan.is_counted, len(plan.jobs), plan.is_one_page) == (130, True, 100, False)
    assert {"dead", "get_many"} == set(ledger.calls)
    assert lanes.calls == []


def test_a_plan_counts_ten_thousand_and_then_says_at_least(world: World) -> None:
    send_to_dlq(world, MOST_COUNTED + 1)

    plan = world.app.dead_letters.jobs.plan(DeadFilter())

    assert (plan.count, plan.is_counted) == (MOST_COUNTED, False)


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        (State.COMPLETED, "job 'job-1' is completed, not dead: it has ended for good; enqueue it again under"),
        (State.CANCELLED, "job 'job-1' is cancelled, not dead: it has ended for good"),
        (State.RUNNING, "job 'job-1' is running, not dead: it runs right now; `lanework cancel` asks it to stop"),
        (State.RETRYING, "job 'job-1' is retrying, not dead: it will run by itself"),
        (State.QUEUED, "job 'job-1' is queued, not dead: it will run by itself"),
    ],
)
def test_a_job_that_is_not_dead_is_refused_by_its_id_with_what_would_work(
    world: World, state: State, complaint: str
) -> None:
    world.app.ports.ledger.put(a_record(state=state))
    send_to_dlq(world, 1)

    with pytest.raises(NotDeadError, match=complaint):
        world.app.dead_letters.jobs.plan(DeadFilter(job_ids=("job-1",)))
    with pytest.raises(NotDeadError, match=complaint):
        world.app.dead_letters.jobs.get("job-1")


def test_of_several_ids_those_that_are_dead_move_and_the_plan_says_why_others_do_not(world: World) -> None:
    world.app.ports.ledger.put(a_record(job_id="queued"))
    send_to_dlq(world, 2)

    plan = world.app.dead_letters.jobs.plan(DeadFilter(job_ids=("queued", "job-00000", "nobody", "job-00001")))

    assert ["job-00000", "job-00001"] == sorted(job.job_id for job in plan.jobs)
    assert {"queued": "queued", "nobody": "not found"} == plan.left_out


def test_of_several_ids_none_of_which_is_dead_each_is_named(world: World) -> None:
    world.app.ports.ledger.put(a_record(job_id="alive"))

    with pytest.raises(NothingMatchesError, match=r"none of the 2 jobs is dead \(alive: queued, nobody: not found\)"):
        world.app.dead_letters.jobs.plan(DeadFilter(job_ids=("alive", "nobody")))


def test_a_job_that_is_not_there_is_refused_by_its_id(world: World) -> None:
    send_to_dlq(world, 1, expires_at=NOON)

    for job_id in ("nobody", "job-00000"):
        with pytest.raises(JobNotFoundError):
            world.app.dead_letters.jobs.plan(DeadFilter(job_ids=(job_id,)))
        with pytest.raises(JobNotFoundError):
            world.app.dead_letters.jobs.get(job_id)


@pytest.mark.parametrize(
    ("which", "complaint"),
    [
        (DeadFilter(type="user.greting"), "no dead job has the type 'user.greting', did you mean 'user.greeting'?"),
        (DeadFilter(queue="report"), "no dead job has the queue 'report'; known: email"),
        (
            DeadFilter(cause=Cause.CRASHED, lane=Lane.LOW),
            "no dead job matches lane low, cause crashed; dead are: 3 user.greeting in lane high (exhausted)",
        ),
    ],
)
def test_a_filter_that_matches_nothing_is_refused_with_what_is_dead(
    world: World, which: DeadFilter, complaint: str
) -> None:
    send_to_dlq(world, 3)

    for attempt in (world.app.dead_letters.jobs.plan, world.app.dead_letters.groups):
        with pytest.raises(NothingMatchesError) as refused:
            attempt(which)
        assert str(refused.value) == complaint


def test_nothing_is_to_be_done_where_nothing_is_dead(world: World) -> None:
    with pytest.raises(LaneworkError, match="no job is dead"):
        world.app.dead_letters.jobs.plan(DeadFilter())
    assert world.app.dead_letters.groups(DeadFilter()).groups == ()


def test_the_dead_are_grouped_by_what_went_wrong_the_largest_group_first(world: World) -> None:
    send_to_dlq(world, 2, error="ValueError: bad input")
    send_to_dlq(world, 5, first=2)
    send_to_dlq(world, 1, first=7, type="report.month", lane=Lane.LOW, cause=Cause.CRASHED)

    first, second = world.app.dead_letters.groups(DeadFilter()).groups

    assert (first.shape, first.count, first.latest.job_id) == ("OSError: no route to host <n>", 6, "job-00007")
    assert (first.types, first.lanes) == (("user.greeting", "report.month"), (Lane.HIGH, Lane.LOW))
    assert (first.causes, first.first_died_at) == ((Cause.EXHAUSTED, Cause.CRASHED), NOON + 2 * SECOND)
    assert (second.shape, second.count) == ("ValueError: bad input", 2)
    assert second.fingerprint == fingerprint("ValueError: bad input")
    assert len(ids(world, DeadFilter(fingerprint=first.fingerprint))) == 6


def test_what_an_error_has_in_common_with_others_is_found_once_when_the_job_dies(world: World) -> None:
    world.behave = raises(ValueError("order 17 is not paid"))
    world.greet.enqueue(Greeting(name="Bat"), job_id="job-1", attempts=1)
    drain(world.app)

    kept = world.stored().fingerprint
    assert kept == fingerprint("ValueError: order 18 is not paid")
    world.app.dead_letters.redrive_job(world.stored().job_id)
    world.behave = raises(LookupError("no mailbox"))
    drain(world.app)

    assert world.stored().fingerprint == fingerprint("LookupError: no mailbox")


def test_a_job_that_died_before_its_fingerprint_was_kept_is_grouped_with_those_that_died_later(world: World) -> None:
    send_to_dlq(world, 2)
    send_to_dlq(world, 1, first=2, fingerprint=fingerprint("OSError: no route to host 2"))

    (group,) = world.app.dead_letters.groups(DeadFilter()).groups

    assert group.count == 3
