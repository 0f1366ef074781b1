"""One attempt of one job, step by step: claim, run, and complete or settle. Two writes to its item."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from pydantic_core import PydanticSerializationError, to_json

from lanework.engine.claim import Claim
from lanework.engine.dead_letters import send_ticket
from lanework.engine.delivery import Ack, Keep
from lanework.engine.journal import Journal
from lanework.engine.run import Run
from lanework.errors import ClaimLostError, InvalidPayloadError, LaneworkError, UnavailableError
from lanework.model import moves
from lanework.model.backoff import Backoff
from lanework.model.change import Applied, Refused
from lanework.model.events import Action
from lanework.model.payload import parsed, public_part
from lanework.model.states import Cause, JobRecord

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from lanework.engine.delivery import Report
    from lanework.engine.ports import Ports
    from lanework.engine.registry import JobType
    from lanework.model.change import Change
    from lanework.model.envelope import Envelope

LEASE_MARGIN: Final = timedelta(seconds=5)
"""A lease outlasts the invocation by this much, so that no clock's error ends it while the job still runs."""

LARGEST_RESULT: Final = 256 * 1024
"""Bytes of JSON; with it an item stays under DynamoDB's 400 KB."""


class GaveUpError(Exception):
    """Raised by `Execution.run` after the job's failure was noted: what remains is to settle it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt raised, and another may follow."""

    error: str


