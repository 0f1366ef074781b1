"""The states of a job, why a job dies, and the one record that says where a job stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lanework.model.job.headers import Headers
    from lanework.model.lanes import Lane


class State(StrEnum):
    """Where a job stands. `completed`, `dead` and `cancelled` are ends."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    PARKED = "parked"
    BLOCKED = "blocked"
    COMPLETED = "completed"
    DEAD = "dead"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """Never written: the record can't be read, such as one of a later release; `JobRecord.damage` says what of it."""


class Cause(StrEnum):
    """Why a job died."""

    EXHAUSTED = "exhausted"
    DISCARDED = "discarded"
    INVALID = "invalid"
    UNKNOWN_TYPE = "unknown_type"
    EXPIRED = "expired"
    CRASHED = "crashed"
    INFRA = "infra"
    PARENT_FAILED = "parent_failed"
    UNSENDABLE = "unsendable"


WAITING: Final = frozenset({State.SCHEDULED, State.QUEUED, State.RETRYING, State.PARKED})
"""May be claimed once due."""

CLAIMABLE: Final = WAITING | {State.RUNNING}
"""A running job is claimable once its lease (`due_at`) is over."""

ENDED: Final = frozenset({State.COMPLETED, State.DEAD, State.CANCELLED})
"""Has no `due_at`; a dead job may be given another life."""

