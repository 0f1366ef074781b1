"""What must hold of every write to a job's record and in every state, said without the engine's help."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from lanework.model.job.ids import OURS
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.states import ENDED, WAITING, Cause, JobRecord, State
from lanework.model.limits import Concurrency, Rate
from lanework.model.workflow.dependency import OnFailure
from lanework.model.workflow.workflow import GIVEN_UP_AFTER
from tests.unit.proof.forger import is_forged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from lanework.engine.ports.bundle import Clock
    from lanework.engine.ports.ledger import Ledger
    from lanework.model.job.envelope import Envelope
    from lanework.model.lifecycle.change import Answer, Change, StepExists
    from lanework.model.limits import Limit

BATCH = "w"
CALLED_BACK = ("w.on-success", "w.on-complete", "w.on-failure")
MEMBERS = {BATCH: ("w.1", "w.2"), "v": ("v.1", "v.2")}
"""The jobs of the workflows that are enqueued."""

End = tuple[str, int, State]
"""Which of a job's lives ended, and how."""

MOST_SKEW = timedelta(seconds=4)
"""Between any two of the proof's clocks; a lease outlasts its invocation by more."""


@dataclass(slots=True)
class Actor:
    """
    Who is calling the ports now.

    Attributes:
        clock: Its own.
        ends_at: When its invocation is over, in true time.
        message: The message that it was handed; what it does to other jobs isn't done by its run.
        claim_id: The run that it is in, once it has one.
        earliest: Before when, in true time, what it asks for must not begin: an enqueue's delay, a retry's wait.
        read_at: When, in true time, it last read what guards remember.
        runs_on_until: Until when, in true time, its code may run that it gives back.
    """

    clock: Clock
    ends_at: datetime
    message: Envelope | None = None
    claim_id: str | None = None
    earliest: datetime | None = None
    read_at: datetime | None = None
    runs_on_until: datetime | None = None