@dataclass(frozen=True, slots=True)
class Doomed:
    """No further attempt follows."""

    cause: Cause
    error: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The job's code returned; its value as JSON text, or why it can't be kept."""

    result: str | None = None
    omitted: str | None = None


class Execution:
    """
    One attempt of one job.

    Attributes:
        job_id: Which job.
        stored: Its record as this execution last saw it; None before the claim.
        report: What to do with the message. Until a step says otherwise it is kept.
    """

    def __init__(self, envelope: Envelope, job_type: JobType | None, time_left: timedelta, ports: Ports) -> None:
        """Prepare; nothing is claimed yet. `job_type` is None where the application has no code for the job."""
        self.job_id = envelope.id
        self.stored: JobRecord | None = None
        self.report: Report = Keep()
        self._envelope = envelope
        self._type = job_type
        self._lease = time_left + LEASE_MARGIN
        self._ports = ports
        self._claim_id = ports.new_id()
        self._journal = Journal(envelope, ports.events, ports.clock)
        self._outcome: Returned | Failed | Doomed | None = None

    def claim(self) -> bool:
        """Start an attempt if the job may run now; if not, `report` says what becomes of the message."""
        match Claim(
            envelope=self._envelope,
            claim_id=self._claim_id,
            lease=self._lease,
            ports=self._ports,
            journal=self._journal,
        ).make():
            case JobRecord() as record:
                self.stored = record
                self._journal.run(Action.STARTED, record)
                return True
            case report:
                self.report = report
                return False

    def run(self) -> str | None:
        """
        Run the job's code and return its result as JSON text.

        Raises:
            GaveUpError: The attempt failed; `settle` records what was noted.
            LaneworkError: Nothing was claimed.
        """
        record = self._claimed()
        try:
            value = self._call(record)
        except Exception as error:
            self._outcome = _judge(error, record)
            raise GaveUpError from error
        self._outcome = _returned(value)
        return self._outcome.result

    def complete(self) -> None:
        """Record that the job is done, and ack its message."""
        outcome = cast("Returned", self._outcome)
        now = self._ports.clock()
        change = moves.complete(
            claim_id=self._claim_id,
            now=now,
            result=outcome.result,
            result_omitted=outcome.omitted,
            expires_at=moves.expiry(now=now, ever_died=self._envelope.life > 1),
        )
        record = self._write(change)
        if record is not None:
            self._journal.run(Action.COMPLETED, record)
            self.report = Ack()

    def settle(self) -> None:
        """Record a failed attempt (retry or die) in the order of rule 7, and say what becomes of its message."""
        if isinstance(self._outcome, Doomed):
            self._die(self._outcome)
        else:
            self._retry(cast("Failed", self._outcome))

    def _retry(self, failed: Failed) -> None:
        run = self._claimed()
        wait = Backoff(base=run.backoff_base).wait_after(run.attempts, rand=self._ports.rand)
        record = self._write(moves.retry(run, error=failed.error, now=self._ports.clock(), wait=wait))
        if record is not None:
            self._journal.run(Action.RETRYING, record, wait=wait)
            self.report = Keep(wait)

    def _die(self, doomed: Doomed) -> None:
        now = self._ports.clock()
        expires_at = moves.expiry(now=now, ever_died=True)
        change = moves.die(self._claimed(), cause=doomed.cause, error=doomed.error, now=now, expires_at=expires_at)
        record = self._write(change)
        if record is not None:
            self._journal.run(Action.DEAD, record)
            self.report = send_ticket(self._envelope, record, self._ports, self._journal)

    def _call(self, record: JobRecord) -> object:
        job_type = self._type
        if job_type is None:
            raise _NoCodeError(self._envelope.type)
        text = self._envelope.payload if record.payload is None else record.payload
        payload = parsed(job_type.name, job_type.model, text)
        self._journal.public = public_part(payload)
        run = Run(
            job_id=record.job_id,
            attempt=record.attempts,
            max_attempts=record.max_attempts,
            report=self._report_progress,
        )
        value = job_type.function(payload, run) if job_type.takes_run else job_type.function(payload)
        return asyncio.run(cast("Coroutine[object, None, object]", value)) if job_type.is_async else value

    def _report_progress(self, percent: int, note: str | None) -> None:
        change = moves.report_progress(claim_id=self._claim_id, percent=percent, note=note)
        try:
            answer = self._ports.ledger.change(self.job_id, change)
        except UnavailableError as error:
            self._journal.note(Action.WRITE_FAILED, reason=f"{change.name}: {error}")
            return
        if isinstance(answer, Refused):
            msg = f"job {self.job_id!r} is no longer this attempt's: its lease was over"
            raise ClaimLostError(msg)

    def _write(self, change: Change) -> JobRecord | None:
        """Write this run's outcome; None if it doesn't count or couldn't be written: then the message comes back."""
        try:
            answer = self._ports.ledger.change(self.job_id, change)
            record = answer.record
            if isinstance(answer, Applied) or moves.landed(record, claim_id=self._claim_id):
                return record
            if record is not None and record.cancel_asked and record.claim_id == self._claim_id:
                self._end_cancelled(record)
                return None
        except UnavailableError as error:
            self._journal.note(Action.WRITE_FAILED, reason=f"{change.name}: {error}")
            return None
        self._journal.note(Action.WRITE_REFUSED, reason=f"{change.name}: another attempt has taken over")
        return None

    def _end_cancelled(self, record: JobRecord) -> None:
        """End a failed run as cancelled: that was asked for while it ran (rule 8)."""
        now = self._ports.clock()
        ending = moves.cancel_run(record, now=now, expires_at=moves.expiry(now=now, ever_died=record.life > 1))
        answer = self._ports.ledger.change(self.job_id, ending)
        if isinstance(answer, Applied):
            self._journal.run(Action.CANCELLED, answer.record)
            self.report = Ack()

    def _claimed(self) -> JobRecord:
        if self.stored is None:
            msg = "a job must not run unclaimed; unset POWERTOOLS_IDEMPOTENCY_DISABLED, which would run every job twice"
            raise LaneworkError(msg)
        return self.stored


class _NoCodeError(Exception):
    """The deployed application has no code for the job."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no code for job type {name!r} is deployed")


def _judge(error: Exception, record: JobRecord) -> Failed | Doomed:
    text = f"{type(error).__name__}: {error}"
    match error:
        case _NoCodeError():
            return Doomed(Cause.UNKNOWN_TYPE, str(error))
        case InvalidPayloadError(job_type=name) if name == record.type:
            return Doomed(Cause.INVALID, str(error))
        case _ if record.attempts >= record.max_attempts:
            return Doomed(Cause.EXHAUSTED, text)
        case _:
            return Failed(text)


def _returned(value: object) -> Returned:
    """Write a result as JSON text; what can't be kept doesn't undo what was done (rule 13)."""
    if value is None:
        return Returned()
    try:
        text = to_json(value).decode()
    except (PydanticSerializationError, ValueError) as error:
        return Returned(omitted=f"not JSON: {error}"[:200])
    size = len(text.encode())
    if size > LARGEST_RESULT:
        return Returned(omitted=f"{size:,} bytes, over the limit of {LARGEST_RESULT:,}")
    return Returned(result=text)