AT_ONCE: Final = datetime.fromtimestamp(0, UTC)
"""
`due_at` of a job without a delay: due on every clock. A producer's clock that runs ahead of the worker's would
otherwise make an immediate job wait.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """
    One failed attempt, kept with the job.

    Attributes:
        attempt: Its number within its life, from 1.
        life: The life it belonged to, from 1.
        error: `ExceptionType: message`, and under it what led to it; shortened.
        error_type: The type alone; None where the attempt ended without an exception.
    """

    attempt: int
    life: int
    at: datetime
    error: str
    error_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """
    The one item of a job in the ledger, which is its idempotency record too.

    Attributes:
        job_id: Used once for as long as the record is kept.
        type: Name of the job type.
        queue: Logical family, the unit of statistics, concurrency and pause.
        lane: How soon.
        state: Where the job stands.
        version: Version of the payload.
        life: Which of the job's lives this is, from 1; a redrive begins the next.
        attempts: Executions begun in this life, less those snoozed or given back.
        max_attempts: Most attempts of a life; one crash beyond it is allowed.
        backoff_base: Wait before the second attempt.
        timeout: How long an attempt may take; None leaves it to the lane.
        crashed: The one crash beyond `max_attempts` was used up in this life.
        created_at: When it was enqueued.
        run_at: The start that was asked for: `created_at` plus the delay.
        due_at: From when it may be claimed; for a running job the end of its lease; None for ends and blocked jobs.
        claim_id: Written by the claim; every later write of that run requires it. Kept after the run, so that a write
            whose answer was lost can be distinguished from one that was refused.
        first_started_at: When its first attempt began.
        started_at: When its latest attempt began; until that has ended, when it was claimed, up to 250 ms earlier.
        ended_at: When it reached an end.
        cause: Why it died.
        error: Error of the latest failure, as `ExceptionType: message` with what led to it, or the reason of a
            `Discard`. It may quote a payload.
        error_type: Its type alone, which is all of it that logs, events and webhooks tell; None where no exception was
            raised, as of a job that wasn't started in time.
        fingerprint: Of the error that it died of, if it did: what that has in common with others.
        failures: The latest failed attempts, oldest first.
        progress: 0 to 100, as the job last said.
        progress_note: What the job said with it.
        payload: JSON text; None if it is kept in an item of its own.
        digest: Of its payload as enqueued, where that is kept apart: a repeated id is known by it to ask for the same.
        request_digest: Of the request that asked for it under an idempotency key, with all its options.
        result: JSON text of what the job returned.
        result_omitted: Why the result could not be kept.
        cancel_asked: A running job was asked to stop.
        sweep_at: When the sweep looks at it, for a job that no message carries; for a dead job, when it died; for one
            that ended otherwise, from when it is to be archived, where there is an archive.
        bounces: How often SQS gave up on it in this life, without any attempt of ours.
        held_by: The pause or the limit that keeps it from being sent, such as `queue:email`.
        awaits: The signal that it waits for, parked.
        signal_id: Id of the latest signal that it was sent.
        start_by: When it is no longer worth starting; None never.
        tenant: On whose behalf it was enqueued.
        headers: What goes along beside its payload, by name.
        webhook: Address of the webhook for its completion or death.
        nonce: A random word that its messages have, too: others' messages under its id don't speak for it.
        rate_limit: The rate that a start is reserved under for it.
        rate_slot: That start.
        rate_attempt: The attempt that it is reserved for; another has to reserve its own.
        superseded_at: When the enqueue began whose payload was written over the one that its messages carry: they don't
            count, the record does. None if none was.
        runs_until: Until when code of an attempt that was given back may run on: whoever moves its start, it isn't due
            before. None if none was.
        retired: Its content was stripped and no list shows it; what is left says that its id is used, and how it ended.
        after: What it waits for, or has waited for: ids of jobs, and `workflow/ID` with what of it.
        open_parents: Of these, the ones that it still waits for.
        on_failure: What a dead or cancelled parent does to it.
        takes: The payload's field that the first parent's result goes into; `*` makes the result its payload.
        workflow: The workflow that it is part of, or is called back by.
        slot: Its place in it; None of what is called back.
        has_children: Others wait for it: whoever ends it looks for them.
        expires_at: When the record may go.
        damage: What of it can't be read, and so is missing here. Where a run or a move needs it, the state is `unknown`
            and nothing moves the job.
    """

    job_id: str
    type: str
    queue: str
    lane: Lane
    state: State
    created_at: datetime
    run_at: datetime
    max_attempts: int
    backoff_base: timedelta
    due_at: datetime | None
    timeout: timedelta | None = None
    version: int = 1
    life: int = 1
    attempts: int = 0
    crashed: bool = False
    claim_id: str | None = None
    first_started_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cause: Cause | None = None
    error: str | None = None
    error_type: str | None = None
    fingerprint: str | None = None
    failures: tuple[Failure, ...] = ()
    progress: int | None = None
    progress_note: str | None = None
    payload: str | None = None
    digest: str | None = None
    request_digest: str | None = None
    result: str | None = None
    result_omitted: str | None = None
    cancel_asked: bool = False
    sweep_at: datetime | None = None
    bounces: int = 0
    held_by: str | None = None
    awaits: str | None = None
    signal_id: str | None = None
    start_by: datetime | None = None
    tenant: str | None = None
    headers: Headers = ()
    webhook: str | None = None
    nonce: str | None = None
    rate_limit: str | None = None
    rate_slot: datetime | None = None
    rate_attempt: int | None = None
    superseded_at: datetime | None = None
    runs_until: datetime | None = None
    retired: bool = False
    after: tuple[str, ...] = ()
    open_parents: tuple[str, ...] = ()
    on_failure: str | None = None
    takes: str | None = None
    has_children: bool = False
    workflow: str | None = None
    slot: int | None = None
    expires_at: datetime | None = None
    damage: str | None = None

    def is_worth_starting(self, moment: datetime) -> bool:
        """Tell whether a claim may begin the job at this moment: it has begun before, or `start_by` isn't over."""
        return self.first_started_at is not None or self.start_by is None or self.start_by > moment

    @property
    def ordered_at(self) -> datetime:
        """When the enqueue began whose work it does."""
        return self.superseded_at or self.created_at

    @property
    def has_followers(self) -> bool:
        """Whether its end matters to others: jobs that wait for it, or its workflow."""
        return self.has_children or self.slot is not None

    def is_expired(self, now: datetime) -> bool:
        """
        Tell whether the record may be gone at any time.

        TTL deletes within days, not at the second (DynamoDB, "Working with expired items").
        """
        return self.expires_at is not None and self.expires_at <= now