@dataclass(slots=True)
class Promises:
    """
    Watches every landed write.

    Attributes:
        workflows: When each workflow was first asked for.
        begun: Executions begun, by job and life.
        given_back: Of those, the ones that were snoozed.
        acked: Jobs whose enqueue returned.
        started: Those of them that get their record from their start, if no other job has taken their id by then.
        recorded: Jobs that were recorded to be started by a message or an entry, whether their enqueue returned or not.
        ends: Completions and deaths, of which the world is to be told.
        broken: What didn't hold.
        jobs: The type and payload that each job is recorded with, as of now.
        found: Of those, the ones that nobody enqueued: others' records, which nothing is promised of.
    """

    now: Callable[[], datetime]
    workflows: dict[str, datetime] = field(default_factory=dict)
    begun: Counter[tuple[str, int]] = field(default_factory=Counter)
    given_back: Counter[tuple[str, int]] = field(default_factory=Counter)
    acked: set[str] = field(default_factory=set)
    started: set[str] = field(default_factory=set)
    recorded: set[str] = field(default_factory=set)
    ends: set[End] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    jobs: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    found: set[str] = field(default_factory=set)
    _invocation_ends: dict[str, datetime] = field(default_factory=dict)
    _earliest: dict[str, datetime] = field(default_factory=dict)
    _admitted: dict[str, list[tuple[datetime, str, str]]] = field(default_factory=dict)
    _completed: set[str] = field(default_factory=set)
    _failed: set[str] = field(default_factory=set)
    _let_go_in: set[tuple[str, int]] = field(default_factory=set)
    _runs_on: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def keep(self, is_kept: bool, promise: str) -> None:
        """Note a broken promise, and stop: a job's code may be running, and what it raises is caught."""
        if not is_kept:
            self.broken.append(promise)
            raise AssertionError(promise)

    def find(self, record: JobRecord) -> None:
        """Note a record that nobody enqueued; the runs that it tells of are over."""
        self.found.add(record.job_id)
        self.jobs[record.job_id] = (record.type, record.payload)
        self.begun[record.job_id, record.life] = record.attempts
        if record.claim_id is not None:
            self._invocation_ends[record.claim_id] = self.now()

    def watch_put(self, record: JobRecord, actor: Actor) -> None:
        """Check a record that was just made."""
        self.keep(record.job_id not in self.jobs, "a record was made a second time")
        self.keep(not record.type.startswith(OURS), "a message made a job of Lanework's own")
        self.jobs[record.job_id] = (record.type, record.payload)
        if record.state in (State.QUEUED, State.SCHEDULED) and record.workflow is None:
            self.recorded.add(record.job_id)
        if record.state is State.RUNNING:
            is_due = record.run_at == record.created_at or record.run_at <= actor.clock()
            self.keep(record.life > 1 or is_due, "an unrecorded job began before its time")
            self._begins(record, actor)
        elif actor.earliest is not None:
            self._earliest[record.job_id] = actor.earliest
        self._counts(record)

    def watch_change(self, name: str, before: JobRecord, after: JobRecord, actor: Actor) -> None:
        """Check a change that just landed."""
        self.keep(before.state is not State.COMPLETED, f"{name} changed a completed job")
        self.keep(before.state is not State.CANCELLED, f"{name} changed a cancelled job")
        self.keep(after.life == before.life or before.state is State.DEAD, f"{name} began a life")
        self.keep(after.life - before.life == _lives(before, after), f"{name} leaves the wrong life")
        if after.life > before.life:
            # A forged ticket of a free id makes a job; the tickets of its deaths are our own, and have its nonce.
            is_ours = not is_forged(actor.message) or (
                actor.message is not None and actor.message.nonce == before.nonce
            )
            self.keep(is_ours, f"{name} began a life that somebody forged")
            self._earliest.pop(after.job_id, None)
        if after.life > before.life or name == "supersede":
            self.jobs[after.job_id] = (after.type, after.payload)
        if before.cancel_asked:
            is_same_run = after.state is State.RUNNING and after.claim_id == before.claim_id
            self.keep(is_same_run or after.state in (State.COMPLETED, State.CANCELLED), f"{name} under cancel_asked")
        is_own = actor.message is not None and actor.message.id == before.job_id
        if actor.claim_id is not None and is_own and name not in ("push_on", "release"):  # entries belong to no run
            self.keep(before.claim_id == actor.claim_id, f"{name} by a run whose claim was taken over")
        if before.sweep_at is not None and after.sweep_at is None:
            self.keep(after.state in ENDED or before.state is State.DEAD, f"{name} removed a sweep entry")
        if after.claim_id not in (None, before.claim_id):
            self._takes(name, before, actor)
            self._begins(after, actor)
        elif before.state is State.RUNNING and after.state in WAITING:
            self.given_back[after.job_id, after.life] += after.state is State.PARKED
        if name == "requeue" and actor.runs_on_until is not None and before.claim_id is not None:
            self._runs_on[before.claim_id] = (before.job_id, actor.runs_on_until)
        if after.state in (State.COMPLETED, State.DEAD):
            self.ends.add((after.job_id, after.life, after.state))
        self._may_begin(name, before, after, actor)
        self._lets_go(before, after)
        self._expires(before, after, actor)
        self._counts(after)

    def _may_begin(self, name: str, before: JobRecord, after: JobRecord, actor: Actor) -> None:
        """Note from when on a job may begin; one that a signal woke, at once."""
        is_put_back = before.state is State.RUNNING and after.state in WAITING
        if name == "look_again" or (name == "signal" and before.awaits != after.awaits):
            self._earliest.pop(after.job_id, None)
        elif (is_put_back and actor.earliest is not None) or name in ("reschedule", "supersede"):
            self._earliest[after.job_id] = cast("datetime", actor.earliest)

    def _lets_go(self, waiting: JobRecord, after: JobRecord) -> None:
        """Check that a job which waited for others may start: once a life, and after them."""
        if after.state in ENDED:
            (self._completed if after.state is State.COMPLETED else self._failed).add(after.job_id)
        if waiting.state is not State.BLOCKED or after.state not in WAITING:
            return
        life = (waiting.job_id, waiting.life)
        self.keep(life not in self._let_go_in, "a job was let go twice")
        self._let_go_in.add(life)
        undone = {one for one in waiting.after if not self._is_done(one)}
        if waiting.job_id in self.found:  # what nobody enqueued may wait for a job that has no record before it starts
            undone &= self.jobs.keys()
        may_run = waiting.on_failure == OnFailure.RUN and undone <= self._failed
        self.keep(not undone or may_run, "a job was let go before what it waits for was done")

    def _is_done(self, parent: str) -> bool:
        """Whether what a job waits for has happened: a job completed, or what is waited for of a workflow."""
        _, _, ref = parent.rpartition("workflow/")
        workflow_id, _, when = ref.partition("/")
        members = set(MEMBERS.get(workflow_id, (parent,)))
        failed = self._failed | self._never_made(workflow_id)
        if when == "ended":
            return members <= self._completed | failed
        return bool(members & failed) if when == "failed" else members <= self._completed

    def _never_made(self, workflow_id: str) -> set[str]:
        """Return the jobs of a workflow that was asked for over an hour ago and is still not there as a whole."""
        asked_at = self.workflows.get(workflow_id)
        if asked_at is None or asked_at + GIVEN_UP_AFTER - MOST_SKEW > self.now():
            return set()
        return set(MEMBERS[workflow_id]) - self.jobs.keys()

    def _expires(self, before: JobRecord, after: JobRecord, actor: Actor) -> None:
        if after.cause is Cause.EXPIRED and before.state is not State.DEAD:
            is_over = before.start_by is not None and before.start_by <= actor.clock()
            self.keep(is_over and before.first_started_at is None, "a job expired that had begun, or had time left")
        self._counts(after)

    def admitted(self, record: JobRecord, actor: Actor, limits: Sequence[tuple[str, Limit]], ledger: Ledger) -> None:
        """Check that a run may begin its code: beside all others whose lease is live, and after all that began."""
        assert record.claim_id is not None
        if actor.ends_at <= self.now():
            return  # its invocation was over: Lambda has ended it
        if record.start_by is not None and record.first_started_at == record.started_at:
            self.keep(cast("datetime", record.started_at) < record.start_by, "a job began after its last moment")
        for name, limit in limits:
            begun = self._admitted.setdefault(name, [])
            begun.append((self.now(), record.job_id, record.claim_id))
            if isinstance(limit, Concurrency):
                live = [one for one in begun if self._is_live(one[1], one[2], ledger)]
                self.keep(len(live) <= limit.n, f"{len(live)} at once under {name}")
            elif isinstance(limit, Rate):
                window = limit.per - MOST_SKEW
                within = [one for one in begun if one[0] > self.now() - window]
                self.keep(len(within) <= limit.n, f"{len(within)} within {window} under {name}")

    def _is_live(self, job_id: str, claim_id: str, ledger: Ledger) -> bool:
        if claim_id in self._runs_on:
            return self._runs_on[claim_id][1] > self.now()
        record = ledger.get(job_id)
        is_running = record is not None and record.state is State.RUNNING and record.claim_id == claim_id
        return is_running and self._invocation_ends[claim_id] > self.now()

    def _takes(self, name: str, before: JobRecord, actor: Actor) -> None:
        if before.state is State.DEAD:
            return
        assert before.due_at is not None
        self.keep(before.due_at <= actor.clock(), f"{name} before the job was due on the worker's own clock")
        ends = [until for job_id, until in self._runs_on.values() if job_id == before.job_id]
        self.keep(all(one <= self.now() for one in ends), f"{name} while code that was given back runs on")
        if before.state is State.RUNNING:
            assert before.claim_id is not None
            self.keep(self._invocation_ends[before.claim_id] <= self.now(), "two live leases")
        elif before.job_id in self._earliest:
            self.keep(self._earliest[before.job_id] - MOST_SKEW <= self.now(), f"{name} before its time")

    def _begins(self, record: JobRecord, actor: Actor) -> None:
        assert record.state is State.RUNNING
        assert record.claim_id is not None
        is_own = actor.message is not None and actor.message.life == record.life
        self.keep(is_own, "a message began another life than its own")
        self.begun[record.job_id, record.life] += 1
        self._invocation_ends[record.claim_id] = actor.ends_at
        actor.claim_id = record.claim_id

    def _counts(self, record: JobRecord) -> None:
        life = (record.job_id, record.life)
        self.keep(record.attempts == self.begun[life] - self.given_back[life], "attempts are miscounted")
        most = max(record.max_attempts, 1) + record.crashed  # some of the found say 0
        self.keep(record.attempts <= most, "more attempts than are allowed")


