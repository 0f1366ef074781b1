"""What every adapter of the statistics must do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lanework.engine.ports.statistics import Board, Total
from lanework.model.lanes import Lane, LaneDepth
from lanework.model.lifecycle.states import Cause
from lanework.model.stats.alert_rules import Rule
from lanework.model.stats.alerts import Alert, Alerts
from lanework.model.stats.buckets import HOUR, MINUTE, Bucket, Incident, Kind, joined
from lanework.model.stats.numbers import Count, Key, Numbers
from lanework.testing import NOON
from tests.support.backends import Backend

if TYPE_CHECKING:
    from lanework.engine.ports.statistics import StatisticsStore

KEY = Key(lane=Lane.HIGH, queue="email", type="user.greeting")
OTHER = Key(lane=Lane.LOW, queue="report", type="report.month")
LANE = Key(lane=Lane.HIGH)


@pytest.fixture
def store(backend: Backend) -> StatisticsStore:
    return backend.ports.statistics


def of(key: Key, completed: int) -> dict[Key, Numbers]:
    return {key: Numbers({Count.COMPLETED: completed})}


def alerts(subject: str) -> str:
    active = Alert(rule=Rule.DEATH, subject=subject, text="jobs are late", next_step="look", since=NOON)
    return Alerts(active=(active,)).text


def a_death(number: int) -> Incident:
    return Incident(
        kind=Kind.DEATH,
        at=NOON + number * timedelta(milliseconds=1),
        job_id=f"job-{number:03}",
        type="user.greeting",
        queue="email",
        lane=Lane.HIGH,
        attempt=3,
        cause=Cause.EXHAUSTED,
    )


def test_what_is_added_in_a_minute_adds_up(store: StatisticsStore) -> None:
    for _ in range(3):
        store.add(Bucket(at=NOON, numbers=of(KEY, 2)))
    store.add(Bucket(at=NOON, numbers=of(OTHER, 1)))
    store.add(Bucket(at=NOON + MINUTE, numbers=of(LANE, 9)))

    both = joined(NOON, store.raw([NOON]))

    assert {KEY: Numbers({Count.COMPLETED: 6}), OTHER: Numbers({Count.COMPLETED: 1})} == both.numbers
    assert {LANE: Numbers({Count.COMPLETED: 9})} == joined(NOON, store.raw([NOON + MINUTE])).numbers
    assert store.raw([NOON + 2 * MINUTE]) == []
    assert store.raw([]) == []


def test_incidents_are_named_up_to_a_bound_and_their_numbers_are_added_beyond_it(store: StatisticsStore) -> None:
    for number in range(0, 120, 10):
        deaths = tuple(a_death(one) for one in range(number, number + 10))
        store.add(Bucket(at=NOON, numbers={KEY: Numbers({Count.DEAD: 10})}, incidents=deaths))

    both = joined(NOON, store.raw([NOON]))

    assert both.numbers[KEY][Count.DEAD] == 120
    assert 20 <= len(both.incidents) <= 100
    assert both.incidents[-1] in [a_death(number) for number in range(120)]


def test_the_depth_of_a_minute_is_kept(store: StatisticsStore) -> None:
    store.add(Bucket(at=NOON, depths={Lane.LOW: LaneDepth(waiting=3, in_flight=2, delayed=1, dead=4)}))

    assert {Lane.LOW: LaneDepth(waiting=3, in_flight=2, delayed=1, dead=4)} == joined(NOON, store.raw([NOON])).depths


def test_more_numbers_than_one_write_takes_are_all_added(store: StatisticsStore) -> None:
    keys = [Key(lane=Lane.LOW, queue="report", type=f"report.number-{number}") for number in range(100)]
    store.add(Bucket(at=NOON, numbers={key: Numbers({Count.COMPLETED: 1, Count.STARTED: 1}) for key in keys}))

    assert set(keys) == set(joined(NOON, store.raw([NOON])).numbers)


def test_one_read_gives_the_minutes_since_a_moment_the_total_and_the_alerts(store: StatisticsStore) -> None:
    minutes = [Bucket(at=NOON + n * MINUTE, numbers=of(KEY, n + 1), incidents=(a_death(n),)) for n in range(3)]
    total = Total(until=NOON + 3 * MINUTE, numbers=of(KEY, 6))
    assert Board() == store.board(since=NOON)

    for minute in reversed(minutes):
        store.keep_minute(minute)
    store.keep_total(total, before=None)
    store.keep_alerts(alerts("high"), before=None)
    store.keep_hour(Bucket(at=NOON, numbers=of(KEY, 6)))

    board = store.board(since=NOON + MINUTE)
    assert Board(minutes=tuple(minutes[1:]), total=total, alerts=alerts("high")) == board


def test_a_minute_that_is_made_again_is_replaced(store: StatisticsStore) -> None:
    store.keep_minute(Bucket(at=NOON, numbers=of(KEY, 1)))
    store.keep_minute(Bucket(at=NOON, numbers=of(KEY, 2)))

    assert (Bucket(at=NOON, numbers=of(KEY, 2)),) == store.board(since=NOON).minutes


def test_hours_are_read_since_a_moment(store: StatisticsStore) -> None:
    hours = [Bucket(at=NOON + n * HOUR, numbers=of(KEY, n)) for n in range(3)]
    for hour in hours:
        store.keep_hour(hour)

    assert tuple(hours[1:]) == store.hours(since=NOON + HOUR)


def test_of_two_that_make_the_same_total_one_is_late(store: StatisticsStore) -> None:
    first = Total(until=NOON, numbers=of(KEY, 1))
    second = Total(until=NOON + MINUTE, numbers=of(KEY, 2))

    assert store.total() is None
    assert store.keep_total(first, before=None)
    assert not store.keep_total(first, before=None)
    assert store.keep_total(second, before=NOON)
    assert not store.keep_total(first, before=NOON)
    assert second == store.total()


def test_of_two_that_change_the_alerts_one_is_late(store: StatisticsStore) -> None:
    assert store.alerts() is None
    assert store.keep_alerts(alerts("one"), before=None)
    assert not store.keep_alerts(alerts("two"), before=None)
    assert store.keep_alerts(alerts("two"), before=alerts("one"))
    assert not store.keep_alerts(alerts("three"), before=alerts("one"))
    assert store.alerts() == alerts("two")
