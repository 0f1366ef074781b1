"""docs/at-scale.md: its numbers are those that bench/at_scale.py computes from what was counted."""

from __future__ import annotations

from bench.at_scale import DAYS, PAGE, SIZES, limits, per_month, usd_a_million, written
from lanework.model.lanes import LANES, Lane


def test_the_numbers_are_those_that_are_computed() -> None:
    assert written(PAGE.read_text()) == PAGE.read_text(), "run: python -m bench.at_scale"


def test_a_bigger_batch_costs_less_and_a_hundred_times_the_jobs_a_hundred_times_as_much() -> None:
    assert per_month(Lane.MEDIUM, SIZES["1 million"], batch=10) < per_month(Lane.MEDIUM, SIZES["1 million"])
    assert round(per_month(Lane.LOW, 10_000_000) / per_month(Lane.LOW, 100_000), 3) == 100


def test_the_first_limit_of_a_lane_is_its_own_workers() -> None:
    for lane in Lane:
        assert limits(lane)[0].jobs_per_s == LANES[lane].workers * 10, "a job of 100 ms"


def test_a_million_jobs_cost_from_their_counts_what_lanework_costs_would_say() -> None:
    for batch in (1, 5, 10):
        a_day = per_month(Lane.MEDIUM, SIZES["1 million"], batch=batch) / DAYS

        assert round(usd_a_million(batch), 3) == round(a_day, 3)
    assert usd_a_million(10, record="start") < usd_a_million(10) < usd_a_million(1)
    assert usd_a_million(10, record="start", sent=10, is_provisioned=True) <= 1.5
