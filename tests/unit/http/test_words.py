"""Times, durations and numbers in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lanework.http.dashboard import words
from lanework.testing import NOON


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "–"),
        (0, "0 ms"),
        (0.32, "320 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1, "1 s"),
        (1.25, "1.2 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (250, "4 min 10 s"),
        (7_200, "2 h"),
        (86_400 + 3_600, "1 d 1 h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float | None, expected: str) -> None:
    assert expected == words.duration(None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.4, "now"), (-12, "12 s ago"), (-3_700, "1 h ago"), (300, "in 5 min"), (200_000, "in 2 d")],
)
def test_a_moment_is_told_from_now(seconds: float, expected: str) -> None:
    assert expected == words.ago(NOON + timedelta(seconds=seconds), NOON)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1,000"),
        (9_999, "9,999"),
        (10_000, "10k"),
        (12_345, "12.3k"),
        (20_000, "20k"),
        (999_499, "999.5k"),
        (999_500, "999.5k"),
        (999_949, "999.9k"),
        (999_950, "1M"),
        (999_999, "1M"),
        (1_000_000, "1M"),
        (1_049_999, "1M"),
        (4_500_000, "4.5M"),
        (999_999_999, "1,000M"),
    ],
)
def test_a_number_fits_a_narrow_column(value: int, expected: str) -> None:
    assert expected == words.number(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "–"), (1, "100 %"), (0.99999, "99.9 %"), (0, "0 %"), (0.00001, "0.1 %"), (0.5, "50.0 %")],
)
def test_what_is_not_all_of_it_never_reads_as_all(value: float | None, expected: str) -> None:
    assert expected == words.share(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "–"), (0, "$0.00"), (0.000001, "< $0.0001"), (0.0042, "$0.0042"), (1234.5, "$1,234.50")],
)
def test_a_cost_that_is_not_nothing_never_reads_as_nothing(value: float | None, expected: str) -> None:
    assert expected == words.usd(value)


def test_text_that_is_no_json_stays_as_it_is() -> None:
    assert (words.pretty('{"a":1}'), words.pretty("{")) == ('{\n  "a": 1\n}', "{")
