from __future__ import annotations

from datetime import timedelta

import pytest

from lanework.model.events import Action, Event
from lanework.model.lanes import LANES, Lane, LaneDepth
from lanework.model.lifecycle.states import Cause
from lanework.model.stats.buckets import MOST_INCIDENTS, Bucket, Incident, Kind, hour_of, joined, minute_of
from lanework.model.stats.counting import counted, incident_of
from lanework.model.stats.numbers import BOUNDS, Count, Key, Numbers, Spread, a_run_time, a_wait, together
from lanework.testing import NOON

SECOND = timedelta(seconds=1)
KEY = Key(lane=Lane.HIGH, queue="email", type="user.greeting")


def an_event(action: Action, **facts: object) -> Event:
    ordinary = {"job_id": "job-1", "type": "user.greeting", "queue": "email", "lane": Lane.HIGH, "attempt": 1}
    return Event(action=action, at=NOON, **(ordinary | facts))  # type: ignore[arg-type]


def a_death(number: int) -> Incident:
    return Incident(
        kind=Kind.DEATH,
        at=NOON + number * SECOND,
        job_id=f"job-{number}",
        type="user.greeting",
        queue="email",
        lane=Lane.HIGH,
        attempt=3,
        cause=Cause.EXHAUSTED,
    )


def test_a_first_start_counts_its_wait_and_a_later_one_does_not() -> None:
    first = Numbers(counted(an_event(Action.JOB_STARTED, waited=SECOND)))
    later = Numbers(counted(an_event(Action.JOB_STARTED, attempt=2)))

    assert (1, 1, SECOND) == (first[Count.STARTED], first[Count.FIRST_STARTS], first.waits.total)
    assert (1, 0, 0) == (later[Count.STARTED], later[Count.FIRST_STARTS], later.waits.count)


@pytest.mark.parametrize("lane", Lane)
def test_a_start_is_late_once_it_takes_longer_than_its_lanes_sla(lane: Lane) -> None:
    start_within = LANES[lane].start_within

    if start_within is None:
        assert not LANES[lane].misses_sla(timedelta(days=1))
    else:
        assert not LANES[lane].misses_sla(start_within)
        assert LANES[lane].misses_sla(start_within + timedelta(milliseconds=1))


def test_a_late_start_and_a_death_are_known_by_name() -> None:
    late = incident_of(an_event(Action.JOB_STARTED, waited=6 * SECOND))
    dead = incident_of(an_event(Action.JOB_DEAD, attempt=3, cause=Cause.EXHAUSTED))

    assert late is not None
    assert (Kind.LATE, "job-1", 6 * SECOND) == (late.kind, late.job_id, late.waited)
    assert dead is not None
    assert (Kind.DEATH, 3, Cause.EXHAUSTED) == (dead.kind, dead.attempt, dead.cause)
    assert incident_of(an_event(Action.JOB_STARTED, waited=SECOND)) is None
    assert incident_of(an_event(Action.JOB_COMPLETED)) is None


def test_the_time_of_a_retry_is_told_apart_and_a_crash_has_none() -> None:
    first = Numbers(counted(an_event(Action.JOB_RETRYING, ran_for=SECOND)))
    second = Numbers(counted(an_event(Action.JOB_COMPLETED, attempt=2, ran_for=2 * SECOND)))
    crashed = Numbers(counted(an_event(Action.JOB_DEAD, ran_for=timedelta(hours=1), cause=Cause.CRASHED)))

    assert (1000, 0) == (first[Count.RUN_MS], first[Count.RETRIES_MS])
    assert (2000, 2000) == (second[Count.RUN_MS], second[Count.RETRIES_MS])
    assert (1, 0) == (crashed[Count.DEAD], crashed.runs.count)


def test_an_invocation_counts_what_is_billed_for_it() -> None:
    over = Event(action=Action.WORKER_INVOKED, at=NOON, lane=Lane.HIGH, ran_for=SECOND, memory_mb=256)

    assert {Count.INVOCATIONS: 1, Count.BILLED_MB_MS: 256_000} == counted(over)


def test_what_lies_between_bounds_is_interpolated() -> None:
    ten = Spread((0, 0, 0, 0, 10, *(0,) * (len(BOUNDS) - 4)), 10 * SECOND)

    assert timedelta(seconds=0.75) == ten.quantile(0.5)
    assert timedelta(seconds=1) == ten.quantile(1)
    assert Spread((0,) * (len(BOUNDS) + 1), timedelta(0)).quantile(0.5) is None


def test_what_lies_beyond_every_bound_is_said_to_be_the_last() -> None:
    assert BOUNDS[-1] == Numbers(a_wait(timedelta(days=1))).waits.quantile(0.5)


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_duration_falls_under_its_own_bound(bound: timedelta) -> None:
    assert BOUNDS.index(bound) == Numbers(a_run_time(bound)).runs.parts.index(1)
    assert BOUNDS.index(bound) + 1 == Numbers(a_run_time(bound + timedelta(milliseconds=1))).runs.parts.index(1)


def test_numbers_add_up() -> None:
    one = Numbers({Count.COMPLETED: 1, Count.FAILED: 1})

    assert (3, 1) == ((one + Numbers({Count.COMPLETED: 2}))[Count.COMPLETED], (one + one)[Count.DEAD] + 1)
    assert Numbers({Count.COMPLETED: 2, Count.FAILED: 2}) == together([one, one])
    assert one.failure_share == 0.5
    assert Numbers().failure_share is None


def test_buckets_join_their_numbers_and_keep_the_deepest_depth_and_the_latest_incidents() -> None:
    one = Bucket(
        at=NOON,
        numbers={KEY: Numbers({Count.COMPLETED: 1})},
        incidents=tuple(a_death(number) for number in range(MOST_INCIDENTS)),
        depths={Lane.HIGH: LaneDepth(waiting=5, dead=1)},
    )
    other = Bucket(
        at=NOON,
        numbers={KEY: Numbers({Count.COMPLETED: 2})},
        incidents=(a_death(MOST_INCIDENTS),),
        depths={Lane.HIGH: LaneDepth(waiting=2, dead=3)},
    )

    both = joined(NOON, [one, other])

    assert {KEY: Numbers({Count.COMPLETED: 3})} == both.numbers
    assert {Lane.HIGH: LaneDepth(waiting=5, dead=3)} == both.depths
    assert ("job-1", f"job-{MOST_INCIDENTS}") == (both.incidents[0].job_id, both.incidents[-1].job_id)


def test_a_bucket_survives_being_text() -> None:
    late = Incident(
        kind=Kind.LATE,
        at=NOON + timedelta(milliseconds=7),
        job_id="job-1",
        type="user.greeting",
        queue="email",
        lane=Lane.HIGH,
        attempt=1,
        waited=timedelta(seconds=6.5),
    )
    bucket = Bucket(
        at=NOON,
        numbers={KEY: Numbers({Count.COMPLETED: 1}), Key(lane=Lane.LOW): Numbers({Count.INVOCATIONS: 4})},
        incidents=(late, a_death(1)),
        depths={Lane.LOW: LaneDepth(waiting=1, in_flight=2, delayed=3, dead=4)},
    )

    assert bucket == Bucket.at_text(NOON, bucket.text)


def test_moments_fall_into_their_minute_and_hour() -> None:
    moment = NOON + timedelta(minutes=59, seconds=59, milliseconds=999)

    assert (NOON + timedelta(minutes=59), NOON) == (minute_of(moment), hour_of(moment))
