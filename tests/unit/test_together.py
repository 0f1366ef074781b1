"""Which writes share a call: those of threads that are expected, and no write waits once all of them have come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from lanework.aws.clients import Clients
from lanework.aws.ledger.bulk_writes import BulkPut
from lanework.aws.ledger.group_commit import GroupCommit, Written

FOREVER = timedelta(hours=1)


@dataclass(slots=True)
class Dynamo:
    """
    Writes everything.

    Attributes:
        sizes: How much came in each call.
        refusals: What the first calls are answered with instead.
    """

    sizes: list[int] = field(default_factory=list)
    refusals: list[ClientError] = field(default_factory=list)

    def batch_execute_statement(self, *, Statements: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto's
        self.sizes.append(len(Statements))
        if self.refusals:
            raise self.refusals.pop()
        return {"Responses": [{"Item": statement} for statement in Statements]}


def a_group(dynamo: Dynamo, *, wait: timedelta) -> GroupCommit:
    return GroupCommit(cast("Clients", SimpleNamespace(dynamodb=dynamo)), wait=wait)


def write_all(together: GroupCommit, count: int) -> list[object]:
    def one(number: int) -> object:
        with together.company() as has_company:
            answer = together.write(f"job-{number}", {"n": number}) if has_company else None
        together.expect(-1)
        return answer

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def test_writes_that_are_expected_go_together_and_at_once_when_all_have_come() -> None:
    dynamo = Dynamo()
    together = a_group(dynamo, wait=FOREVER)
    together.expect(8)

    answers = write_all(together, 8)

    assert dynamo.sizes == [8]
    assert answers == [Written({"n": number}) for number in range(8)]


def test_who_does_not_come_is_waited_for_no_longer_than_said() -> None:
    dynamo = Dynamo()
    together = a_group(dynamo, wait=timedelta(milliseconds=1))
    together.expect(3)

    assert write_all(together, 1) == [Written({"n": 0})]


def test_who_leaves_is_waited_for_no_longer() -> None:
    dynamo = Dynamo()
    together = a_group(dynamo, wait=FOREVER)
    together.expect(3)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(write_all, together, 2)
        together.expect(-1)

        assert waiting.result() == [Written({"n": 0}), Written({"n": 1})]
    assert dynamo.sizes == [2]


def test_half_of_those_expected_go_at_once_while_no_call_is_under_way() -> None:
    dynamo = Dynamo()
    together = a_group(dynamo, wait=FOREVER)
    together.expect(32)

    write_all(together, 16)

    assert dynamo.sizes == [16]


def test_a_thread_that_is_alone_writes_by_itself() -> None:
    dynamo = Dynamo()
    together = a_group(dynamo, wait=FOREVER)
    together.expect(1)

    assert write_all(together, 1) == [None]
    assert dynamo.sizes == []


def test_more_than_a_call_takes_goes_in_several() -> None:
    dynamo = Dynamo()
    together = a_group(dynamo, wait=FOREVER)
    together.expect(60)

    write_all(together, 60)

    assert sum(dynamo.sizes) == 60
    assert max(dynamo.sizes) == 25


def refusal(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "BatchExecuteStatement",
    )


BUSY = [
    ("ProvisionedThroughputExceededException", 400),
    ("ThrottlingException", 400),
    ("RequestLimitExceeded", 400),
    ("InternalServerError", 500),
    ("ServiceUnavailable", 503),
    ("502", 502),
]
CAN_NOT = [("UnknownOperationException", 400), ("NotImplemented", 501), ("500", 500), ("InternalError", 500)]


@pytest.mark.parametrize(("code", "status"), BUSY)
def test_a_first_call_that_meets_a_busy_service_does_not_turn_shared_calls_off(code: str, status: int) -> None:
    dynamo = Dynamo(refusals=[refusal(code, status)])
    together = a_group(dynamo, wait=FOREVER)

    for answers in ([None, None], [Written({"n": 0}), Written({"n": 1})]):
        together.expect(2)
        assert write_all(together, 2) == answers


@pytest.mark.parametrize(("code", "status"), CAN_NOT)
def test_an_endpoint_that_says_that_it_can_not_is_not_asked_for_shared_calls_again(code: str, status: int) -> None:
    dynamo = Dynamo(refusals=[refusal(code, status)])
    together = a_group(dynamo, wait=FOREVER)

    for _ in range(2):
        together.expect(2)
        assert write_all(together, 2) == [None, None]
    assert dynamo.sizes == [2]


@pytest.mark.parametrize(("code", "status", "calls"), [*[(*one, 2) for one in BUSY], *[(*one, 1) for one in CAN_NOT]])
def test_inserts_of_many_are_tried_again_unless_the_endpoint_can_not(code: str, status: int, calls: int) -> None:
    dynamo = Dynamo(refusals=[refusal(code, status)])
    bulk = BulkPut(cast("Clients", SimpleNamespace(dynamodb=dynamo)), "jobs")

    not_known = None if calls == 2 else False  # what a busy service did isn't known; who can't do it has done nothing
    assert bulk.insert([{"pk": {"S": "a"}}, {"pk": {"S": "b"}}]) == [not_known, not_known]
    assert bulk.insert([{"pk": {"S": "a"}}, {"pk": {"S": "b"}}]) == [calls == 2] * 2
    assert len(dynamo.sizes) == calls
