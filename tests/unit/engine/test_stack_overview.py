from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from lanework.engine.stats.overview import LaneOverview, stack_overview
from lanework.model.lanes import LANES, Lane, LaneDepth
from lanework.model.stats.buckets import MINUTE, Bucket, minute_of
from lanework.model.stats.numbers import Count, Key, Numbers, a_run_time, a_wait
from lanework.observe.openmetrics import openmetrics
from lanework.testing import NOON
from tests.support.factories import a_record
from tests.support.fakes import Flaky
from tests.support.small_world import Greeting, World

GREETING = Key(lane=Lane.HIGH, queue="email", type="user.greeting")
SMS = Key(lane=Lane.HIGH, queue="sms", type="sms.send")
SECOND = timedelta(seconds=1)


def count(world: World, key: Key, **counts: int) -> None:
    numbers = {key: Numbers({Count[name.upper()]: count for name, count in counts.items()})}
    world.app.ports.statistics.add(Bucket(at=minute_of(world.clock()), numbers=numbers))


def tick(world: World, waiting: int, *, dead: int = 0, started: int = 0) -> None:
    """Let a minute pass in which so many started and at whose end so many waited."""
    world.clock.advance(MINUTE)
    count(world, GREETING, started=started)
    world.app.runtime.roll_up.note({Lane.HIGH: LaneDepth(waiting=waiting, dead=dead)})
    world.app.runtime.roll_up.tick()


def high(world: World) -> LaneOverview:
    return next(one for one in world.app.runtime.overview().lanes if one.lane is Lane.HIGH)


def test_a_lane_shows_what_it_holds_and_what_its_jobs_did(world: World) -> None:
    for name in ("Bat", "Bold", "Dorj"):
        world.greet.enqueue(Greeting(name=name))
    world.app.ports.lanes.receive(Lane.HIGH)  # type: ignore[attr-defined]
    world.app.pause(lane="high")
    count(world, GREETING, completed=4, first_starts=5, late=1)

    found = high(world)

    assert (2, 1, 4, 0, 0, 7) == (
        *(found.waiting, found.active, found.completed),
        *(found.failed, found.delayed, found.total),
    )
    assert found.is_paused
    assert (timedelta(seconds=5), 0.8) == (found.sla.start_within, found.sla.kept_share)


def test_a_lane_tells_of_jobs_that_are_queued_while_it_is_empty(world: World) -> None:
    world.app.ports.ledger.put(a_record(created_at=NOON - 2 * MINUTE, run_at=NOON - 2 * MINUTE))
    assert high(world).unsent == 1

    world.greet.enqueue(Greeting(name="Bat"))
    assert high(world).unsent == 0, "a message that waits may be its own"


def test_everything_at_a_glance_is_five_counts_and_four_reads(world: World) -> None:
    lanes, store, flags = Flaky(world.app.ports.lanes), Flaky(world.app.ports.statistics), Flaky(world.app.ports.flags)
    world.app.use(replace(world.app.ports, lanes=lanes, statistics=store, flags=flags))

    world.app.runtime.overview()

    assert (["live"] * 5, ["board", "hours", "raw"], ["read"]) == (lanes.calls, sorted(store.calls), flags.calls)


def test_the_dead_are_those_of_the_last_tick_and_who_died_since(world: World) -> None:
    tick(world, 0, dead=3)
    assert high(world).failed == 3
    world.clock.advance(MINUTE)
    count(world, GREETING, dead=2)

    assert high(world).failed == 5


def test_what_was_redriven_or_dropped_since_the_tick_is_dead_no_more(world: World) -> None:
    tick(world, 0, dead=67)
    world.clock.advance(MINUTE)
    count(world, GREETING, dead=2, dealt_with=69)

    assert high(world).failed == 0


def test_what_waited_at_a_tick_and_cannot_have_started_since_is_at_least_as_old(world: World) -> None:
    world.greet.enqueue(Greeting(name="Bat"))
    assert high(world).oldest == timedelta(0)
    for _ in range(10):
        tick(world, 5)

    assert 8 * MINUTE <= (high(world).oldest or timedelta(0)) <= 10 * MINUTE


def test_what_has_started_since_a_tick_is_not_taken_for_the_oldest(world: World) -> None:
    world.greet.enqueue(Greeting(name="Bat"))
    for _ in range(10):
        tick(world, 5, started=5)

    assert (high(world).oldest or timedelta(0)) <= 2 * MINUTE


def test_a_lane_in_which_nothing_waits_has_no_oldest_message(world: World) -> None:
    tick(world, 5)

    assert high(world).oldest is None


def test_queues_share_what_their_lane_holds_as_their_jobs_did(world: World) -> None:
    for name in range(4):
        world.greet.enqueue(Greeting(name=str(name)))
    count(world, GREETING, started=30, dead=1)
    count(world, SMS, started=10)

    queues = {one.queue: one for one in world.app.runtime.overview().queues}

    assert (3, 1, 0) == (queues["email"].waiting, queues["sms"].waiting, queues["lanework"].waiting)
    assert queues["email"].last_day[Count.DEAD] == 1


def test_openmetrics_are_what_prometheus_can_read_and_hold_every_number(world: World) -> None:
    numbers = Numbers({Count.STARTED: 3, Count.COMPLETED: 2, Count.DEAD: 1, Count.LATE: 1})
    numbers += Numbers(a_wait(SECOND)) + Numbers(a_run_time(2 * SECOND)) + Numbers(a_run_time(timedelta(days=1)))
    world.app.ports.statistics.add(Bucket(at=minute_of(world.clock()), numbers={GREETING: numbers}))
    count(world, Key(lane=Lane.HIGH), invocations=7, billed_mb_ms=1024 * 1000)

    parsed = text_string_to_metric_families(openmetrics(stack_overview(world.app.ports)))  # type: ignore[no-untyped-call]
    families = {one.name: one for one in parsed}

    def value(family: str, sample: str, **labels: str) -> float:
        (found,) = [
            one.value for one in families[family].samples if one.name == sample and labels.items() <= one.labels.items()
        ]
        return float(found)

    assert value("lanework_jobs_started", "lanework_jobs_started_total", type="user.greeting") == 3
    assert value("lanework_jobs_ended", "lanework_jobs_ended_total", outcome="dead") == 1
    assert value("lanework_jobs_late", "lanework_jobs_late_total", queue="email") == 1
    assert value("lanework_job_wait_seconds", "lanework_job_wait_seconds_bucket", le="1.0") == 1
    assert value("lanework_job_run_seconds", "lanework_job_run_seconds_bucket", le="+Inf") == 2
    assert value("lanework_job_run_seconds", "lanework_job_run_seconds_sum") == 86_402
    assert value("lanework_invocations", "lanework_invocations_total", lane="high") == 7
    assert value("lanework_billed_gb_seconds", "lanework_billed_gb_seconds_total", lane="high") == 1
    assert value("lanework_lane_sla_seconds", "lanework_lane_sla_seconds", lane="low") == 300
    assert len(families["lanework_messages"].samples) == 4 * len(Lane)


@pytest.mark.parametrize("lane", [lane for lane in Lane if LANES[lane].start_within is None])
def test_a_lane_without_an_sla_has_no_share_that_was_kept(world: World, lane: Lane) -> None:
    count(world, Key(lane=lane, queue="q", type="t"), first_starts=5)
    kept = next(one.sla for one in world.app.runtime.overview().lanes if one.lane is lane)

    assert (None, None, 5) == (kept.start_within, kept.kept_share, kept.starts)
