from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lanework import Cause, Lane, State
from lanework.errors import UnknownNameError, word_of
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.job.fingerprint import fingerprint
from lanework.testing import NOON
from tests.support.factories import a_record

HOUR = timedelta(hours=1)
DEAD = a_record(state=State.DEAD, ended_at=NOON, cause=Cause.EXHAUSTED, error="OSError: no Route to 10.0.0.1")


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        ({"lane": Lane.HIGH}, {"lane": Lane.LOW}),
        ({"queue": "email"}, {"queue": "report"}),
        ({"type": "user.greeting"}, {"type": "user.greet"}),
        ({"cause": Cause.EXHAUSTED}, {"cause": Cause.CRASHED}),
        ({"error": "ROUTE to"}, {"error": "timeout"}),
        ({"fingerprint": fingerprint("OSError: no Route to 10.9.9.9")}, {"fingerprint": "00000000"}),
        ({"died_before": NOON + HOUR}, {"died_before": NOON}),
        ({"died_after": NOON}, {"died_after": NOON + HOUR}),
        ({"job_ids": ("job-0", "job-1")}, {"job_ids": ("job-2",)}),
    ],
)
def test_a_filter_lets_through_what_it_names_and_nothing_else(asked: dict[str, Any], other: dict[str, Any]) -> None:
    assert DeadFilter(**asked).matches(DEAD)
    assert not DeadFilter(**other).matches(DEAD)
    assert not DeadFilter(**{"lane": Lane.HIGH, **other}).matches(DEAD)


def test_only_the_dead_are_meant() -> None:
    assert DeadFilter().matches(DEAD)
    assert not DeadFilter().matches(a_record())


def test_a_filter_reads_as_what_was_asked_for() -> None:
    asked = DeadFilter(lane=Lane.HIGH, error="no route", died_before=NOON, job_ids=("a", "b"))

    assert str(asked) == "lane high, error with 'no route', died before 2026-01-02 12:00:00Z, one of 2 ids"
    assert str(DeadFilter()) == ""


def test_a_cause_is_read_as_people_write_it_and_a_wrong_one_names_the_nearest() -> None:
    assert [Cause.UNKNOWN_TYPE] * 2 == [
        word_of("cause", Cause, "unknown-type"),
        word_of("cause", Cause, "UNKNOWN_TYPE"),
    ]
    with pytest.raises(UnknownNameError, match="unknown cause 'exausted', did you mean 'exhausted'"):
        word_of("cause", Cause, "exausted")
