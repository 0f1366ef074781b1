"""One message's way through the engine: decoded, its job taken from claim to report, its fate said."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.execution.attempt import Execution, GaveUpError
from lanework.engine.execution.claim import UNANSWERED
from lanework.engine.execution.start_checks import LOOK_AGAIN, hold, wait_for_code, wait_for_worker
from lanework.engine.jobtypes.arguments import LONGEST_DELAY
from lanework.engine.jobtypes.job_type import Options, resolve_policy
from lanework.engine.messaging.delivery import Ack, Keep
from lanework.engine.messaging.dlq_tickets import quarantine
from lanework.engine.messaging.message_events import Journal
from lanework.errors import InvalidOptionError, UnavailableError, UndecodableError, UnknownLaneError
from lanework.model.events import Action
from lanework.model.job.envelope import Envelope
from lanework.model.job.ids import needs_record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from lanework.engine.execution.guard import Guard
    from lanework.engine.execution.pause_watch import PauseWatch
    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.jobtypes.middleware import Middleware
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.messaging.delivery import Delivery, Report
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.states import JobRecord


_OLDEST: Final = timedelta(days=30)
"""A message lives for 14 days in a queue, and again in a dead-letter queue (SQS, MessageRetentionPeriod)."""


class Executor:
    """Runs jobs from messages."""

    def __init__(
        self,
        *,
        registry: Registry,
        ports: Ports,
        guard: Guard,
        pauses: PauseWatch,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        """
        Take what runs need.

        Args:
            registry: The job types.
            ports: Where everything is.
            guard: Takes each execution through its steps.
            pauses: What is paused.
            middleware: Runs around the jobs' code, the first outermost.
        """
        self._middleware = middleware
        self._pauses = pauses
        self._registry = registry
        self._ports = ports
        self._guard = guard

    def execute(self, delivery: Delivery) -> Report:
        """Run the job that a message carries, if it may run now, and say what to do with the message."""
        try:
            envelope = taken_in(delivery.body, delivery.lane, self._registry, now=self._ports.clock())
        except UndecodableError as problem:
            return quarantine(delivery, str(problem), self._ports)
        if envelope.unrecorded and needs_record(envelope.id):
            reason = "its id is one of Lanework's own, whose jobs are recorded before they are sent"
            Journal(envelope, self._ports.events, self._ports.clock).note(Action.MESSAGE_DROPPED, reason=reason)
            return Ack()
        return self._execute(delivery, envelope)

    def _execute(self, delivery: Delivery, envelope: Envelope) -> Report:
        job_type = self._registry.find(envelope.type)
        return self._not_now(delivery, envelope, job_type) or self._run(delivery, envelope)

    def _not_now(self, delivery: Delivery, envelope: Envelope, job_type: JobType | None) -> Report | None:
        """Say what becomes of a message whose job may not start here or now; None if it may."""
        journal = Journal(envelope, self._ports.events, self._ports.clock)
        try:
            pause = self._pauses.holding(envelope)
        except UnavailableError as error:
            wait = UNANSWERED.wait_after(delivery.receives, rand=self._ports.rand)
            journal.note(Action.RUN_CLAIM_FAILED, reason=f"what is paused: {error}", wait=wait)
            return Keep(wait)
        if pause is not None:
            return hold(envelope, pause, self._ports, journal)
        elsewhere = wait_for_worker(delivery, envelope, job_type, self._ports, journal)
        if elsewhere is not None:
            return elsewhere
        missing = wait_for_code(delivery, envelope, job_type, self._ports)
        if missing is not None:
            journal.note(Action.MESSAGE_DEFERRED, reason=missing, wait=LOOK_AGAIN)
            return Keep(LOOK_AGAIN)
        return None

    def _run(self, delivery: Delivery, envelope: Envelope) -> Report:
        execution = Execution(envelope, self._registry.find, delivery, self._ports, self._middleware)
        if not delivery.is_first and not execution.fits:
            return Keep(timedelta(0))
        self._guard(execution)
        if execution.spoken_for is not None:
            return self._as_recorded(delivery, execution.spoken_for)
        return execution.report

    def _as_recorded(self, delivery: Delivery, record: JobRecord) -> Report:
        """Do as a job's record says, where a message under its id is another's: what that says counts for nothing."""
        try:
            payload = self._ports.ledger.payload_of(record)
        except UnavailableError:
            return Keep(LOOK_AGAIN)
        if payload is None or record.lane is not delivery.lane:
            return Ack()  # its own message carries it, or its entry
        return self._execute(delivery, Envelope.of(record, payload))


def in_order(execution: Execution) -> None:
    """Take an execution through its steps with nobody's help: the guard where Powertools isn't."""
    if execution.claim():
        finish(execution)


def finish(execution: Execution, *, ran: Callable[[], None] = lambda: None) -> None:
    """Take an execution that has claimed its job through what remains; `ran` is called when its code has ended."""
    try:
        execution.run()
    except GaveUpError:
        ran()
        execution.settle()
    else:
        ran()
        execution.complete()


def taken_in(body: str, lane: Lane, registry: Registry, *, now: datetime) -> Envelope:
    """
    Return what a lane's message says.

    Raises:
        UndecodableError: No enqueue would have sent it to this lane.
    """
    message = Envelope.decode(body, lane=lane)
    if not (message.unrecorded or message.ticket):
        return message
    from lanework.model.job.envelope import refusals_of_first  # noqa: PLC0415 - only where messages come in

    if wrong := [*refusals_of_first(message)]:
        msg = f"not a Lanework message: {'; '.join(wrong)}"
        raise UndecodableError(msg)
    job_type = registry.find(message.type)
    if message.unrecorded:
        _check_policy(message, job_type, now)
    queue = message.queue if job_type is None else job_type.queue
    created_at = min(max(message.created_at, now - _OLDEST), now)
    if (queue, created_at) == (message.queue, message.created_at):
        return message
    return message.model_copy(update={"queue": queue, "created_at": created_at})


def _check_policy(message: Envelope, job_type: JobType | None, now: datetime) -> None:
    """Refuse a first message that an enqueue of this type wouldn't have sent."""
    if job_type is not None and job_type.has_quota:
        msg = "not a Lanework message: unrecorded: a job with a quota is recorded before it is sent"
        raise UndecodableError(msg)
    if message.run_at is not None and message.run_at - now > LONGEST_DELAY:
        msg = "not a Lanework message: run_at: no enqueue takes this"
        raise UndecodableError(msg)
    said = Options(
        lane=message.lane,
        attempts=message.attempts,
        backoff=message.backoff,
        timeout=message.timeout,
        where=None if job_type is None else job_type.options.where,
    )
    try:
        resolve_policy(said)
    except (InvalidOptionError, UnknownLaneError) as error:
        msg = f"not a Lanework message: {error}"
        raise UndecodableError(msg) from None
