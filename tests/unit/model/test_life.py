"""The state machine: whatever is delivered in whatever order, the protocol's promises hold of one job."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lanework.memory import MemoryLedger
from lanework.model.lifecycle import claim_moves, run_moves
from lanework.model.lifecycle.change import Applied, Change
from lanework.model.lifecycle.claim_decision import Claimant, ClaimBy, EndBy, SendTicket, judge
from lanework.model.lifecycle.states import Cause, JobRecord, State
from lanework.testing import NOON
from tests.support.factories import LEASE, a_message, a_record

ATTEMPTS = 3


class LifeOfAJob(RuleBasedStateMachine):
    """Messages of any life arrive at any time; runs end, crash, or write long after they should."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = MemoryLedger()
        self.ledger.put(a_record(max_attempts=ATTEMPTS))
        self.now: datetime = NOON
        self.claims = 0
        self.open: dict[str, JobRecord] = {}
        self.begun = 0
        self.life = 1
        self.completed: JobRecord | None = None
        self.tickets: set[int] = set()

    @property
    def record(self) -> JobRecord:
        return self.ledger.records["job-1"]

    @rule(seconds=st.sampled_from([0, 1, 2, 5, 34, 35, 60, 600]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(life=st.integers(min_value=1, max_value=4), is_ticket=st.booleans())
    def a_message_arrives(self, life: int, is_ticket: bool) -> None:
        if is_ticket and life not in self.tickets:
            return
        if not is_ticket and life > 1 and life - 1 not in self.tickets and life not in self.tickets:
            return
        self._deliver(life, is_ticket=is_ticket)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), outcome=st.sampled_from(["completed", "failed", "progress", "crash"]))
    def a_run_ends(self, data: st.DataObject, outcome: str) -> None:
        claim_id = data.draw(st.sampled_from(sorted(self.open)))
        run = self.open[claim_id]
        if outcome != "progress":
            del self.open[claim_id]
        before = self.record
        if outcome == "crash":
            return
        answer = self.ledger.change("job-1", self._change(run, claim_id, outcome))
        was_mine = before.state is State.RUNNING and before.claim_id == claim_id
        assert was_mine == isinstance(answer, Applied)
        if was_mine and outcome == "completed":
            self.completed = self.record
        if self.record.state is State.DEAD:
            self.tickets.add(self.record.life + 1)

    @invariant()
    def a_completed_job_stays_as_it_is(self) -> None:
        assert self.completed in (None, self.record)

    @invariant()
    def no_more_attempts_are_begun_than_allowed(self) -> None:
        assert self.begun <= ATTEMPTS + 1
        assert self.record.attempts == self.begun
        assert self.record.attempts <= ATTEMPTS or self.record.crashed

    @invariant()
    def an_end_is_never_due_and_a_running_job_always(self) -> None:
        is_over = self.record.state in (State.COMPLETED, State.DEAD, State.CANCELLED)
        assert is_over == (self.record.due_at is None)
        assert is_over == (self.record.expires_at is not None)

    @invariant()
    def a_job_that_is_not_over_can_still_be_claimed(self) -> None:
        if self.record.due_at is None:
            return
        later = max(self.now, self.record.due_at)
        verdict = judge(self.record, a_message(life=self.record.life), self._claimant("later", later))
        assert isinstance(verdict, ClaimBy | EndBy)

    def _deliver(self, life: int, *, is_ticket: bool) -> None:
        self.claims += 1
        claim_id = f"claim-{self.claims}"
        before = self.record
        message = a_message(life=life, ticket=is_ticket, attempts=ATTEMPTS)
        change = claim_moves.claim(life=life, claim_id=claim_id, now=self.now, lease=LEASE)
        answer = self.ledger.change("job-1", change)
        if not isinstance(answer, Applied):
            match judge(before, message, self._claimant(claim_id, self.now)):
                case ClaimBy(change) | EndBy(change):
                    answer = self.ledger.change("job-1", change)
                    assert isinstance(answer, Applied), "a verdict on the present record must hold"
                case SendTicket():
                    self.tickets.add(before.life + 1)
        if self.record.state is State.DEAD:
            self.tickets.add(self.record.life + 1)
        if self.record.claim_id == claim_id:
            self._begun(before, claim_id)

    def _begun(self, before: JobRecord, claim_id: str) -> None:
        lease_was_live = before.state is State.RUNNING and before.due_at is not None and before.due_at > self.now
        assert not lease_was_live, "never two live leases"
        assert before.due_at is None or before.due_at <= self.now, "never before it is due"
        assert before.state not in (State.COMPLETED, State.CANCELLED)
        self.begun = self.begun + 1 if self.record.life == before.life else 1
        self.open[claim_id] = self.record

    def _claimant(self, claim_id: str, now: datetime) -> Claimant:
        return Claimant(claim_id=claim_id, now=now, lease=LEASE, expires_at=now + timedelta(days=15))

    def _change(self, run: JobRecord, claim_id: str, outcome: str) -> Change:
        expires_at = self.now + timedelta(days=8)
        if outcome == "completed":
            return run_moves.complete(
                claim_id=claim_id, now=self.now, result=None, result_omitted=None, expires_at=expires_at
            )
        if outcome == "progress":
            return run_moves.report_progress(claim_id=claim_id, percent=50, note=None)
        if run.attempts >= run.max_attempts:
            return run_moves.die(run, cause=Cause.EXHAUSTED, error="E: no", now=self.now, expires_at=expires_at)
        return run_moves.retry(run, error="E: no", now=self.now, wait=timedelta(seconds=2))


LifeOfAJob.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestLifeOfAJob = LifeOfAJob.TestCase
