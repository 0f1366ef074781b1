from __future__ import annotations

from collections import Counter

import pytest

from lanework.edges.process.turns import Precedence
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
