"""Each conditional write, its answer lost: the client repeats it, and what refuses the second try is the first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from lanework.aws.clients import Clients
from lanework.aws.flags import DynamoFlags
from lanework.aws.ledger.group_commit import GroupCommitLedger
from lanework.aws.limits import DynamoLimits
from lanework.aws.schedules import DynamoSchedules
from lanework.aws.statistics import DynamoStatistics
from lanework.aws.workflows.workflows import DynamoWorkflows
from lanework.engine.ports.statistics import Total
from lanework.errors import UnavailableError
from lanework.model.job.guard_items import GuardItem, GuardWrite
from lanework.model.lifecycle import claim_moves, operator_moves, retention, run_moves
from lanework.model.lifecycle.change import Applied, StepExists
from lanework.model.lifecycle.states import State
from lanework.model.limits import Window
from lanework.model.schedule.schedule import Schedule, ScheduleRecord, Source
from lanework.model.schedule.timetable import Timetable
from lanework.model.stats.alerts import Alerts
from lanework.model.workflow.shard import Shard, slot_of
from lanework.model.workflow.workflow import Kind, WorkflowRecord
from lanework.settings import Settings
from lanework.testing import NOON
from tests.support.endpoints import endpoints
from tests.support.factories import LEASE, a_record
from tests.support.lost_answers import Wire
from tests.support.stacks import REGION, make_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.model.lifecycle.change import Change

SECOND = timedelta(seconds=1)
LATER = NOON + 30 * SECOND
LARGE = '"' + "x" * 2_000 + '"'


@dataclass(frozen=True, slots=True)
class Table:
    """What is kept in one table, and the wire to it."""

    ledger: GroupCommitLedger
    limits: DynamoLimits
    workflows: DynamoWorkflows
    schedules: DynamoSchedules
    flags: DynamoFlags
    statistics: DynamoStatistics
    wire: Wire


@pytest.fixture(name="table", params=endpoints("moto", "ministack"))
def a_table(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Table:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    stack, endpoint = f"lost-{uuid4().hex[:8]}", request.getfixturevalue(f"{request.param}_endpoint")
    make_stack(stack, endpoint)
    clients, wire = Clients(Settings(stack=stack, region=REGION, endpoint=endpoint)), Wire()
    wire.stand_before(clients.dynamodb)
    return Table(
        ledger=GroupCommitLedger(clients, stack=stack, region=REGION),
        limits=DynamoLimits(clients, stack=stack),
        workflows=DynamoWorkflows(clients, stack=stack),
        schedules=DynamoSchedules(clients, stack=stack),
        flags=DynamoFlags(clients, stack=stack),
        statistics=DynamoStatistics(clients, stack=stack),
        wire=wire,
    )


def running(table: Table, **facts: Any) -> None:
    table.ledger.put(a_record(**facts))
    table.ledger.change("job-1", claim_moves.claim(life=1, claim_id="mine", now=NOON, lease=LEASE))


@pytest.mark.parametrize("payload", ['{"name":"Bat"}', LARGE], ids=["a small payload", "a payload beside it"])
def test_an_enqueue_meets_itself_and_is_no_duplicate(table: Table, payload: str) -> None:
    record = a_record(payload=payload)

    table.wire.lose = 2
    assert table.ledger.put(record) is None
    assert table.ledger.get("job-1") == record
    assert table.ledger.put(record) is not None, "the same enqueue once more is one"


def test_a_payload_that_is_throttled_is_not_recorded_as_a_job_without(table: Table) -> None:
    table.wire.throttles = lambda operation, body: operation == "PutItem" and body["Item"]["sk"]["S"] == "payload"

    with pytest.raises(UnavailableError):
        table.ledger.put(a_record(payload=LARGE))
    assert table.ledger.get("job-1") is None


def test_a_record_that_is_throttled_leaves_its_id_free_for_another_payload(table: Table) -> None:
    table.wire.throttles = lambda operation, body: operation == "PutItem" and body["Item"]["sk"]["S"] == "job"
    with pytest.raises(UnavailableError):
        table.ledger.put(a_record(payload=LARGE))
    table.wire.throttles = lambda _, __: False

    other = a_record(payload=LARGE.replace("x", "y"))
    assert table.ledger.put(other) is None
    assert table.ledger.get("job-1") == other


def test_a_missing_payload_is_put_back_and_one_that_is_there_stays(table: Table) -> None:
    table.ledger.put(a_record(payload=LARGE))
    assert not table.ledger.put_back("job-1", "another")
    assert table.ledger.payload_of(a_record(payload=None)) == LARGE

    table.ledger.clear_beside("job-1")
    assert table.ledger.put_back("job-1", LARGE)
    assert table.ledger.payload_of(a_record(payload=None)) == LARGE


def test_many_enqueues_meet_themselves(table: Table) -> None:
    records = [a_record(job_id=f"job-{number}", payload=LARGE if number % 2 else "{}") for number in range(5)]

    table.wire.lose = 2
    assert [None] * 5 == table.ledger.put_many(records)
    assert records == [table.ledger.get(one.job_id) for one in records]


@pytest.mark.parametrize("payload", ["{}", LARGE])
def test_an_enqueue_under_guards_meets_itself(table: Table, payload: str) -> None:
    window = Window(first=0, counts=(1,))
    marks = [
        GuardItem(name="unique#user.greeting#x", job_id="job-1", until=LATER),
        GuardItem(name="limit#quota:type:user.greeting:1000ms", job_id="job-1", until=LATER, window=window),
    ]

    table.wire.lose = 1
    assert (
        table.ledger.put_guarded(a_record(payload=payload), [GuardWrite(mark=one, after=None) for one in marks]) is None
    )
    assert {one.name: one for one in marks} == table.ledger.marks([one.name for one in marks])


CHANGES: dict[str, tuple[dict[str, Any], Callable[[Any], Change]]] = {
    "a claim": ({}, lambda _: claim_moves.claim(life=1, claim_id="mine", now=NOON, lease=LEASE)),
    "an entry": ({}, lambda record: operator_moves.enter(record, at=LATER)),
    "a pushed entry": ({"sweep_at": NOON}, lambda record: operator_moves.push_on(record, to=LATER)),
    "a bounce": ({}, lambda record: operator_moves.bounce(record, at=LATER)),
    "a reschedule": ({}, lambda record: operator_moves.reschedule(record, at=LATER, is_far=False)),
    "a cancel": ({}, lambda _: operator_moves.cancel_waiting(now=NOON, expires_at=LATER)),
    "an expiry": ({"start_by": NOON}, lambda record: operator_moves.expire(record, now=NOON, expires_at=LATER)),
    "a supersede": ({}, lambda record: operator_moves.supersede(record, replace(record, payload="[]"), entry=LATER)),
    "a supersede by a large payload": (
        {},
        lambda record: operator_moves.supersede(record, replace(record, payload=LARGE), entry=LATER),
    ),
    "a redrive": ({"state": State.DEAD, "sweep_at": NOON}, lambda record: operator_moves.redrive(record, now=LATER)),
    "a drop": ({"state": State.DEAD, "sweep_at": NOON}, lambda record: operator_moves.drop(record, now=LATER)),
    "a retirement": ({"state": State.COMPLETED}, retention.retire),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_from_outside_meets_itself(table: Table, what: str) -> None:
    facts, change_of = CHANGES[what]
    record = a_record(**facts)
    table.ledger.put(record)

    table.wire.lose = 1
    assert isinstance(table.ledger.change("job-1", change_of(record)), Applied)
    assert len(table.wire.lost) == 1


ENDINGS: dict[str, Callable[[Any], Change]] = {
    "a completion": lambda _: run_moves.complete(
        claim_id="mine", now=LATER, result="1", result_omitted=None, expires_at=LATER
    ),
    "a retry": lambda run: run_moves.retry(run, error="OSError: no", now=LATER, wait=SECOND),
    "a cancel": lambda run: run_moves.cancel_run(run, now=LATER, expires_at=LATER),
    "a heartbeat": lambda _: run_moves.beat(claim_id="mine", until=LATER + timedelta(hours=1)),
}


@pytest.mark.parametrize("payload", ["{}", LARGE])
@pytest.mark.parametrize("what", ENDINGS)
def test_a_runs_own_write_meets_itself(table: Table, what: str, payload: str) -> None:
    running(table, payload=payload)
    run = table.ledger.get("job-1")

    table.wire.lose = 2
    assert isinstance(table.ledger.change("job-1", ENDINGS[what](run)), Applied)


def test_writes_that_share_a_call_meet_themselves(table: Table) -> None:
    """The first call finds out whether the endpoint has such calls; one that hasn't gets single writes."""
    for number in range(3):
        table.ledger.put(a_record(job_id=f"job-{number}"))
    table.ledger.expect(2)

    answers = []
    for number in range(3):
        table.wire.lose = 1
        change = claim_moves.claim(life=1, claim_id="mine", now=NOON, lease=LEASE)
        answers.append(table.ledger.change(f"job-{number}", change))

    assert [True] * 3 == [isinstance(answer, Applied) for answer in answers]


