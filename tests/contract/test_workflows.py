"""Who waits for whom, and the records of jobs that wait, on every endpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lanework.model import blocking
from lanework.model.change import Applied, Refused
from lanework.model.states import State
from lanework.testing import NOON
from tests.factories import a_record

if TYPE_CHECKING:
    from lanework.model.states import JobRecord
    from tests.contract.conftest import Backend


def waiting(*after: str) -> JobRecord:
    return blocking.blocked(a_record(), after=after, on_failure="run", takes="rows")


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

    first = ledger.change("job-1", blocking.wait_for_fewer(seen, left=("b",)))
    late = ledger.change("job-1", blocking.wait_for_fewer(seen, left=("a",)))

    assert isinstance(first, Applied)
    assert isinstance(late, Refused)
    assert late.record == replace(seen, open_parents=("b",))
    unblocked = blocking.unblock(first.record, now=NOON, look_ahead=backend.ports.look_ahead, payload='{"rows":[1]}')
    answer = ledger.change("job-1", unblocked)
    assert isinstance(answer, Applied)
    assert (answer.record.state, answer.record.open_parents, answer.record.payload) == (
        State.QUEUED,
        (),
        '{"rows":[1]}',
    )
    assert isinstance(ledger.change("job-1", unblocked), Refused)


def test_waiting_jobs_are_found_when_they_are_to_be_looked_at(backend: Backend) -> None:
    ledger = backend.ports.ledger
    ledger.put(waiting("a"))
    shard = next(n for n in range(4) if ledger.held(blocking.BLOCKED, n, limit=10))

    assert ledger.held(blocking.BLOCKED, shard, limit=10, until=NOON) == []
    assert ledger.held(blocking.BLOCKED, shard, limit=10, until=NOON + blocking.FIRST_LOOK) == ["job-1"]
    assert ledger.due(shard, until=NOON + blocking.LONGEST_LOOK, limit=10) == [], "no tick sends it"


def test_a_parent_is_told_that_others_wait_for_it_unless_it_has_ended(backend: Backend) -> None:
    ledger = backend.ports.ledger
    ledger.put(a_record())
    ledger.put(a_record(job_id="over"))
    ledger.change("over", blocking.cancel_blocked(a_record(job_id="over"), now=NOON, expires_at=NOON))

    told = ledger.change("job-1", blocking.attach())
    assert isinstance(told, Applied)
    assert told.record.has_children
