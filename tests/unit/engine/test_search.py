"""Every filter finds what there is, or says how far it has looked and where to go on."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from lanework import InvalidOptionError, Lane, State, UnknownJobTypeError, UnknownNameError
from lanework.engine.queries.search import MOST_LOOKED_AT, JobFilter, checked
from lanework.engine.sla.late_starts import Within, late_count
from lanework.model.stats.buckets import Bucket, Incident, Kind
from lanework.model.stats.numbers import Count, Key, Numbers
from lanework.testing import NOON
from tests.support.factories import a_record
from tests.support.fakes import break_ports

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.engine.queries.recent import JobPage
    from tests.support.small_world import World

SECOND = timedelta(seconds=1)


def put(world: World, job_id: str, at: datetime, state: State = State.QUEUED, **facts: Any) -> None:
    ended = {"ended_at": at, "sweep_at": at} if state is State.DEAD else {}
    world.app.ports.ledger.put(a_record(job_id=job_id, created_at=at, run_at=at, state=state, **{**ended, **facts}))


def ids(page: JobPage) -> list[str]:
    return [job.job_id for job in page.jobs]


def everything(world: World, which: JobFilter, limit: int = 20) -> list[str]:
    """Return the ids of all pages."""
    found, cursor = [], None
    while True:
        page = world.app.runtime.search.page(which, limit=limit, cursor=cursor)
        found += ids(page)
        cursor = page.cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("state", list(State))
def test_eleven_jobs_that_stand_somewhere_are_found_behind_some_hundred_newer_ones(world: World, state: State) -> None:
    for number in range(11):
        put(world, f"wanted-{number}", NOON - timedelta(minutes=5) - number * SECOND, state)
    other = State.COMPLETED if state is not State.COMPLETED else State.QUEUED
    for number in range(400):
        put(world, f"job-{number}", NOON - number * SECOND / 2, other)

    page = world.app.runtime.search.page(JobFilter(state=state), limit=20)

    assert ids(page) == [f"wanted-{number}" for number in range(11)]


@pytest.mark.parametrize("filters", list(product((None, State.DEAD, State.RUNNING), (None, "low"), (None, "b"))))
def test_filters_together_find_what_each_alone_does_of_the_others(world: World, filters: tuple[Any, ...]) -> None:
    everybody = list(product(State, (Lane.LOW, Lane.HIGH), ("a", "b"), range(3)))
    for number, (state, lane, type_, day) in enumerate(everybody):
        at = NOON - timedelta(days=day) - number * SECOND
        put(world, f"job-{number}", at, state, lane=lane, type=type_)
    state, lane, type_ = filters
    which = JobFilter(state=state, lane=None if lane is None else Lane.LOW, type=type_)

    found = everything(world, which, limit=7)

    assert len(found) == len(set(found))
    assert set(found) == {
        f"job-{number}"
        for number, (of_state, of_lane, of_type, _) in enumerate(everybody)
        if state in (None, of_state) and lane in (None, of_lane) and type_ in (None, of_type)
    }


def test_where_no_index_tells_a_thousand_are_looked_at_and_the_page_says_how_far(world: World) -> None:
    for number in range(MOST_LOOKED_AT + 50):
        put(world, f"job-{number}", NOON - number * SECOND)
    put(world, "wanted", NOON - timedelta(hours=1), State.RUNNING)
    ledger, _ = break_ports(world.app)

    page = world.app.runtime.search.page(JobFilter(state=State.RUNNING))

    assert (page.jobs, page.seen_until) == ((), NOON - (MOST_LOOKED_AT - 1) * SECOND)
    assert ledger.calls == ["recent", *["get_many"] * 10]
    assert ids(world.app.runtime.search.page(JobFilter(state=State.RUNNING), cursor=page.cursor)) == ["wanted"]


def test_the_dead_cost_a_look_at_their_own_index_and_one_at_their_records(world: World) -> None:
    for number in range(300):
        put(world, f"job-{number}", NOON - number * SECOND, State.DEAD if number > 200 else State.QUEUED)
    ledger, _ = break_ports(world.app)

    page = world.app.runtime.search.page(JobFilter(state=State.DEAD), limit=50)

    assert (ledger.calls, len(page.jobs), page.cursor is not None) == (["dead", "get_many"], 50, True)


def test_one_dead_job_of_a_type_is_found_behind_hundreds_of_another(world: World) -> None:
    put(world, "wanted", NOON - timedelta(hours=1), State.DEAD, type="rare")
    for number in range(350):
        put(world, f"job-{number}", NOON - number * SECOND, State.DEAD)

    assert ids(world.app.runtime.search.page(JobFilter(state=State.DEAD, type="rare"))) == ["wanted"]


def started_late(world: World, *jobs: tuple[str, Lane, timedelta], unnamed: int = 0) -> None:
    """Count late starts: of some, their names too."""
    for job_id, lane, ago in jobs:
        at = NOON - ago
        put(world, job_id, at - SECOND, State.COMPLETED, lane=lane, first_started_at=at)
        incident = Incident(
            kind=Kind.LATE, at=at, job_id=job_id, type="user.greeting", queue="email", lane=lane, attempt=1
        )
        key = Key(lane=lane, queue="email", type="user.greeting")
        minute = at.replace(second=0, microsecond=0)
        late = Numbers({Count.FIRST_STARTS: 5, Count.LATE: 1 + unnamed})
        world.app.ports.statistics.add(Bucket(at=minute, numbers={key: late}, incidents=(incident,)))


def test_jobs_that_started_late_are_found_by_lane_and_time_the_latest_start_first(world: World) -> None:
    started_late(world, ("first", Lane.HIGH, 9 * SECOND), ("second", Lane.HIGH, 5 * SECOND), unnamed=3)
    started_late(world, ("other", Lane.LOW, 3 * SECOND))
    put(world, "in-time", NOON, State.COMPLETED, lane=Lane.HIGH)
    late = JobFilter(late=Within.HOUR)

    assert everything(world, late, limit=1) == ["other", "second", "first"]
    assert everything(world, JobFilter(late=Within.DAY, lane=Lane.HIGH)) == ["second", "first"]
    assert everything(world, JobFilter(late=Within.HOUR, state=State.DEAD)) == []
    count = late_count(world.app.ports, Within.HOUR, lane=Lane.HIGH)
    assert (count.counted, count.named) == (8, 2)


@pytest.mark.parametrize("which", [JobFilter(), JobFilter(state=State.DEAD), JobFilter(late=Within.HOUR)])
@pytest.mark.parametrize("cursor", ["x", "late|", "late|12|", "2026-01-02|x", "2026-01-02T12:00:00.000+00:00#a", "¹|²"])
def test_a_cursor_of_another_list_is_refused(world: World, which: JobFilter, cursor: str) -> None:
    mine = (cursor.startswith("late|1") and which.late) or ("#a" in cursor and which.state)
    if mine:
        assert world.app.runtime.search.page(which, cursor=cursor).jobs == ()
    else:
        with pytest.raises(InvalidOptionError):
            world.app.runtime.search.page(which, cursor=cursor)


def test_a_type_or_a_queue_that_nothing_is_of_is_refused_if_the_application_has_none(world: World) -> None:
    registry = world.app.registry
    put(world, "of-a-removed-type", NOON, type="once.upon")

    def first(which: JobFilter) -> JobPage:
        return checked(which, world.app.runtime.search.page(which), registry)

    assert ids(first(JobFilter(type="once.upon"))) == ["of-a-removed-type"]
    assert first(JobFilter(type=registry.types[0].name, state=State.DEAD)).jobs == ()
    with pytest.raises(UnknownJobTypeError, match="did you mean"):
        first(JobFilter(type=f"{registry.types[0].name}x"))
    with pytest.raises(UnknownNameError, match="did you mean"):
        first(JobFilter(queue=f"{registry.types[0].queue}x"))
