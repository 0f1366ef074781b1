from __future__ import annotations

from collections import Counter
from datetime import timedelta
from threading import Condition, Event, Thread

import pytest

from lanework.edges.process.lane_scheduler import HELD_PER_SLOT, LaneScheduler, Precedence
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


def test_a_slot_is_taken_again_while_the_end_of_its_job_is_being_written() -> None:
    turns = LaneScheduler(ALL, slots=2)
    assert turns.take(Lane.LOW, 2) == 2

    turns.free()

    assert turns.take(Lane.LOW, 2) == 1


def test_no_more_is_held_than_two_messages_for_each_slot_however_long_their_ends_take_to_write() -> None:
    turns, taken = LaneScheduler(ALL, slots=3), 0
    for _ in range(HELD_PER_SLOT):
        taken += turns.take(Lane.LOW, 10)
        for _ in range(3):
            turns.free()
    assert taken == 3 * HELD_PER_SLOT

    waiting = Thread(target=turns.take, args=(Lane.LOW, 10))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    turns.let_go()
    waiting.join(10)

    assert not waiting.is_alive()


def test_who_waits_for_ten_slots_is_not_woken_for_one() -> None:
    woken = Wakes()
    turns = LaneScheduler(ALL, slots=10, gather_s=3600.0, changed=woken)
    turns.take(Lane.LOW, 10)
    turns.free()
    waiting = Thread(target=turns.take, args=(Lane.LOW, 10))
    woken.times = 0
    waiting.start()
    assert woken.is_waiting.wait(30)

    for _ in range(8):
        turns.free()
    assert woken.times == 0
    turns.free()
    waiting.join(30)

    assert (waiting.is_alive(), woken.times) == (False, 2), "by the tenth slot, and to tell others that it was taken"


def test_all_is_over_only_when_what_ran_is_written_too() -> None:
    turns = LaneScheduler(ALL, slots=1)
    turns.take(Lane.LOW, 1)
    turns.free()
    assert not turns.wait_until_free(timedelta(0), unless=NEVER)

    turns.let_go()

    assert turns.wait_until_free(timedelta(0), unless=NEVER)
