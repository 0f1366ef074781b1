from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from lanework.engine.stats.rollup import LAG
from lanework.engine.stats.statistics import by_lane, by_queue, by_type
from lanework.errors import UnavailableError
from lanework.model.lanes import Lane, LaneDepth
from lanework.model.stats.buckets import HOUR, MINUTE, Bucket, minute_of
from lanework.model.stats.numbers import Count, Key, Numbers
from lanework.observe.counters import CounterSink
from lanework.testing import NOON
from tests.support.fakes import Flaky
from tests.support.small_world import Greeting, World

KEY = Key(lane=Lane.HIGH, queue="email", type="user.greeting")


def completed(world: World, count: int = 1, *, key: Key = KEY) -> None:
    numbers = {key: Numbers({Count.COMPLETED: count})}
    world.app.ports.statistics.add(Bucket(at=minute_of(world.clock()), numbers=numbers))


def pass_minutes(world: World, count: int) -> None:
    """Let time go on, with a tick each minute."""
    for _ in range(count):
        world.clock.advance(MINUTE)
        world.app.runtime.roll_up.tick()


def in_the_hour(world: World) -> list[tuple[datetime, int]]:
    buckets = world.app.runtime.statistics.last_hour().buckets
    found = [(bucket.at, bucket.numbers.get(KEY, Numbers())[Count.COMPLETED]) for bucket in buckets]
    return [(at, count) for at, count in found if count]


def in_the_day(world: World) -> list[tuple[datetime, int]]:
    buckets = world.app.runtime.statistics.overview().day.buckets
    found = [(bucket.at, bucket.numbers.get(KEY, Numbers())[Count.COMPLETED]) for bucket in buckets]
    return [(at, count) for at, count in found if count]


def ever(world: World) -> int:
    return world.app.runtime.statistics.overview().total.get(KEY, Numbers())[Count.COMPLETED]


def test_what_was_counted_a_moment_ago_is_there_before_any_tick(world: World) -> None:
    completed(world)

    assert in_the_hour(world) == [(NOON, 1)]
    assert in_the_day(world) == [(NOON, 1)]
    assert ever(world) == 1


def test_each_number_is_there_once_at_every_moment_of_becoming_a_minute_and_an_hour(world: World) -> None:
    world.clock.advance(timedelta(minutes=57))
    for _ in range(3):
        completed(world)
        pass_minutes(world, 1)
    begin = NOON + timedelta(minutes=57)

    for _ in range(56):
        assert in_the_hour(world) == [(begin + n * MINUTE, 1) for n in range(3)]
        assert in_the_day(world) == [(NOON, 3)]
        assert ever(world) == 3
        pass_minutes(world, 1)
    pass_minutes(world, 10)

    assert (in_the_hour(world), in_the_day(world), ever(world)) == ([], [(NOON, 3)], 3)


def test_a_day_later_only_the_total_remembers(world: World) -> None:
    completed(world, 5)
    pass_minutes(world, 5)
    world.clock.advance(timedelta(days=1))
    pass_minutes(world, 1)

    assert (in_the_hour(world), in_the_day(world), ever(world)) == ([], [], 5)


def test_a_minute_is_made_only_when_its_writers_have_had_time(world: World) -> None:
    completed(world)
    world.clock.advance(MINUTE + LAG - timedelta(seconds=1))
    world.app.runtime.roll_up.tick()
    before = world.app.ports.statistics.board(since=NOON).minutes
    world.clock.advance(timedelta(seconds=1))
    world.app.runtime.roll_up.tick()

    assert before == ()
    assert [NOON] == [bucket.at for bucket in world.app.ports.statistics.board(since=NOON).minutes]


def test_a_clock_that_was_away_makes_up_for_every_minute_once(world: World) -> None:
    pass_minutes(world, 1)
    completed(world)
    world.clock.advance(timedelta(minutes=45))
    completed(world, 2)
    world.clock.advance(timedelta(minutes=3))

    rolled = world.app.runtime.roll_up.tick()
    again = world.app.runtime.roll_up.tick()

    assert (rolled.minutes, again.minutes) == (48, 0)
    assert in_the_hour(world) == [(NOON + MINUTE, 1), (NOON + 46 * MINUTE, 2)]
    assert ever(world) == 3


def test_a_tick_without_time_leaves_the_rest_to_the_next(world: World) -> None:
    pass_minutes(world, 1)
    world.clock.advance(timedelta(minutes=30))
    answers = iter([True, False])

    assert not world.app.runtime.roll_up.tick(has_time=lambda: next(answers)).is_done
    assert world.app.runtime.roll_up.tick().minutes == 24


def test_a_tick_that_was_cut_off_before_the_total_is_repeated_without_counting_twice(world: World) -> None:
    pass_minutes(world, 1)
    completed(world)
    world.clock.advance(3 * MINUTE)
    store = Flaky(world.app.ports.statistics, broken={"keep_total"})
    world.app.use(replace(world.app.ports, statistics=store))
    with pytest.raises(UnavailableError):
        world.app.runtime.roll_up.tick()
    assert (in_the_hour(world), in_the_day(world), ever(world)) == ([(NOON + MINUTE, 1)], [(NOON, 1)], 1)
    store.broken.clear()
    world.app.runtime.roll_up.tick()

    assert (in_the_hour(world), ever(world)) == ([(NOON + MINUTE, 1)], 1)


