"""An item that this code can't read is a record all the same, which says so."""

from __future__ import annotations

from typing import Any

import pytest

from lanework.aws.ledger.item import JobItem, to_item
from lanework.aws.ledger.read_back import to_record
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause, State
from tests.support.factories import a_record

BEYOND = {"N": "9" * 38}


def an_item(**attributes: Any) -> dict[str, Any]:
    """Return a job's item with some of its attributes replaced; None takes one away."""
    item = to_item(a_record(cause=Cause.INFRA), JobItem) | attributes
    return {name: value for name, value in item.items() if value is not None}


@pytest.mark.parametrize(
    ("odd", "damage"),
    [
        ({"state": {"S": "frozen"}}, "state: 'frozen' is not a valid State"),
        ({"lane": {"S": "urgent"}}, "lane: 'urgent' is not a valid Lane"),
        ({"state": None}, "state: is missing"),
        ({"attempts": {"S": "three"}}, "attempts: "),
        ({"due_at": BEYOND}, "due_at: "),
        ({"backoff_base": BEYOND}, "backoff_base: "),
        ({"created_at": None}, "created_at: is missing"),
        ({"type": {"L": []}}, "type: "),
    ],
)
def test_what_a_run_needs_and_cant_be_read_makes_the_state_unknown(odd: dict[str, Any], damage: str) -> None:
    record = to_record(an_item(**odd), JobItem)

    assert (record.job_id, record.state) == ("job-1", State.UNKNOWN)
    assert (record.damage or "").startswith(damage)
    assert (record.error or "").startswith(f"its record can't be read: {damage}")


def test_an_item_of_nothing_but_its_key_is_a_record() -> None:
    record = to_record({"pk": {"S": "job#lost"}, "sk": {"S": "job"}}, JobItem)

    assert (record.job_id, record.state, record.lane, record.life) == ("lost", State.UNKNOWN, Lane.MEDIUM, 1)


@pytest.mark.parametrize(
    "odd",
    [
        {"failures": {"S": "no json"}},
        {"failures": {"S": "[[1]]"}},
        {"failures": {"S": "[" * 100_000}},
        {"headers": {"S": "[1]"}},
        {"headers": {"S": '{"a": 1}'}},
        {"cause": {"S": "boredom"}},
        {"progress": {"S": "half"}},
    ],
)
def test_what_no_run_needs_is_left_out_and_named(odd: dict[str, Any]) -> None:
    record = to_record(an_item(**odd), JobItem)

    assert record.state is State.QUEUED
    assert (record.damage or "").startswith(f"{next(iter(odd))}: ")
