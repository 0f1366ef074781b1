"""Conditional writes of threads that share a call: they do what each would have done alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import product
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from lanework.aws.clients import Clients
from lanework.aws.ledger.group_commit import Declined, GroupCommit, GroupCommitLedger, Written
from lanework.aws.ledger.item import items_of
from lanework.aws.ledger.partiql import statement_of
from lanework.engine.messaging.delivery import Ack
from lanework.model.lanes import Lane
from lanework.model.lifecycle import claim_moves, operator_moves, park_moves, retention, run_moves
from lanework.model.lifecycle.change import Applied, Change
from lanework.model.lifecycle.states import Cause, Failure, JobRecord, State
from lanework.settings import Settings
from lanework.testing import NOON
from tests.support.factories import LEASE, a_record
from tests.support.small_world import Greeting, World, a_started_world
from tests.support.stacks import REGION, make_stack

__all__ = ["a_started_world"]

SECOND = timedelta(seconds=1)
KEPT_UNTIL = NOON + timedelta(days=8)

QUEUED = a_record()
RUNNING = replace(
    QUEUED,
    state=State.RUNNING,
    claim_id="claim-1",
    attempts=1,
    due_at=NOON + LEASE,
    first_started_at=NOON,
    started_at=NOON,
)
RETRYING = replace(
    RUNNING,
    state=State.RETRYING,
    due_at=NOON,
    error="OSError: no",
    failures=(Failure(attempt=1, life=1, at=NOON, error="OSError: no"),),
)
RECORDS = {
    "queued": QUEUED,
    "worth starting": replace(QUEUED, start_by=NOON + SECOND),
    "too late to start": replace(QUEUED, start_by=NOON),
    "not due": replace(QUEUED, due_at=NOON + SECOND),
    "asked to cancel": replace(QUEUED, cancel_asked=True),
    "another life": replace(QUEUED, life=2),
    "running": RUNNING,
    "abandoned": replace(RUNNING, due_at=NOON),
    "another's run": replace(RUNNING, claim_id="claim-2"),
    "retrying": RETRYING,
    "exhausted": replace(RETRYING, attempts=3),
    "dead": replace(RETRYING, state=State.DEAD, cause=Cause.EXHAUSTED, due_at=None, sweep_at=NOON, ended_at=NOON),
    "swept": replace(QUEUED, state=State.SCHEDULED, sweep_at=NOON),
}
CHANGES: dict[str, Change] = {
    "claim": claim_moves.claim(life=1, claim_id="mine", now=NOON, lease=LEASE),
    "claim after crash": claim_moves.claim_after_crash(RUNNING, claim_id="mine", now=NOON, lease=LEASE),
    "complete": run_moves.complete(
        claim_id="claim-1", now=NOON, result='{"n": 1}', result_omitted=None, expires_at=KEPT_UNTIL
    ),
    "retry": run_moves.retry(RUNNING, error="OSError: no", now=NOON, wait=SECOND),
    "hand to sweep": run_moves.hand_to_sweep(RUNNING, error="OSError: no", now=NOON, wait=SECOND),
    "die": run_moves.die(RUNNING, cause=Cause.EXHAUSTED, error="OSError: no", now=NOON, expires_at=KEPT_UNTIL),
    "snooze": park_moves.snooze(RUNNING, now=NOON, wait=SECOND),
    "give back": park_moves.requeue(RUNNING, due_at=NOON),
    "give back unbegun": park_moves.unclaim(RUNNING),
    "beat": run_moves.beat(claim_id="claim-1", until=NOON + LEASE * 2),
    "cancel a waiting one": operator_moves.cancel_waiting(now=NOON, expires_at=KEPT_UNTIL),
    "redrive": operator_moves.redrive(RECORDS["dead"], now=NOON),
    "retire": retention.retire(replace(RECORDS["dead"], expires_at=KEPT_UNTIL)),
}


class Table:
    """A ledger and what lies under it, with its calls counted."""

    def __init__(self, endpoint: str) -> None:
        self.stack = stack = f"together-{uuid4().hex[:8]}"
        make_stack(stack, endpoint)
        settings = Settings(stack=stack, region=REGION, endpoint=endpoint, account="000000000000")
        self.clients = Clients(settings)
        self.calls: Counter[str] = Counter()
        self.items = 0
        self.clients.dynamodb.meta.events.register("before-call.dynamodb", self._count)
        self.ledger = GroupCommitLedger(self.clients, stack=stack, region=REGION)
        self.name = f"{stack}-jobs"
        self.model = items_of(self.name, region=REGION)

    def _count(self, model: Any, params: dict[str, Any], **_: object) -> None:
        self.calls[model.name] += 1
        self.items += len(json.loads(params["body"]).get("Statements", "1"))

    def stored(self, job_id: str) -> JobRecord:
        record = self.ledger.get(job_id)
        assert record is not None
        return record

    def stated(self, job_id: str, change: Change) -> Written | Declined | None:
        """Carry a change out as a statement, in a group of its own; None where it is to be written singly."""
        statement = statement_of(change, self.model, job_id, self.name)
        if statement is None:
            return None
        answer = GroupCommit(self.clients).write(job_id, statement.request)
        return None if isinstance(answer, Declined) and statement.is_narrower else answer

    def at_once(self, count: int, write: Callable[[int], object]) -> list[object]:
        """Let so many threads write at the same moment."""
        start = Barrier(count)

        def one(number: int) -> object:
            start.wait()
            return write(number)

        with ThreadPoolExecutor(count) as threads:
            return list(threads.map(one, range(count)))


@pytest.fixture(params=["ministack", "moto"])
def table(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Table:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    return Table(request.getfixturevalue(f"{request.param}_endpoint"))


@pytest.mark.parametrize("table", ["ministack"], indirect=True)
def test_a_statement_does_what_the_single_write_does(table: Table) -> None:
    differing: list[tuple[str, str]] = []
    stated_starts = 0
    for number, (record, change) in enumerate(product(RECORDS, CHANGES)):
        alone, stated = f"alone-{number}", f"stated-{number}"
        for job_id in (alone, stated):
            table.ledger.put(replace(RECORDS[record], job_id=job_id))
        expected = table.ledger.change(alone, CHANGES[change])
        answer = table.stated(stated, CHANGES[change])
        if answer is None:
            answer_is_right = table.stored(stated) == replace(RECORDS[record], job_id=stated)
        else:
            is_same = table.stored(stated) == replace(table.stored(alone), job_id=stated)
            answer_is_right = is_same and isinstance(answer, Written) == isinstance(expected, Applied)
            stated_starts += change == "claim"
        if not answer_is_right:
            differing.append((record, change))

    assert differing == []
    assert stated_starts == 2, "a first start, from the queue or from the sweep, needs no single write"


@pytest.mark.parametrize("table", ["ministack"], indirect=True)
def test_writes_that_meet_share_a_call_where_the_endpoint_has_partiql(table: Table) -> None:
    ids = [f"job-{number}" for number in range(24)]
    table.ledger.put_many([a_record(job_id=one) for one in ids])
    table.calls.clear()
    patient = GroupCommitLedger(table.clients, stack=table.stack, region=REGION, wait=SECOND)  # on a busy machine, too
    patient.expect(24)

    claimed = table.at_once(
        24,
        lambda number: patient.change(
            ids[number], claim_moves.claim(life=1, claim_id=f"claim-{number}", now=NOON, lease=LEASE)
        ),
    )

    assert all(isinstance(one, Applied) for one in claimed)
    assert {record.claim_id for record in table.ledger.get_many(ids).values()} == {f"claim-{n}" for n in range(24)}
    assert table.calls["UpdateItem"] + table.calls["BatchExecuteStatement"] <= 8


@pytest.mark.parametrize("table", ["ministack"], indirect=True)
def test_records_that_starts_make_share_a_call_and_who_has_an_id_is_said(table: Table) -> None:
    ids = [f"job-{number}" for number in range(24)]
    table.ledger.put(replace(RUNNING, job_id=ids[0], claim_id="another's"))
    table.ledger.put(replace(RUNNING, job_id=ids[1], claim_id="over", expires_at=NOON))
    table.ledger.put(replace(RUNNING, job_id=ids[2], claim_id="claim-2"))
    patient = GroupCommitLedger(table.clients, stack=table.stack, region=REGION, wait=SECOND)
    table.calls.clear()
    patient.expect(24)

    found = table.at_once(
        24, lambda number: patient.put(replace(RUNNING, job_id=ids[number], claim_id=f"claim-{number}"))
    )

    assert found == [replace(RUNNING, job_id=ids[0], claim_id="another's"), *[None] * 23], "one had landed before"
    stored = [table.stored(one).claim_id for one in ids]
    assert stored == ["another's", *(f"claim-{number}" for number in range(1, 24))]
    assert table.calls["PutItem"] + table.calls["BatchExecuteStatement"] <= 8


@pytest.mark.parametrize("table", ["ministack"], indirect=True)
def test_sixteen_jobs_that_are_recorded_when_they_start_are_two_writes_each_in_few_calls(
    table: Table, started: World
) -> None:
    patient = GroupCommitLedger(table.clients, stack=table.stack, region=REGION, wait=SECOND)
    started.app.use(replace(started.app.ports, ledger=patient))
    started.greet.enqueue_many([Greeting(name=str(number)) for number in range(16)])
    lanes: Any = started.app.ports.lanes
    bodies = [one.body for one in lanes.queues[Lane.HIGH].messages]
    assert (len(bodies), table.calls.total()) == (16, 0), "an enqueue asks DynamoDB for nothing"
    patient.expect(16)

    assert table.at_once(16, lambda number: started.execute(bodies[number])) == [Ack()] * 16

    assert sorted(started.greeted) == sorted((str(number), 1) for number in range(16))
    assert table.items == 32, "each is inserted by its claim, and completed"
    assert table.calls.total() <= 8


@pytest.mark.parametrize("table", ["ministack"], indirect=True)  # moto carries out two updates of an item at once
def test_of_writes_to_the_same_job_one_wins(table: Table) -> None:
    table.ledger.put(a_record())

    claimed = table.at_once(
        12,
        lambda number: table.ledger.change(
            "job-1", claim_moves.claim(life=1, claim_id=f"claim-{number}", now=NOON, lease=LEASE)
        ),
    )

    winners = [one.record.claim_id for one in claimed if isinstance(one, Applied)]
    assert len(winners) == 1
    assert (table.stored("job-1").claim_id, table.stored("job-1").attempts) == (winners[0], 1)


@pytest.mark.parametrize("table", ["moto"], indirect=True)
def test_an_endpoint_without_partiql_is_asked_for_it_once_only(table: Table) -> None:
    change = claim_moves.claim(life=1, claim_id="mine", now=NOON, lease=LEASE)
    ids = [f"job-{number}" for number in range(32)]
    for one in ids:
        table.ledger.put(a_record(job_id=one))

    for start in range(0, 32, 8):
        answers = table.at_once(8, lambda index, start=start: table.ledger.change(ids[start + index], change))  # type: ignore[misc]
        assert all(isinstance(one, Applied) for one in answers)

    assert table.calls["BatchExecuteStatement"] <= 8, "the first round's, with boto's repetitions"
