"""One attempt of one job, step by step: claim, run, and complete or settle. Two writes to its item."""

from __future__ import annotations

from contextvars import copy_context
from datetime import timedelta
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, cast

from lanework.engine.execution import outcome as outcomes
from lanework.engine.execution.claim import Claim, NotItsOwn
from lanework.engine.execution.outcome import Snoozed, of_value
from lanework.engine.execution.record_outcome import OutcomeRecorder
from lanework.engine.execution.run_store import LedgerRunStore
from lanework.engine.jobtypes.middleware import around
from lanework.engine.jobtypes.returned import awaited, ran
from lanework.engine.jobtypes.run import Run
from lanework.engine.limits.acquire import Admission, NoSlot
from lanework.engine.messaging.delivery import Keep
from lanework.engine.messaging.dlq_tickets import as_recorded
from lanework.engine.messaging.message_events import Journal
from lanework.engine.ports.code_runner import bounded, is_from_outside
from lanework.errors import LaneworkError, UnavailableError
from lanework.model.events import Action
from lanework.model.job.job_exceptions import TimedOut
from lanework.model.job.payload import parsed, public_part
from lanework.model.lanes import LANES
from lanework.model.lifecycle.states import JobRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from datetime import datetime

    from lanework.engine.execution.lease import Holding
    from lanework.engine.execution.outcome import Outcome, Returned
    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.jobtypes.middleware import Middleware
    from lanework.engine.messaging.delivery import Delivery, Report
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.code_runner import Body
    from lanework.model.job.envelope import Envelope
from lanework.engine.execution.claim import LEASE_MARGIN

ROOM_TO_ANSWER: Final = timedelta(milliseconds=500)
"""What is left of an invocation when it no longer tries to write an outcome: it has to answer for other messages."""

ROOM_TO_WRITE: Final = timedelta(seconds=2)
"""What must be left of an invocation beyond a job's timeout for the job to be begun in it."""


_JUDGING: Final = timedelta(seconds=1)
"""How long may be spent on asking an exception what it says: its `__str__` is code of the job's, too."""

LIMITS_UNANSWERED: Final = timedelta(seconds=5)
"""How long a claimed run waits that can't know whether its limits let it begin; no attempt is used."""


class GaveUpError(Exception):
    """Raised by `Execution.run` after the job's outcome was noted: what remains is to settle it."""


