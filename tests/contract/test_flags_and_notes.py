"""What every adapter of the flags must do, and what the ledger keeps beside a job."""

from __future__ import annotations

from datetime import timedelta

from lanework.model.job.ids import shard_of
from lanework.model.lifecycle import claim_moves, operator_moves, park_moves
from lanework.model.lifecycle.change import Applied, Refused, StepExists
from lanework.model.lifecycle.states import AT_ONCE, JobRecord, State
from lanework.testing import NOON
from tests.support.backends import Backend, ids_due
from tests.support.factories import LEASE, a_record

SECOND = timedelta(seconds=1)
SHARD = shard_of("job-1")


def test_due_entries_are_walked_page_by_page_though_they_move_meanwhile(backend: Backend) -> None:
    ledger = backend.ports.ledger
    ids = [one for one in (f"job-{number}" for number in range(60)) if shard_of(one) == SHARD][:9]
    for number, job_id in enumerate(ids):
        ledger.put(a_record(job_id=job_id, sweep_at=NOON + (number // 4) * SECOND))

    seen: list[str] = []
    after: str | None = None
    while True:
        page = ledger.due(SHARD, until=NOON + 9 * SECOND, limit=2, after=after)
        for one in page.keys:
            seen.append(one.job_id)
            record = ledger.get(one.job_id)
            assert record is not None
            to = NOON + timedelta(hours=1) if len(seen) % 2 else NOON + 5 * SECOND
            assert isinstance(ledger.change(one.job_id, operator_moves.put_off(record, to=to)), Applied)
        after = page.cursor
        if after is None:
            break

    assert set(seen) == set(ids)
    assert len(seen) < 2 * len(ids), "what moves on is met again at most once"


def test_a_name_is_paused_resumed_and_forgotten(backend: Backend) -> None:
    flags = backend.ports.flags
    assert (flags.read().paused, flags.read().resumed) == (frozenset(), frozenset())

    flags.pause("queue:email")
    flags.pause("lane:low")
    flags.resume("queue:email")

    assert flags.read().paused == {"lane:low"}
    assert flags.read().resumed == {"queue:email"}
    flags.forget("queue:email")
    flags.resume("lane:low")
    assert flags.read().paused == frozenset()
    assert flags.read().resumed == {"lane:low"}
    flags.pause("lane:low")
    assert flags.read().resumed == frozenset()


def test_a_bookmark_is_moved_by_whoever_put_it_there_last(backend: Backend) -> None:
    flags = backend.ports.flags
    assert flags.move_bookmark("the audit", "noon", since="morning") is False
    assert flags.move_bookmark("the audit", "dawn", since=None) is True
    assert flags.move_bookmark("the audit", "dusk", since=None) is False
    assert flags.bookmark("the audit") == "dawn"
    flags.set_bookmark("the audit", "morning")

    assert flags.move_bookmark("the audit", "noon", since="morning") is True
    assert flags.move_bookmark("the audit", "night", since="morning") is False
    assert flags.bookmark("the audit") == "noon"


def test_a_held_job_is_found_under_its_pause_and_not_by_the_sweep(backend: Backend) -> None:
    ledger = backend.ports.ledger
    ledger.put(a_record())

    held = ledger.change("job-1", operator_moves.hold(life=1, name="queue:email", now=NOON))

    assert isinstance(held, Applied)
    assert (held.record.state, held.record.held_by) == (State.PARKED, "queue:email")
    assert ledger.held("queue:email", SHARD, limit=10) == ["job-1"]
    assert ledger.held("queue:report", SHARD, limit=10) == []
    assert ids_due(ledger, SHARD, until=NOON + timedelta(days=1), limit=10) == []


def test_a_released_job_is_found_by_the_sweep_again(backend: Backend) -> None:
    ledger = backend.ports.ledger
    ledger.put(a_record())
    ledger.change("job-1", operator_moves.hold(life=1, name="queue:email", now=NOON))

    assert isinstance(ledger.change("job-1", operator_moves.release("queue:email", now=NOON)), Applied)
    assert isinstance(ledger.change("job-1", operator_moves.release("queue:email", now=NOON + SECOND)), Refused)

    assert ledger.held("queue:email", SHARD, limit=10) == []
    assert ids_due(ledger, SHARD, until=NOON, limit=10) == ["job-1"]


def test_the_sweep_sees_what_is_due_soonest_first_and_no_dead(backend: Backend) -> None:
    ledger = backend.ports.ledger
    same_shard = [job_id for job_id in (f"job-{n}" for n in range(40)) if shard_of(job_id) == SHARD][:4]
    for number, job_id in enumerate(reversed(same_shard)):
        ledger.put(a_record(job_id=job_id, sweep_at=NOON + number * SECOND))
    ledger.put(a_record(job_id="dead", state=State.DEAD, due_at=None, sweep_at=NOON))

    assert ids_due(ledger, SHARD, until=NOON + 2 * SECOND, limit=10) == same_shard[:0:-1]
    assert ids_due(ledger, SHARD, until=NOON + 2 * SECOND, limit=1) == same_shard[-1:]
    assert "dead" not in ids_due(ledger, shard_of("dead"), until=NOON + SECOND, limit=100)


def test_an_entry_is_pushed_on_by_one_sweeper_only(backend: Backend) -> None:
    ledger = backend.ports.ledger
    record = a_record(sweep_at=NOON)
    ledger.put(record)
    pushed = operator_moves.push_on(record, to=NOON + timedelta(hours=1))

    assert isinstance(ledger.change("job-1", pushed), Applied)
    late = operator_moves.push_on(record, to=NOON + timedelta(hours=1) + SECOND)
    assert isinstance(ledger.change("job-1", late), Refused)
    assert ids_due(ledger, SHARD, until=NOON + SECOND, limit=10) == []


def test_a_step_is_kept_with_its_job(backend: Backend) -> None:
    ledger = backend.ports.ledger

    assert ledger.step("job-1", "charge") is None
    ledger.keep_step("job-1", "charge", '{"id":1}')

    assert ledger.step("job-1", "charge") == '{"id":1}'
    assert ledger.step("job-2", "charge") is None


def test_the_first_that_a_step_leaves_is_what_counts(backend: Backend) -> None:
    ledger = backend.ports.ledger

    assert ledger.keep_first("job-1", "wait/1", '"noon"') == '"noon"'
    assert ledger.keep_first("job-1", "wait/1", '"later"') == '"noon"'

    assert ledger.step("job-1", "wait/1") == '"noon"'


def test_a_signal_is_kept_and_wakes_the_job_that_waits_for_it_in_one_write(backend: Backend) -> None:
    ledger = backend.ports.ledger
    until = NOON + timedelta(days=1)
    ledger.put(a_record())
    ledger.change("job-1", claim_moves.claim(life=1, claim_id="claim-1", now=NOON, lease=LEASE))
    run = record_of(backend)
    ledger.change("job-1", park_moves.wait_for_signal(run, signal="approved", until=until))
    waiting = record_of(backend)
    assert (waiting.state, waiting.awaits, waiting.due_at) == (State.PARKED, "approved", until)

    change = operator_moves.signal(waiting, "approved", signal_id="s-1", now=NOON)
    answer = ledger.change_and_keep("job-1", change, step="signal/approved", text="42")

    assert isinstance(answer, Applied)
    assert answer.record == record_of(backend)
    assert (answer.record.awaits, answer.record.signal_id, answer.record.due_at) == (None, "s-1", AT_ONCE)
    assert ids_due(ledger, SHARD, until=NOON, limit=10) == ["job-1"]
    assert ledger.step("job-1", "signal/approved") == "42"


def test_a_signal_is_kept_once_and_only_with_a_job_that_is_as_it_was_seen(backend: Backend) -> None:
    ledger = backend.ports.ledger
    seen = a_record()
    ledger.put(seen)
    first, second = (operator_moves.signal(seen, "approved", signal_id=f"s-{n}", now=NOON) for n in (1, 2))
    assert isinstance(ledger.change_and_keep("job-1", first, step="signal/approved", text="1"), Applied)

    assert ledger.change_and_keep("job-1", second, step="signal/approved", text="2") == StepExists("1")
    assert record_of(backend).signal_id == "s-1"
    ledger.change("job-1", claim_moves.claim(life=1, claim_id="claim-1", now=NOON, lease=LEASE))
    late = ledger.change_and_keep("job-1", second, step="signal/paid", text="2")

    assert late == Refused(record_of(backend))
    assert ledger.step("job-1", "signal/paid") is None
    assert isinstance(ledger.change_and_keep("job-2", second, step="signal/paid", text="2"), Refused)


def test_a_run_is_not_parked_for_a_signal_once_another_has_come(backend: Backend) -> None:
    ledger = backend.ports.ledger
    ledger.put(a_record())
    ledger.change("job-1", claim_moves.claim(life=1, claim_id="claim-1", now=NOON, lease=LEASE))
    run = record_of(backend)
    parked = park_moves.wait_for_signal(run, signal="approved", until=NOON + timedelta(days=1))
    change = operator_moves.signal(run, "approved", signal_id="s-1", now=NOON)
    ledger.change_and_keep("job-1", change, step="signal/approved", text="1")

    assert isinstance(ledger.change("job-1", parked), Refused)
    again = park_moves.wait_for_signal(record_of(backend), signal="paid", until=NOON + timedelta(days=1))
    assert isinstance(ledger.change("job-1", again), Applied)


def record_of(backend: Backend) -> JobRecord:
    record = backend.ports.ledger.get("job-1")
    assert record is not None
    return record


def test_lines_are_kept_attempt_by_attempt_and_are_no_part_of_the_job(backend: Backend) -> None:
    ledger = backend.ports.ledger
    ledger.put(a_record())
    ledger.add_log("job-1", "claim-2", at=NOON, lines=["эхлэл", "b"])
    ledger.add_log("job-1", "claim-1", at=NOON + SECOND, lines=["c"])

    assert ledger.log_of("job-1") == ("эхлэл", "b", "c")
    assert ledger.get("job-1") == a_record()
