from __future__ import annotations

from datetime import timedelta

import pytest

from lanework.model.lanes import Lane
from lanework.model.sla.results import late_jobs, sla_by_lane, sla_by_type
from lanework.model.stats.buckets import Incident, Kind
from lanework.model.stats.numbers import Count, Key, Numbers, a_wait
from lanework.testing import NOON

SECOND = timedelta(seconds=1)


def starts(count: int, late: int = 0) -> Numbers:
    return Numbers({Count.FIRST_STARTS: count, Count.LATE: late})


def a_late_job(number: int, lane: Lane = Lane.HIGH, kind: Kind = Kind.LATE) -> Incident:
    return Incident(
        kind=kind, at=NOON + number * SECOND, job_id=f"job-{number}", type="t", queue="q", lane=lane, attempt=1
    )


def test_every_lane_has_its_line_also_where_nothing_started() -> None:
    kept = sla_by_lane({Lane.HIGH: starts(10, late=1)})

    assert list(Lane) == [one.lane for one in kept]
    assert [None, 0.9, None, None, None] == [one.kept_share for one in kept]


def test_types_come_lane_by_lane_and_only_those_that_started() -> None:
    numbers = {
        Key(lane=Lane.LOW, queue="q", type="b"): starts(1),
        Key(lane=Lane.CRITICAL, queue="q", type="z"): starts(4, late=2),
        Key(lane=Lane.CRITICAL, queue="q", type="a"): starts(1),
        Key(lane=Lane.HIGH, queue="q", type="c"): Numbers({Count.COMPLETED: 1}),
        Key(lane=Lane.HIGH): Numbers({Count.INVOCATIONS: 1}),
    }

    assert [("a", 1.0), ("z", 0.5), ("b", 1.0)] == [(one.type, one.kept_share) for one in sla_by_type(numbers)]


def test_waits_are_told_by_their_quantiles() -> None:
    numbers = Numbers({Count.FIRST_STARTS: 2}) + Numbers(a_wait(SECOND)) + Numbers(a_wait(30 * SECOND))
    (kept,) = sla_by_type({Key(lane=Lane.MEDIUM, queue="q", type="t"): numbers})

    assert (SECOND, timedelta(seconds=29)) == (kept.median, kept.p95)
    assert kept.p99 == pytest.approx(timedelta(seconds=29.8), abs=timedelta(microseconds=1))


def test_late_jobs_come_the_latest_first_and_no_dead_ones() -> None:
    known = [a_late_job(1), a_late_job(3), a_late_job(2, Lane.LOW), a_late_job(4, kind=Kind.DEATH)]

    assert ["job-3", "job-2", "job-1"] == [one.job_id for one in late_jobs(known)]
    assert ["job-2"] == [one.job_id for one in late_jobs(known, lane=Lane.LOW)]
