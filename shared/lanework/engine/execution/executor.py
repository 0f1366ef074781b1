"""From a message's body to an attempt: what is no message of ours goes another way, the rest is `Attempt.execute`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.execution.attempt import Attempt
from lanework.engine.execution.start_checks import LOOK_AGAIN
from lanework.engine.jobtypes.arguments import LONGEST_DELAY
from lanework.engine.jobtypes.job_type import Options, resolve_policy
from lanework.engine.messaging.delivery import Ack, Nack
from lanework.engine.messaging.message_events import MessageEvents
from lanework.errors import InvalidOptionError, UnavailableError, UndecodableError, UnknownLaneError
from lanework.model.events import Action
from lanework.model.job.envelope import Envelope
from lanework.model.job.ids import needs_record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lanework.engine.execution.attempt import StepDriver
    from lanework.engine.execution.pause_watch import PauseWatch
    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.jobtypes.middleware import Middleware
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.messaging.delivery import Delivery, Report
    from lanework.engine.ports.bundle import Ports
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
        drive: StepDriver,
        pauses: PauseWatch,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        """Take what attempts need; `drive` takes each through its steps, `middleware` runs around the jobs' code."""
        self._middleware = middleware
        self._pauses = pauses
        self._registry = registry
        self._ports = ports
        self._drive = drive

    def execute(self, delivery: Delivery) -> Report:
        """Run the job that a message carries, if it may run now, and say what to do with the message."""
        try:
            envelope = Envelope.decode(delivery.body, lane=delivery.lane)
            if envelope.unrecorded or envelope.ticket:
                envelope = _checked(envelope, self._registry, now=self._ports.clock())
        except UndecodableError as problem:
            return self._from_outside(delivery, problem)
        if envelope.unrecorded and needs_record(envelope.id):
            reason = "its id is one of Lanework's own, whose jobs are recorded before they are sent"
            events = MessageEvents(envelope, self._ports.events, self._ports.clock)
            events.note(Action.MESSAGE_DROPPED, reason=reason)
            return Ack()
        while True:
            attempt = Attempt(
                envelope,
                delivery,
                self._ports,
                find=self._registry.find,
                pauses=self._pauses,
                middleware=self._middleware,
            )
            report = attempt.execute(self._drive)
            if attempt.other_job is None:
                return report
            recorded = self._as_recorded(attempt.other_job, delivery)
            if not isinstance(recorded, Envelope):
                return recorded
            envelope = recorded

    def _from_outside(self, delivery: Delivery, problem: UndecodableError) -> Report:
        """Enqueue the job of an open message; set aside whatever else isn't a message of ours."""
        from lanework.engine.enqueue.open_message import receive_open  # noqa: PLC0415 - few stacks get any

        return receive_open(delivery, problem, registry=self._registry, ports=self._ports, middleware=self._middleware)

    def _as_recorded(self, record: JobRecord, delivery: Delivery) -> Envelope | Report:
        """Return the message that a record speaks for; if nobody should run it from here, what to do with this one."""
        try:
            payload = self._ports.ledger.payload_of(record)
        except UnavailableError:
            return Nack(LOOK_AGAIN)
        if payload is None or record.lane is not delivery.lane:
            return Ack()  # its own message carries it, or its entry
        try:
            return Envelope.of(record, payload)
        except UndecodableError:
            return Ack()  # as above; where neither can, the sweep ends it


def _checked(message: Envelope, registry: Registry, *, now: datetime) -> Envelope:
    """Return a message that may make a record, or a redrive, bounded; UndecodableError if no enqueue would write it."""
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
        msg = "not a Lanework message: unrecorded: a job with a quota must be recorded before it is sent"
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