def test_reading_takes_as_many_calls_as_promised_whatever_was_counted(world: World) -> None:
    for minute in range(150):
        completed(world, minute)
        pass_minutes(world, 1)
    store = Flaky(world.app.ports.statistics)
    world.app.use(replace(world.app.ports, statistics=store))

    world.app.runtime.statistics.last_hour()
    assert store.calls == ["board", "raw"]
    store.calls.clear()
    world.app.runtime.statistics.overview()
    assert sorted(store.calls) == ["board", "hours", "raw"]


def test_numbers_are_summed_by_lane_queue_and_type(world: World) -> None:
    completed(world, 1)
    completed(world, 2, key=Key(lane=Lane.HIGH, queue="sms", type="sms.send"))
    completed(world, 4, key=Key(lane=Lane.LOW, queue="email", type="user.greeting"))
    world.app.ports.statistics.add(Bucket(at=NOON, numbers={Key(lane=Lane.LOW): Numbers({Count.INVOCATIONS: 9})}))
    hour = world.app.runtime.statistics.last_hour()

    def sums(name_of: object) -> dict[str, int]:
        return {name: one[Count.COMPLETED] for name, one in hour.sums(name_of).items()}  # type: ignore[arg-type]

    assert sums(by_lane) == {"high": 3, "low": 4}
    assert sums(by_queue) == {"email": 5, "sms": 2}
    assert sums(by_type) == {"sms.send": 2, "user.greeting": 5}
    assert [one[Count.COMPLETED] for one in hour.series(by_queue)["email"]] == [0] * 59 + [5]


def test_the_last_part_of_a_window_is_what_lies_in_its_time(world: World) -> None:
    completed(world, 1)
    world.clock.advance(timedelta(minutes=5))
    completed(world, 2)
    world.clock.advance(timedelta(seconds=30))
    hour = world.app.runtime.statistics.last_hour()

    assert [NOON + 5 * MINUTE] == [bucket.at for bucket in hour.latest(timedelta(seconds=10)).buckets]
    assert hour.latest(4 * MINUTE).sums(by_type)["user.greeting"][Count.COMPLETED] == 2
    assert hour.latest(5 * MINUTE).sums(by_type)["user.greeting"][Count.COMPLETED] == 3


def test_how_much_the_lanes_hold_is_kept_with_the_minute(world: World) -> None:
    depths = {Lane.HIGH: LaneDepth(), Lane.LOW: LaneDepth(waiting=3)}
    world.app.runtime.roll_up.note(depths)
    pass_minutes(world, 2)

    assert depths == world.app.ports.statistics.board(since=NOON).minutes[0].depths


def test_a_job_that_runs_is_counted_with_its_wait_from_when_sqs_took_its_message(world: World) -> None:
    ports = world.app.ports
    sink = CounterSink(ports.statistics, ports.clock)
    world.app.use(replace(world.app.ports, events=sink))
    world.greet.enqueue(Greeting(name="Bat"))
    message = world.app.ports.lanes.receive(Lane.HIGH)  # type: ignore[attr-defined]
    world.clock.advance(timedelta(seconds=8))

    world.execute(message.body, sent_at=NOON + timedelta(seconds=2))
    sink.flush()

    found = world.app.runtime.statistics.last_hour().numbers[KEY]
    assert (1, 1, 1) == (found[Count.FIRST_STARTS], found[Count.LATE], found[Count.COMPLETED])
    assert found.waits.total == timedelta(seconds=6)
    assert [("job", 6.0)] == [
        (one.job_id[:3] and "job", one.waited.total_seconds() if one.waited else None)
        for one in world.app.runtime.statistics.last_hour().incidents
    ]


def test_a_delayed_job_waits_from_the_start_that_was_asked_for(world: World) -> None:
    ports = world.app.ports
    sink = CounterSink(ports.statistics, ports.clock)
    world.app.use(replace(world.app.ports, events=sink))
    world.greet.enqueue(Greeting(name="Bat"), delay=timedelta(minutes=1))
    world.clock.advance(timedelta(seconds=62))
    message = world.app.ports.lanes.receive(Lane.HIGH)  # type: ignore[attr-defined]

    world.execute(message.body, sent_at=NOON)
    sink.flush()

    assert world.app.runtime.statistics.last_hour().numbers[KEY].waits.total == timedelta(seconds=2)


def test_numbers_that_could_not_be_written_go_with_the_next_flush(world: World) -> None:
    store = Flaky(world.app.ports.statistics, broken={"add"})
    sink = CounterSink(store, world.app.ports.clock)
    world.app.use(replace(world.app.ports, events=sink))
    world.greet.enqueue(Greeting(name="Bat"))
    message = world.app.ports.lanes.receive(Lane.HIGH)  # type: ignore[attr-defined]
    world.execute(message.body)

    sink.flush()
    store.broken.clear()
    sink.flush()
    sink.flush()

    assert store.calls == ["add", "add"], "nothing new, nothing written"
    assert world.app.runtime.statistics.last_hour().numbers[KEY][Count.COMPLETED] == 1


def test_the_hours_of_a_day_are_24_with_the_present_one(world: World) -> None:
    day = world.app.runtime.statistics.overview().day

    assert (24, NOON, NOON - 23 * HOUR) == (len(day.buckets), day.buckets[-1].at, day.begins)
