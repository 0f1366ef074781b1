"""A job as JSON: what the API answers, `--json` prints and the archive keeps."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from lanework.engine.queries.jobs import ran_for, waited
from lanework.model.job.headers import correlation_of
from lanework.model.job.payload import as_values
from lanework.model.json_view import JsonView, Moment, Seconds
from lanework.model.lanes import Lane  # noqa: TC001 - pydantic reads it
from lanework.model.lifecycle.states import ENDED, Cause, JobRecord, State


class FailedAttempt(JsonView):
    """One failed attempt."""

    life: int
    attempt: int
    at: Moment
    error: str
    error_type: str | None


class Job(JsonView):
    """Where a job stands. Times are ISO 8601 in UTC; its payload is not part of it."""

    job_id: str
    type: str
    queue: str
    lane: Lane
    status: State
    created_at: Moment
    run_at: Moment
    start_by: Moment | None
    tenant: str | None
    correlation_id: str | None = Field(description="What it belongs to; null if it stands for itself.")
    waits_for: str | None = Field(description="The pause, the limit or the signal that it waits for.")
    after: tuple[str, ...] = Field(description="The jobs and workflows that it was enqueued to wait for.")
    waits_for_jobs: tuple[str, ...] = Field(description="Of these, the ones that it still waits for.")
    workflow: str | None = Field(description="The workflow that it is part of, or is called back by.")
    started_at: Moment | None
    processed_at: Moment | None = Field(description="When it ended.")
    attempt_count: int
    max_attempts: int
    life: int
    cause: Cause | None = Field(description="Why it died.")
    error: str | None = Field(description="Its type and text, and what led to it; only an admin reads private values.")
    error_type: str | None = Field(description="The type alone; null where no exception was raised.")
    failures: tuple[FailedAttempt, ...]
    progress: int | None
    progress_note: str | None
    result: Any
    result_omitted: str | None
    retired: bool
    wait_seconds: Seconds | None
    run_seconds: Seconds | None

    @classmethod
    def of(cls, record: JobRecord) -> Job:
        """Return a record's document."""
        result, problem = (None, None) if record.result is None else as_values(record.result)
        return cls.taken_from(
            record,
            status=record.state,
            processed_at=record.ended_at,
            attempt_count=record.attempts,
            correlation_id=correlation_of(record.headers),
            waits_for=_waits_for(record),
            waits_for_jobs=record.open_parents if record.state is State.BLOCKED else (),
            result=result,
            result_omitted=record.result_omitted or problem,
            wait_seconds=waited(record),
            run_seconds=ran_for(record),
        )


def as_json(record: JobRecord) -> dict[str, Any]:
    """Return a job as JSON values; its payload is not part of it."""
    return Job.of(record).to_json()


def _waits_for(record: JobRecord) -> str | None:
    """Return the pause or limit that keeps a job from starting, or the signal that it waits for."""
    if record.state in ENDED or record.state is State.BLOCKED:
        return None
    if record.state is State.PARKED and record.held_by is None and record.awaits is not None:
        return f"signal:{record.awaits}"
    return record.held_by or (record.rate_limit if record.state is State.PARKED and record.rate_slot else None)
