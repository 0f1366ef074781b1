"""The engine over its ports, several environments around it, and the steps that each of them takes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel

from lanework import Cancel, EnqueueError, RetryAfter, Run, Snooze, batch, chain
from lanework.engine.deadletters.redrive import Redriver, checked_edit
from lanework.engine.enqueue.enqueuer import Enqueuer
from lanework.engine.execution.attempt import Attempt
from lanework.engine.execution.executor import Executor
from lanework.engine.execution.lease import unclaim_for
from lanework.engine.execution.pause_watch import KNOWN_FOR, PauseWatch
from lanework.engine.jobtypes.job_type import JobType, Options, resolve_policy
from lanework.engine.jobtypes.registry import Registry
from lanework.engine.jobtypes.request import Request
from lanework.engine.jobtypes.run import TIMED_OUT, signal_step
from lanework.engine.limits.release import LOOK_EVERY
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.maintenance.unsent_jobs import UnsentJobs
from lanework.engine.messaging.delivery import Ack, Delivery, Nack, Report
from lanework.engine.operations.cancel import Cancelling, cancel
from lanework.engine.operations.pauses import resume
from lanework.engine.operations.reschedule import reschedule
from lanework.engine.operations.signals import signal
from lanework.engine.ports.bundle import Ports
from lanework.engine.ports.index_keys import Summary
from lanework.engine.ports.messages import OutgoingMessage
from lanework.engine.ports.webhooks import Webhooks
from lanework.engine.workflows.enqueue import WorkflowEnqueuer
from lanework.engine.workflows.service import Workflows
from lanework.errors import (
    InvalidOptionError,
    JobEndedError,
    JobIdTakenError,
    JobNotFoundError,
    JobNotWaitingError,
    LaneworkError,
    QuotaExceededError,
    SignalTimeoutError,
    SignalTooLateError,
    UnavailableError,
    UnknownParentError,
    WorkflowNotFoundError,
)
from lanework.memory import MemoryLedger
from lanework.model.job.job_exceptions import Suspended, TimedOut
from lanework.model.job.payload import INLINE_PAYLOAD
from lanework.model.lanes import LANES, Lane
from lanework.model.lifecycle.dependency_moves import NOTIFICATION_PENDING
from lanework.model.lifecycle.states import ENDED, JobRecord, State
from lanework.model.limits import Bound
from lanework.model.workflow.dependency import OnFailure
from lanework.outbox.relay import Relay
from lanework.outbox.rows import row_of, with_id
from lanework.testing import Clock, memory_ports
from tests.unit.proof.adversary import Adversary, Beset, BesetLanes, BesetLedger, BesetWorkflows, CrashError, Trouble
from tests.unit.proof.forger import forged
from tests.unit.proof.guarded import COUNTED, COUNTS, DEBOUNCED, GUARDED, KEY, UNIQUE, GuardedLedger, GuardPromises
from tests.unit.proof.outbox import Environment, MemoryRows
from tests.unit.proof.poison import poisoned
from tests.unit.proof.promises import BATCH, CALLED_BACK, MEMBERS, Actor, End, Promises
from tests.unit.proof.queues import LANES_USED, Queues, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from lanework import App
    from lanework.engine.ports.flags import Flags
    from lanework.engine.ports.ledger import Ledger
    from lanework.engine.ports.limits import Limits

SKEWS = (-2, -1, 0, 1, 2)
"""Seconds by which an environment's clock may be wrong."""

STARTED = "proof.start"
"""Its jobs get their records when they start."""

TYPES: Mapping[str, Lane] = {"proof.one": Lane.HIGH, "proof.two": Lane.MEDIUM, STARTED: Lane.HIGH}

ENVIRONMENTS = ("producer", "producer-2", "worker-1", "worker-2", "worker-3", "sweeper", "operator")

PAUSES = ("lane:high", "queue:proof", "type:proof.two")

SIGNAL = "go"

BACKOFF = timedelta(seconds=2)
MINUTE = timedelta(minutes=1)
LONGEST_STARTED = 14 * MINUTE
"""The longest delay of a job that has no record before it starts."""

CUT_OFF = timedelta(seconds=5)
"""How long code may run on that was given back, until its process is killed."""

Bounds = Mapping[str, tuple[Bound, ...]]
"""The limits of each job type."""


LONGEST_KEPT = timedelta(minutes=15, seconds=10)
"""A queue keeps a message for days only: what waits for longer than a delay may last is the sweep's."""


class Payload(BaseModel):
    """
    Payload of the proof's jobs.

    Attributes:
        nonce: Which of the enqueues under one id it came with.
        work: A key, the same for all.
        text: Makes some payloads so large that they are kept apart from the record.
    """

    nonce: int
    work: str = "it"
    text: str = ""


