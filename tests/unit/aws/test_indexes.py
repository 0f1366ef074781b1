from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from lanework.aws.ledger.indexes import recent_page, summary_of
from lanework.aws.ledger.item import JobItem, recent_shard_of, to_item
from lanework.engine.ports.index_keys import JobKey
from lanework.model.job.ids import SHARDS, shard_of
from lanework.testing import NOON
from tests.support.factories import a_record

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from lanework.engine.ports.index_keys import Page

DAY = "2026-01-02"
JOBS = 100_000


@dataclass(slots=True)
class Index:
    """A day of the `recent` index, as DynamoDB's Query reads it: a sorted list for each of its partitions."""

    partitions: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    queries: int = 0

    def query(self, **request: Any) -> dict[str, Any]:
        self.queries += 1
        values = request["ExpressionAttributeValues"]
        keys = self.partitions[values[":shard"]["S"]]
        end = bisect_left(keys, values[":before"]["S"]) if ":before" in values else len(keys)
        start = max(0, end - request["Limit"])
        answer: dict[str, Any] = {"Items": [{"recent_key": {"S": key}} for key in reversed(keys[start:end])]}
        return answer | ({"LastEvaluatedKey": {}} if start else {})


@pytest.fixture(scope="module", name="full")
def a_full_day() -> Index:
    index = Index()
    for number in range(JOBS):
        created = NOON + number * timedelta(milliseconds=100)
        key = JobKey(
            created_at=created, queue="rare" if number % 20_000 == 7 else "email", type="t", job_id=str(number)
        )
        index.partitions[recent_shard_of(DAY, shard_of(key.job_id))].append(key.position)
    return index


def page_of(index: Index, *, before: str | None = None, limit: int = 100, queue: str | None = None) -> Page[JobKey]:
    keep = None if queue is None else lambda key: key.queue == queue
    client = cast("DynamoDBClient", index)
    return recent_page(client, "shop-jobs", day=DAY, before=before, limit=limit, keep=keep)[0]


@pytest.mark.parametrize("queue", [None, "email", "rare", "none-of-them"])
def test_a_page_of_a_hundred_thousand_jobs_is_one_query_a_shard(full: Index, queue: str | None) -> None:
    full.queries = 0

    page_of(full, queue=queue)

    assert full.queries == SHARDS


def test_an_unfiltered_page_is_full_although_it_asks_each_shard_once(full: Index) -> None:
    page = page_of(full)

    assert [str(number) for number in range(JOBS - 1, JOBS - 101, -1)] == [key.job_id for key in page.keys]


def test_what_is_rare_is_found_page_by_page_none_left_out_none_twice(full: Index) -> None:
    found: list[str] = []
    before, full.queries = None, 0
    while True:
        page = page_of(full, before=before, queue="rare")
        found += [key.job_id for key in page.keys]
        before = page.cursor
        if before is None:
            break

    assert ["80007", "60007", "40007", "20007", "7"] == found
    assert full.queries < 2 * JOBS / 1000, "each look reads the keys of its own part of the day, not the day again"


@pytest.mark.parametrize(
    "odd",
    [
        {"lane": {"S": "express"}},
        {"lane": {"L": []}},
        {"type": {"BOOL": True}},
        {"life": {"N": "1.5"}},
        {"created_at": {"N": "9" * 38}},
        {"due_at": {"S": "noon"}},
    ],
)
def test_the_summary_of_a_job_that_cant_be_read_says_so_and_nothing_else(odd: dict[str, Any]) -> None:
    found = summary_of(to_item(a_record(due_at=NOON), JobItem) | odd)

    assert (found.job_id, found.is_unsent) == ("job-1", False)
    assert found.damage


def test_a_key_of_the_index_that_cant_be_read_hides_none_beside_it() -> None:
    index = Index()
    key = JobKey(created_at=NOON, queue="email", type="t", job_id="healthy")
    index.partitions[recent_shard_of(DAY, shard_of("healthy"))] += [key.position, "later-release"]

    assert [one.job_id for one in page_of(index).keys] == ["healthy"]
