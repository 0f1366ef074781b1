"""What a write of a job's record means to others: one transition for each move of its life, and none for the rest."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lanework import Cause, JobRecord, State
from lanework.model.events import Action
from lanework.model.job.payload import Edit
from lanework.model.lifecycle import (
    claim_decision,
    claim_moves,
    dependency_moves,
    operator_moves,
    park_moves,
    retention,
    run_moves,
)
from lanework.model.lifecycle.change import has_landed
from lanework.model.lifecycle.transitions import transitions
from lanework.testing import NOON
from tests.support.factories import LEASE, a_message, a_record

if TYPE_CHECKING:
    from lanework.model.lifecycle.change import Change

SECOND = timedelta(seconds=1)
QUEUED = a_record()
RUNNING = a_record(state=State.RUNNING, claim_id="c1", attempts=1, started_at=NOON, first_started_at=NOON)
RETRYING = replace(RUNNING, state=State.RETRYING)
PARKED = replace(RUNNING, state=State.PARKED, held_by="limit:tenant", attempts=0, sweep_at=NOON)
HELD = a_record(state=State.PARKED, held_by="queue:email", sweep_at=NOON)
DEAD = replace(RUNNING, state=State.DEAD, due_at=None, cause=Cause.EXHAUSTED, ended_at=NOON, sweep_at=NOON)
COMPLETED = replace(RUNNING, state=State.COMPLETED, due_at=None, ended_at=NOON, payload="{}")
BLOCKED = dependency_moves.blocked(QUEUED, after=["job-0"], on_failure="die", takes=None)

CLAIM: Any = {"claim_id": "c2", "now": NOON, "lease": LEASE}
END: Any = {"now": NOON, "expires_at": NOON + SECOND}
LATER = a_record(payload='{"name":"Later"}')

MOVES: list[tuple[JobRecord, Change, list[Action]]] = [
    (QUEUED, claim_moves.claim(life=1, **CLAIM), [Action.JOB_STARTED]),
    (RETRYING, claim_moves.claim(life=1, **CLAIM), [Action.JOB_STARTED]),
    (RUNNING, claim_moves.claim_after_crash(RUNNING, **CLAIM), [Action.JOB_STARTED]),
    (RETRYING, claim_moves.claim_again(RETRYING, **CLAIM), [Action.JOB_STARTED]),
    (DEAD, claim_moves.begin_life(a_message(life=2), **CLAIM), [Action.JOB_REDRIVEN, Action.JOB_STARTED]),
    (RUNNING, run_moves.complete(claim_id="c1", result="1", result_omitted=None, **END), [Action.JOB_COMPLETED]),
    (RUNNING, run_moves.retry(RUNNING, error="ValueError: x", now=NOON, wait=SECOND), [Action.JOB_RETRYING]),
    (RUNNING, run_moves.hand_to_sweep(RUNNING, error="ValueError: x", now=NOON, wait=SECOND), [Action.JOB_RETRYING]),
    (RUNNING, run_moves.die(RUNNING, cause=Cause.EXHAUSTED, error="ValueError: x", **END), [Action.JOB_DEAD]),
    (RUNNING, run_moves.die_of_crash(RUNNING, **END), [Action.JOB_DEAD]),
    (RUNNING, run_moves.cancel_run(RUNNING, **END), [Action.JOB_CANCELLED]),
    (RUNNING, run_moves.cancel_abandoned(RUNNING, **END), [Action.JOB_CANCELLED]),
    (RUNNING, run_moves.beat(claim_id="c1", until=NOON + LEASE), []),
    (RUNNING, run_moves.report_progress(claim_id="c1", percent=50, note=None), []),
    (RUNNING, park_moves.snooze(RUNNING, now=NOON, wait=SECOND), [Action.JOB_PARKED]),
    (RUNNING, park_moves.wait_for_signal(RUNNING, signal="paid", until=NOON + SECOND), [Action.JOB_PARKED]),
    (RUNNING, park_moves.look_again(RUNNING, now=NOON), [Action.JOB_PARKED]),
    (RUNNING, park_moves.requeue(RUNNING, due_at=NOON), [Action.JOB_PARKED]),
    (RUNNING, park_moves.unclaim(RUNNING), [Action.JOB_PARKED]),
    (RUNNING, park_moves.wait_for_slot(RUNNING, limit="limit:tenant", now=NOON), [Action.JOB_PARKED]),
    (RUNNING, park_moves.wait_for_start(RUNNING, limit="rate:email", start=NOON + SECOND), [Action.JOB_PARKED]),
    (QUEUED, operator_moves.hold(life=1, name="queue:email", now=NOON), [Action.JOB_PARKED]),
    (HELD, operator_moves.release("queue:email", now=NOON), [Action.JOB_RELEASED]),
    (PARKED, operator_moves.release("limit:tenant", now=NOON), [Action.JOB_RELEASED]),
    (QUEUED, operator_moves.leave_to_sweep(QUEUED, at=NOON), []),
    (QUEUED, operator_moves.enter(QUEUED, at=NOON), []),
    (HELD, operator_moves.push_on(HELD, to=NOON + SECOND), []),
    (HELD, operator_moves.bounce(HELD, at=NOON), [Action.JOB_BOUNCED]),
    (QUEUED, operator_moves.die_of_infra(QUEUED, **END), [Action.JOB_DEAD]),
    (QUEUED, operator_moves.die_unsent(QUEUED, error="SQS refuses it", **END), [Action.JOB_DEAD]),
    (
        RUNNING,
        claim_decision.die_unreadable(RUNNING, claim_decision.Claimant(claim_id="c1", lease=LEASE, **END)),
        [Action.JOB_DEAD],
    ),
    (QUEUED, operator_moves.put_off(QUEUED, to=NOON), []),
    (BLOCKED, operator_moves.let_go(BLOCKED, now=NOON), []),
    (QUEUED, operator_moves.expire(replace(QUEUED, start_by=NOON), **END), [Action.JOB_DEAD]),
    (QUEUED, operator_moves.reschedule(QUEUED, at=NOON + SECOND, is_far=False), [Action.JOB_RESCHEDULED]),
    (QUEUED, operator_moves.reschedule(QUEUED, at=NOON + SECOND, is_far=True), [Action.JOB_RESCHEDULED]),
    (QUEUED, operator_moves.supersede(QUEUED, LATER, entry=None), [Action.JOB_SUPERSEDED]),
    (PARKED, operator_moves.signal(PARKED, "paid", signal_id="s1", now=NOON), [Action.JOB_SIGNALLED]),
    (QUEUED, operator_moves.cancel_waiting(**END), [Action.JOB_CANCELLED]),
    (BLOCKED, operator_moves.cancel_waiting(**END), [Action.JOB_CANCELLED]),
    (RUNNING, operator_moves.ask_to_cancel(), []),
    (DEAD, operator_moves.redrive(DEAD, now=NOON), [Action.JOB_REDRIVEN]),
    (DEAD, operator_moves.redrive(DEAD, now=NOON, edit=Edit(payload="{}", version=1)), [Action.JOB_REDRIVEN]),
    (DEAD, operator_moves.redrive(replace(DEAD, open_parents=("job-0",)), now=NOON), [Action.JOB_REDRIVEN]),
    (DEAD, operator_moves.drop(DEAD, now=NOON), [Action.JOB_CANCELLED]),
    (COMPLETED, retention.retire(COMPLETED), [Action.JOB_RETIRED]),
    (QUEUED, dependency_moves.attach(), []),
    (BLOCKED, dependency_moves.wait_for_fewer(BLOCKED, left=()), []),
    (BLOCKED, dependency_moves.unblock(BLOCKED, now=NOON, look_ahead=SECOND, payload="{}"), [Action.JOB_UNBLOCKED]),
    (BLOCKED, dependency_moves.cancel_blocked(BLOCKED, **END), [Action.JOB_CANCELLED]),
    (BLOCKED, dependency_moves.die_of_parent(BLOCKED, parent="job-0", says="it died", **END), [Action.JOB_DEAD]),
    (BLOCKED, dependency_moves.wait_on(BLOCKED, now=NOON), []),
    (replace(DEAD, held_by=dependency_moves.NOTIFICATION_PENDING), dependency_moves.notified(DEAD), []),
    (replace(COMPLETED, held_by=retention.ARCHIVE, sweep_at=NOON), retention.archived(COMPLETED), []),
]


def after(before: JobRecord, change: Change) -> JobRecord:
    """Return what a change leaves, whatever it requires."""
    once = {name: value for name, value in change.write_once.items() if getattr(before, name) is None}
    return replace(before, **{**change.write, **once, "attempts": before.attempts + change.attempts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "change", "expected"), MOVES, ids=[f"{before.state}-{change.name}" for before, change, _ in MOVES]
)
def test_each_move_is_told_as_what_it_is(before: JobRecord, change: Change, expected: list[Action]) -> None:
    assert list(transitions(before, after(before, change))) == expected


def test_a_new_record_is_told_as_enqueued_and_as_started_where_its_claim_made_it() -> None:
    claimed = run_moves.claimed_record(a_message(), claim_id="c1", now=NOON, lease=LEASE)

    assert transitions(None, QUEUED) == (Action.JOB_ENQUEUED,)
    assert transitions(replace(COMPLETED, created_at=NOON - SECOND), QUEUED) == (Action.JOB_ENQUEUED,), "of another job"
    assert transitions(None, BLOCKED) == (Action.JOB_ENQUEUED,)
    assert transitions(None, claimed) == (Action.JOB_ENQUEUED, Action.JOB_STARTED)


def test_a_write_that_another_run_has_made_alike_is_not_taken_for_ones_own() -> None:
    progress = run_moves.report_progress(claim_id="c1", percent=50, note=None)
    mine = replace(RUNNING, progress=50)

    assert has_landed(progress, mine)
    assert not has_landed(progress, replace(mine, claim_id="c2"))


def test_no_move_is_missing_here() -> None:
    """Whoever writes another move says here what is told of it."""
    modules = (dependency_moves, claim_decision, claim_moves, operator_moves, run_moves, park_moves, retention)
    source = "".join(Path(str(one.__file__)).read_text() for one in modules)
    named = set(re.findall(r'(?:\bname=|_parked\(\s*)"(\w+)"', source))

    assert {change.name for _, change, _ in MOVES} == named
