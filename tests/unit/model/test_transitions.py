"""What a write of a job's record means to others: one transition for each move of its life, and none for the rest."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lanework import Cause, JobRecord, State
from lanework.model import blocking, delivery, interventions, moves, parking, retention
from lanework.model import blocking as untold
from lanework.model.events import Action
from lanework.model.payload import Edit
from lanework.model.transitions import transitions
from lanework.testing import NOON
from tests.factories import LEASE, a_message, a_record

if TYPE_CHECKING:
    from lanework.model.change import Change

SECOND = timedelta(seconds=1)
QUEUED = a_record()
RUNNING = a_record(state=State.RUNNING, claim_id="c1", attempts=1, started_at=NOON, first_started_at=NOON)
RETRYING = replace(RUNNING, state=State.RETRYING)
PARKED = replace(RUNNING, state=State.PARKED, held_by="limit:tenant", attempts=0, sweep_at=NOON)
HELD = a_record(state=State.PARKED, held_by="queue:email", sweep_at=NOON)
DEAD = replace(RUNNING, state=State.DEAD, due_at=None, cause=Cause.EXHAUSTED, ended_at=NOON, sweep_at=NOON)
COMPLETED = replace(RUNNING, state=State.COMPLETED, due_at=None, ended_at=NOON, payload="{}")
BLOCKED = blocking.blocked(QUEUED, after=["job-0"], on_failure="die", takes=None)

CLAIM: Any = {"claim_id": "c2", "now": NOON, "lease": LEASE}
END: Any = {"now": NOON, "expires_at": NOON + SECOND}
LATER = a_record(payload='{"name":"Later"}')

MOVES: list[tuple[JobRecord, Change, list[Action]]] = [
    (QUEUED, moves.claim(life=1, **CLAIM), [Action.STARTED]),
    (RETRYING, moves.claim(life=1, **CLAIM), [Action.STARTED]),
    (RUNNING, moves.claim_after_crash(RUNNING, **CLAIM), [Action.STARTED]),
    (RETRYING, moves.claim_again(RETRYING, **CLAIM), [Action.STARTED]),
    (DEAD, moves.begin_life(a_message(life=2), **CLAIM), [Action.REDRIVEN, Action.STARTED]),
    (RUNNING, moves.complete(claim_id="c1", result="1", result_omitted=None, **END), [Action.COMPLETED]),
    (RUNNING, moves.retry(RUNNING, error="ValueError: x", now=NOON, wait=SECOND), [Action.RETRYING]),
    (RUNNING, moves.hand_to_sweep(RUNNING, error="ValueError: x", now=NOON, wait=SECOND), [Action.RETRYING]),
    (RUNNING, moves.die(RUNNING, cause=Cause.EXHAUSTED, error="ValueError: x", **END), [Action.DEAD]),
    (RUNNING, moves.die_of_crash(RUNNING, **END), [Action.DEAD]),
    (RUNNING, moves.cancel_run(RUNNING, **END), [Action.CANCELLED]),
    (RUNNING, moves.cancel_abandoned(RUNNING, **END), [Action.CANCELLED]),
    (RUNNING, moves.beat(claim_id="c1", until=NOON + LEASE), []),
    (RUNNING, moves.report_progress(claim_id="c1", percent=50, note=None), []),
    (RUNNING, parking.snooze(RUNNING, now=NOON, wait=SECOND), [Action.PARKED]),
    (RUNNING, parking.wait_for_signal(RUNNING, signal="paid", until=NOON + SECOND), [Action.PARKED]),
    (RUNNING, parking.look_again(RUNNING, now=NOON), [Action.PARKED]),
    (RUNNING, parking.give_back(RUNNING, due_at=NOON), [Action.PARKED]),
    (RUNNING, parking.wait_for_slot(RUNNING, limit="limit:tenant", now=NOON), [Action.PARKED]),
    (RUNNING, parking.wait_for_start(RUNNING, limit="rate:email", start=NOON + SECOND), [Action.PARKED]),
    (QUEUED, interventions.hold(life=1, name="queue:email", now=NOON), [Action.PARKED]),
    (HELD, interventions.release("queue:email", now=NOON), [Action.RELEASED]),
    (PARKED, interventions.release("limit:tenant", now=NOON), [Action.RELEASED]),
    (QUEUED, interventions.leave_to_sweep(QUEUED, at=NOON), []),
    (QUEUED, interventions.enter(QUEUED, at=NOON), []),
    (HELD, interventions.push_on(HELD, to=NOON + SECOND), []),
    (HELD, interventions.bounce(HELD, at=NOON), [Action.BOUNCED]),
    (QUEUED, interventions.die_of_infra(QUEUED, **END), [Action.DEAD]),
    (QUEUED, interventions.die_unsent(QUEUED, error="SQS refuses it", **END), [Action.DEAD]),
    (RUNNING, delivery.die_unreadable(RUNNING, delivery.Claimant(claim_id="c1", lease=LEASE, **END)), [Action.DEAD]),
    (QUEUED, interventions.put_off(QUEUED, to=NOON), []),
    (BLOCKED, interventions.let_go(BLOCKED, now=NOON), []),
    (QUEUED, interventions.expire(replace(QUEUED, start_by=NOON), **END), [Action.DEAD]),
    (QUEUED, interventions.reschedule(QUEUED, at=NOON + SECOND, is_far=False), [Action.RESCHEDULED]),
    (QUEUED, interventions.reschedule(QUEUED, at=NOON + SECOND, is_far=True), [Action.RESCHEDULED]),
    (QUEUED, interventions.supersede(QUEUED, LATER, entry=None), [Action.SUPERSEDED]),
    (PARKED, interventions.signal(PARKED, "paid", signal_id="s1", now=NOON), [Action.SIGNALLED]),
    (QUEUED, interventions.cancel_waiting(**END), [Action.CANCELLED]),
    (BLOCKED, interventions.cancel_waiting(**END), [Action.CANCELLED]),
    (RUNNING, interventions.ask_to_cancel(), []),
    (DEAD, interventions.redrive(DEAD, now=NOON), [Action.REDRIVEN]),
    (DEAD, interventions.redrive(DEAD, now=NOON, edit=Edit(payload="{}", version=1)), [Action.REDRIVEN]),
    (DEAD, interventions.redrive(replace(DEAD, open_parents=("job-0",)), now=NOON), [Action.REDRIVEN]),
    (DEAD, interventions.drop(DEAD, now=NOON), [Action.CANCELLED]),
    (COMPLETED, interventions.retire(COMPLETED), [Action.RETIRED]),
    (QUEUED, blocking.attach(), []),
    (BLOCKED, blocking.wait_for_fewer(BLOCKED, left=()), []),
    (BLOCKED, blocking.unblock(BLOCKED, now=NOON, look_ahead=SECOND, payload="{}"), [Action.UNBLOCKED]),
    (BLOCKED, blocking.cancel_blocked(BLOCKED, **END), [Action.CANCELLED]),
    (BLOCKED, blocking.die_of_parent(BLOCKED, parent="job-0", says="it died", **END), [Action.DEAD]),
    (BLOCKED, blocking.wait_on(BLOCKED, now=NOON), []),
    (replace(DEAD, held_by=untold.UNTOLD), untold.told(DEAD), []),
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
    claimed = moves.claimed_record(a_message(), claim_id="c1", now=NOON, lease=LEASE)

    assert transitions(None, QUEUED) == (Action.ENQUEUED,)
    assert transitions(replace(COMPLETED, created_at=NOON - SECOND), QUEUED) == (Action.ENQUEUED,), "of another job"
    assert transitions(None, BLOCKED) == (Action.ENQUEUED,)
    assert transitions(None, claimed) == (Action.ENQUEUED, Action.STARTED)


def test_no_move_is_missing_here() -> None:
    """Whoever writes another move says here what is told of it."""
    modules = (blocking, delivery, interventions, moves, parking, retention, untold)
    source = "".join(Path(str(one.__file__)).read_text() for one in modules)
    named = set(re.findall(r'(?:\bname=|_parked\(\s*)"(\w+)"', source))

    assert {change.name for _, change, _ in MOVES} == named
