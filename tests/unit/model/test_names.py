from __future__ import annotations

import pytest

from lanework.errors import InvalidOptionError, UnknownLaneError
from lanework.model.job.ids import SHARDS, checked_job_id, checked_job_type, checked_queue, shard_of
from lanework.model.lanes import Lane, lane_of


@pytest.mark.parametrize(
    ("word", "lane"),
    [
        ("critical", Lane.CRITICAL),
        ("HIGH", Lane.HIGH),
        ("normal", Lane.MEDIUM),
        (1, Lane.CRITICAL),
        ("5", Lane.BATCH),
        (Lane.LOW, Lane.LOW),
    ],
)
def test_a_lane_is_known_by_its_name_its_number_and_normal(word: str | int, lane: Lane) -> None:
    assert lane == lane_of(word)


@pytest.mark.parametrize("word", ["hihg", "", 0, 6, "urgent"])
def test_any_other_word_is_refused(word: str | int) -> None:
    with pytest.raises(UnknownLaneError):
        lane_of(word)


def test_a_misspelt_lane_is_told_the_nearest() -> None:
    with pytest.raises(UnknownLaneError, match="unknown lane 'hihg', did you mean 'high'"):
        lane_of("hihg")


@pytest.mark.parametrize("job_id", ["a", "signin-42", "daily@2026-01-02T03:00:00+08:00", "A" * 128])
def test_an_id_may_hold_what_urls_and_queues_carry(job_id: str) -> None:
    assert checked_job_id(job_id) == job_id


@pytest.mark.parametrize("job_id", ["", "-a", "a b", "a/b", "a#b", "А", "a\n", "A" * 129])
def test_any_other_id_is_refused(job_id: str) -> None:
    with pytest.raises(InvalidOptionError, match="job_id"):
        checked_job_id(job_id)


@pytest.mark.parametrize("name", ["", "Email", "a..b", "a#b", "a" * 101])
def test_a_job_type_needs_a_dotted_name(name: str) -> None:
    with pytest.raises(InvalidOptionError, match="job type"):
        checked_job_type(name)


@pytest.mark.parametrize("name", ["", "E-mail", "a.b", "a#b"])
def test_a_queue_needs_one_word(name: str) -> None:
    with pytest.raises(InvalidOptionError, match="queue"):
        checked_queue(name)


def test_ids_spread_over_all_shards() -> None:
    assert {shard_of(f"job-{number}") for number in range(100)} == set(range(SHARDS))
