from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from threading import Condition, Event, Thread

import pytest

from lanework.edges.process.config import HELD_PER_SLOT
from lanework.edges.process.lane_scheduler import Grant, LaneScheduler, Place
from lanework.edges.process.pace import BEGIN_WITHIN_S, Pace
from lanework.edges.process.precedence import Precedence
from lanework.model.lanes import Lane

ALL = tuple(Lane)


def granted(lanes: tuple[Lane, ...], turns: int) -> Counter[Lane]:
    """Count who gets how many turns where every lane always waits."""
    precedence, counted = Precedence(ALL), Counter[Lane]()
    for _ in range(turns):
        lane = precedence.next_of(lanes)
        precedence.grant(lane)
        counted[lane] += 1
    return counted


def test_the_highest_lane_goes_first() -> None:
    assert Precedence(ALL).next_of([Lane.LOW, Lane.HIGH, Lane.BATCH]) is Lane.HIGH


@pytest.mark.parametrize("lanes", [(Lane.CRITICAL, Lane.BATCH), (Lane.CRITICAL, Lane.MEDIUM, Lane.LOW), ALL])
def test_every_lane_below_a_full_one_gets_the_same_part_of_a_tenth(lanes: tuple[Lane, ...]) -> None:
    highest, *others = lanes

    counted = granted(lanes, 240)

    assert {highest: 216} | dict.fromkeys(others, 24 // len(others)) == counted


def test_a_lane_that_waits_alone_has_every_turn() -> None:
    assert {Lane.LOW: 25} == granted((Lane.LOW,), 25)


NEVER = Event()


class Wakes(Condition):
    """Counts how often those who wait are woken."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0
        self.is_waiting = Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.is_waiting.set()
        return super().wait(timeout)

    def notify_all(self) -> None:
        self.times += 1
        super().notify_all()


class Holding(Pace):
    """Holds so many jobs ahead, however long they take."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def ahead(self, began_at: Iterable[float], *, slots: int, now: float) -> int:  # noqa: ARG002
        return self.count


def received(turns: LaneScheduler, lane: Lane, count: int) -> list[Place]:
    """Receive so many messages of a lane, whose turn it is."""
    grant = turns.take(lane, count)
    assert grant is not None
    assert grant.count == count
    return turns.came(grant, count)


def running(turns: LaneScheduler, lane: Lane, count: int) -> list[Place]:
    """Receive so many messages, and begin their jobs."""
    places = received(turns, lane, count)
    assert [turns.begin(one) for one in places] == [True] * count
    return places


def in_background(turns: LaneScheduler, *places: Place) -> tuple[list[Place], list[Thread]]:
    """Let claimed jobs wait for slots in this order; return those that got one, in the order in which they did."""
    begun: list[Place] = []

    def begin(place: Place) -> None:
        if turns.begin(place):
            begun.append(place)
            turns.free(place)

    threads = [Thread(target=begin, args=(place,)) for place in places]
    for thread, place in zip(threads, places, strict=True):
        thread.start()
        while place.may_begin is None:
            time.sleep(0)
    return begun, threads


def test_a_slot_is_taken_again_while_the_end_of_its_job_is_being_written() -> None:
    turns = LaneScheduler(ALL, slots=2)
    first, _ = running(turns, Lane.LOW, 2)

    turns.free(first)

    running(turns, Lane.LOW, 1)


def test_no_more_is_held_than_two_messages_for_each_slot_however_long_their_ends_take_to_write() -> None:
    turns, held = LaneScheduler(ALL, slots=3, pace=Holding(0)), list[Place]()
    for _ in range(HELD_PER_SLOT):
        held += running(turns, Lane.LOW, 3)
        for place in held[-3:]:
            turns.free(place)

    waiting = Thread(target=turns.take, args=(Lane.LOW, 10))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    turns.let_go(held[0])
    waiting.join(10)

    assert not waiting.is_alive()


def test_who_waits_for_ten_slots_is_not_woken_for_one() -> None:
    woken = Wakes()
    turns = LaneScheduler(ALL, slots=11, pace=Holding(0), gather_s=3600.0, changed=woken)
    held = running(turns, Lane.LOW, 10)
    turns.take(Lane.LOW, 1)
    turns.free(held[0])
    waiting = Thread(target=turns.take, args=(Lane.LOW, 10))
    woken.times = 0
    woken.is_waiting.clear()
    waiting.start()
    assert woken.is_waiting.wait(30)

    for place in held[1:9]:
        turns.free(place)
    assert woken.times == 0
    turns.free(held[9])
    waiting.join(30)

    assert waiting.is_alive() is False


def test_all_is_over_only_when_what_ran_is_written_too() -> None:
    turns = LaneScheduler(ALL, slots=1)
    (place,) = running(turns, Lane.LOW, 1)
    turns.free(place)
    assert not turns.wait_until_free(timedelta(0), unless=NEVER)

    turns.let_go(place)

    assert turns.wait_until_free(timedelta(0), unless=NEVER)


def test_a_message_is_counted_once_wherever_it_is_when_it_is_let_go() -> None:
    turns = LaneScheduler(ALL, slots=1)
    for until in range(4):
        (place,) = received(turns, Lane.LOW, 1)
        if until > 0:
            assert turns.begin(place)
        if until > 1:
            turns.free(place)
        for _ in range(until + 1):
            turns.let_go(place)
            turns.free(place)

        assert turns.wait_until_free(timedelta(0), unless=NEVER)


# --- held ahead


def test_a_slot_goes_to_a_job_that_is_ready_as_soon_as_the_one_before_has_ended() -> None:
    turns = LaneScheduler(ALL, slots=1, pace=Holding(1))
    (first,) = running(turns, Lane.LOW, 1)
    (second,) = received(turns, Lane.LOW, 1)
    begun, threads = in_background(turns, second)

    turns.free(first)
    threads[0].join(30)

    assert begun == [second]


def a_pace(run_s: float, *, jobs: int = 16, receive_s: float = 0.002, claim_s: float = 0.005) -> Pace:
    """Return what is known after so many jobs that took so long, and many calls."""
    pace = Pace()
    for _ in range(jobs):
        pace.ran(run_s)
    for _ in range(200):
        pace.received(receive_s)
        pace.claimed(claim_s)
    return pace


def ahead(pace: Pace, slots: int, *, ran_s: float = 0.0, now: float = 1e6) -> int:
    """Return how much is held ahead of slots whose jobs all have run for so long."""
    return pace.ahead([now - ran_s] * slots, slots=slots, now=now)


def test_nothing_is_received_ahead_of_a_free_slot_before_some_jobs_have_ended() -> None:
    turns = LaneScheduler(ALL, slots=2)
    running(turns, Lane.LOW, 2)
    waiting = Thread(target=turns.take, args=(Lane.LOW, 1), daemon=True)
    waiting.start()
    waiting.join(0.05)

    assert waiting.is_alive()
    turns.end()
    assert (ahead(a_pace(0.001, jobs=7), 16), ahead(a_pace(0.001, jobs=8), 16)) == (0, 36)


def test_what_gets_no_slot_in_time_is_not_begun_and_nothing_is_held_ahead_for_a_while() -> None:
    pace = a_pace(0.001)
    turns = LaneScheduler(ALL, slots=1, pace=pace)
    running(turns, Lane.LOW, 1)
    (late,) = received(turns, Lane.LOW, 1)
    late.came_at -= BEGIN_WITHIN_S  # as if so much time had passed

    assert not turns.begin(late)
    assert ahead(pace, 16, now=time.monotonic()) == 0
    assert ahead(pace, 16, now=time.monotonic() + 1) > 0


def test_what_was_received_longer_ago_begins_all_the_same_where_a_slot_is_free() -> None:
    turns = LaneScheduler(ALL, slots=1)
    (place,) = received(turns, Lane.LOW, 1)
    place.came_at -= 3600.0

    assert turns.begin(place)


def test_a_critical_job_that_comes_later_begins_before_lower_ones_that_are_held_ahead() -> None:
    turns = LaneScheduler(ALL, slots=1, pace=Holding(3))
    (first,) = running(turns, Lane.MEDIUM, 1)
    medium = received(turns, Lane.MEDIUM, 3)
    (critical,) = received(turns, Lane.CRITICAL, 1)
    begun, threads = in_background(turns, *medium, critical)

    turns.free(first)
    for thread in threads:
        thread.join(30)

    assert begun[0] is critical
    assert set(begun) == {critical, *medium}


def test_of_many_critical_jobs_that_are_ready_every_tenth_start_goes_to_a_lower_lane() -> None:
    turns = LaneScheduler(ALL, slots=1, pace=Holding(20))
    (first,) = running(turns, Lane.LOW, 1)
    (low,) = received(turns, Lane.LOW, 1)
    critical = received(turns, Lane.CRITICAL, 10)
    begun, threads = in_background(turns, low, *critical)

    turns.free(first)
    for thread in threads:
        thread.join(30)

    assert begun.index(low) == 8, "the tenth start: the first was the one before them"


def test_lower_lanes_that_fill_the_room_ahead_keep_no_higher_one_from_receiving() -> None:
    turns = LaneScheduler(ALL, slots=1, pace=Holding(3))
    running(turns, Lane.LOW, 1)
    received(turns, Lane.LOW, 3)

    received(turns, Lane.CRITICAL, 3)


def test_an_idle_lane_that_polls_keeps_no_slot_from_another() -> None:
    turns = LaneScheduler(ALL, slots=1)
    assert turns.take(Lane.CRITICAL, 10, is_poll=True) is not None

    running(turns, Lane.LOW, 1)


def test_no_lane_polls_while_every_slot_is_taken_by_a_long_job() -> None:
    turns = LaneScheduler(ALL, slots=1)
    (place,) = running(turns, Lane.LOW, 1)
    polling = Thread(target=turns.take, args=(Lane.CRITICAL, 10), kwargs={"is_poll": True}, daemon=True)
    polling.start()
    polling.join(0.05)
    assert polling.is_alive()

    turns.free(place)
    polling.join(30)

    assert not polling.is_alive()


def test_more_receivers_than_one_of_a_lane_receive_only_while_ten_come_each_time() -> None:
    turns = LaneScheduler(ALL, slots=64)
    granted: list[Grant | None] = []
    extra = Thread(target=lambda: granted.append(turns.take(Lane.LOW, 10, is_extra=True)))
    extra.start()
    extra.join(0.05)
    assert extra.is_alive()

    received(turns, Lane.LOW, 10)
    extra.join(30)

    (grant,) = granted
    assert grant is not None
    assert grant.count == 10


def test_whoever_waits_for_a_slot_or_a_turn_learns_that_it_is_over() -> None:
    turns = LaneScheduler(ALL, slots=1, pace=Holding(1))
    running(turns, Lane.LOW, 1)
    (place,) = received(turns, Lane.LOW, 1)
    place.came_at += 3600.0
    begun, threads = in_background(turns, place)

    turns.end()
    threads[0].join(30)

    assert (begun, turns.take(Lane.LOW, 1)) == ([], None)


@pytest.mark.parametrize(
    ("run_s", "slots", "held"),
    [(0.0, 16, 36), (0.0, 1, 21), (0.05, 16, 14), (0.04, 1, 3), (0.1, 10, 10), (0.2, 16, 0), (0.3, 16, 0), (60, 16, 0)],
)
def test_as_much_is_held_ahead_as_begins_soon_where_all_jobs_have_just_begun(
    run_s: float, slots: int, held: int
) -> None:
    assert ahead(a_pace(run_s), slots) == held


@pytest.mark.parametrize(("ran_s", "held"), [(0.0, 0), (0.07, 0), (0.08, 16), (0.2, 16), (0.32, 16), (0.33, 0), (9, 0)])
def test_jobs_of_200_ms_are_followed_by_one_each_once_they_are_about_to_end_and_by_none_if_they_do_not(
    ran_s: float, held: int
) -> None:
    assert ahead(a_pace(0.2, receive_s=0.02, claim_s=0.02), 16, ran_s=ran_s) == held


def test_more_is_held_ahead_where_calls_take_longer() -> None:
    assert ahead(a_pace(0.05, receive_s=0.02, claim_s=0.015), 16) == 32
