"""Workflows, who waits for whom, and the records of jobs that wait, on every endpoint."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lanework.model.job.ids import SHARDS
from lanework.model.lifecycle import dependency_moves
from lanework.model.lifecycle.change import Applied, Refused
from lanework.model.lifecycle.states import State
from lanework.model.workflow.shard import Shard, slot_of, value_of
from lanework.model.workflow.workflow import Kind, WorkflowRecord
from lanework.testing import NOON
from tests.support.backends import ids_due
from tests.support.factories import a_record

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.model.lifecycle.states import JobRecord
    from tests.support.backends import Backend


def waiting(*after: str) -> JobRecord:
    return dependency_moves.blocked(a_record(), after=after, on_failure="run", takes="rows")


def test_children_are_read_page_by_page_in_their_order(backend: Backend) -> None:
    store = backend.ports.workflows
    children = [f"child-{number:02}" for number in range(30)]
    store.add_children([("parent", one) for one in reversed(children)])
    store.add_children([("parent", "child-00"), ("other", "child-99"), ("parent", "~last")])

    first = store.children("parent", after=None, limit=20)
    rest = store.children("parent", after=first[-1], limit=20)

    assert first + rest == [*children, "~last"]
    assert store.children("parent", after="~last", limit=20) == []
    assert store.children("nobody", after=None, limit=20) == []


def test_a_waiting_jobs_record_comes_back_as_it_was_put(backend: Backend) -> None:
    ledger = backend.ports.ledger
    record = waiting("b", "a")

    assert ledger.put_many([record]) == [None]
    assert ledger.get("job-1") == record
    assert ledger.get_many(["job-1", "nobody"], consistent=True) == {"job-1": record}
    assert record.open_parents == ("a", "b")


def test_of_two_who_strike_off_a_parent_at_once_one_is_refused(backend: Backend) -> None:
    ledger = backend.ports.ledger
    seen = waiting("a", "b")
    ledger.put(seen)

    first = ledger.change("job-1", dependency_moves.wait_for_fewer(seen, left=("b",)))
    late = ledger.change("job-1", dependency_moves.wait_for_fewer(seen, left=("a",)))

    assert isinstance(first, Applied)
    assert isinstance(late, Refused)
    assert late.record == replace(seen, open_parents=("b",))
    unblocked = dependency_moves.unblock(
        first.record, now=NOON, look_ahead=backend.ports.look_ahead, payload='{"rows":[1]}'
    )
    answer = ledger.change("job-1", unblocked)
    assert isinstance(answer, Applied)
    assert (answer.record.state, answer.record.open_parents, answer.record.payload) == (
        State.QUEUED,
        (),
        '{"rows":[1]}',
    )
    second = dependency_moves.unblock(
        first.record, now=NOON + timedelta(seconds=1), look_ahead=backend.ports.look_ahead, payload='{"rows":[1]}'
    )
    assert isinstance(ledger.change("job-1", second), Refused)


def test_waiting_jobs_are_found_when_they_are_to_be_looked_at(backend: Backend) -> None:
    ledger = backend.ports.ledger
    ledger.put(waiting("a"))
    shard = next(n for n in range(4) if ledger.held(dependency_moves.BLOCKED, n, limit=10))

    assert ledger.held(dependency_moves.BLOCKED, shard, limit=10, until=NOON) == []
    assert ledger.held(dependency_moves.BLOCKED, shard, limit=10, until=NOON + dependency_moves.FIRST_LOOK) == ["job-1"]
    assert ids_due(ledger, shard, until=NOON + dependency_moves.LONGEST_LOOK, limit=10) == [], "no tick sends it"


def test_a_parent_is_told_that_others_wait_for_it_unless_it_has_ended(backend: Backend) -> None:
    ledger = backend.ports.ledger
    ledger.put(a_record())
    ledger.put(a_record(job_id="over"))
    ledger.change("over", dependency_moves.cancel_blocked(a_record(job_id="over"), now=NOON, expires_at=NOON))

    told = ledger.change("job-1", dependency_moves.attach())
    assert isinstance(told, Applied)
    assert told.record.has_children


def a_workflow(workflow_id: str = "flow-1", **facts: Any) -> WorkflowRecord:
    ordinary: dict[str, Any] = {"kind": Kind.BATCH, "created_at": NOON, "jobs": 300, "shards": 2, "allotted_at": NOON}
    return WorkflowRecord(workflow_id=workflow_id, expires_at=NOON + timedelta(days=3650), **(ordinary | facts))


def a_shard(number: int = 1, **facts: Any) -> Shard:
    ordinary: dict[str, Any] = {"size": 256, "created_at": NOON}
    return Shard(workflow_id="flow-1", number=number, **(ordinary | facts))


def test_a_workflow_is_written_only_as_it_was_read(backend: Backend) -> None:
    store = backend.ports.workflows
    assert store.get("flow-1") is None

    first = store.write(a_workflow(parent="outer", slot=256))
    assert first == a_workflow(parent="outer", slot=256, revision=1)
    assert store.get("flow-1") == first
    assert store.get_many(["flow-1", "flow-2"]) == {"flow-1": first}
    assert store.get_many([]) == {}
    assert store.write(a_workflow()) is None, "there is one"

    ended = replace(first, sealed=True, ended=frozenset({1, 2}), completed=frozenset({2}), has_failed=True)
    closed = replace(ended, closed_at=NOON, cancelled_at=NOON, completed_at=NOON, has_cancelled=True, given_up=True)
    assert store.write(closed) == store.get("flow-1") == replace(closed, revision=2)
    assert store.write(ended) is None, "somebody was faster"


def test_workflows_are_listed_by_day_newest_first(backend: Backend) -> None:
    store = backend.ports.workflows
    for number in range(7):
        store.write(a_workflow(f"flow-{number}", created_at=NOON + timedelta(minutes=number)))
    store.write(a_workflow("yesterday", created_at=NOON - timedelta(days=1)))

    found: list[str] = []
    cursor: str | None = None
    for _ in range(8):
        page = store.recent(day="2026-01-02", before=cursor, limit=3)
        found += [key.job_id for key in page.keys]
        cursor = page.cursor
        if cursor is None:
            break

    assert found == [f"flow-{number}" for number in reversed(range(7))]
    assert backend.ports.ledger.recent(day="2026-01-02", before=None, limit=10, keep=None).keys == ()


def test_a_shard_keeps_the_largest_number_of_each_place(backend: Backend) -> None:
    store = backend.ports.workflows
    store.make_shards([(a_shard(look_at=NOON), ["a", "b"]), (a_shard(2, size=44), ["c"])])
    store.make_shards([(a_shard(size=1), ["other"])])

    dead, completed = value_of(1, State.DEAD), value_of(2, State.COMPLETED)
    assert store.record_end("flow-1", slot_of(1, 7), dead) == a_shard(look_at=NOON, outcomes={7: dead})
    assert store.record_end("flow-1", slot_of(1, 7), completed) == a_shard(look_at=NOON, outcomes={7: completed})
    late = store.record_end("flow-1", slot_of(1, 7), dead)
    assert late == a_shard(look_at=NOON, outcomes={7: completed})
    assert store.record_end("flow-1", slot_of(3, 0), dead) is None, "there is no such shard"
    assert store.shards("flow-1", [2, 1, 3]) == [late, a_shard(2, size=44)]
    assert (store.names("flow-1", 1), store.names("flow-1", 2), store.names("flow-1", 3)) == (("a", "b"), ("c",), ())


def test_shards_are_found_when_they_are_to_be_looked_at(backend: Backend) -> None:
    store = backend.ports.workflows
    later = NOON + timedelta(minutes=5)

    def due(until: datetime) -> set[tuple[str, int]]:
        return {one for partition in range(SHARDS) for one in store.due_shards(partition, until=until, limit=10)}

    store.make_shards([(a_shard(number, look_at=NOON), ["a"]) for number in range(1, 6)])
    assert due(NOON - timedelta(milliseconds=1)) == set()
    assert due(NOON) == {("flow-1", number) for number in range(1, 6)}

    store.look_later(a_shard(1), later)
    store.look_later(a_shard(2), None)
    store.look_later(a_shard(99), later)
    assert due(NOON) == {("flow-1", 3), ("flow-1", 4), ("flow-1", 5)}
    assert due(later) == {("flow-1", 1), ("flow-1", 3), ("flow-1", 4), ("flow-1", 5)}
    assert store.shards("flow-1", [99]) == []


def test_a_record_keeps_its_place_in_its_workflow(backend: Backend) -> None:
    record = replace(a_record(), workflow="flow-1", slot=slot_of(1, 0))

    backend.ports.ledger.put(record)

    assert backend.ports.ledger.get("job-1") == record
