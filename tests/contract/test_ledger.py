"""What every ledger must do: the moves of the protocol, carried out as conditional writes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lanework.model.job.envelope import LARGEST_PAYLOAD
from lanework.model.job.ids import SHARDS
from lanework.model.job.payload import Edit
from lanework.model.lifecycle import claim_moves, operator_moves, retention, run_moves
from lanework.model.lifecycle.change import Applied, Change, Refused
from lanework.model.lifecycle.retention import ARCHIVE, archived, to_be_archived
from lanework.model.lifecycle.states import Cause, JobRecord, State
from lanework.settings import Settings
from lanework.testing import NOON
from lanework.wiring import aws_ports
from tests.support.backends import Backend, ids_due
from tests.support.factories import LEASE, a_message, a_record
from tests.support.stacks import REGION

if TYPE_CHECKING:
    from lanework.engine.ports.ledger import Ledger

SECOND = timedelta(seconds=1)


def claim(backend: Backend, claim_id: str, *, now: datetime = NOON, life: int = 1) -> bool:
    change = claim_moves.claim(life=life, claim_id=claim_id, now=now, lease=LEASE)
    return isinstance(backend.ports.ledger.change("job-1", change), Applied)


def stored(backend: Backend, job_id: str = "job-1") -> JobRecord:
    record = backend.ports.ledger.get(job_id)
    assert record is not None
    return record


def kill(backend: Backend, now: datetime = NOON) -> JobRecord:
    """Claim the job and let it die; return its record."""
    claim(backend, "killed", now=now)
    change = run_moves.die(
        stored(backend),
        cause=Cause.EXHAUSTED,
        error="ValueError: no",
        now=now,
        expires_at=run_moves.expiry(now=now, ever_died=True),
    )
    backend.ports.ledger.change("job-1", change)
    return stored(backend)


def test_a_job_comes_back_as_it_was_put(backend: Backend) -> None:
    record = a_record(run_at=NOON + SECOND, due_at=NOON + SECOND, sweep_at=NOON, state=State.SCHEDULED)

    assert backend.ports.ledger.put(record) is None

    assert stored(backend) == record


def test_what_goes_along_with_a_job_is_kept_with_it(backend: Backend) -> None:
    headers = (("correlation-id", "request-7"), ("traceparent", "00-4bf9-00f0-01"))
    backend.ports.ledger.put(a_record(headers=headers))

    claim(backend, "first")

    assert stored(backend).headers == headers


def test_an_id_is_used_once_and_the_second_put_sees_the_first_job(backend: Backend) -> None:
    first = a_record(payload='{"name":"first"}')
    backend.ports.ledger.put(first)

    assert backend.ports.ledger.put(a_record(payload='{"name":"second"}')) == first
    assert stored(backend) == first


def test_a_large_payload_comes_back_whole_and_is_no_part_of_lists(backend: Backend) -> None:
    large = '"' + "я" * ((LARGEST_PAYLOAD - 2) // 2) + '"'
    backend.ports.ledger.put(a_record(payload=large))

    assert large == stored(backend).payload
    listed = backend.ports.ledger.get_many(["job-1"])["job-1"]
    changed = backend.ports.ledger.change("job-1", claim_moves.claim(life=1, claim_id="new", now=NOON, lease=LEASE))
    assert isinstance(changed, Applied)
    assert (listed.payload, changed.record.payload) == (None, None)
    assert large == backend.ports.ledger.payload_of(listed)


def test_a_retired_job_is_stripped_and_hidden_and_its_id_stays_used(backend: Backend) -> None:
    ended = a_record(
        state=State.COMPLETED,
        due_at=None,
        ended_at=NOON,
        payload='"' + "x" * 3_000 + '"',
        result='"secret"',
        expires_at=NOON + timedelta(days=8),
    )
    backend.ports.ledger.put(ended)
    backend.ports.ledger.add_log("job-1", "claim-1", at=NOON, lines=["secret"])
    backend.ports.ledger.keep_step("job-1", "step", '"secret"')

    backend.ports.ledger.clear_beside("job-1")
    assert isinstance(backend.ports.ledger.change("job-1", retention.retire(ended)), Applied)

    record = stored(backend)
    assert (record.retired, record.payload, record.result, record.state) == (True, None, None, State.COMPLETED)
    assert (backend.ports.ledger.log_of("job-1"), backend.ports.ledger.step("job-1", "step")) == ((), None)
    day = NOON.date().isoformat()
    assert backend.ports.ledger.recent(day=day, before=None, limit=10).keys == ()
    assert backend.ports.ledger.put(a_record()) == record
    assert isinstance(backend.ports.ledger.change("job-1", retention.retire(ended)), Applied), "repeating is safe"
    assert stored(backend) == record


def test_a_job_that_was_redriven_meanwhile_is_not_retired(backend: Backend) -> None:
    ended = a_record(state=State.COMPLETED, due_at=None, ended_at=NOON)
    backend.ports.ledger.put(a_record(state=State.QUEUED))

    assert isinstance(backend.ports.ledger.change("job-1", retention.retire(ended)), Refused)
    assert stored(backend) == a_record()


def test_an_entry_for_the_archive_is_found_by_its_time_and_taken_away(backend: Backend) -> None:
    for number, claim_id in ((1, "late"), (2, "early")):
        backend.ports.ledger.put(a_record(job_id=f"job-{number}"))
        change = claim_moves.claim(life=1, claim_id=claim_id, now=NOON, lease=LEASE)
        backend.ports.ledger.change(f"job-{number}", change)
        expires_at = NOON + timedelta(days=9 - number)
        ending = run_moves.complete(
            claim_id=claim_id, now=NOON, result=None, result_omitted=None, expires_at=expires_at
        )
        backend.ports.ledger.change(f"job-{number}", to_be_archived(ending))

    entered = [one for shard in range(SHARDS) for one in backend.ports.ledger.held(ARCHIVE, shard, limit=10)]
    assert sorted(entered) == ["job-1", "job-2"]
    assert stored(backend).sweep_at == NOON + timedelta(days=7)
    assert [
        one
        for shard in range(SHARDS)
        for one in ids_due(backend.ports.ledger, shard, until=NOON + timedelta(days=30), limit=10)
    ] == []
    assert isinstance(backend.ports.ledger.change("job-1", archived(stored(backend))), Applied)
    assert isinstance(backend.ports.ledger.change("job-1", archived(stored(backend))), Applied), "repeating is safe"
    assert [one for shard in range(SHARDS) for one in backend.ports.ledger.held(ARCHIVE, shard, limit=10)] == ["job-2"]


def test_what_was_never_put_is_not_there(backend: Backend) -> None:
    assert backend.ports.ledger.get("nobody") is None
    assert backend.ports.ledger.get_many(["nobody"]) == {}
    assert backend.ports.ledger.change(
        "nobody", claim_moves.claim(life=1, claim_id="c", now=NOON, lease=LEASE)
    ) == Refused(None)


def test_a_claim_needs_the_nonce_that_the_record_has(backend: Backend) -> None:
    ledger = backend.ports.ledger
    ledger.put(a_record(nonce="kept"))
    ledger.put(a_record(job_id="job-2"))

    def claim(nonce: str | None) -> Change:
        return claim_moves.asked_by(
            a_message(nonce=nonce), claim_moves.claim(life=1, claim_id="c", now=NOON, lease=LEASE)
        )

    for job_id, wrong in (("job-1", None), ("job-1", "guessed"), ("job-2", "guessed")):
        refused = ledger.change(job_id, claim(wrong))
        assert isinstance(refused, Refused)
        assert refused.record is not None
        assert refused.record.claim_id is None
    assert isinstance(ledger.change("job-1", claim("kept")), Applied)
    assert isinstance(ledger.change("job-2", claim(None)), Applied)


def test_what_is_too_long_for_a_key_is_not_there(backend: Backend) -> None:
    name = "x" * 3000

    assert backend.ports.ledger.get(name) is None
    assert backend.ports.ledger.get_many([name]) == {}
    assert backend.ports.ledger.change(name, claim_moves.claim(life=1, claim_id="c", now=NOON, lease=LEASE)) == Refused(
        None
    )
    assert backend.ports.workflows.get(name) is None
    assert backend.ports.schedules.get(name) is None


def test_a_job_that_is_asked_for_twice_is_read_once(backend: Backend) -> None:
    backend.ports.ledger.put(a_record())

    assert list(backend.ports.ledger.get_many(["job-1", "nobody", "job-1", "nobody"])) == ["job-1"]


def test_many_are_put_at_once_and_those_that_exist_are_told(backend: Backend) -> None:
    known = a_record(job_id="job-7", payload='{"name":"known"}')
    backend.ports.ledger.put(known)
    records = [a_record(job_id=f"job-{number}") for number in range(60)]

    answers = backend.ports.ledger.put_many(records)

    assert {7: known} == {index: answer for index, answer in enumerate(answers) if answer is not None}
    assert len(backend.ports.ledger.get_many([record.job_id for record in records])) == 60


def test_many_large_payloads_are_put_at_once(backend: Backend) -> None:
    records = [a_record(job_id=f"job-{number}", payload=f'"{number}{"x" * 2000}"') for number in range(30)]

    backend.ports.ledger.put_many(records)

    assert [record.payload for record in records] == [stored(backend, one.job_id).payload for one in records]


def test_a_claim_starts_an_attempt_and_holds_it_for_the_lease(backend: Backend) -> None:
    backend.ports.ledger.put(a_record())

    assert claim(backend, "first")

    record = stored(backend)
    assert (record.state, record.attempts, record.claim_id) == (State.RUNNING, 1, "first")
    assert (record.due_at, record.first_started_at) == (NOON + LEASE, NOON)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"due_at": NOON + SECOND}, "not due"),
        ({"attempts": 3}, "spent"),
        ({"life": 2}, "another life"),
        ({"state": State.COMPLETED, "due_at": None}, "over"),
        ({"state": State.BLOCKED, "due_at": None}, "blocked"),
        ({"cancel_asked": True}, "asked to stop"),
    ],
)
def test_a_claim_is_refused_and_shows_what_stands_in_the_way(
    backend: Backend, facts: dict[str, object], why: str
) -> None:
    record = a_record(**facts)
    backend.ports.ledger.put(record)

    answer = backend.ports.ledger.change("job-1", claim_moves.claim(life=1, claim_id="c", now=NOON, lease=LEASE))

    assert answer == Refused(record), why
    assert stored(backend) == record


def test_a_live_lease_keeps_others_out_and_an_ended_one_lets_one_in(backend: Backend) -> None:
    backend.ports.ledger.put(a_record())
    claim(backend, "first")

    assert not claim(backend, "early", now=NOON + LEASE - SECOND)
    assert claim(backend, "second", now=NOON + LEASE)
    assert not claim(backend, "third", now=NOON + LEASE)
    assert (stored(backend).attempts, stored(backend).first_started_at) == (2, NOON)


def test_a_heartbeat_that_comes_late_shortens_no_lease(backend: Backend) -> None:
    ledger = backend.ports.ledger
    ledger.put(a_record())
    ledger.change("job-1", claim_moves.claim(life=1, claim_id="claim-1", now=NOON, lease=LEASE))
    later = run_moves.beat(claim_id="claim-1", until=NOON + 3 * LEASE)
    assert isinstance(ledger.change("job-1", later), Applied)

    late = ledger.change("job-1", run_moves.beat(claim_id="claim-1", until=NOON + 2 * LEASE))

    assert isinstance(late, Refused)
    assert run_moves.is_held_by(late.record, "claim-1"), "it is refused, and the run holds its job"
    assert isinstance(ledger.change("job-1", later), Applied), "a repeated one lands again"
    record = ledger.get("job-1")
    assert record is not None
    assert record.due_at == NOON + 3 * LEASE


def test_a_completed_job_keeps_its_result_and_is_no_longer_due(backend: Backend) -> None:
    backend.ports.ledger.put(a_record(sweep_at=NOON))
    claim(backend, "first")

    change = run_moves.complete(
        claim_id="first", now=NOON + SECOND, result='{"sent":1}', result_omitted=None, expires_at=NOON + LEASE
    )

    assert isinstance(backend.ports.ledger.change("job-1", change), Applied)
    record = stored(backend)
    assert (record.state, record.result, record.ended_at) == (State.COMPLETED, '{"sent":1}', NOON + SECOND)
    assert (record.due_at, record.sweep_at, record.expires_at) == (None, None, NOON + LEASE)


def test_an_attempt_whose_claim_was_taken_over_changes_nothing(backend: Backend) -> None:
    backend.ports.ledger.put(a_record())
    claim(backend, "first")
    first = stored(backend)
    claim(backend, "second", now=NOON + LEASE)
    taken_over = stored(backend)

    late = [
        run_moves.complete(claim_id="first", now=NOON, result=None, result_omitted=None, expires_at=NOON),
        run_moves.retry(first, error="late", now=NOON, wait=SECOND),
        run_moves.die(first, cause=Cause.EXHAUSTED, error="late", now=NOON, expires_at=NOON),
        run_moves.report_progress(claim_id="first", percent=99, note=None),
    ]

    for change in late:
        assert backend.ports.ledger.change("job-1", change) == Refused(taken_over), change.name
    assert stored(backend) == taken_over


def test_an_attempt_from_before_a_redrive_changes_nothing(backend: Backend) -> None:
    backend.ports.ledger.put(a_record())
    claim(backend, "zombie")
    zombie = stored(backend)
    kill(backend, now=NOON + LEASE)
    ticket = a_message(life=2, ticket=True)
    backend.ports.ledger.change("job-1", claim_moves.begin_life(ticket, claim_id="new", now=NOON + LEASE, lease=LEASE))
    second_life = stored(backend)

    assert backend.ports.ledger.change(
        "job-1", run_moves.retry(zombie, error="late", now=NOON, wait=SECOND)
    ) == Refused(second_life)
    assert (second_life.life, second_life.attempts, second_life.state) == (2, 1, State.RUNNING)


def test_a_failed_attempt_waits_for_the_next_and_is_remembered(backend: Backend) -> None:
    backend.ports.ledger.put(a_record())
    claim(backend, "first")

    change = run_moves.retry(stored(backend), error="OSError: дараа", now=NOON + SECOND, wait=2 * SECOND)
    backend.ports.ledger.change("job-1", change)

    record = stored(backend)
    assert (record.state, record.due_at, record.error) == (State.RETRYING, NOON + 3 * SECOND, "OSError: дараа")
    assert [(1, 1, NOON + SECOND, "OSError: дараа")] == [
        (one.life, one.attempt, one.at, one.error) for one in record.failures
    ]


def test_a_dead_job_is_listed_for_the_sweep_and_lives_again_once(backend: Backend) -> None:
    backend.ports.ledger.put(a_record())
    dead = kill(backend)
    ticket = a_message(life=2, ticket=True)

    again = claim_moves.begin_life(ticket, claim_id="new", now=NOON + SECOND, lease=LEASE)
    twice = claim_moves.begin_life(ticket, claim_id="other", now=NOON + SECOND, lease=LEASE)

    assert (dead.state, dead.cause, dead.sweep_at) == (State.DEAD, Cause.EXHAUSTED, NOON)
    assert isinstance(backend.ports.ledger.change("job-1", again), Applied)
    assert isinstance(backend.ports.ledger.change("job-1", twice), Refused)
    record = stored(backend)
    assert (record.life, record.attempts, record.cause, record.expires_at) == (2, 1, None, None)
    assert len(record.failures) == 1


def test_one_crash_beyond_the_attempts_is_allowed_and_no_more(backend: Backend) -> None:
    backend.ports.ledger.put(a_record(max_attempts=1))
    claim(backend, "first")
    later = NOON + LEASE
    crashed = stored(backend)

    assert not claim(backend, "second", now=later)
    once_more = claim_moves.claim_after_crash(crashed, claim_id="second", now=later, lease=LEASE)
    assert isinstance(backend.ports.ledger.change("job-1", once_more), Applied)
    record = stored(backend)
    assert (record.attempts, record.crashed) == (2, True)

    latest = later + LEASE
    too_often = claim_moves.claim_after_crash(record, claim_id="third", now=latest, lease=LEASE)
    assert isinstance(backend.ports.ledger.change("job-1", too_often), Refused)
    end_with_ticket = run_moves.die_of_crash(record, now=latest, expires_at=latest)
    assert isinstance(backend.ports.ledger.change("job-1", end_with_ticket), Applied)
    assert stored(backend).cause is Cause.CRASHED


def test_only_a_job_that_was_never_claimed_is_left_to_the_sweep(backend: Backend) -> None:
    backend.ports.ledger.put(a_record())
    left = operator_moves.leave_to_sweep(stored(backend), at=NOON)

    assert isinstance(backend.ports.ledger.change("job-1", left), Applied)
    assert stored(backend).sweep_at == NOON
    claim(backend, "first")
    assert isinstance(backend.ports.ledger.change("job-1", left), Refused)
    assert stored(backend).sweep_at == NOON, "a claim must not remove the entry"


def test_recent_jobs_are_listed_newest_first_page_by_page(backend: Backend) -> None:
    ids = [f"job-{number:02}" for number in range(25)]
    for number, job_id in enumerate(ids):
        created = NOON + number * SECOND
        backend.ports.ledger.put(a_record(job_id=job_id, created_at=created, run_at=created))
    backend.ports.ledger.put(a_record(job_id="yesterday", created_at=NOON - timedelta(days=1)))

    seen: list[str] = []
    cursor = None
    while True:
        page = backend.ports.ledger.recent(day="2026-01-02", before=cursor, limit=10)
        seen += [key.job_id for key in page.keys]
        cursor = page.cursor
        if cursor is None:
            break

    assert ids[::-1] == seen


def test_recent_jobs_are_filtered_by_what_the_index_holds(backend: Backend) -> None:
    for job_id, queue in (("a", "email"), ("b", "report"), ("c", "email")):
        backend.ports.ledger.put(a_record(job_id=job_id, queue=queue))

    page = backend.ports.ledger.recent(day="2026-01-02", before=None, limit=10, keep=lambda key: key.queue == "report")

    assert [("b", "report", "user.greeting")] == [(key.job_id, key.queue, key.type) for key in page.keys]


def send_to_dlq(backend: Backend, job_id: str, died_at: datetime) -> None:
    dead = a_record(job_id=job_id, state=State.DEAD, due_at=None, ended_at=died_at, sweep_at=died_at, cause=Cause.INFRA)
    backend.ports.ledger.put(dead)


def test_dead_jobs_are_listed_the_latest_death_first_page_by_page(backend: Backend) -> None:
    # Three of each second: what dies in one moment must be neither lost nor repeated where pages meet.
    for number in range(27):
        send_to_dlq(backend, f"job-{number:02}", NOON + (number // 3) * SECOND)
    backend.ports.ledger.put(a_record(job_id="alive", sweep_at=NOON))

    pages: list[list[str]] = []
    cursor = None
    while True:
        page = backend.ports.ledger.dead(before=cursor, limit=10)
        pages.append([key.job_id for key in page.keys])
        cursor = page.cursor
        if cursor is None:
            break

    assert [10, 10, 7] == [len(page) for page in pages]
    assert [f"job-{number:02}" for number in reversed(range(27))] == [job_id for page in pages for job_id in page]


def test_the_dead_of_a_span_of_time_are_listed_from_its_start_up_to_but_not_with_its_end(backend: Backend) -> None:
    for number in range(5):
        send_to_dlq(backend, f"job-{number}", NOON + number * SECOND)

    page = backend.ports.ledger.dead(before=None, limit=10, since=NOON + SECOND, until=NOON + 3 * SECOND)

    assert [("job-2", NOON + 2 * SECOND), ("job-1", NOON + SECOND)] == [(key.job_id, key.time) for key in page.keys]
    assert page.cursor is None
    assert backend.ports.ledger.dead(before=None, limit=10, since=NOON + SECOND, until=NOON).keys == ()


def test_a_job_leaves_the_list_of_the_dead_with_its_next_life(backend: Backend) -> None:
    backend.ports.ledger.put(a_record())
    dead = kill(backend)
    assert ["job-1"] == [key.job_id for key in backend.ports.ledger.dead(before=None, limit=10).keys]

    backend.ports.ledger.change("job-1", operator_moves.redrive(dead, now=NOON + SECOND))

    assert backend.ports.ledger.dead(before=None, limit=10).keys == ()


def test_a_redrive_by_record_begins_the_next_life_once_and_keeps_the_history(backend: Backend) -> None:
    backend.ports.ledger.put(a_record())
    dead = kill(backend)
    again = operator_moves.redrive(dead, now=NOON + SECOND)

    assert isinstance(backend.ports.ledger.change("job-1", again), Applied)
    twice = operator_moves.redrive(dead, now=NOON + 2 * SECOND)
    assert isinstance(backend.ports.ledger.change("job-1", twice), Refused)

    record = stored(backend)
    assert (record.state, record.life, record.attempts, record.sweep_at) == (State.QUEUED, 2, 0, NOON + SECOND)
    assert (record.cause, record.expires_at, record.payload) == (None, None, dead.payload)
    assert [1] == [one.life for one in record.failures]
    assert claim(backend, "next", now=NOON + SECOND, life=2)


SMALL, LARGE = '{"name":"Бат"}', '{"name":"' + "я" * 5_000 + '"}'


@pytest.mark.parametrize(
    ("before", "after"), [(SMALL, '{"name":"Болд"}'), (SMALL, LARGE), (LARGE, SMALL), (LARGE, LARGE.replace("я", "ю"))]
)
def test_an_edited_payload_is_what_everybody_reads_from_then_on(backend: Backend, before: str, after: str) -> None:
    ledger = backend.ports.ledger
    ledger.put(a_record(payload=before))
    dead = kill(backend)

    answer = ledger.change("job-1", operator_moves.redrive(dead, now=NOON, edit=Edit(payload=after, version=2)))

    assert isinstance(answer, Applied)
    assert (stored(backend).payload, stored(backend).version) == (after, 2)
    assert after == ledger.payload_of(ledger.get_many(["job-1"])["job-1"])
    assert after == ledger.payload_of(answer.record)
    assert claim(backend, "new", life=3), "the ticket of life 2 carries the payload of before"
    # A small payload comes with the claim and wins over a message's; a large one is in no message but the new life's.
    assert stored(backend).payload == after


@pytest.mark.parametrize("payload", [SMALL.replace("Бат", "Болд"), LARGE])
def test_an_edit_that_is_refused_changes_neither_the_job_nor_its_payload(backend: Backend, payload: str) -> None:
    ledger = backend.ports.ledger
    ledger.put(a_record(payload=LARGE.replace("я", "ю")))
    dead = kill(backend)
    ledger.change("job-1", operator_moves.redrive(dead, now=NOON))
    before = stored(backend)

    answer = ledger.change("job-1", operator_moves.redrive(dead, now=NOON, edit=Edit(payload=payload)))

    assert isinstance(answer, Refused)
    assert answer.record is not None
    assert (answer.record.life, answer.record.state) == (2, State.QUEUED)
    assert before == stored(backend)
    assert ledger.change("nobody", operator_moves.redrive(dead, now=NOON, edit=Edit(payload=payload))) == Refused(None)


def test_a_dropped_job_is_cancelled_and_no_ticket_brings_it_back(backend: Backend) -> None:
    backend.ports.ledger.put(a_record())
    dead = kill(backend)

    assert isinstance(backend.ports.ledger.change("job-1", operator_moves.drop(dead, now=NOON + SECOND)), Applied)

    again = claim_moves.begin_life(a_message(life=2, ticket=True), claim_id="new", now=NOON + SECOND, lease=LEASE)
    assert isinstance(backend.ports.ledger.change("job-1", again), Refused)
    assert stored(backend).state is State.CANCELLED
    assert backend.ports.ledger.dead(before=None, limit=10).keys == ()


def test_jobs_are_read_from_a_moment_on_oldest_first_and_with_what_tells_whether_something_carries_them(
    backend: Backend,
) -> None:
    ledger = backend.ports.ledger
    for number in range(12):
        at = NOON + number * SECOND
        ledger.put(a_record(job_id=f"job-{number}", created_at=at, run_at=at, tenant="shop" if number % 2 else None))
    ledger.change("job-3", claim_moves.claim(life=1, claim_id="mine", now=NOON + 20 * SECOND, lease=LEASE))
    ledger.change("job-4", operator_moves.enter_unsent(at=NOON))
    day = NOON.date().isoformat()
    after = (NOON + 2 * SECOND).isoformat(timespec="milliseconds")

    page = ledger.enqueued(day=day, after=after, until=NOON + 10 * SECOND)
    rest = ledger.enqueued(day=day, after=page.keys[3].position, until=NOON + 10 * SECOND)
    found = {one.job_id: one for one in ledger.summaries([*(key.job_id for key in page.keys), "nobody"])}

    assert [f"job-{number}" for number in range(2, 10)] == [key.job_id for key in page.keys]
    assert page.cursor is None
    assert [f"job-{number}" for number in range(6, 10)] == [key.job_id for key in rest.keys]
    assert {key.job_id for key in page.keys} - {"job-3", "job-4"} == {one for one in found if found[one].is_unsent}
    assert {"job-3", "job-5", "job-7", "job-9"} == {one for one in found if found[one].tenant == "shop"}
    assert ledger.enqueued(day=day, after=after, until=NOON + SECOND).keys == ()
    assert not isinstance(ledger.change("job-3", operator_moves.enter_unsent(at=NOON)), Applied)


def test_a_day_whose_keys_become_more_while_jobs_come_lists_all_of_them_in_order(backend: Backend) -> None:
    ledger = backend.ports.ledger  # it has four keys, and doesn't hear of the others
    spread = {4: ledger, 16: more_keys(backend, 16), 9: more_keys(backend, 9)}
    writers = [4] * 8 + [4, 16, 9, 16] * 5
    jobs = [a_record(job_id=f"job-{number}", created_at=NOON + number * SECOND) for number in range(len(writers))]
    ledger.recent(day="2026-01-02", before=None, limit=5)
    for keys, job in zip(writers, jobs, strict=True):
        spread[keys].put(job)

    listed: list[str] = []
    before: str | None = None
    while before is not None or not listed:
        page = ledger.recent(day="2026-01-02", before=before, limit=5)
        listed += [key.job_id for key in page.keys]
        before = page.cursor
    enqueued = ledger.enqueued(day="2026-01-02", after=NOON.isoformat(), until=NOON + timedelta(minutes=5))

    assert listed == [one.job_id for one in reversed(jobs)]
    assert [key.job_id for key in enqueued.keys] == [one.job_id for one in jobs]


def more_keys(backend: Backend, shards: int) -> Ledger:
    """Return the ledger as a process has it that spreads a day's jobs over so many keys."""
    if not backend.endpoint:
        return backend.ports.ledger
    settings = Settings(stack=backend.stack, region=REGION, endpoint=backend.endpoint, index_shards=shards)
    return aws_ports(settings).ledger
