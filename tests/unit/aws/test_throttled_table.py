"""A table whose provisioned units are used up is an outage of the ledger's: tried again, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from botocore.exceptions import ClientError

from lanework import App, Jobs, UnavailableError
from lanework.aws.ledger.group_commit import GroupCommitLedger
from lanework.engine.ports.ledger import UnavailableOne
from lanework.model.job.envelope import Envelope
from lanework.model.job.guard_items import GuardItem, GuardWrite
from lanework.model.lanes import Lane
from lanework.model.lifecycle import claim_moves
from lanework.testing import NOON, app_in_memory
from tests.support.factories import LEASE, a_record
from tests.support.small_world import Greeting

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.ports.ledger import Ledger

USED_UP = "ProvisionedThroughputExceeded"


class Throttled:
    """DynamoDB, as it answers where a table or one of its indexes has no units left."""

    meta = None

    @property
    def dynamodb(self) -> Throttled:
        return self

    def _refuse(self, **_: Any) -> NoReturn:
        raise ClientError({"Error": {"Code": f"{USED_UP}Exception", "Message": "raise it"}}, "PutItem")

    put_item = update_item = get_item = query = batch_get_item = _refuse

    def batch_execute_statement(self, **request: Any) -> dict[str, Any]:
        """Refuse each statement by itself, in an answer that is no error."""
        return {"Responses": [{"Error": {"Code": USED_UP, "Message": ""}} for _ in request["Statements"]]}

    def transact_write_items(self, **_: Any) -> NoReturn:
        reasons = [{"Code": "None"}, *({"Code": code} for code in (USED_UP, "ThrottlingError"))]
        answer: Any = {"Error": {"Code": "TransactionCanceledException", "Message": ""}, "CancellationReasons": reasons}
        raise ClientError(answer, "TransactWriteItems")


@pytest.fixture(name="ledger")
def a_throttled_ledger() -> Ledger:
    clients: Any = Throttled()
    return GroupCommitLedger(clients, stack="shop", region="eu-west-1")


MARK = GuardWrite(mark=GuardItem(name="unique#key", job_id="job-1", until=NOON), after=None)

WRITES: dict[str, Callable[[Ledger], object]] = {
    "enqueue": lambda ledger: ledger.put(a_record()),
    "enqueue with a guard": lambda ledger: ledger.put_guarded(a_record(), [MARK]),
    "claim": lambda ledger: ledger.change("job-1", claim_moves.claim(life=1, claim_id="c", now=NOON, lease=LEASE)),
    "get": lambda ledger: ledger.get("job-1"),
    "list": lambda ledger: ledger.recent(day="2026-01-02", before=None, limit=10),
    "sweep": lambda ledger: ledger.due(0, until=NOON, limit=10),
}


@pytest.mark.parametrize("what", WRITES)
def test_a_table_without_units_left_is_asked_again(ledger: Ledger, what: str) -> None:
    with pytest.raises(UnavailableError):
        WRITES[what](ledger)


def test_many_jobs_are_each_left_unrecorded_by_it(ledger: Ledger) -> None:
    answers = ledger.put_many([a_record(job_id="job-1"), a_record(job_id="job-2")])

    assert [type(one) for one in answers] == [UnavailableOne, UnavailableOne]


def test_an_enqueue_that_meets_it_is_sent_without_a_record(ledger: Ledger) -> None:
    email = Jobs(queue="email")

    @email.job("user.greeting")
    def greet(_: Greeting) -> None:
        """Do nothing."""

    app = app_in_memory(App(email))
    app.use(replace(app.ports, ledger=ledger))

    greet.enqueue(Greeting(name="Bat"), job_id="job-1")

    lanes: Any = app.ports.lanes
    assert Envelope.decode(lanes.receive(Lane.MEDIUM).body).unrecorded
