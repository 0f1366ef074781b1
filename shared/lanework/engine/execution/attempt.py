"""
One attempt of one job, from its message to the answer to SQS. Read `Attempt.execute` first; each step is a method.

| step | does | details |
| --- | --- | --- |
| check | May the job start here and now? | start_checks.py, pause_watch.py |
| claim | Takes the right to run it: the first write to its item. | claim.py |
| begin | Looks again if it was claimed ahead; takes the slots and starts of its limits. | limits/acquire.py |
| run | Runs its code, within its timeout and middleware. | run_code.py |
| judge | Says what its value, or its exception, means. | outcome.py, exceptions.py |
| record | Writes that down: the second write. | record_outcome.py |
| ack | The report: delete the message, or let it come back. | messaging/delivery.py |

Claim, begin, run and record are called by a `StepDriver`: `in_order` below, Powertools' idempotency
(aws/idempotency.py), or a worker process, which may claim a job before it has a slot for it: between the claim and
`begin` lies any time, and `unclaim` gives a job back that was not begun.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from lanework.engine.dlq_messages.tickets import as_recorded
from lanework.engine.execution.claim import LEASE_MARGIN, Claim, OtherJob
from lanework.engine.execution.outcome import NoCodeError, Snoozed
from lanework.engine.execution.record_outcome import OutcomeRecorder
from lanework.engine.execution.run_code import JobCode
from lanework.engine.execution.run_store import LedgerRunStore
from lanework.engine.execution.start_checks import ROOM_TO_WRITE, UNANSWERED, not_now
from lanework.engine.limits.acquire import Admission, NoSlot
from lanework.engine.messaging.delivery import Nack
from lanework.engine.messaging.message_events import MessageEvents
from lanework.engine.ports.code_runner import is_from_outside
from lanework.errors import ConfigError, LaneworkError, UnavailableError
from lanework.model.events import Action
from lanework.model.lanes import LANES
from lanework.model.lifecycle.park_moves import begun_at, is_first
from lanework.model.lifecycle.states import JobRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lanework.engine.execution.lease import RunLease
    from lanework.engine.execution.outcome import Outcome, Returned
    from lanework.engine.execution.pause_watch import PauseWatch
    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.jobtypes.middleware import Middleware
    from lanework.engine.messaging.delivery import Delivery, Report
    from lanework.engine.ports.bundle import Ports
    from lanework.model.job.envelope import Envelope

StepDriver = Callable[["Attempt"], None]
"""Calls an attempt's `claim`, if that is true its `begin`, and if that is, too, its `run` and then its `record`."""

ROOM_TO_ANSWER: Final = timedelta(milliseconds=500)
"""What is left of an invocation when it no longer tries to write an outcome: it has to answer for other messages."""

LIMITS_UNANSWERED: Final = timedelta(seconds=5)
"""How long a claimed run waits when its limits can't be read; no attempt is used."""


def in_order(attempt: Attempt) -> None:
    """Drive an attempt through its steps: what Powertools does in Lambda, without Powertools."""
    if attempt.claim() and attempt.begin():
        attempt.run()
        attempt.record()


