"""Endpoints about queues, in the shapes of the queue managers that people come from: numbers, failed jobs, cleaning."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from lanework.app import App
from lanework.engine.operations.pauses import resume
from lanework.engine.queries.job_view import Job
from lanework.engine.queries.state_counts import StateCounts, state_counts
from lanework.errors import UnknownNameError, did_you_mean
from lanework.http.api.jobs import JobId
from lanework.http.api.pauses import Paused, Resumed
from lanework.http.api.requests import Cleaning
from lanework.http.auth.tokens import Role
from lanework.http.endpoints import Endpoints, endpoint
from lanework.http.problems import ProblemError, wrong_query
from lanework.http.routing import RESUME_WITHIN
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.job.payload import masked
from lanework.model.json_view import JsonView
from lanework.model.lifecycle import retention
from lanework.model.lifecycle.states import JobRecord, State

_LAST: Final = 99
_LAST_BY_DEFAULT: Final = 19

_ENDS: Final = {"completed": State.COMPLETED, "failed": State.DEAD, "cancelled": State.CANCELLED}

QueueName = Annotated[str, Path(description="The queue, such as email.")]


class QueueCounts(JsonView):
    """The jobs of a queue by where they stand, of the newest 1,000 jobs."""

    waiting: int
    active: int
    completed: int
    failed: int
    delayed: int
    paused: int


class AllQueues(JsonView):
    """The numbers of every queue; null in `countedSince` says that every job that is kept is counted."""

    success: Literal[True] = True
    data: dict[str, QueueCounts]
    counted_since: datetime | None


class OneQueue(JsonView):
    """The numbers of one queue."""

    success: Literal[True] = True
    data: QueueCounts
    counted_since: datetime | None


class FailedJob(JsonView):
    """A dead job; `data` is its payload, private fields masked, null if it is over 1 KB; `timestamp` is in ms."""

    id: str
    name: str
    data: dict[str, Any] | None
    failed_reason: str | None
    attempts_made: int
    timestamp: int


class FailedJobs(JsonView):
    """Dead jobs of a queue, the latest death first."""

    success: Literal[True] = True
    data: tuple[FailedJob, ...]


class Retried(JsonView):
    """A job that lives again."""

    success: Literal[True] = True
    data: Job


class CleaningOrdered(JsonView):
    """The job that cleans; it has progress, and can be cancelled."""

    success: Literal[True] = True
    job_id: str


class QueuesApi(Endpoints):
    """Shows queues, and changes one."""

    tag = "Queues"

    @endpoint("GET", "/api/v1/jobs/queues", Role.VIEWER)
    def list_queues(self) -> AllQueues:
        """Show the numbers of every queue, from the newest 1,000 jobs."""
        counted, paused = state_counts(self.app.ports), self.app.ports.flags.read().paused
        return AllQueues(
            data={
                queue: _counts(queue, counted, is_paused=f"queue:{queue}" in paused)
                for queue in self.app.registry.queues
            },
            counted_since=counted.since,
        )

    @endpoint("GET", "/api/v1/jobs/queues/{queue}/stats", Role.VIEWER)
    def get_queue(self, queue: QueueName) -> OneQueue:
        """Show the numbers of one queue, from its newest 1,000 jobs."""
        _check(queue, self.app)
        counted, paused = state_counts(self.app.ports, queue=queue), self.app.ports.flags.read().paused
        return OneQueue(data=_counts(queue, counted, is_paused=f"queue:{queue}" in paused), counted_since=counted.since)

    @endpoint("GET", "/api/v1/jobs/queues/{queue}/failed", Role.VIEWER)
    def list_failed_jobs(
        self,
        queue: QueueName,
        start: Annotated[int, Query(ge=0, le=_LAST, description="Position of the first, from 0.")] = 0,
        end: Annotated[int, Query(ge=0, le=_LAST, description="Position of the last, at most 99.")] = _LAST_BY_DEFAULT,
    ) -> FailedJobs:
        """List the dead jobs of a queue by position, 100 at most; the paged list of dead letters has all."""
        _check(queue, self.app)
        _check_range(start, end)
        found = self.app.dead_letters.jobs.page(DeadFilter(queue=queue), limit=end + 1).jobs[start:]
        return FailedJobs(data=tuple(_failed(one, self.app) for one in self.sight.records(found)))

    @endpoint("POST", "/api/v1/jobs/queues/{queue}/job/{job_id}/retry", Role.ADMIN)
    def retry_failed_job(self, queue: QueueName, job_id: JobId) -> Retried:
        """Redrive a dead job of a queue."""
        _check(queue, self.app)
        record = self.app.get(job_id)
        if record.queue != queue:
            raise ProblemError(HTTPStatus.NOT_FOUND, "job-not-found", f"job {job_id!r} is of queue {record.queue!r}")
        return Retried(data=Job.of(self.app.dead_letters.redrive_job(job_id)))

    @endpoint("POST", "/api/v1/jobs/queues/{queue}/pause", Role.ADMIN)
    def pause_queue(self, queue: QueueName) -> Paused:
        """Pause a queue: within seconds none of its jobs starts."""
        _check(queue, self.app)
        return Paused(paused=(self.app.pause(queue=queue),))

    @endpoint("POST", "/api/v1/jobs/queues/{queue}/resume", Role.ADMIN)
    def resume_queue(self, queue: QueueName) -> Resumed:
        """Resume a queue."""
        _check(queue, self.app)
        name = f"queue:{queue}"
        return Resumed(resumed=name, released=resume(name, self.app.ports, within=RESUME_WITHIN))

    @endpoint("POST", "/api/v1/jobs/queues/{queue}/clean", Role.ADMIN, status=HTTPStatus.ACCEPTED)
    def clean_queue(self, queue: QueueName, what: Cleaning) -> CleaningOrdered:
        """
        Retire ended jobs of a queue in the background: their content is removed, and no list shows them.

        Dead ones are dropped first. Their ids stay used until their records expire.
        """
        _check(queue, self.app)
        order = retention.Cleaning(
            state=_end(what.status),
            queue=queue,
            keep=what.keep,
            ended_before=self.app.ports.clock() - timedelta(milliseconds=what.grace),
        )
        return CleaningOrdered(job_id=self.app.runtime.cleanups.clean_later(order).job_id)


def _check(queue: str, app: App) -> None:
    known = app.registry.queues
    if queue not in known:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "unknown-queue", f"unknown queue {queue!r}{did_you_mean(queue, known)}"
        )


def _check_range(start: int, end: int) -> None:
    if start > end:
        raise wrong_query(
            start=f"must not lie after end, which is {_LAST_BY_DEFAULT} if it is left out",
            end="must not lie before start",
        )


def _counts(queue: str, counted: StateCounts, *, is_paused: bool) -> QueueCounts:
    def of(*states: State) -> int:
        numbers: Mapping[tuple[str, State], int] = counted.by_queue
        return sum(numbers.get((queue, state), 0) for state in states)

    parked = of(State.PARKED)
    return QueueCounts(
        waiting=of(State.QUEUED, State.BLOCKED),
        active=of(State.RUNNING),
        completed=of(State.COMPLETED),
        failed=of(State.DEAD),
        delayed=of(State.SCHEDULED, State.RETRYING) + (0 if is_paused else parked),
        paused=parked if is_paused else 0,
    )


def _failed(record: JobRecord, app: App) -> FailedJob:
    job_type = app.registry.find(record.type)
    return FailedJob(
        id=record.job_id,
        name=record.type,
        data=None if record.payload is None else masked(record.payload, None if job_type is None else job_type.model),
        failed_reason=record.error,
        attempts_made=record.attempts,
        timestamp=int(record.created_at.timestamp() * 1000),
    )


def _end(word: str) -> State:
    found = _ENDS.get(word.lower())
    if found is None:
        kind = "status"
        raise UnknownNameError(kind, word, _ENDS)
    return found