@pytest.mark.parametrize("payload", ["{}", LARGE])
def test_records_that_starts_make_meet_themselves_in_a_shared_call(table: Table, payload: str) -> None:
    table.ledger.expect(2)
    run = a_record(
        payload=payload, state=State.RUNNING, claim_id="mine", attempts=1, started_at=NOON, due_at=NOON + LEASE
    )

    for number in range(3):
        table.wire.lose = 1
        assert table.ledger.put(replace(run, job_id=f"job-{number}")) is None
        found = table.ledger.put(replace(run, job_id=f"job-{number}", claim_id="other"))
        assert found is not None
        assert found.claim_id == "mine"


def test_another_claim_is_refused_whatever_was_lost(table: Table) -> None:
    running(table)

    table.wire.lose = 1
    other = table.ledger.change("job-1", claim_moves.claim(life=1, claim_id="other", now=NOON, lease=LEASE))
    assert not isinstance(other, Applied)
    table.wire.lose = 1
    late = run_moves.complete(claim_id="other", now=LATER, result="1", result_omitted=None, expires_at=LATER)
    assert not isinstance(table.ledger.change("job-1", late), Applied)


def test_a_signal_and_a_step_meet_themselves(table: Table) -> None:
    record = a_record()
    table.ledger.put(record)

    table.wire.lose = 1
    change = operator_moves.signal(record, "go", signal_id="signal-1", now=NOON)
    assert isinstance(table.ledger.change_and_keep("job-1", change, step="signal/go", text="1"), Applied)
    table.wire.lose = 1
    assert table.ledger.keep_first("job-1", "charge", '"done"') == '"done"'
    again = operator_moves.signal(record, "go", signal_id="signal-2", now=NOON)
    assert StepExists("1") == table.ledger.change_and_keep("job-1", again, step="signal/go", text="2")


