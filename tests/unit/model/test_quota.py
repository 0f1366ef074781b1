"""A quota's window: never more than n within any `per`, and never more careful than a sixtieth of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanework import Quota
from lanework.model.limits import BUCKETS, Full, Window, forgotten_at, spend
from lanework.testing import NOON

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
TICK = timedelta(microseconds=1)

windows = st.timedeltas(min_value=SECOND, max_value=timedelta(days=7))
sizes = st.integers(min_value=1, max_value=5)


def accepted(quota: Quota, moments: list[datetime]) -> list[datetime]:
    window: Window | None = None
    through: list[datetime] = []
    for moment in moments:
        match spend(window, quota, now=moment):
            case Window() as window:
                through.append(moment)
            case Full():
                pass
    return through


def filled(quota: Quota, *moments: datetime) -> Window:
    window: Window | None = None
    for moment in moments:
        after = spend(window, quota, now=moment)
        assert isinstance(after, Window)
        window = after
    assert window is not None
    return window


@given(quota=st.builds(Quota, sizes, windows), gaps=st.lists(st.floats(0, 1.1), max_size=60), start=st.datetimes())
def test_no_window_ever_holds_more_than_the_quota(quota: Quota, gaps: list[float], start: datetime) -> None:
    moments = [NOON + (start - datetime(2000, 1, 1)) % quota.per]  # noqa: DTZ001 - only its remainder is used
    for gap in gaps:
        moments.append(moments[-1] + quota.per * gap / quota.n)

    through = accepted(quota, moments)

    for first, last in zip(through, through[quota.n :], strict=False):
        assert last - first > quota.per, "more than n within per, its two ends included"


@given(quota=st.builds(Quota, sizes, windows), waits=st.lists(st.floats(0, 0.3), min_size=5, max_size=5))
def test_a_refusal_names_the_first_moment_at_which_one_more_fits(quota: Quota, waits: list[float]) -> None:
    moments = [NOON]
    for wait in waits:
        moments.append(moments[-1] + quota.per * wait / 5)
    window = filled(quota, *moments[: quota.n])

    full = spend(window, quota, now=moments[quota.n])

    assert isinstance(full, Full)
    assert isinstance(spend(window, quota, now=full.retry_at - TICK), Full)
    assert isinstance(spend(window, quota, now=full.retry_at), Window)


@given(quota=st.builds(Quota, sizes, windows), start=st.timedeltas(timedelta(0), timedelta(days=7)))
def test_it_is_too_careful_by_a_sixtieth_at_most(quota: Quota, start: timedelta) -> None:
    full = spend(filled(quota, *[NOON + start] * quota.n), quota, now=NOON + start)

    assert isinstance(full, Full)
    assert quota.per < full.retry_at - (NOON + start) <= quota.per + quota.per / BUCKETS + 2 * TICK


@given(quota=st.builds(Quota, sizes, windows), jumps=st.lists(st.floats(-0.9, 0.9), max_size=40))
def test_a_clock_that_runs_behind_lets_nothing_more_through(quota: Quota, jumps: list[float]) -> None:
    moments = [NOON + quota.per * jump for jump in jumps]
    through = accepted(quota, moments)

    as_counted = [max(through[: index + 1]) for index in range(len(through))]
    for first, last in zip(as_counted, as_counted[quota.n :], strict=False):
        assert last - first > quota.per * (1 - 1 / BUCKETS)


def test_a_quota_of_one_a_minute_lets_one_through_a_minute_and_a_second() -> None:
    quota = Quota(1, per=MINUTE)

    through = accepted(quota, [NOON + number * SECOND for number in range(200)])

    assert {timedelta(seconds=61)} == {later - earlier for earlier, later in pairwise(through)}


def test_a_window_is_kept_as_short_text_and_comes_back() -> None:
    quota = Quota(1_000_000, per=HOUR)
    window = filled(quota, *[NOON + number * MINUTE for number in range(200)])

    assert window == Window.of(window.text)
    assert (BUCKETS + 1, 61) == (len(window.counts), sum(window.counts))
    assert len(Window(first=window.first, counts=(999_999,) * (BUCKETS + 1)).text) < 600


@pytest.mark.parametrize("per", [SECOND, timedelta(seconds=7, microseconds=1), HOUR, timedelta(days=7)])
def test_what_is_forgotten_no_longer_counts(per: timedelta) -> None:
    quota = Quota(1, per=per)
    window = filled(quota, NOON)

    assert isinstance(spend(window, quota, now=forgotten_at(window, quota) - TICK), Full)
    assert Window(first=window.first + 61, counts=(1,)) == spend(window, quota, now=forgotten_at(window, quota))
