"""Endpoints about jobs: enqueue, get, list, progress, log, cancel, retry, reschedule."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query

from lanework.app import App
from lanework.engine.jobtypes.receipt import Receipt
from lanework.engine.jobtypes.request import Request, request_of
from lanework.engine.operations.cancel import Cancelling
from lanework.engine.queries.job_view import Job
from lanework.engine.queries.search import JobFilter, checked
from lanework.engine.stats.late_starts import Within
from lanework.errors import InvalidOptionError
from lanework.http.api.idempotency_keys import Key, key_of, once, with_key
from lanework.http.api.requests import NewJob, NewJobs, Rescheduling, Retry, Signal
from lanework.http.api.responses import (
    Cancelled,
    Enqueued,
    EnqueuedMany,
    JobList,
    JobPayload,
    Log,
    Progress,
    Signalled,
)
from lanework.http.api.trace_context import traced
from lanework.http.auth.check import check_scope
from lanework.http.auth.tokens import Role
from lanework.http.auth.visibility import Sight
from lanework.http.job_types import check_api, type_called, type_in
from lanework.http.problems import Problem, ProblemError
from lanework.http.routing import Routes
from lanework.model.job.payload import as_values
from lanework.model.json_view import iso
from lanework.model.lanes import lane_of
from lanework.model.lifecycle.states import State

TAG: Final = "Jobs"

JobId = Annotated[str, Path(description="The job's id.")]
Cursor = Annotated[str | None, Query(description="Where the page before ended.")]
Limit = Annotated[int, Query(ge=1, le=100, description="Most of a page, 1 to 100.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="1 to 255 printable characters: a request that is repeated with it enqueues nothing new, and "
        "another request with it is refused (422).",
    ),
]


def add_producing(routes: Routes, app: App) -> None:
    """Register what enqueues."""

    def enqueue_all(requests: Sequence[Request]) -> list[Receipt[Any]]:
        headers = routes.resolver.current_event.headers
        return app.enqueue_many([traced(one, headers) for one in requests])

    def checked_request(job: NewJob, key: Key | None, number: int = 0) -> Request:
        request = _request(job, app, key, number)
        check_scope(routes.resolver, request.type.name)
        return request

    def key_in(header: str | None) -> Key | None:
        event = routes.resolver.current_event
        return key_of(header, path=event.path, body=event.decoded_body or "null")

    @routes.add("POST", "/api/jobs", Role.PRODUCER, tag=TAG, status=HTTPStatus.ACCEPTED)
    def enqueue(job: NewJob, idempotency_key: IdempotencyKey = None) -> Enqueued:
        """Enqueue a job."""
        key = key_in(idempotency_key)
        request = checked_request(job, key)
        (receipt,) = once([request], key, enqueue_all, app)
        return Enqueued.of(receipt, job.type)

    @routes.add("POST", "/api/jobs/batch", Role.PRODUCER, tag=TAG, status=HTTPStatus.ACCEPTED)
    def enqueue_many(wanted: NewJobs, idempotency_key: IdempotencyKey = None) -> EnqueuedMany:
        """
        Enqueue up to 100 jobs, all of them or, if one can't be accepted, none.

        Quotas are the exception: the jobs that fit are enqueued, and the problem says how many were refused.
        """
        key = key_in(idempotency_key)
        requests = [checked_request(job, key, number) for number, job in enumerate(wanted.jobs)]
        receipts = once(requests, key, enqueue_all, app)
        return EnqueuedMany(
            jobs=tuple(Enqueued.of(receipt, job.type) for receipt, job in zip(receipts, wanted.jobs, strict=True))
        )

    @routes.add("POST", "/api/jobs/<job>", Role.PRODUCER, tag=TAG, status=HTTPStatus.ACCEPTED)
    def enqueue_by_path(
        job: Annotated[
            str, Path(description="Words of one job type: signin-notification for user.signin.notification.")
        ],
        payload: Annotated[dict[str, Any], Body(description="The payload.")],
        idempotency_key: IdempotencyKey = None,
    ) -> Enqueued:
        """Enqueue a job whose payload is the whole body."""
        found = type_in(job, app.registry)
        check_scope(routes.resolver, found.name)
        key = key_in(idempotency_key)
        (receipt,) = once([with_key(request_of(found, json.dumps(payload), {}), key)], key, enqueue_all, app)
        return Enqueued.of(receipt, found.name)


def add_reading(routes: Routes, app: App) -> None:
    """Register what looks at jobs."""
    sight = Sight(routes, app)

    @routes.add("GET", "/api/jobs", Role.VIEWER, tag=TAG)
    def list_jobs(
        type: Annotated[str | None, Query(description="Only this job type.")] = None,  # noqa: A002 - its public name
        queue: Annotated[str | None, Query(description="Only this queue.")] = None,
        lane: Annotated[str | None, Query(description="Only this lane: its name, or 1 to 5.")] = None,
        status: Annotated[State | None, Query(description="Only jobs that stand there.")] = None,
        late: Annotated[
            Within | None, Query(description="Only jobs that started later than promised in the last `hour` or `day`.")
        ] = None,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> JobList:
        """
        List jobs, newest first; the dead by their death, the late by their start.

        A page may be short, even empty, and still have a cursor: `seenUntil` says how far it has looked. Without a
        filter it is of one day (UTC). By type and queue an index of 4,000 jobs is asked; by lane and status, but for
        the dead, which have an index of their own, 1,000 jobs are read. What started late is known by name of a day.
        """
        which = JobFilter(type=type, queue=queue, lane=None if lane is None else lane_of(lane), state=status, late=late)
        page = app.runtime.search.page(which, limit=limit, cursor=cursor)
        if cursor is None:
            checked(which, page, app.registry)
        jobs = tuple(Job.of(one) for one in sight.records(page.jobs))
        return JobList(jobs=jobs, cursor=page.cursor, seen_until=iso(page.seen_until))

    @routes.add("GET", "/api/jobs/<job>", Role.VIEWER, tag=TAG)
    def get_job(job: JobId) -> Job:
        """Say where a job stands."""
        return Job.of(sight.record(app.get(job)))

    @routes.add("GET", "/api/job/<job>", Role.VIEWER, tag=TAG)
    def get_job_of_any_id(job: JobId) -> Job:
        """Say where a job stands, also if its id is a word of another path, such as metrics."""
        return get_job(job)

    @routes.add("GET", "/api/jobs/<job_id>/progress", Role.VIEWER, tag=TAG)
    def get_progress(job_id: JobId) -> Progress:
        """Say how far a job is."""
        record = sight.record(app.get(job_id))
        return Progress(job_id=job_id, status=record.state, progress=record.progress, note=record.progress_note)

    @routes.add("GET", "/api/jobs/<job_id>/logs", Role.VIEWER, tag=TAG)
    def get_logs(job_id: JobId) -> Log:
        """Give what a job said through `run.log`, in all its attempts."""
        return Log(job_id=job_id, lines=sight.log(app.get(job_id)))

    @routes.add("GET", "/api/jobs/<job_id>/payload", Role.ADMIN, tag=TAG)
    def get_payload(job_id: JobId) -> JobPayload:
        """Give what a job was given, private fields included."""
        text = app.ports.ledger.payload_of(app.get(job_id))
        return JobPayload(job_id=job_id, payload=None if text is None else _shown(text))


def add_steering(routes: Routes, app: App) -> None:
    """Register what changes one job."""

    @routes.add("POST", "/api/jobs/<job_id>/cancel", Role.ADMIN, tag=TAG)
    def cancel_job(job_id: JobId) -> Cancelled:
        """Cancel a job: one that waits ends at once, a running one is asked to stop."""
        outcome = app.cancel(job_id)
        if outcome is Cancelling.TOO_LATE:
            state = app.get(job_id).state
            hint = "; to give it up for good, drop it" if state is State.DEAD else ""
            raise ProblemError(_conflict("too-late", f"job {job_id!r} is {state} and can't be cancelled{hint}"))
        return Cancelled(job_id=job_id, outcome="cancelled" if outcome is Cancelling.CANCELLED else "asked")

    @routes.add("POST", "/api/jobs/<job_id>/retry", Role.ADMIN, tag=TAG, status=HTTPStatus.ACCEPTED)
    def retry_job(job_id: JobId, how: Annotated[Retry | None, Body()] = None) -> Job:
        """Give a dead job another life, if you like with another payload: attempts start over, the history stays."""
        if how is None or how.payload is None:
            return Job.of(app.dead_letters.redrive_job(job_id))
        check_api(app.dead_letters.jobs.get(job_id).type, app.registry)
        payload = json.dumps(how.payload)
        return Job.of(app.dead_letters.redrive_job(job_id, payload=payload))

    @routes.add("POST", "/api/jobs/<job_id>/signal", Role.PRODUCER, tag=TAG)
    def signal_job(job_id: JobId, signal: Signal) -> Signalled:
        """Send a job a signal that it waits for, or will: `run.wait_for` returns its payload."""
        type_ = app.get(job_id).type
        check_api(type_, app.registry)
        check_scope(routes.resolver, type_)
        return Signalled(job_id=job_id, outcome=app.signal(job_id, signal.name, signal.payload))

    @routes.add("POST", "/api/jobs/<job_id>/reschedule", Role.ADMIN, tag=TAG)
    def reschedule_job(job_id: JobId, when: Rescheduling) -> Job:
        """Let a job that waits start at another time, sooner or later."""
        delay = timedelta(seconds=when.delay_seconds)
        return Job.of(app.reschedule(job_id, run_at=when.run_at, delay=delay))


def _shown(text: str) -> Any:  # noqa: ANN401 - it is what it is
    value, problem = as_values(text)
    return value if problem is None else text


def _request(job: NewJob, app: App, key: Key | None, number: int = 0) -> Request:
    if key is not None and job.job_id is not None:
        msg = "jobId and the Idempotency-Key header both say which job this is; give one of them"
        raise InvalidOptionError(msg)
    request = request_of(type_called(job.type, app.registry), json.dumps(job.payload), job.options())
    return with_key(request, key, number)


def _conflict(kind: str, detail: str) -> Problem:
    return Problem(status=HTTPStatus.CONFLICT, kind=kind, detail=detail)
