"""The index of recent jobs, spread over more keys than four: what it asks of DynamoDB, and what it finds."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from lanework.aws.ledger.item import JobItem, to_item
from lanework.aws.ledger.recent_index import RecentIndex
from lanework.model.job.ids import SHARDS
from lanework.testing import NOON
from tests.support.factories import a_record

if TYPE_CHECKING:
    from lanework.aws.clients import Clients

DAY = "2026-01-02"
MANY = 32
JOBS = 20_000


@dataclass
class Table:
    """
    The jobs table, as the index reads it.

    Attributes:
        keys: Sort keys of each partition of the index, in order.
        calls: What was called, and how many entries were read.
        refuses: Whether marks are refused, as to a role without the permission.
    """

    keys: dict[str, list[str]] = field(default_factory=dict)
    marks: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    refuses: bool = False

    @property
    def dynamodb(self) -> Table:
        return self

    def add(self, item: dict[str, Any]) -> None:
        self.keys.setdefault(item["recent_shard"]["S"], []).append(item["recent_key"]["S"])

    def put_item(self, **request: Any) -> dict[str, Any]:
        self.calls["put"] += 1
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutItem")
        item = request["Item"]
        self.marks[item["pk"]["S"]] = item
        self.keys.setdefault(item["recent_shard"]["S"], []).append(item["recent_key"]["S"])
        return {}

    def get_item(self, **request: Any) -> dict[str, Any]:
        self.calls["get"] += 1
        found = self.marks.get(request["Key"]["pk"]["S"])
        return {} if found is None else {"Item": found}

    def query(self, **request: Any) -> dict[str, Any]:
        self.calls["query"] += 1
        values = request["ExpressionAttributeValues"]
        keys = sorted(self.keys.get(values[":shard"]["S"], []))
        end = bisect_left(keys, values[":before"]["S"]) if ":before" in values else len(keys)
        start = max(0, end - request["Limit"])
        self.calls["read"] += end - start
        answer: dict[str, Any] = {"Items": [{"recent_key": {"S": key}} for key in reversed(keys[start:end])]}
        return answer | ({"LastEvaluatedKey": {}} if start else {})


def an_index(table: Table, shards: int = SHARDS) -> RecentIndex:
    return RecentIndex(cast("Clients", table), "shop-jobs", shards=shards)


def fill(table: Table, index: RecentIndex, jobs: int = JOBS) -> None:
    for number in range(jobs):
        record = a_record(job_id=f"job-{number}", created_at=NOON + number * timedelta(seconds=1))
        table.add(to_item(record, JobItem, shards=index.shards_to_write(record.created_at)))


def walked(index: RecentIndex, *, pages: int, limit: int = 50) -> list[str]:
    found: list[str] = []
    before = None
    for _ in range(pages):
        page = index.page(day=DAY, before=before, limit=limit, keep=None)
        found += [key.job_id for key in page.keys]
        before = page.cursor
    return found


def test_a_page_reads_as_many_keys_of_a_thousand_jobs_as_of_twenty_thousand() -> None:
    read = []
    for jobs in (1_000, 20_000):
        table = Table()
        fill(table, an_index(table), jobs)
        walked(an_index(table), pages=3)
        read.append(dict(table.calls))

    assert read[0] == read[1] == {"query": 3 * SHARDS, "read": 3 * SHARDS * 51}


def test_four_keys_are_written_without_another_call() -> None:
    table = Table()
    fill(table, an_index(table), 100)

    assert not table.calls


def test_more_keys_cost_a_process_a_write_a_day() -> None:
    table = Table()
    index = an_index(table, MANY)
    fill(table, index, 100)
    index.shards_to_write(NOON + timedelta(days=1))

    assert table.calls == {"put": 2}


def test_a_reader_that_knows_nothing_of_the_keys_finds_each_job_once_for_one_query_of_each_key() -> None:
    table = Table()
    fill(table, an_index(table, MANY))
    table.calls.clear()

    assert walked(an_index(table), pages=4) == [f"job-{number}" for number in range(JOBS - 1, JOBS - 201, -1)]
    assert (table.calls["query"], table.calls["get"]) == (4 * MANY, 0)


def test_a_process_that_begins_with_a_later_page_asks_once_how_many_keys_there_are() -> None:
    table = Table()
    fill(table, an_index(table, MANY))
    first = an_index(table).page(day=DAY, before=None, limit=50, keep=None)
    table.calls.clear()

    other = an_index(table)
    for _ in range(2):
        page = other.page(day=DAY, before=first.cursor, limit=50, keep=None)

        assert [key.job_id for key in page.keys] == [f"job-{JOBS - 51 - number}" for number in range(50)]
    assert (table.calls["query"], table.calls["get"]) == (2 * MANY, 1)


def test_a_mark_that_is_refused_leaves_four_keys_and_isnt_tried_for_each_job() -> None:
    table = Table(refuses=True)
    fill(table, an_index(table, MANY), 100)

    assert table.calls == {"put": 1}
    assert {key.rpartition("#")[2] for key in table.keys} == {str(number) for number in range(SHARDS)}
    assert len(walked(an_index(table), pages=2)) == 100


@pytest.mark.parametrize("shards", [SHARDS, MANY])
def test_a_day_of_fewer_keys_than_a_process_writes_is_read_as_it_is(shards: int) -> None:
    table = Table()
    fill(table, an_index(table, shards), 200)
    table.calls.clear()

    walked(an_index(table, 128), pages=1)

    assert table.calls["query"] == shards
