from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from lanework.aws.clients import Clients
from lanework.aws.ledger.bulk_writes import read_all
from lanework.errors import UnavailableError

KEYS = [{"pk": {"S": f"job#{number}"}} for number in range(250)]


@dataclass
class BusyTable:
    """
    DynamoDB with a table that answers in part, and is its own `Clients`.

    Attributes:
        reads: How many items each call reads, at most; later ones read nothing.
        asked: How many keys each call named.
    """

    reads: list[int]
    asked: list[int] = field(default_factory=list)

    @property
    def dynamodb(self) -> BusyTable:
        return self

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - as boto3's
        keys = RequestItems["jobs"]["Keys"]
        self.asked.append(len(keys))
        count = self.reads.pop(0) if self.reads else 0
        left = {"jobs": {**RequestItems["jobs"], "Keys": keys[count:]}} if keys[count:] else {}
        return {"Responses": {"jobs": keys[:count]}, "UnprocessedKeys": left}


def read(table: BusyTable, keys: list[dict[str, Any]], pauses: list[float]) -> list[dict[str, Any]]:
    return list(read_all(cast("Clients", table), "jobs", keys, pause=pauses.append))


def test_what_a_busy_table_leaves_out_is_asked_for_again_after_longer_and_longer_pauses() -> None:
    table, pauses = BusyTable([0, 30, 69, 1]), list[float]()

    assert read(table, KEYS[:100], pauses) == KEYS[:100]
    assert (table.asked, pauses) == ([100, 100, 70, 1], [0.05, 0.1, 0.2])


def test_no_call_names_more_than_a_hundred_keys() -> None:
    table, pauses = BusyTable([100] * 3), list[float]()

    assert read(table, KEYS, pauses) == KEYS
    assert (table.asked, pauses) == ([100, 100, 50], [])


def test_nothing_is_asked_for_without_keys() -> None:
    table = BusyTable([])

    assert (read(table, [], []), table.asked) == ([], [])


def test_what_stays_unread_is_not_taken_for_what_is_not_there() -> None:
    table = BusyTable([1])

    with pytest.raises(UnavailableError, match="too busy: 1 of 2 items were not read"):
        read(table, KEYS[:2], [])
    assert len(table.asked) == 6
