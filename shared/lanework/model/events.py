"""What happened to a job, one value for each transition. Logs, metrics and alerts are sinks of this one stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from lanework.model.job.headers import correlation_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.states import Cause, JobRecord


class Action(StrEnum):
    """The stable name of a kind of event; log lines carry it as `action`."""

    JOB_ENQUEUED = "job.enqueued"
    JOB_REPEATED = "job.repeated"
    JOB_SUPERSEDED = "job.superseded"
    JOB_OVER_QUOTA = "job.over_quota"
    JOB_SEND_DEFERRED = "job.send_deferred"
    JOB_RAN_INLINE = "job.ran_inline"
    JOB_STARTED = "job.started"
    JOB_COMPLETED = "job.completed"
    JOB_RETRYING = "job.retrying"
    JOB_DEAD = "job.dead"
    JOB_CANCELLED = "job.cancelled"
    JOB_PARKED = "job.parked"
    JOB_NEEDS_WORKER = "job.needs_worker"
    JOB_HELD = "job.held"
    JOB_RELEASED = "job.released"
    JOB_UNBLOCKED = "job.unblocked"
    JOB_RESCHEDULED = "job.rescheduled"
    JOB_SIGNALLED = "job.signalled"
    JOB_BOUNCED = "job.bounced"
    JOB_SWEPT = "job.swept"
    JOB_NOT_SENT = "job.not_sent"
    JOB_UNREADABLE = "job.unreadable"
    STATISTICS_UNREADABLE = "statistics.unreadable"
    RUN_ACCESS_DENIED = "run.access_denied"
    JOB_REDRIVEN = "job.redriven"
    JOB_DISCARDED_FROM_DLQ = "job.discarded_from_dlq"
    JOB_RETIRED = "job.retired"
    MESSAGE_DEFERRED = "message.deferred"
    MESSAGE_DROPPED = "message.dropped"
    MESSAGE_UNDECODABLE = "message.undecodable"
    MESSAGE_QUARANTINED = "message.quarantined"
    MESSAGE_NOT_HANDLED = "message.not_handled"
    MESSAGE_DELETE_FAILED = "message.delete_failed"
    MESSAGE_VISIBILITY_FAILED = "message.visibility_failed"
    MESSAGE_TICKET_REMOVED = "message.ticket_removed"
    SCHEDULE_SKIPPED = "schedule.skipped"
    SCHEDULE_FAILED = "schedule.failed"
    SCHEDULE_DEFERRED = "schedule.deferred"
    JOB_ID_TAKEN = "job.id_taken"
    RUN_WRITE_REFUSED = "run.write_refused"
    RUN_REQUEUED = "run.requeued"
    WORKER_RECEIVE_FAILED = "worker.receive_failed"
    WORKER_RECEIVE_RECOVERED = "worker.receive_recovered"
    WORKER_PROCESS_RENEWED = "worker.process_renewed"
    WORKER_PROCESS_DIED = "worker.process_died"
    WORKER_INVOKED = "worker.invoked"
    ALERT_RAISED = "alert.raised"
    ALERT_RESOLVED = "alert.resolved"
    ALERT_DELIVERY_FAILED = "alert.delivery_failed"
    WORKER_FAULT = "worker.fault"
    RUN_CLAIM_FAILED = "run.claim_failed"
    RUN_WRITE_FAILED = "run.write_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """
    One transition.

    Attributes:
        job_id, type, queue, lane: Which job; None only for a message that is no envelope.
        attempt: Number of the attempt that it is about.
        error: `ExceptionType: message`, for failures. It may quote a payload: no log line and no message has it.
        error_type: Its type alone.
        wait: Until the next attempt, or until the message is looked at again.
        ran_for: How long the attempt took, or the invocation.
        waited: From the asked to the first start; of a job's first start, and of the end of that attempt.
        memory_mb: What an invocation is billed for, per millisecond.
        reason: Why a message was dropped or a write refused, in words.
        correlation_id: The correlation id that the job was given; None if it stands for itself.
        public: Fields of the payload that its model marks as `Public`; no other part of a payload is ever in an event.
    """

    action: Action
    at: datetime
    job_id: str | None = None
    type: str | None = None
    queue: str | None = None
    lane: Lane | None = None
    attempt: int | None = None
    cause: Cause | None = None
    error: str | None = None
    error_type: str | None = None
    wait: timedelta | None = None
    ran_for: timedelta | None = None
    waited: timedelta | None = None
    memory_mb: int | None = None
    reason: str | None = None
    schedule: str | None = None
    correlation_id: str | None = None
    public: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def about(
        cls,
        record: JobRecord,
        action: Action,
        *,
        at: datetime,
        cause: Cause | None = None,
        reason: str | None = None,
        public: Mapping[str, object] | None = None,
    ) -> Event:
        """Return an event about a recorded job."""
        return cls(
            action=action,
            at=at,
            job_id=record.job_id,
            type=record.type,
            queue=record.queue,
            lane=record.lane,
            cause=cause,
            reason=reason,
            correlation_id=correlation_of(record.headers),
            public=public or {},
        )