class Attempt:
    """
    One attempt of one job.

    Attributes:
        stored: Its record as the claim left it; None before the claim, and if it was refused.
        report: What to do with the message. Until a step says otherwise it comes back.
        other_job: The record of a job that may start, where the message's id is that job's and the message isn't:
            nothing was claimed.
        in_call: What the call of a batch function came to for this job: an outcome, or what is to be judged.
    """

    def __init__(
        self,
        envelope: Envelope,
        delivery: Delivery,
        ports: Ports,
        *,
        find: Callable[[str], JobType | None],
        pauses: PauseWatch,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        """Prepare; nothing is claimed yet. `find` returns None where the application has no code for a job type."""
        self.job_id = envelope.id
        self.stored: JobRecord | None = None
        self.report: Report = Nack()
        self.other_job: JobRecord | None = None
        self.in_call: Returned | BaseException | None = None
        self._envelope = envelope
        self._delivery = delivery
        self._ports = ports
        self._find = find
        self._pauses = pauses
        self._middleware = middleware
        self._type = find(envelope.type)
        self._lease = (delivery.lease or delivery.time_left) + LEASE_MARGIN
        self._may_write_until = ports.clock() + delivery.time_left - ROOM_TO_ANSWER
        asked = envelope.timeout or LANES[envelope.lane].usual_job
        self._timeout = max(min(asked, delivery.time_left - ROOM_TO_WRITE), timedelta(milliseconds=100))
        self._ends_at = ports.clock() + delivery.time_left - ROOM_TO_WRITE
        self._claim_id = ports.new_id()
        self._events = MessageEvents(envelope, ports.events, ports.clock, sent_at=delivery.sent_at)
        self._run_store = LedgerRunStore(job_id=self.job_id, claim_id=self._claim_id, ports=ports, events=self._events)
        self._admission = Admission(bounds=() if self._type is None else self._type.waits_for, ports=ports)
        self._outcome: Outcome | None = None
        self._is_ahead = False

    def execute(self, drive: StepDriver) -> Report:
        """
        Take the job from the check to the record, and return what to do with the message.

        Raises:
            LaneworkError: Something that no later try mends, such as a missing permission; nothing was run.
        """
        refusal = not_now(self._envelope, self._delivery, self._type, self._pauses, self._ports, self._events)
        if refusal is not None:
            return refusal
        drive(self)  # claim; begin; run and judge; record
        return self.report

    def claim(self) -> bool:
        """Take the job if it may run now; if not, `report` says what becomes of the message."""
        claim = Claim(
            envelope=self._envelope,
            claim_id=self._claim_id,
            lease=self._lease,
            ports=self._ports,
            events=self._events,
            is_first=self._delivery.receives == 1,
            makes_no_record=self._type is not None and self._type.has_quota,
        )
        try:
            answer = claim.make()
        except UnavailableError as error:
            wait = UNANSWERED.wait_after(self._delivery.receives, rand=self._ports.rand)
            self._events.note(Action.RUN_CLAIM_FAILED, reason=str(error), wait=wait)
            answer = Nack(wait)
        match answer:
            case JobRecord() as record:
                self.stored = record
                if self._delivery.lease is not None:
                    self._may_write_until = cast("datetime", record.due_at)
                return True
            case OtherJob(record):
                self.other_job = record
            case report:
                self.report = report
        return False

    def begin(self, *, is_ahead: bool = False) -> bool:
        """
        Begin the claimed job: take what its limits ask for; a run that may not begin now is parked, and not counted.

        Args:
            is_ahead: It was claimed before there was a slot for it. What may have changed since is looked at again, and
                it began now, not when it was claimed.

        Returns:
            Whether its code is to be run; if not, `report` says what becomes of the message.
        """
        record = cast("JobRecord", self.stored)
        if is_ahead:
            if not self._may_still_begin(record):
                self.unclaim()
                return False
            record = self.stored = begun_at(self._ports.clock(), record)
            self._is_ahead = True
        refusal: Outcome | None = None
        if self._admission.bounds or record.type != self._envelope.type:
            refusal = self._refusal(record)
        if refusal is None:
            self._events.run(Action.JOB_STARTED, record)
            return True
        self._outcome = refusal
        self.record()
        if isinstance(refusal, NoSlot):
            self._admission.look_again(record, refusal)
        return False

    def unclaim(self) -> None:
        """Give back a claimed job that was not begun, as if it had not been claimed; its message comes at once."""
        self.report = self._recorder.unclaim()

    def _may_still_begin(self, record: JobRecord) -> bool:
        """Tell whether its lease lasts, and no pause, end of its time, or request to cancel came since the claim."""
        try:
            if self._pauses.holding(self._envelope) is not None:
                return False
        except (UnavailableError, ConfigError):
            return False  # who claims it next finds out what is the matter
        now = self._ports.clock()
        is_late = is_first(record) and record.start_by is not None and record.start_by <= now
        return not is_late and now < self._may_write_until and not self._run_store.is_asked_to_stop

    def _refusal(self, record: JobRecord) -> Outcome | None:
        """Take what the job's limits ask for; return what becomes of a run that may not begin now."""
        try:
            self._follow(record)
            bounds = () if self._type is None else self._type.waits_for
            self._admission = Admission(bounds=bounds, ports=self._ports)
            if not bounds:
                return None
            text = record.payload or self._envelope.payload
            return self._admission.ask(record, cast("JobType", self._type).current(text, record.version))
        except (UnavailableError, ConfigError) as error:
            self._events.note(Action.RUN_CLAIM_FAILED, reason=f"its limits: {error}")
            return Snoozed(LIMITS_UNANSWERED)
        except Exception as error:  # noqa: BLE001 - the job is claimed: whatever it is, the attempt ends in an outcome
            return self.judge(error, record)

    def run(self) -> None:
        """
        Run the job's code, and judge how it ended. Of what it raises only a Ctrl-C gets out: the attempt is open.

        A batch function's job takes what its call came to; without a call before, it has one for itself.
        """
        try:
            if self.in_call is None:
                code = self.code
                if code.type.batch is None:
                    self._outcome = copy_context().run(code.run)
                else:
                    from lanework.engine.execution.batch_call import call_once  # noqa: PLC0415 - few types have one

                    call_once([self])
            if isinstance(self.in_call, BaseException):
                self._outcome = self.judge(self.in_call, cast("JobRecord", self.stored))
            elif self.in_call is not None:
                self._outcome = self.in_call
        except BaseException as raised:
            if is_from_outside(raised) or self.stored is None:
                raise
            self._outcome = self.judge(raised, self.stored)
        finally:
            self._run_store.close()

    @property
    def code(self) -> JobCode:
        """The code of a claimed job; NoCodeError if it isn't deployed."""
        if self.stored is None:
            msg = "a job must not run unclaimed; unset POWERTOOLS_IDEMPOTENCY_DISABLED, which would run every job twice"
            raise LaneworkError(msg)
        record = self.stored
        self._follow(record)
        job_type = self._type
        if job_type is None or self._envelope.version > job_type.version:
            raise NoCodeError(self._envelope.type, self._envelope.version)
        text = self._envelope.payload if record.payload is None else record.payload
        left = max(min(self._timeout, self._ends_at - self._ports.clock()), timedelta(milliseconds=100))
        return JobCode(job_type, record, text, left, self._ports, self._events, self._run_store, self._middleware)

    def judge(self, raised: BaseException, record: JobRecord) -> Outcome:
        """Say what an exception means; what a job's code returned is judged by `outcome.of_value`, within its time."""
        from lanework.engine.execution.exceptions import judge  # noqa: PLC0415 - for what goes wrong

        return judge(raised, record, self._type, self._run_store, self._ports)

    def record(self) -> None:
        """Write how the attempt ended, and say what becomes of its message."""
        self.report = self._recorder.record(cast("Outcome", self._outcome))
        is_recorded = self.report != Nack()  # if not, the job counts as running for as long as its lease lasts
        if is_recorded and self._admission.held:
            self._admission.give_back(cast("JobRecord", self.stored))

    @property
    def _recorder(self) -> OutcomeRecorder:
        return OutcomeRecorder(
            envelope=self._envelope,
            run=cast("JobRecord", self.stored),
            ports=self._ports,
            events=self._events,
            may_try_until=lambda: self._may_write_until,
            is_ahead=self._is_ahead,
        )

    @property
    def holds_slots(self) -> bool:
        """Whether the run holds slots of limits, which others wait for until its end is written."""
        return bool(self._admission.bounds)

    def heartbeat(self) -> bool:
        """Extend the run's lease, as `extend_lease` does; tell whether it still holds its job. For worker processes."""
        from lanework.engine.execution.lease import extend_lease  # noqa: PLC0415 - Lambda needs none

        stored = extend_lease(self.lease(), until=self._ports.clock() + self._lease, ports=self._ports)
        if stored is None or stored.cancel_asked:
            self._run_store.stop()
        if stored is not None and stored.due_at is not None:
            self._may_write_until = stored.due_at
        return stored is not None

    def lease(self) -> RunLease:
        """Return what the run holds, so that another process can extend it."""
        from lanework.engine.execution.lease import RunLease  # noqa: PLC0415 - as above

        slots = tuple(self._admission.held)
        return RunLease(job_id=self.job_id, claim_id=self._claim_id, slots=slots, timeout=self._timeout)

    def requeue(self, *, ends_within: timedelta | None) -> timedelta | None:
        """Put the job back without an attempt used, as `lease.requeue` does."""
        from lanework.engine.execution.lease import requeue  # noqa: PLC0415 - as above

        run = cast("JobRecord", self.stored)
        return requeue(run, self._admission, self._ports, self._events, ends_within=ends_within)

    def _follow(self, record: JobRecord) -> None:
        """Do as the record says, where the message is that of another enqueue under the same id."""
        self._type = self._find(record.type)
        if record.superseded_at or not self._envelope.speaks_for(record):
            self._envelope = as_recorded(self._envelope, record, self._ports.ledger)
