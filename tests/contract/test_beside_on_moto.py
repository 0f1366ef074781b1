"""How long a job's steps are kept in DynamoDB, on moto."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from lanework.aws.clients import Clients
from lanework.aws.ledger.item import pk_of
from lanework.aws.ledger.steps_and_logs import Beside, key_beside
from lanework.settings import Settings
from lanework.testing import Clock
from tests.support.stacks import REGION, make_stack

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = timedelta(days=1)


@pytest.fixture(name="table")
def a_table(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Clients, str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    stack = f"steps-{uuid4().hex[:8]}"
    make_stack(stack, moto_endpoint)
    return Clients(Settings(stack=stack, region=REGION, endpoint=moto_endpoint)), f"{stack}-jobs"


def days_left(table: tuple[Clients, str], clock: Clock, job_id: str = "job-1") -> dict[str, int]:
    """Return a job's steps, and in how many days DynamoDB may delete each."""
    clients, name = table
    items: list[Any] = clients.dynamodb.scan(TableName=name, ConsistentRead=True)["Items"]
    now = clock().timestamp()
    return {
        one["sk"]["S"]: round((int(one["expires_at"]["N"]) - now) / DAY.total_seconds())
        for one in items
        if one["pk"]["S"] == pk_of(job_id)
    }


@pytest.mark.parametrize(
    "come_by",
    [lambda beside: beside.step("job-1", "charge"), lambda beside: beside.keep_first("job-1", "charge", '"again"')],
    ids=["a step that was done", "a wait that was asked for"],
)
def test_a_job_that_goes_on_after_months_finds_all_its_steps_and_signals(
    table: tuple[Clients, str], come_by: Callable[[Beside], str]
) -> None:
    clock = Clock()
    beside = Beside(*table, clock=clock)
    for name in ("charge", "signal/approved"):
        beside.keep_step("job-1", name, '"left"')
    beside.keep_step("job-2", "charge", '"left"')

    clock.advance(60 * DAY)
    assert come_by(beside) == '"left"'

    assert days_left(table, clock) == {"step#charge": 90, "step#signal/approved": 90}
    assert days_left(table, clock, "job-2") == {"step#charge": 30}


def test_a_step_that_dynamodb_deletes_while_the_others_are_kept_on_stays_gone(
    table: tuple[Clients, str],
) -> None:
    clock = Clock()
    beside = Beside(*table, clock=clock)
    for name in ("charge", "old"):
        beside.keep_step("job-1", name, '"left"')
    clock.advance(60 * DAY)
    client = table[0].dynamodb

    def delete_what_was_found(**_: object) -> None:
        client.delete_item(TableName=table[1], Key=key_beside("job-1", "step#old"))

    client.meta.events.register("after-call.dynamodb.Query", delete_what_was_found)
    assert beside.step("job-1", "charge") == '"left"'

    assert days_left(table, clock) == {"step#charge": 90}


def test_a_step_that_is_days_old_costs_no_write_more(table: tuple[Clients, str]) -> None:
    clock = Clock()
    beside = Beside(*table, clock=clock)
    beside.keep_step("job-1", "charge", '"left"')

    clock.advance(10 * DAY)
    assert beside.step("job-1", "charge") == '"left"'

    assert days_left(table, clock) == {"step#charge": 80}
