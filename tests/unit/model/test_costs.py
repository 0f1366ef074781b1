from __future__ import annotations

from datetime import date, timedelta

import pytest

from lanework.model.costs.costs import Prices, Usage, costs_of
from lanework.model.lanes import Lane
from lanework.model.stats.numbers import Count, Key, Numbers
from lanework.observe.prices import FILE, prices

DAY = timedelta(days=1)
HIGH = Key(lane=Lane.HIGH)
OTP = Key(lane=Lane.HIGH, queue="email", type="user.otp")
MAIL = Key(lane=Lane.HIGH, queue="email", type="user.mail")

ONES = Prices(
    as_of=date(2026, 11, 24),
    region="us-east-1",
    sqs_request_usd=1,
    write_unit_usd=1,
    provisioned_write_unit_hour_usd=1,
    invocation_usd=1,
    gb_second_usd=1,
    log_gb_usd=1,
)


def ran(times: int, *, run_ms: int = 100) -> Numbers:
    counts: dict[str, int] = {
        Count.FIRST_STARTS: times,
        Count.STARTED: times,
        Count.COMPLETED: times,
        Count.RUN_MS: times * run_ms,
    }
    return Numbers({**counts})


def invoked(times: int, *, gb_seconds: float = 0.0) -> Numbers:
    return Numbers({Count.INVOCATIONS: times, Count.BILLED_MB_MS: round(gb_seconds * 1024 * 1000)})


def test_a_job_of_its_own_invocation_costs_three_requests_four_units_and_one_for_the_numbers() -> None:
    (cost,) = costs_of({OTP: ran(10), HIGH: invoked(10, gb_seconds=2)}, ONES, over=DAY).types

    assert ("user.otp", 10, 0.0) == (cost.type, cost.jobs, cost.retries_usd)
    assert (30, 50, 10, 2) == (
        *(cost.usage.sqs_requests, cost.usage.write_units),
        *(cost.usage.invocations, cost.usage.gb_seconds),
    )


def test_batches_save_receives_and_invocations() -> None:
    (cost,) = costs_of({OTP: ran(100), HIGH: invoked(10)}, ONES, over=DAY).types

    assert (100 + 20, 400 + 10, 10) == (cost.usage.sqs_requests, cost.usage.write_units, cost.usage.invocations)


def test_a_type_whose_records_are_made_by_their_starts_costs_a_unit_less_a_job_and_no_less_a_retry() -> None:
    often = Numbers({Count.FIRST_STARTS: 10, Count.STARTED: 12, Count.COMPLETED: 10, Count.FAILED: 2})
    numbers = {OTP: often, HIGH: invoked(1)}
    (full,) = costs_of(numbers, ONES, over=DAY).types
    (start,) = costs_of(numbers, ONES, over=DAY, recorded_at_start={"user.otp"}).types

    assert full.usage.write_units - start.usage.write_units == 10
    assert full.retries_usd == start.retries_usd


def test_the_time_of_a_lane_is_shared_by_the_time_that_its_types_ran() -> None:
    numbers = {OTP: ran(10, run_ms=300), MAIL: ran(10, run_ms=100), HIGH: invoked(20, gb_seconds=8)}
    costs = {one.type: one.usage.gb_seconds for one in costs_of(numbers, ONES, over=DAY).types}

    assert {"user.otp": 6, "user.mail": 2} == costs


def test_what_retries_add_is_told() -> None:
    counts: dict[str, int] = {Count.FIRST_STARTS: 1, Count.STARTED: 2, Count.FAILED: 1, Count.COMPLETED: 1}
    numbers = Numbers({**counts, Count.RUN_MS: 400, Count.RETRIES_MS: 100})
    (cost,) = costs_of({OTP: numbers, HIGH: invoked(2, gb_seconds=4)}, ONES, over=DAY).types

    # A change of visibility, a receive, a delete; a claim, an end, the numbers; an invocation; a quarter of the time.
    assert cost.retries_usd == pytest.approx(3 + 3 + 1 + 1, abs=1e-5)
    assert cost.usd > cost.retries_usd


def test_a_death_costs_an_index_entry_and_a_ticket_more_than_another_end() -> None:
    died = Numbers({Count.FIRST_STARTS: 1, Count.STARTED: 1, Count.DEAD: 1})
    (dead,) = costs_of({OTP: died, HIGH: invoked(1)}, ONES, over=DAY).types
    (done,) = costs_of({OTP: ran(1), HIGH: invoked(1)}, ONES, over=DAY).types

    assert (1, 1) == (
        dead.usage.write_units - done.usage.write_units,
        dead.usage.sqs_requests - done.usage.sqs_requests,
    )


def test_idle_polling_of_a_lane_costs_what_aws_says_it_does() -> None:
    idle = costs_of({}, prices(), over=timedelta(days=30)).idle_usd

    assert idle / 5 == pytest.approx(0.26, abs=0.005)


def test_a_million_short_jobs_cost_about_what_was_reckoned_by_hand() -> None:
    gb_seconds = 1_000_000 * 0.1 * 0.25
    (one,) = costs_of({OTP: ran(1_000_000), HIGH: invoked(1_000_000, gb_seconds=gb_seconds)}, prices(), over=DAY).types
    (ten,) = costs_of({OTP: ran(1_000_000), HIGH: invoked(100_000, gb_seconds=gb_seconds)}, prices(), over=DAY).types

    of_logs = one.usage.log_bytes / 1024**3 * 0.5
    assert one.usd - of_logs == pytest.approx(1.2 + 3.125 + 0.2 + 0.333, abs=0.01)
    assert ten.usd < one.usd
    assert one.usd_per_million == pytest.approx(one.usd)


def test_a_type_that_did_not_start_has_no_price_of_a_million() -> None:
    (cost,) = costs_of({OTP: Numbers({Count.TURNED_AWAY: 3})}, prices(), over=DAY).types

    assert cost.usd_per_million is None


def test_usage_is_priced_line_by_line() -> None:
    assert Usage(sqs_requests=1, write_units=2, invocations=3, gb_seconds=4, log_bytes=1024**3 * 5).usd(ONES) == 15


def test_prices_are_of_one_file_with_a_date() -> None:
    assert FILE.name == "prices.json"
    assert prices().as_of == date(2026, 11, 24)


def test_write_units_by_the_hour_cost_two_fifths_of_those_on_demand_if_they_come_evenly() -> None:
    costs = costs_of({OTP: ran(1_000_000), HIGH: invoked(100_000)}, prices(), over=DAY)
    a_second = 4_100_000 / DAY.total_seconds()
    provisioned = a_second / 0.7 * 24 * 0.00065

    assert costs.writes_usd == pytest.approx(2.5625)
    assert costs.provisioned_writes_usd == pytest.approx(provisioned) == pytest.approx(1.057, abs=0.001)