class Execution:
    """
    One attempt of one job.

    Attributes:
        job_id: Which job.
        stored: Its record as this execution last saw it; None before the claim.
        report: What to do with the message. Until a step says otherwise it is kept.
        spoken_for: The record of a job that may start, where the message isn't its own: nothing was claimed.
    """

    def __init__(
        self,
        envelope: Envelope,
        find: Callable[[str], JobType | None],
        delivery: Delivery,
        ports: Ports,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        """Prepare; nothing is claimed yet. `find` returns None where the application has no code for a job type."""
        self._middleware = middleware
        time_left = delivery.time_left
        self._receives = delivery.receives
        self.job_id = envelope.id
        self.stored: JobRecord | None = None
        self.report: Report = Keep()
        self.spoken_for: JobRecord | None = None
        self._envelope = envelope
        self._find = find
        self._type = find(envelope.type)
        self._time_left = time_left
        self._lease = (delivery.lease or time_left) + LEASE_MARGIN
        self._is_kept_alive = delivery.lease is not None
        self._may_write_until = ports.clock() + time_left - ROOM_TO_ANSWER
        self._asked = envelope.timeout or LANES[envelope.lane].usual_job
        self._timeout = max(min(self._asked, time_left - ROOM_TO_WRITE), timedelta(milliseconds=100))
        self._ports = ports
        self._claim_id = ports.new_id()
        self._journal = Journal(envelope, ports.events, ports.clock, sent_at=delivery.sent_at)
        self._notebook = LedgerRunStore(job_id=envelope.id, claim_id=self._claim_id, ports=ports, journal=self._journal)
        self._outcome: Outcome | None = None
        self._admission = Admission(bounds=() if self._type is None else self._type.waits_for, ports=ports)

    @property
    def fits(self) -> bool:
        """Whether the invocation has time left for the job's timeout; if not, the message is better given back."""
        return self._time_left >= self._asked + ROOM_TO_WRITE

    @property
    def holds_slots(self) -> bool:
        """Whether the run holds slots of limits, which others wait for until its end is written."""
        return bool(self._admission.bounds)

    def claim(self) -> bool:
        """Start an attempt if the job may run now; if not, `report` says what becomes of the message."""
        match Claim(
            envelope=self._envelope,
            claim_id=self._claim_id,
            lease=self._lease,
            receives=self._receives,
            ports=self._ports,
            journal=self._journal,
            makes_no_record=self._type is not None and self._type.has_quota,
        ).make():
            case JobRecord() as record:
                self.stored = record
                if self._is_kept_alive:
                    self._may_write_until = cast("datetime", record.due_at)
                return self._admit(record)
            case NotItsOwn(record):
                self.spoken_for = record
                return False
            case report:
                self.report = report
                return False

    def _admit(self, record: JobRecord) -> bool:
        """Take what the job's limits ask for; a run that may not begin now is parked, and its attempt given back."""
        refusal: Outcome | None
        try:
            if self._admission.bounds or record.type != self._envelope.type:
                self._follow(record)
                bounds = () if self._type is None else self._type.waits_for
                self._admission = Admission(bounds=bounds, ports=self._ports)
            refusal = self._admission.ask(record, record.payload or self._envelope.payload)
        except UnavailableError as error:
            self._journal.note(Action.RUN_CLAIM_FAILED, reason=f"its limits: {error}")
            refusal = Snoozed(LIMITS_UNANSWERED)
        if refusal is None:
            self._journal.run(Action.JOB_STARTED, record)
            return True
        self._outcome = refusal
        self.settle()
        if isinstance(refusal, NoSlot):
            self._admission.look_again(record, refusal)
        return False

    def run(self) -> str | None:
        """
        Run the job's code and return its result as JSON text.

        Raises:
            GaveUpError: The attempt ended otherwise; `settle` records how.
            LaneworkError: Nothing was claimed.
        """
        record = self._claimed()
        try:
            self._follow(record)
            self._outcome = returned = self._call(record)
        except BaseException as raised:
            if is_from_outside(raised):
                raise
            self._outcome = self._judged(raised, record)
            raise GaveUpError from raised
        finally:
            self._notebook.close()
        return returned.result

    def _judged(self, raised: BaseException, record: JobRecord) -> Outcome:
        """Say how an attempt ended that raised; what the exception itself does when it is asked counts for nothing."""
        from lanework.engine.execution import exceptions  # noqa: PLC0415 - for what goes wrong
        from lanework.engine.execution.job_traceback import stack_of  # noqa: PLC0415

        runner = self._ports.code_runner
        try:
            with runner.limit(_JUDGING):
                error = exceptions.meant_by(raised)
                outcome = exceptions.of_error(error, record, self._type, now=self._ports.clock())
                if outcomes.is_exhausted(outcome) and (stack := stack_of(error)):
                    self._notebook.log(stack)
        except BaseException as problem:
            if is_from_outside(problem):
                raise
            return exceptions.of_unknown(raised, record)
        if issubclass(type(error), TimedOut):
            runner.renew()
        return outcome

    def beat(self) -> bool:
        """Lengthen what the run holds, as `hold_on` does; tell whether it still holds its job."""
        from lanework.engine.execution.lease import hold_on  # noqa: PLC0415 - Lambda needs none

        stored = hold_on(self.holding(), until=self._ports.clock() + self._lease, ports=self._ports)
        if stored is None or stored.cancel_asked:
            self._notebook.stop()
        if stored is not None and stored.due_at is not None:
            self._may_write_until = stored.due_at
        return stored is not None

    def holding(self) -> Holding:
        """Return what the run holds, so that another process can hold it for this one."""
        from lanework.engine.execution.lease import Holding  # noqa: PLC0415 - as above

        slots = tuple(self._admission.held)
        return Holding(job_id=self.job_id, claim_id=self._claim_id, slots=slots, timeout=self._timeout)

    def give_back(self, *, ends_within: timedelta | None) -> timedelta | None:
        """Put the job back without an attempt used, as `holding.give_back` does."""
        from lanework.engine.execution.lease import give_back  # noqa: PLC0415 - as above

        return give_back(self._claimed(), self._admission, self._ports, self._journal, ends_within=ends_within)

    def complete(self) -> None:
        """Record that the job is done, and ack its message."""
        self.settle()

    def settle(self) -> None:
        """Record how the attempt ended, and say what becomes of its message."""
        run = self._claimed()
        settlement = OutcomeRecorder(
            envelope=self._envelope,
            run=run,
            ports=self._ports,
            journal=self._journal,
            may_try_until=lambda: self._may_write_until,
        )
        self.report = settlement.of(cast("Outcome", self._outcome))
        if self.report != Keep():  # else nothing was recorded: as long as the lease lasts, the job counts as running
            self._admission.give_back(run)

    def _follow(self, record: JobRecord) -> None:
        """Do as the record says, where the message is that of another enqueue under the same id."""
        self._type = self._find(record.type)
        self._envelope = as_recorded(self._envelope, record, self._ports.ledger)

    def _call(self, record: JobRecord) -> Returned:
        job_type = self._type
        if job_type is None or self._envelope.version > job_type.version:
            raise outcomes.NoCodeError(self._envelope.type, self._envelope.version)
        run = self._run_of(record)
        call = self._call_async if job_type.is_async else self._call_here
        return copy_context().run(
            call, job_type, run, self._envelope.payload if record.payload is None else record.payload
        )

    def _call_here(self, job_type: JobType, run: Run, text: str) -> Returned:
        """Run synchronous code; what it returns is awaited if it can be, and written, within its time."""
        with self._ports.code_runner.limit(self._timeout):
            arguments = self._arguments(job_type, run, text)
            with around(self._middleware, run):
                value = job_type.function(*arguments)
                if isawaitable(value):
                    value = self._wait(awaited(value), run.deadline - self._ports.clock())
            return of_value(ran(value))

    def _call_async(self, job_type: JobType, run: Run, text: str) -> Returned:
        with self._ports.code_runner.limit(self._timeout):
            code = partial(job_type.function, *self._arguments(job_type, run, text))
        return of_value(self._wait(self._awaited(code, run), self._timeout))

    def _arguments(self, job_type: JobType, run: Run, text: str) -> tuple[Any, ...]:
        payload = parsed(job_type.name, job_type.model, text)
        self._journal.public = public_part(payload)
        return (payload, run) if job_type.takes_run else (payload,)

    def _wait(self, coroutine: Coroutine[Any, Any, object], timeout: timedelta) -> object:
        """Return a coroutine's value, or raise what it raised."""
        body = cast("Body", self._ports.code_runner.run_async(bounded(coroutine, timeout)))
        return body.result()

    async def _awaited(self, code: Callable[[], object], run: Run) -> object:
        with around(self._middleware, run):
            return await awaited(code())

    def _run_of(self, record: JobRecord) -> Run:
        return Run(
            workflow_id=record.workflow,
            job_id=record.job_id,
            job_type=record.type,
            queue=record.queue,
            lane=record.lane,
            headers=record.headers,
            attempt=record.attempts,
            max_attempts=record.max_attempts,
            deadline=self._ports.clock() + self._timeout,
            notebook=self._notebook,
        )

    def _claimed(self) -> JobRecord:
        if self.stored is None:
            msg = "a job must not run unclaimed; unset POWERTOOLS_IDEMPOTENCY_DISABLED, which would run every job twice"
            raise LaneworkError(msg)
        return self.stored
