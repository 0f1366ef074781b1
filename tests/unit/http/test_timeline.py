"""What happened to a job, moment by moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lanework.http.dashboard.timeline import timeline
from lanework.model.lifecycle.states import Cause, Failure, State
from lanework.testing import NOON
from tests.support.factories import a_record

SECOND = timedelta(seconds=1)


def a_failure(attempt: int, *, life: int = 1) -> Failure:
    return Failure(attempt=attempt, life=life, at=NOON + attempt * SECOND, error="ValueError: no")


def titles(**facts: Any) -> list[str]:
    return [one.title for one in timeline(a_record(**facts))]


def test_a_completed_job_started_and_ended() -> None:
    facts = {"state": State.COMPLETED, "attempts": 1, "started_at": NOON, "ended_at": NOON + SECOND}

    assert titles(**facts) == ["Enqueued", "Attempt 1 started", "Completed"]


def test_a_redriven_job_tells_its_lives_apart() -> None:
    failures = (a_failure(1), a_failure(2), a_failure(1, life=2))

    assert titles(state=State.DEAD, life=2, attempts=1, failures=failures, cause=Cause.UNKNOWN_TYPE, error="x") == [
        "Enqueued",
        "Attempt 1 failed",
        "Attempt 2 failed",
        "Redriven: life 2",
        "Attempt 1 failed",
        "Died: unknown type",
    ]


def test_an_end_repeats_no_error_that_its_last_attempt_has_told() -> None:
    facts = {"state": State.DEAD, "failures": (a_failure(1),), "cause": Cause.EXHAUSTED}

    assert timeline(a_record(error="ValueError: no", **facts))[-1].detail is None
    assert timeline(a_record(error="gone", **facts))[-1].detail == "gone"


@pytest.mark.parametrize(
    ("facts", "last"),
    [
        ({"state": State.QUEUED}, "Waits for a worker"),
        ({"state": State.SCHEDULED, "run_at": NOON + SECOND, "due_at": NOON + SECOND}, "Due"),
        ({"state": State.RETRYING, "attempts": 1}, "Attempt 2 due"),
        ({"state": State.PARKED, "held_by": "queue:email"}, "Waits for queue:email"),
        ({"state": State.BLOCKED, "due_at": None}, "Waits for other jobs"),
        ({"state": State.RUNNING, "attempts": 1, "started_at": NOON}, "Running"),
        ({"state": State.RUNNING, "attempts": 1, "started_at": NOON, "cancel_asked": True}, "Asked to stop"),
        ({"state": State.CANCELLED, "ended_at": NOON}, "Cancelled"),
    ],
)
def test_where_a_job_stands_comes_last(facts: dict[str, Any], last: str) -> None:
    assert titles(**facts)[-1] == last
