from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanework.errors import InvalidOptionError
from lanework.model.retry.wait import LONGEST_WAIT, Backoff

whole_seconds = st.integers(min_value=0, max_value=7200).map(lambda seconds: timedelta(seconds=seconds))
chance = st.floats(min_value=0.0, max_value=1.0, exclude_max=True)


def test_the_waits_double_from_two_seconds() -> None:
    waits = [Backoff().wait_after(attempt, rand=lambda: 0.0) for attempt in (1, 2, 3, 4)]

    assert [timedelta(seconds=seconds) for seconds in (2, 4, 8, 16)] == waits


@given(base=whole_seconds, attempt=st.integers(min_value=1, max_value=200), luck=chance)
def test_a_wait_lies_between_the_plain_one_and_a_tenth_more(base: timedelta, attempt: int, luck: float) -> None:
    plain = min(base * 2 ** min(attempt - 1, 30), LONGEST_WAIT)

    wait = Backoff(base=base).wait_after(attempt, rand=lambda: luck)

    assert plain <= wait <= min(plain * 1.1, LONGEST_WAIT)
    assert wait.microseconds == 0


@given(base=whole_seconds, attempt=st.integers(min_value=1, max_value=100), luck=chance)
def test_a_later_attempt_never_waits_less(base: timedelta, attempt: int, luck: float) -> None:
    backoff = Backoff(base=base, jitter=0.0)

    assert backoff.wait_after(attempt, rand=lambda: luck) <= backoff.wait_after(attempt + 1, rand=lambda: luck)


def test_a_base_below_a_second_waits_a_second_rather_than_none() -> None:
    assert Backoff(base=timedelta(milliseconds=300)).wait_after(1, rand=lambda: 0.0) == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base": timedelta(seconds=-1)}, "base must not be negative"),
        ({"ceiling": timedelta(hours=13)}, "at most 12 hours"),
        ({"ceiling": timedelta(0)}, "above zero"),
        ({"jitter": 1.5}, "between 0.0 and 1.0"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidOptionError, match=message):
        Backoff(**options)  # type: ignore[arg-type]