def _lives(before: JobRecord, after: JobRecord) -> int:
    """How many lives a change goes on: a dead job's next, or the one after if its payload was edited."""
    if before.state is not State.DEAD or after.state in (State.CANCELLED, State.DEAD):
        return 0
    return 1 if after.payload == before.payload else 2


class WatchedLedger:
    """A ledger whose landed writes are checked against the promises."""

    def __init__(self, ledger: Any, promises: Promises, actor: Callable[[], Actor]) -> None:
        self._ledger = ledger
        self._promises = promises
        self._actor = actor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def put(self, record: JobRecord) -> JobRecord | None:
        is_made = False
        try:
            existing: JobRecord | None = self._ledger.put(record)
            is_made = existing is None
        finally:
            # Where the answer to the record's own write was lost, or the client repeated it, the put says otherwise.
            is_new = record.job_id not in self._promises.jobs and self._ledger.get(record.job_id) is not None
            if is_made or is_new:
                self._promises.watch_put(record, self._actor())
        return existing

    def change(self, job_id: str, change: Change) -> Answer:
        before = self._ledger.get(job_id)
        answer: Answer = self._ledger.change(job_id, change)
        self._watch(change, before, answer)
        return answer

    def change_and_keep(self, job_id: str, change: Change, *, step: str, text: str) -> Answer | StepExists:
        before = self._ledger.get(job_id)
        answer: Answer | StepExists = self._ledger.change_and_keep(job_id, change, step=step, text=text)
        self._watch(change, before, answer)
        return answer

    def _watch(self, change: Change, before: JobRecord, answer: Answer | StepExists) -> None:
        if isinstance(answer, Applied):
            # A large payload is no part of the answer.
            payload = cast("str | None", change.write.get("payload", before.payload))
            after = replace(answer.record, payload=payload)
            if after == before:
                return  # it had landed before, and its answer was lost
            self._promises.watch_change(change.name, before, after, self._actor())