def test_a_slot_is_taken_kept_given_back_and_freed_by_who_lost_the_answer(table: Table) -> None:
    limits, name = table.limits, "concurrency:type:payment.charge"
    limits.take(name, n=1, holder="before", until=LATER, kept_for="job:0")
    limits.give_back(name, "before")

    table.wire.lose = 1
    assert limits.take(name, n=1, holder="mine", until=LATER, kept_for="job:1")[0]
    assert not limits.take(name, n=1, holder="other", until=LATER, kept_for="job:2")[0]
    table.wire.lose = 1
    assert limits.give_back(name, "mine").holders == {}
    table.wire.lose = 1
    assert limits.keep_for(name, n=1, holder="job:2", until=LATER)[0]
    assert not limits.keep_for(name, n=1, holder="job:2", until=LATER)[0], "it is kept already"
    table.wire.lose = 1
    assert limits.drop(name, {"job:2": LATER})


def test_a_start_is_reserved_once_by_who_lost_the_answer(table: Table) -> None:
    limits, rate = table.limits, "rate:queue:payments"

    table.wire.lose = 1
    assert limits.reserve(rate, at=NOON, interval=SECOND, missed=None, by="mine")
    assert not limits.reserve(rate, at=NOON, interval=SECOND, missed=None, by="other")
    table.wire.lose = 1
    assert limits.next_start(rate, now=NOON, interval=SECOND, missed=None, by="other") == NOON + SECOND
    assert limits.next_start(rate, now=NOON, interval=SECOND, missed=None, by="third") == NOON + 2 * SECOND


def test_a_workflow_and_its_shards_are_written_once_by_who_lost_the_answer(table: Table) -> None:
    store = table.workflows
    record = WorkflowRecord(
        workflow_id="w",
        kind=Kind.BATCH,
        created_at=NOON,
        jobs=1,
        shards=1,
        allotted_at=NOON,
        expires_at=LATER,
        parent=None,
        slot=None,
    )

    table.wire.lose = 1
    first = store.write(record)
    assert first is not None
    assert store.write(record) is None, "another's write of what was read before"
    table.wire.lose = 1
    second = store.write(first)
    assert second is not None
    assert store.write(first) is None
    table.wire.lose = 1
    store.make_shards([(Shard(workflow_id="w", number=1, size=1, created_at=NOON, look_at=None), ("w.1",))])
    table.wire.lose = 1
    shard = store.record_end("w", slot_of(1, 0), 2)
    assert shard is not None
    assert list(shard.outcomes.values()) == [2]


def test_a_schedule_is_written_and_removed_once_by_who_lost_the_answer(table: Table) -> None:
    timetable = Timetable(every=timedelta(minutes=5))
    schedule = Schedule(name="nightly", job_type="report.month", timetable=timetable, payload="{}")
    record = ScheduleRecord(schedule=schedule, source=Source.DYNAMIC, last_tick=NOON, due_at=LATER)

    table.wire.lose = 1
    first = table.schedules.write(record)
    assert first is not None
    assert table.schedules.write(record) is None
    table.wire.lose = 1
    second = table.schedules.write(first)
    assert second is not None
    table.wire.lose = 1
    assert table.schedules.remove(second)
    assert not table.schedules.remove(second)


def test_a_bookmark_moves_once_and_numbers_and_alerts_are_kept_once_by_who_lost_the_answer(table: Table) -> None:
    table.flags.set_bookmark("walk", "a")

    table.wire.lose = 1
    assert table.flags.move_bookmark("walk", "b", since="a")
    assert not table.flags.move_bookmark("walk", "b", since="a")
    table.wire.lose = 1
    assert table.statistics.keep_total(Total(until=NOON), before=None)
    assert not table.statistics.keep_total(Total(until=NOON), before=None)
    table.wire.lose = 1
    assert table.statistics.keep_alerts(Alerts().text, before=None)
    assert not table.statistics.keep_alerts(Alerts().text, before=None)
