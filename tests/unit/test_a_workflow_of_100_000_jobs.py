"""
The largest workflow that may be: no item over 400 KB, and no key that is written over a thousand times a second.

Its items are made by the code that DynamoDB's are made by, and measured by DynamoDB's own rule.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from lanework import App, Discard, Jobs, Run, WorkflowState, batch
from lanework.aws.ledger.item import JobItem, to_item
from lanework.aws.workflows.workflow_items import names_item, root_item, shard_item
from lanework.aws.workflows.workflows import DynamoWorkflows
from lanework.engine.execution.outcome import LARGEST_RESULT
from lanework.engine.jobtypes.options import MOST_PARENTS
from lanework.memory import MemoryWorkflows
from lanework.model.job.headers import MOST_BYTES
from lanework.model.job.ids import checked_job_id, checked_workflow_id
from lanework.model.job.payload import INLINE_PAYLOAD
from lanework.model.lifecycle.dependency_moves import blocked
from lanework.model.lifecycle.run_moves import KEPT_FAILURES, LONGEST_ERROR
from lanework.model.lifecycle.states import Failure
from lanework.model.workflow.shard import SHARD, Shard, place_of
from lanework.model.workflow.workflow import MOST_JOBS, MOST_SHARDS, Kind, WorkflowRecord
from lanework.testing import NOON, EventList, app_in_memory, drain
from tests.support.factories import a_record
from tests.support.proof_size import IS_FULL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from lanework.model.events import Event

LARGEST_ITEM = 400 * 1024
UNITS_A_SECOND = 1_000
"""Writes of 1 KB that one partition key takes (DynamoDB, "Best practices for designing and using partition keys")."""

UNIT = 1024
"""Bytes of an item that one of them writes."""

JOBS = MOST_JOBS if IS_FULL else 10_000
"""How many run: a part of them in `make test`, all in `make proof`."""

SHARDS = -(-JOBS // SHARD)
WORKFLOW_ID = checked_workflow_id("w" * 96)
A_NAME = f"workflow/{checked_job_id('n' * 128)}/completed"
"""The longest of what is waited for or named in a workflow, and more."""

MOMENTS = ("created_at", "allotted_at", "closed_at", "completed_at", "cancelled_at", "expires_at")

DIES = 97
"""One of so many jobs dies in its first life."""


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": lambda text: len(text.encode()),
    "N": lambda digits: (len(digits) + 1) // 2 + 1,
    "BOOL": lambda _: 1,
}


def size_of(item: dict[str, dict[str, Any]]) -> int:
    """Return the bytes of an item, names and values (DynamoDB, "Item sizes and formats")."""
    return sum(
        len(name.encode()) + _SIZES[kind](value) for name, typed in item.items() for kind, value in typed.items()
    )


def units_of(item: dict[str, Any]) -> int:
    return -(-size_of(item) // UNIT)


def a_full_shard(value: int) -> Shard:
    outcomes = dict.fromkeys(range(SHARD), value)
    return Shard(workflow_id=A_NAME, number=MOST_SHARDS, size=SHARD, created_at=NOON, outcomes=outcomes, look_at=NOON)


def a_full_workflow(shards: int) -> WorkflowRecord:
    every = frozenset(range(1, shards + 1))
    moments: Any = dict.fromkeys(MOMENTS, NOON)
    return WorkflowRecord(
        workflow_id=A_NAME,
        kind=Kind.CHAIN,
        jobs=MOST_JOBS,
        shards=shards,
        ended=every,
        completed=every,
        parent=A_NAME,
        slot=MOST_SHARDS * SHARD,
        revision=MOST_JOBS,
        **moments,
    )


def test_the_items_of_a_workflow_are_small_with_the_longest_names_and_the_most_shards() -> None:
    names = [A_NAME] * SHARD
    largest = {
        "names": size_of(names_item(a_full_shard(1), names)),
        "shard": size_of(shard_item(a_full_shard(999_999))),
        "root": size_of(root_item(a_full_workflow(MOST_SHARDS))),
    }

    assert max(largest.values()) < LARGEST_ITEM // 8, largest
    assert largest["shard"] <= 3 * UNIT, "each end writes it"


def test_who_waits_for_a_workflow_is_an_item_for_each_that_does() -> None:
    written: list[dict[str, Any]] = []

    def batch_write_item(RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - boto's
        written.extend(one["PutRequest"]["Item"] for requests in RequestItems.values() for one in requests)
        return {}

    clients: Any = SimpleNamespace(dynamodb=SimpleNamespace(batch_write_item=batch_write_item))
    DynamoWorkflows(clients, stack="shop").add_children([(A_NAME, f"{A_NAME}{number}") for number in range(30)])

    assert len(written) == 30
    assert max(map(size_of, written)) < UNIT


def test_a_job_of_a_workflow_fits_with_all_that_may_be_long_about_it() -> None:
    error = "🦇" * LONGEST_ERROR
    waiting = blocked(
        a_record(), after=[f"{A_NAME}{n}" for n in range(MOST_PARENTS)], on_failure="cancel", takes="n" * 64
    )
    record = replace(
        waiting,
        job_id="n" * 128,
        type="t" * 100,
        queue="q" * 64,
        tenant="t" * 128,
        headers=(("h", "v" * MOST_BYTES),),
        webhook="w" * 500,
        payload="p" * INLINE_PAYLOAD,
        result="r" * LARGEST_RESULT,
        error=error,
        failures=(Failure(life=9, attempt=9, at=NOON, error=error),) * KEPT_FAILURES,
        workflow=WORKFLOW_ID,
        slot=MOST_SHARDS * SHARD,
    )

    assert LARGEST_RESULT < size_of(to_item(record, JobItem)) < LARGEST_ITEM


class Nothing(BaseModel):
    pass


class Number(BaseModel):
    n: int


class Silence(EventList):
    """A sink for events that nobody reads."""

    def emit(self, event: Event) -> None: ...


class CountedWorkflows(MemoryWorkflows):
    """
    One workflow in memory, and how often each of its items was to be written.

    Attributes:
        root: The workflow's own item.
        shard_writes: The items of the shards, by number.
    """

    def __init__(self) -> None:
        super().__init__()
        self.root = 0
        self.shard_writes: Counter[int] = Counter()

    def write(self, record: WorkflowRecord) -> WorkflowRecord | None:
        self.root += 1
        return super().write(record)

    def make_shards(self, shards: Sequence[tuple[Shard, Sequence[str]]]) -> None:
        self.shard_writes.update(shard.number for shard, _ in shards)
        super().make_shards(shards)

    def record_end(self, workflow_id: str, slot: int, value: int) -> Shard | None:
        self.shard_writes[place_of(slot)[0]] += 1
        return super().record_end(workflow_id, slot, value)

    def look_later(self, shard: Shard, at: datetime | None) -> None:
        self.shard_writes[shard.number] += 1
        super().look_later(shard, at)


class Crowd:
    """An application whose jobs die once, every so often; and what was called back."""

    def __init__(self) -> None:
        family = Jobs(queue="crowd", lane="medium", attempts=1)
        self.called: list[str] = []
        self.is_mended = False

        @family.job("crowd.one")
        def one(number: Number) -> None:
            if number.n % DIES == 0 and not self.is_mended:
                reason = "not yet"
                raise Discard(reason)

        @family.job("crowd.called-back", lane="low")
        def called_back(_: Nothing, run: Run) -> None:
            self.called.append(run.job_id.rpartition(".")[2])

        self.app = app_in_memory(App(family), events=Silence())
        self.store = CountedWorkflows()
        self.app.use(replace(self.app.ports, workflows=self.store))
        steps = (one.request(Number(n=n), job_id=f"{n:06}".rjust(128, "j")) for n in range(JOBS))
        back = called_back.request(Nothing())
        self.plan = batch(steps, on_success=back, on_complete=back, on_failure=back)

    @property
    def state(self) -> WorkflowState:
        return self.app.workflows.get(WORKFLOW_ID).record.state


def test_the_jobs_of_a_large_workflow_end_call_back_once_each_and_write_no_key_too_often() -> None:
    """
    One in 97 dies and is redriven, so that every kind of write is there.

    DynamoDB takes 1,000 write units a second for a key, a unit for each KB of the item. A shard of 256 is written once
    for each end: made, 256 ends, three more for those that die and are redriven, and its entry taken away, which is 261
    writes of up to 3 KB. That is 783 units, so all of a shard's jobs may end within one second. The workflow's own item
    is written when a shard has ended, and again when it has completed after a redrive: 785 times, 4 KB each. Within a
    minute that is 53 units a second, within four seconds 785.
    """
    crowd = Crowd()
    crowd.app.workflows.enqueue(crowd.plan, workflow_id=WORKFLOW_ID)
    drain(crowd.app)
    assert (crowd.state, sorted(crowd.called)) == (WorkflowState.FAILED, ["on-complete", "on-failure"])

    crowd.is_mended = True
    assert crowd.app.workflows.retry(WORKFLOW_ID) == -(-JOBS // DIES)
    drain(crowd.app)

    assert (crowd.state, crowd.called[2:]) == (WorkflowState.COMPLETED, ["on-success"])
    assert crowd.app.workflows.get(WORKFLOW_ID).counts.completed == JOBS
    own, shards = crowd.store.root, crowd.store.shard_writes
    assert (len(shards), max(shards.values())) == (SHARDS, SHARD + 5)
    assert own == 2 * SHARDS + 3, "recorded, sealed, the first death; and twice for each shard"
    found = crowd.store.get(WORKFLOW_ID)
    assert found is not None
    largest = max(map(shard_item, crowd.store.shards(WORKFLOW_ID, range(1, SHARDS + 1))), key=size_of)
    assert max(shards.values()) * units_of(largest) <= UNITS_A_SECOND, "though a shard's jobs end within a second"
    assert own * units_of(root_item(found)) <= 4 * UNITS_A_SECOND, "though all of them end within four"