class Silence:
    """A sink for events that nobody reads."""

    def emit(self, event: object) -> None: ...

    def flush(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """
    How a job's code ends.

    Attributes:
        raises: What it raises; None if it returns.
        does: What it does before, through its run.
        wait: For how long it snoozes, retries later, or waits.
    """

    raises: type[BaseException] | None = None
    wait: timedelta = timedelta(seconds=1)
    does: str = ""

    def error(self) -> BaseException | None:
        """Return what is raised."""
        if self.raises is None or issubclass(self.raises, CrashError):
            return None if self.raises is None else self.raises()
        if self.raises in (Snooze, RetryAfter, TimedOut):
            return self.raises(self.wait)
        return self.raises("no")


@dataclass(slots=True, kw_only=True)
class OpenRun:
    """
    A run that was claimed and whose later steps are still to come.

    Attributes:
        claimed: Type and payload of the job as it was recorded when it was claimed.
        ending: How its code ended, once it has.
        is_ahead: It was claimed ahead of a free slot, and its code has not begun.
        killed_at: When its process is killed, in true time; its code may run until then, given back or not.
    """

    attempt: Attempt
    claimed: tuple[str, str | None]
    actor: Actor
    lane: Lane
    handle: str
    ending: Ending | None = None
    is_ahead: bool = False
    killed_at: datetime | None = None


class World:
    """
    One deployment.

    Attributes:
        now: The true time.
        open: Runs that are under way.
    """

    def __init__(
        self, ledger: Ledger, flags: Flags, limits: Limits, *, skews: Mapping[str, int], bounds: Bounds
    ) -> None:
        self.time = Clock()
        self.queues = Queues(self.time)
        self.promises = Promises(self.time)
        self.guards = GuardPromises(self.promises, ledger)
        self.stored = ledger
        self.open: list[OpenRun] = []
        self._skews = skews
        self._numbers = count(1)
        self._actors = [self._actor("operator")]
        self._adversary = Adversary(self._interfere)
        self._base = replace(
            memory_ports(self.time), events=Silence(), webhooks=Webhooks(webhook="https://example.com/")
        )
        watched = GuardedLedger(ledger, self.promises, self.guards, lambda: self._actors[-1])
        self._lanes = BesetLanes(self.queues.lanes, "sqs", self._adversary)
        self._ledger = BesetLedger(watched, "dynamodb", self._adversary)
        if isinstance(ledger, MemoryLedger):
            ledger.each = lambda write: self._adversary.stand_at("dynamodb", write)
        self._flags = Beset(flags, "dynamodb", self._adversary)
        self._flags_stored = flags
        self._paused_since: dict[str, datetime] = {}
        self._workflows = BesetWorkflows(self._base.workflows, "dynamodb", self._adversary)
        self._limits_stored = limits
        self._limits = Beset(limits, "dynamodb", self._adversary)
        self._bounds_seen = {bound.name_for({}, None) for some in bounds.values() for bound in some}
        self.outbox = MemoryRows()
        self._told: set[End] = set()
        self._watches: dict[str, PauseWatch] = {}
        self._types = {
            name: JobType(
                name=name,
                queue="proof",
                function=self._body(name),
                model=Payload,
                takes_run=True,
                is_async=False,
                options=Options(lane=lane, backoff=BACKOFF, record="start" if name == STARTED else None),
                bounds=(*bounds.get(name, ()), *((COUNTS,) if name == COUNTED else ())),
                key=KEY if name in GUARDED else (),
            )
            for name, lane in (*TYPES.items(), *GUARDED.items())
        }
        self._registry = Registry(self._types.values())
        self._ending = Ending()
        self._claimed: tuple[str, str | None] = ("", None)

    # --- what each environment does

    def enqueue(
        self,
        trouble: Trouble,
        *,
        name: str | None,
        type_: str,
        delay: timedelta | None,
        attempts: int,
        start_by: timedelta | None = None,
    ) -> None:
        """A producer enqueues."""
        if type_ == STARTED and delay is not None:
            delay = min(delay, LONGEST_STARTED)
        request = self._request(name=name, type_=type_, delay=delay, attempts=attempts, start_by=start_by)
        with self._acting("producer", trouble) as actor:
            actor.earliest = self.time() + (delay or timedelta(0))
            with suppress(JobIdTakenError, EnqueueError):
                job_id = Enqueuer(self._ports("producer")).enqueue(request).job_id
                self.promises.acked.add(job_id)
                if type_ == STARTED:
                    self.promises.started.add(job_id)

    def enqueue_waiting(self, trouble: Trouble, name: str, *, after: Sequence[str], policy: OnFailure) -> None:
        """A producer enqueues a job that waits for others, some of which may not exist."""
        request = replace(
            self._request(name=name, type_="proof.two", delay=None, attempts=2), after=tuple(after), on_failure=policy
        )
        with self._acting("producer", trouble) as actor:
            actor.earliest = self.time()
            with suppress(JobIdTakenError, EnqueueError, UnknownParentError):
                self.promises.acked.add(Enqueuer(self._ports("producer")).enqueue(request).job_id)

    def enqueue_workflow(self, trouble: Trouble, workflow_id: str) -> None:
        """A producer enqueues a batch of two with all its callbacks, or a chain of two, under an id of its own."""
        jobs = [self._request(name=None, type_="proof.one", delay=None, attempts=1) for _ in range(5)]
        callbacks = dict(zip(("on_success", "on_complete", "on_failure"), jobs[2:], strict=True))
        plan = batch(jobs[:2], **callbacks) if workflow_id == BATCH else chain(*jobs[:2])
        self.promises.workflows.setdefault(workflow_id, self.time())
        with self._acting("producer", trouble) as actor:
            actor.earliest = self.time()
            ports = self._ports("producer")
            enqueuer = WorkflowEnqueuer(ports, self._registry, Enqueuer(ports).enqueue_many)
            with suppress(JobIdTakenError, EnqueueError, UnavailableError):
                enqueuer.enqueue(plan, workflow_id)
                self.promises.acked |= {*MEMBERS[workflow_id], *(CALLED_BACK if workflow_id == BATCH else ())}

    def retry_workflow(self, trouble: Trouble, workflow_id: str) -> None:
        """An operator redrives what died in a workflow."""
        with self._acting("operator", trouble), suppress(UnavailableError, WorkflowNotFoundError):
            Workflows(self._ports("operator"), self._registry, lambda _: []).retry(workflow_id)

    def enqueue_under_guards(
        self, trouble: Trouble, type_: str, *, window: timedelta, name: str | None = None, by: str = "producer"
    ) -> None:
        """A producer enqueues a job of the one key, or of the one quota."""
        request = self._guarded_request(type_, window=window, name=name)
        with self._acting(by, trouble) as actor:
            actor.earliest = self.time() + (request.debounce or timedelta(0))
            self.guards.asks(request)
            with suppress(JobIdTakenError, EnqueueError, QuotaExceededError):
                self.guards.acknowledge(request, Enqueuer(self._ports(by)).enqueue(request))

    def enqueue_many(self, trouble: Trouble, chosen: list[str | None], *, delay: timedelta | None) -> None:
        """A producer enqueues several, by id or guarded type."""
        requests = [
            self._guarded_request(one, window=timedelta(minutes=1))
            if one is not None and one in GUARDED
            else self._request(name=one, type_="proof.one", delay=delay, attempts=2)
            if one is not None or (delay is not None and delay > LONGEST_STARTED)
            else self._request(name=one, type_=STARTED, delay=delay, attempts=2)
            for one in chosen
        ]
        with self._acting("producer", trouble) as actor:
            actor.earliest = self.time() + min(one.delay or one.debounce or timedelta(0) for one in requests)
            for request in requests:
                self.guards.asks(request)
            with suppress(JobIdTakenError, EnqueueError, QuotaExceededError):
                receipts = Enqueuer(self._ports("producer")).enqueue_many(requests)
                for request, receipt in zip(requests, receipts, strict=True):
                    self.guards.acknowledge(request, receipt)

    def commit(self, trouble: Trouble, chosen: Sequence[str | None], *, is_sent: bool) -> None:
        """A producer commits jobs in a transaction of its own, and sends them then, if it lives long enough."""
        requests = [self._request(name=one, type_="proof.one", delay=None, attempts=2) for one in chosen]
        with self._acting("producer", trouble) as actor:
            actor.earliest = self.time()
            app = cast("App", Environment(self._ports("producer"), self._registry))
            asked = [with_id(one, app) for one in requests]
            rows = [row_of(one, app) for one in asked]
            self.outbox.rows |= {row.id: (row, None) for row in rows}
            self.promises.acked |= {row.job_id for row in rows}
            if is_sent:
                with suppress(LaneworkError):
                    app.runtime.send_written(asked)
                    self.outbox.remove([row.id for row in rows])

    def relay(self, trouble: Trouble) -> None:
        """A relay sends what is due in the outbox."""
        with self._acting("sweeper", trouble) as actor:
            actor.earliest = self.time()
            Relay(self.outbox, cast("App", Environment(self._ports("sweeper"), self._registry))).run()

    def named(self, name: str) -> str:
        """Return the id that is meant: `guarded` is the latest job that was recorded under guards."""
        return next(reversed(self.guards.made), name) if name == "guarded" else name

    def deliver(
        self,
        trouble: Trouble,
        *,
        worker: str,
        lane: Lane,
        ending: Ending,
        begins_only: bool = False,
        claims_only: bool = False,
    ) -> None:
        """A worker gets a message, and takes its job through all steps, or only as far as its code, or the claim."""
        message = self.queues.lanes.receive(lane)
        if message is None:
            return
        time_left, came_at = LANES[lane].timeout, self.time()
        with self._acting(worker, trouble, lasts=time_left) as actor:
            actor.message = read(message.body)
            begun: list[OpenRun] = []

            def drive(attempt: Attempt) -> None:
                if not attempt.claim():
                    return
                claimed = self.promises.jobs[attempt.job_id]
                run = OpenRun(attempt=attempt, claimed=claimed, actor=actor, lane=lane, handle=message.handle)
                if claims_only:
                    run.is_ahead = True
                    begun.append(run)
                    return
                if not attempt.begin():
                    return
                self._admitted(attempt, actor)
                self._keeps_to_pauses(cast("JobRecord", attempt.stored), came_at)
                if begins_only:
                    begun.append(run)
                else:
                    self._run(run, ending)
                    self._settle(run)

            ports = self._ports(worker)
            pauses = self._watches.setdefault(worker, PauseWatch(ports.flags, ports.clock))
            executor = Executor(registry=self._registry, ports=ports, drive=drive, pauses=pauses)
            report = executor.execute(
                Delivery(body=message.body, lane=lane, time_left=time_left, receives=message.receives)
            )
            self.open += begun
            if not begun:
                self._hand_back(lane, message.handle, report)

    def _admitted(self, attempt: Attempt, actor: Actor) -> None:
        record = attempt.stored
        assert record is not None
        bounds = self._types[record.type].bounds if record.type in self._types else ()
        limits = [(bound.name_for({}, None), bound.limit) for bound in bounds]
        self.promises.admitted(record, actor, limits, self.stored)

    def _keeps_to_pauses(self, record: JobRecord, came_at: datetime) -> None:
        """
        Check that nothing begins under a pause that every worker has seen: by then it knows, or begins nothing.

        What counts is the record's word: a forged message may name another type.
        """
        for name in (f"lane:{record.lane}", f"queue:{record.queue}", f"type:{record.type}"):
            since = self._paused_since.get(name)
            if since is not None and name in self._flags_stored.read().paused:
                self.promises.keep(since > came_at - KNOWN_FOR, f"a job began while {name} was paused")

    def start_anew(self, worker: str) -> None:
        """A worker's process is replaced by another, which has read nothing yet."""
        self._watches.pop(worker, None)

    def begin(self, trouble: Trouble, number: int) -> None:
        """There is a slot for a job that was claimed ahead, perhaps long after it was: its code begins, if it may."""
        if runs := [run for run in self.open if run.is_ahead]:
            run = runs[number % len(runs)]
            with self._acting(run.actor, trouble), self._ends_by_crash(run):
                run.is_ahead = False
                if run.attempt.begin(is_ahead=True):
                    self._admitted(run.attempt, run.actor)
                    self._keeps_to_pauses(cast("JobRecord", run.attempt.stored), self.time())
                    return
                self.open.remove(run)
                self._hand_back(run.lane, run.handle, run.attempt.report)

    def unclaim(self, trouble: Trouble, number: int) -> None:
        """There is no slot in time for a job that was claimed ahead, or its worker stops: it is given back."""
        if runs := [run for run in self.open if run.is_ahead]:
            run = runs[number % len(runs)]
            with self._acting(run.actor, trouble), self._ends_by_crash(run):
                run.attempt.unclaim()
                self.open.remove(run)
                self._hand_back(run.lane, run.handle, run.attempt.report)

    def bereave(self, trouble: Trouble, number: int) -> None:
        """A worker's process is killed before a claimed job's code began, and its parent gives the job back."""
        if runs := [run for run in self.open if run.is_ahead]:
            run = runs[number % len(runs)]
            self.open.remove(run)
            with self._acting("sweeper", trouble), suppress(UnavailableError):
                if unclaim_for(run.attempt.lease(), self._ports("sweeper")):
                    self._hand_back(run.lane, run.handle, Nack(timedelta(0)))

    def give_back(self, trouble: Trouble, number: int, *, has_begun: bool) -> None:
        """A worker that stops gives a run back; its code runs on, until the process is killed."""
        self._bury_the_killed()
        if runs := [run for run in self.open if run.ending is None and run.killed_at is None and not run.is_ahead]:
            run = runs[number % len(runs)]
            run.killed_at = self.time() + (CUT_OFF if has_begun else timedelta(0))
            run.actor.earliest = run.actor.runs_on_until = run.killed_at
            with self._acting(run.actor, trouble), self._ends_by_crash(run), suppress(UnavailableError):
                run.attempt.requeue(ends_within=CUT_OFF if has_begun else None)

    def heartbeat(self, trouble: Trouble, number: int) -> None:
        """A worker lengthens the lease of a run that is under way, given back or not, taken over or not."""
        self._bury_the_killed()
        if self.open:
            run = self.open[number % len(self.open)]
            with self._acting(run.actor, trouble), self._ends_by_crash(run), suppress(UnavailableError):
                run.attempt.heartbeat()

    def _bury_the_killed(self) -> None:
        self.open = [run for run in self.open if run.killed_at is None or run.killed_at > self.time()]

    def run(self, trouble: Trouble, number: int, ending: Ending) -> None:
        """The code of a run that is under way comes to its end, perhaps long after it should have."""
        self._bury_the_killed()
        if runs := [run for run in self.open if run.ending is None and not run.is_ahead]:
            run = runs[number % len(runs)]
            with self._acting(run.actor, trouble), self._ends_by_crash(run):
                self._run(run, ending)

    def settle(self, trouble: Trouble, number: int) -> None:
        """The outcome of a run that is under way is recorded."""
        self._bury_the_killed()
        if runs := [run for run in self.open if run.ending is not None]:
            run = runs[number % len(runs)]
            self.open.remove(run)
            with self._acting(run.actor, trouble):
                self._settle(run)
                self._hand_back(run.lane, run.handle, run.attempt.report)

    def vanish(self, number: int) -> None:
        """A worker is killed."""
        if self.open:
            del self.open[number % len(self.open)]

    def sweep(self, trouble: Trouble) -> None:
        """The minute tick: what no message carries is sent."""
        with self._acting("sweeper", trouble), suppress(UnavailableError):
            Sweeper(self._ports("sweeper")).tick()

    def look_for_unsent(self, trouble: Trouble) -> None:
        """The minute tick: what was recorded and never sent is entered."""
        lanes = {**TYPES, **GUARDED}
        with self._acting("sweeper", trouble), suppress(UnavailableError):
            UnsentJobs(self._ports("sweeper"), home=lanes.get).tick()

    def reconcile(self, trouble: Trouble) -> None:
        """The minute tick: what SQS moved is brought back."""
        with self._acting("sweeper", trouble), suppress(UnavailableError):
            Reconciler(self._ports("sweeper")).tick()

    def pause(self, trouble: Trouble, name: str) -> None:
        """An operator pauses a lane, a queue or a type."""
        with self._acting("operator", trouble), suppress(UnavailableError):
            self._ports("operator").flags.pause(name)
        self._note_pauses()

    def resume(self, trouble: Trouble, name: str) -> None:
        """An operator resumes it."""
        with self._acting("operator", trouble), suppress(UnavailableError):
            resume(name, self._ports("operator"))
        self._note_pauses()

    def _note_pauses(self) -> None:
        """Note what is paused, and since when at the latest: an answer may have been lost, or a call not landed."""
        paused = self._flags_stored.read().paused
        self._paused_since = {name: self._paused_since.get(name, self.time()) for name in paused}

    def cancel(self, trouble: Trouble, job_id: str) -> None:
        """An operator cancels a job."""
        with self._acting("operator", trouble), suppress(UnavailableError, JobNotFoundError):
            said = cancel(job_id, self._ports("operator"))
            record = self.stored.get(job_id)
            assert record is not None
            assert (said is Cancelling.CANCELLED) <= (record.state is State.CANCELLED)

    def signal(self, trouble: Trouble, job_id: str) -> None:
        """Somebody sends a job the signal that it may wait for."""
        with (
            self._acting("operator", trouble),
            suppress(UnavailableError, JobNotFoundError, JobEndedError, SignalTooLateError),
        ):
            signal(job_id, SIGNAL, None, self._ports("operator"))

    def reschedule(self, trouble: Trouble, job_id: str, delay: timedelta) -> None:
        """An operator moves the start of a job."""
        with (
            self._acting("operator", trouble) as actor,
            suppress(UnavailableError, JobNotFoundError, JobNotWaitingError, InvalidOptionError),
        ):
            actor.earliest = self.time() + delay
            ports = self._ports("operator")
            reschedule(job_id, at=ports.clock() + delay, ports=ports)

    def redrive(self, trouble: Trouble, job_id: str, *, presses: int, is_edited: bool) -> None:
        """An operator gives a dead job another life, by its record."""
        with self._acting("operator", trouble), suppress(UnavailableError):
            ports = self._ports("operator")
            record = ports.ledger.get(job_id)
            payload = self._payload().model_dump_json()
            for _ in range(0 if record is None else presses):
                assert record is not None
                edit = checked_edit(record, payload, self._registry) if is_edited else None
                Redriver(ports).redrive(record, edit=edit)

    def drop(self, trouble: Trouble, job_id: str) -> None:
        """An operator gives a dead job up for good."""
        with self._acting("operator", trouble), suppress(UnavailableError):
            ports = self._ports("operator")
            if (record := ports.ledger.get(job_id)) is not None:
                Redriver(ports).drop(record)

    def forge(self, kind: str, job_id: str, lane: Lane) -> None:
        """Somebody who may send to the queues writes a message under a job's id."""
        record = self.stored.get(job_id)
        body = forged(
            kind,
            job_id,
            life=1 if record is None else record.life,
            lane=lane,
            now=self.time(),
            guess=next(self._numbers),
        )
        self.queues.lanes.send(lane, OutgoingMessage(body=body))

    def poison(self, kind: str, lane: Lane) -> None:
        """Something lies where the ticks look that they can't handle, or that a worker can't."""
        record = poisoned(kind, lane=lane, now=self.time())
        if self.stored.put(record) is None:
            self.promises.find(record)

    def pass_time(self) -> None:
        """Go on to the next moment at which something can happen."""
        entries = [
            record.sweep_at
            for record in self._records()
            if record.sweep_at is not None
            and (record.state is not State.DEAD or record.held_by == NOTIFICATION_PENDING)
        ]
        leases = [record.due_at for record in self._records() if record.due_at is not None]
        shards = [one for workflow_id in MEMBERS for one in self._base.workflows.shards(workflow_id, [1])]
        looks = [one.look_at for one in shards if one.look_at is not None]
        limits = [slots for name in self._bounds_seen for slots in (self._limits_stored.slots(name),)]
        kept = [until for slots in limits for until in slots.holders.values()]
        seen = [self.time() + LOOK_EVERY for slots in limits if slots.waiting_since is not None]
        unsent = [one.created_at for one in map(Summary.of, self._records()) if one.is_unsent]
        finds = [at + wait for at in unsent for wait in (4 * MINUTE, 20 * MINUTE, 90 * MINUTE)]
        after = [
            at
            for at in (
                *self.queues.next_visible(),
                *self.outbox.dues(),
                *finds,
                *looks,
                *entries,
                *leases,
                *kept,
                *seen,
            )
            if at > self.time()
        ]
        self.time.now = max(min(after, default=self.time()), self.time() + timedelta(seconds=1))

    def _records(self) -> list[JobRecord]:
        asked = self.promises.jobs.keys() - self.promises.found
        return [record for one in sorted(asked) if (record := self.stored.get(one)) is not None]

    # --- what must hold after every step

    def every_acknowledged_job_has_a_path_to_an_end(self) -> None:
        """Ended; or carried by the sweep, or by a message of its life, in a queue or brought back by the reconciler."""
        assert self.promises.broken == [], self.promises.broken
        for job_id in self.promises.acked:
            assert self._has_path(job_id), f"job {job_id} is lost: {self.stored.get(job_id)}"
        for end in self._untold():
            assert self._will_be_told(end), f"nobody will be told of {end}: {self.stored.get(end[0])}"

    def every_acknowledged_job_ends(self, ending: Ending) -> None:
        """The adversary rests, the services are up, honest steps only: everything comes to an end."""
        for name in PAUSES:
            self.resume(Trouble(), name)
        for _ in range(1500):
            self.relay(Trouble())
            self.look_for_unsent(Trouble())
            self.reconcile(Trouble())
            self.sweep(Trouble())
            for lane in LANES_USED:
                while self.queues.lanes.counts(lane).waiting:
                    self.deliver(Trouble(), worker="worker-1", lane=lane, ending=ending)
            self.every_acknowledged_job_has_a_path_to_an_end()
            if not self._untold() and all(self._is_over(job_id) for job_id in self._to_end()):
                return
            self.pass_time()
        raise AssertionError([self.stored.get(one) for one in self._to_end() if not self._is_over(one)], self._untold())

    def _to_end(self) -> set[str]:
        """Return the jobs that must end: the acknowledged, and the recorded whose producer died before it sent them."""
        return self.promises.acked | self.promises.recorded

    def _has_path(self, job_id: str) -> bool:
        record = self.stored.get(job_id)
        in_queue = self.queues.waiting(job_id) + self.queues.dead(job_id, moved_by_sqs=True)
        if self.outbox.holds(job_id):
            return True
        if record is None:
            return any(one.unrecorded or one.ticket for one in in_queue)
        match record.state:
            case State.CANCELLED | State.COMPLETED:
                return True
            case State.PARKED if record.awaits == SIGNAL and self._has_come(job_id):
                return False
            case State.DEAD:
                letters = in_queue + self.queues.dead(job_id, moved_by_sqs=False)
                tickets = [one for one in letters if one.ticket and one.speaks_for(record)]
                return any(one.life == record.life + 1 for one in tickets) or any(
                    one.life == record.life for one in in_queue
                )
            case State.QUEUED if (
                job_id in self.promises.started and record.type != STARTED and Summary.of(record).is_unsent
            ):
                return True  # another job took its id before it began, and waits for who looks for what was never sent
            case _:
                is_whole = self.stored.payload_of(record) is not None
                return (record.sweep_at is not None and is_whole) or any(one.life == record.life for one in in_queue)

    def _has_come(self, job_id: str) -> bool:
        """Whether a job's signal has; that its time was over may be written by a run whose claim was taken over."""
        return self.stored.step(job_id, signal_step(SIGNAL)) not in (None, TIMED_OUT)

    def _untold(self) -> set[End]:
        """Return the completions and deaths of which the world was not told yet."""
        return self.promises.ends - self._told

    def _will_be_told(self, end: End) -> bool:
        """Whether a job still stands as it ended, and a message of that life comes back to it, or the clock does."""
        job_id, life, state = end
        record = self.stored.get(job_id)
        if record is None or (record.life, record.state) != (life, state):
            return False
        in_queue = self.queues.waiting(job_id) + self.queues.dead(job_id, moved_by_sqs=True)
        return record.held_by == NOTIFICATION_PENDING or any(one.life == life for one in in_queue)

    def _tell(self, record: JobRecord) -> None:
        end = (record.job_id, record.life, record.state)
        self._adversary.stand_at("sqs", lambda: self._told.add(end))

    def _is_over(self, job_id: str) -> bool:
        record = self.stored.get(job_id)
        if record is None:
            return False
        return record.state in ENDED or self._waits_for_a_redrive(record)

    def _waits_for_a_redrive(self, record: JobRecord) -> bool:
        """Whether a job waits for one that is dead, itself or through others, as it was asked to."""
        if record.state is not State.BLOCKED:
            return False
        waits = record.on_failure in (None, OnFailure.WAIT)
        names = [name for one in record.open_parents for name in MEMBERS.get(one.removeprefix("workflow/"), (one,))]
        parents = [parent for one in names if (parent := self.stored.get(one)) is not None]
        return any((waits and one.state is State.DEAD) or self._waits_for_a_redrive(one) for one in parents)

    # --- how

    def _run(self, run: OpenRun, ending: Ending) -> None:
        run.ending = self._ending = ending
        self._claimed = run.claimed
        run.actor.earliest = self.time() + BACKOFF  # what fails before its code was reached waits for no longer
        run.attempt.run()

    def _settle(self, run: OpenRun) -> None:
        run.attempt.record()

    def _hand_back(self, lane: Lane, handle: str, report: Report) -> None:
        """Do what Lambda and the worker's edge do with an answer."""
        match report:
            case Ack():
                self._lanes.delete(lane, handle)
            case Nack(after) if after is not None:
                self.promises.keep(after <= LONGEST_KEPT, "what waits long leaves the queue")
                self._lanes.change_visibility(lane, handle, after)

    def _body(self, type_: str) -> Any:
        def body(payload: Payload, run: Run) -> int:
            claimed_type, text = self._claimed
            # As text they may differ: a forged ticket of a free id makes its record as it was written.
            is_its_own = claimed_type == type_ and Payload.model_validate_json(text or "null") == payload
            self.promises.keep(is_its_own, "another job's code or payload ran")
            ending = self._ending
            if ending.does == "progress":
                run.progress(50)
            elif ending.does == "looks":
                self._looks(run)
            elif ending.does == "once":
                run.once("step", lambda: 1)
            elif ending.does in ("waits", "asks"):
                self._suspends(run, ending)
            if ending.raises in (Snooze, RetryAfter):
                self._actors[-1].earliest = self.time() + ending.wait
            error = ending.error()
            if error is not None:
                raise error
            return payload.nonce

        return body

    def _suspends(self, run: Run, ending: Ending) -> None:
        try:
            if ending.does == "waits":
                run.wait(ending.wait)
            else:
                with suppress(SignalTimeoutError):
                    run.wait_for(SIGNAL, timeout=ending.wait)
        except Suspended as suspended:
            self._actors[-1].earliest = suspended.until
            raise

    def _looks(self, run: Run) -> None:
        if run.cancelled:
            reason = "asked to stop"
            raise Cancel(reason)

    def _request(
        self,
        *,
        name: str | None,
        type_: str,
        delay: timedelta | None,
        attempts: int,
        start_by: timedelta | None = None,
    ) -> Request:
        job_type = self._types[type_]
        return Request(
            type=job_type,
            payload=self._payload(),
            policy=resolve_policy(replace(job_type.options, attempts=attempts)),
            delay=delay,
            start_by=start_by,
            job_id=name,
        )

    def _payload(self) -> Payload:
        nonce = next(self._numbers)
        return Payload(nonce=nonce, text="" if nonce % 3 else "x" * INLINE_PAYLOAD)

    def _guarded_request(self, type_: str, *, window: timedelta, name: str | None = None) -> Request:
        request = self._request(name=name, type_=type_, delay=None, attempts=2)
        return replace(
            request,
            unique_for=window if type_ == UNIQUE else None,
            debounce=window if type_ == DEBOUNCED else None,
        )

    def _interfere(self, what: str) -> None:
        """Do one thing in the middle of somebody's step, with ports that work."""
        others = partial(self._others, Ending())
        things: Mapping[str, Callable[[], object]] = {
            "seconds pass": lambda: self.time.advance(timedelta(seconds=3)),
            "a minute passes": lambda: self.time.advance(timedelta(minutes=1)),
            "ten minutes pass": lambda: self.time.advance(timedelta(minutes=10)),
            "visibility ends": self.queues.end_visibilities,
            "others run": others,
            "others fail": lambda: self._others(Ending(raises=OSError)),
            "others claim": lambda: others(begins_only=True),
            "others claim ahead": lambda: others(claims_only=True),
            "others enqueue": self._others_enqueue,
            "cancel": self._cancel_all,
            "signal": self._signal_all,
            "sweep": lambda: self.sweep(Trouble()),
            "reconcile": lambda: self.reconcile(Trouble()),
        }
        things[what]()

    def _cancel_all(self) -> None:
        for job_id in sorted(self.promises.jobs):
            self.cancel(Trouble(), job_id)

    def _signal_all(self) -> None:
        for job_id in sorted(self.promises.jobs):
            self.signal(Trouble(), job_id)

    def _others_enqueue(self) -> None:
        for type_ in GUARDED:
            self.enqueue_under_guards(Trouble(), type_, window=timedelta(minutes=1), by="producer-2")

    def _others(self, ending: Ending, *, begins_only: bool = False, claims_only: bool = False) -> None:
        take = partial(self.deliver, worker="worker-2", ending=ending, begins_only=begins_only, claims_only=claims_only)
        for lane in LANES_USED:
            for _ in range(2):
                take(Trouble(), lane=lane)

    def _actor(self, environment: str, *, lasts: timedelta = timedelta(0)) -> Actor:
        return Actor(clock=self._clock(environment), ends_at=self.time() + lasts)

    def _clock(self, environment: str) -> Any:
        skew = timedelta(seconds=self._skews.get(environment, 0))
        return lambda: self.time() + skew

    @contextmanager
    def _acting(self, who: str | Actor, trouble: Trouble, *, lasts: timedelta = timedelta(0)) -> Iterator[Actor]:
        """Let somebody act, with this trouble; a crash ends the step. Steps nest: somebody else acts in the middle."""
        actor = self._actor(who, lasts=lasts) if isinstance(who, str) else who
        self._actors.append(actor)
        if len(self._actors) == 2:
            self._adversary.plan(trouble)
        ending, claimed = self._ending, self._claimed
        try:
            yield actor
        except CrashError:
            pass
        finally:
            self._ending, self._claimed = ending, claimed
            self._actors.pop()
            if len(self._actors) == 1:
                self._adversary.rest()

    @contextmanager
    def _ends_by_crash(self, run: OpenRun) -> Iterator[None]:
        try:
            yield
        except CrashError:
            if run in self.open:
                self.open.remove(run)
            raise

    def _ports(self, environment: str) -> Ports:
        return replace(
            self._base,
            ledger=cast("Ledger", self._ledger),
            lanes=cast("Any", self._lanes),
            flags=cast("Flags", self._flags),
            limits=cast("Limits", self._limits),
            workflows=cast("Any", self._workflows),
            clock=self._clock(environment),
            new_id=lambda: f"id-{next(self._numbers)}",
            new_nonce=lambda: f"nonce-{next(self._numbers)}",
            notify=self._tell,
        )
