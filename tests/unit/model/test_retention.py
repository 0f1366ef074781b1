from __future__ import annotations

from datetime import timedelta

import pytest

from lanework import InvalidOptionError, State
from lanework.model.lifecycle.retention import Cleaning, Retention, beyond, cleanings_of
from lanework.testing import NOON
from tests.support.factories import a_record

HOUR = timedelta(hours=1)


def ended(number: int, *, state: State = State.COMPLETED, queue: str = "email", hours_ago: int = 0) -> object:
    return a_record(job_id=f"job-{number}", state=state, queue=queue, due_at=None, ended_at=NOON - hours_ago * HOUR)


def ids(records: list[object], *cleanings: Cleaning) -> list[str]:
    return [record.job_id for record in beyond(records, cleanings)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("keep", "retired"), [(0, ["job-0", "job-1", "job-2"]), (2, ["job-2"]), (3, []), (9, [])])
def test_all_but_the_newest_are_beyond(keep: int, retired: list[str]) -> None:
    assert retired == ids([ended(number) for number in range(3)], Cleaning(state=State.COMPLETED, keep=keep))


def test_each_queue_keeps_its_own() -> None:
    records = [ended(number, queue="email" if number % 2 else "report") for number in range(6)]

    assert ids(records, Cleaning(state=State.COMPLETED, keep=1)) == ["job-2", "job-3", "job-4", "job-5"]
    assert ids(records, Cleaning(state=State.COMPLETED, keep=1, queue="email")) == ["job-3", "job-5"]


def test_jobs_in_other_states_are_neither_kept_nor_retired() -> None:
    records = [
        ended(0, state=State.DEAD),
        ended(1),
        a_record(job_id="waits"),
        ended(2, state=State.CANCELLED),
        ended(3),
    ]

    assert ids(records, Cleaning(state=State.COMPLETED, keep=1)) == ["job-3"]
    assert ids(records, Cleaning(state=State.DEAD, keep=0)) == ["job-0"]


def test_what_is_young_stays_but_counts_among_the_newest() -> None:
    records = [ended(number, hours_ago=number) for number in range(4)]
    old = NOON - 2 * HOUR

    assert ids(records, Cleaning(state=State.COMPLETED, ended_before=old)) == ["job-3"]
    assert ids(records, Cleaning(state=State.COMPLETED, ended_before=NOON, keep=2)) == ["job-2", "job-3"]


def test_a_job_that_two_cleanings_want_is_retired_once() -> None:
    everything = Cleaning(state=State.COMPLETED)

    assert ids([ended(0)], everything, Cleaning(state=State.COMPLETED, queue="email")) == ["job-0"]


def test_what_families_keep_is_asked_for_queue_by_queue_and_zero_is_a_number() -> None:
    retentions = {"report": Retention(completed=0), "email": Retention(completed=100, failed=500), "x": Retention()}

    assert cleanings_of(retentions) == (
        Cleaning(state=State.COMPLETED, queue="email", keep=100),
        Cleaning(state=State.DEAD, queue="email", keep=500),
        Cleaning(state=State.COMPLETED, queue="report", keep=0),
    )


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ({"state": State.RUNNING}, "only jobs that have ended can be cleaned away, not running ones"),
        ({"state": State.DEAD, "keep": -1}, "keep must be 0 .* or more, got -1"),
    ],
)
def test_what_cannot_be_cleaned_is_refused(facts: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidOptionError, match=complaint):
        Cleaning(**facts)  # type: ignore[arg-type]
