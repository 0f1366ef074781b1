"""Endpoints about jobs: enqueue, get, list, progress, log, cancel, retry, reschedule."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query

from lanework.engine.jobtypes.receipt import Receipt
from lanework.engine.jobtypes.request import Request, request_of
from lanework.engine.operations.cancel import Cancelling
from lanework.engine.queries.job_view import Job
from lanework.engine.queries.search import JobFilter, checked
from lanework.engine.sla.late_starts import Within
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
from lanework.http.auth.check import check_scope
from lanework.http.auth.tokens import Role
from lanework.http.endpoints import Endpoints, endpoint
from lanework.http.job_types import check_api, type_called, type_in
from lanework.http.problems import ProblemError
from lanework.model.job.headers import inherited
from lanework.model.job.payload import as_values
from lanework.model.json_view import iso
from lanework.model.lanes import lane_of
from lanework.model.lifecycle.states import State

_TRACE_PARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_TRACE_STATE: Final = re.compile(r"[ -~]{1,512}")

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


class JobsApi(Endpoints):
    """Enqueues jobs, shows them, and changes one."""

    tag = "Jobs"

    @endpoint("POST", "/api/jobs", Role.PRODUCER, status=HTTPStatus.ACCEPTED)
    def enqueue(self, job: NewJob, idempotency_key: IdempotencyKey = None) -> Enqueued:
        """Enqueue a job."""
        (receipt,) = self._enqueue([job], idempotency_key)
        return Enqueued.of(receipt, job.type)

    @endpoint("POST", "/api/jobs/batch", Role.PRODUCER, status=HTTPStatus.ACCEPTED)
    def enqueue_many(self, wanted: NewJobs, idempotency_key: IdempotencyKey = None) -> EnqueuedMany:
        """
        Enqueue up to 100 jobs, all of them or, if one can't be accepted, none.

        Quotas are the exception: the jobs that fit are enqueued, and the problem says how many were refused.
        """
        receipts = self._enqueue(wanted.jobs, idempotency_key)
        return EnqueuedMany(
            jobs=tuple(Enqueued.of(receipt, job.type) for receipt, job in zip(receipts, wanted.jobs, strict=True))
        )

    @endpoint("POST", "/api/jobs/{job}", Role.PRODUCER, status=HTTPStatus.ACCEPTED)
    def enqueue_by_path(
        self,
        job: Annotated[
            str, Path(description="Words of one job type: signin-notification for user.signin.notification.")
        ],
        payload: Annotated[dict[str, Any], Body(description="The payload.")],
        idempotency_key: IdempotencyKey = None,
    ) -> Enqueued:
        """Enqueue a job whose payload is the whole body."""
        type_ = type_in(job, self.app.registry).name
        (receipt,) = self._enqueue([NewJob(type=type_, payload=payload)], idempotency_key)
        return Enqueued.of(receipt, type_)

    def _enqueue(self, jobs: Sequence[NewJob], header: str | None) -> Sequence[Receipt[Any]]:
        key = key_of(header, path=self.event.path, body=self.event.decoded_body or "null")
        requests = [self._request(job, key, number) for number, job in enumerate(jobs)]
        return once([_traced(one, self.event.headers) for one in requests], key, self.app)

    def _request(self, job: NewJob, key: Key | None, number: int) -> Request:
        if key is not None and job.job_id is not None:
            msg = "jobId and the Idempotency-Key header both say which job this is; give one of them"
            raise InvalidOptionError(msg)
        request = request_of(type_called(job.type, self.app.registry), json.dumps(job.payload), job.options())
        check_scope(self.routes.resolver, request.type.name)
        return with_key(request, key, number)

    @endpoint("GET", "/api/jobs", Role.VIEWER)
    def list_jobs(
        self,
        type: Annotated[str | None, Query(description="Only this job type.")] = None,  # noqa: A002 - its public name
        queue: Annotated[str | None, Query(description="Only this queue.")] = None,
        lane: Annotated[str | None, Query(description="Only this lane: its name, or 1 to 5.")] = None,
        status: Annotated[State | None, Query(description="Only jobs that stand there.")] = None,
        late: Annotated[
            Within | None, Query(description="Only jobs that started later than their SLA in the last `hour` or `day`.")
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
        page = self.app.runtime.search.page(which, limit=limit, cursor=cursor)
        if cursor is None:
            checked(which, page, self.app.registry)
        jobs = tuple(Job.of(one) for one in self.sight.records(page.jobs))
        return JobList(jobs=jobs, cursor=page.cursor, seen_until=iso(page.seen_until))

    @endpoint("GET", "/api/jobs/{job}", Role.VIEWER)
    def get_job(self, job: JobId) -> Job:
        """Show a job's state."""
        return Job.of(self.sight.record(self.app.get(job)))

    @endpoint("GET", "/api/job/{job}", Role.VIEWER)
    def get_job_of_any_id(self, job: JobId) -> Job:
        """Show a job's state, also if its id is a word of another path, such as metrics."""
        return self.get_job(job)

    @endpoint("GET", "/api/jobs/{job_id}/progress", Role.VIEWER)
    def get_progress(self, job_id: JobId) -> Progress:
        """Show a job's progress."""
        record = self.sight.record(self.app.get(job_id))
        return Progress(job_id=job_id, status=record.state, progress=record.progress, note=record.progress_note)

    @endpoint("GET", "/api/jobs/{job_id}/logs", Role.VIEWER)
    def get_logs(self, job_id: JobId) -> Log:
        """List a job's log lines (`run.log`) of all its attempts."""
        return Log(job_id=job_id, lines=self.sight.log(self.app.get(job_id)))

    @endpoint("GET", "/api/jobs/{job_id}/payload", Role.ADMIN)
    def get_payload(self, job_id: JobId) -> JobPayload:
        """Show a job's payload, private fields included."""
        text = self.app.ports.ledger.payload_of(self.app.get(job_id))
        return JobPayload(job_id=job_id, payload=None if text is None else _shown(text))

    @endpoint("POST", "/api/jobs/{job_id}/cancel", Role.ADMIN)
    def cancel_job(self, job_id: JobId) -> Cancelled:
        """Cancel a job: one that waits ends at once, a running one is asked to stop."""
        outcome = self.app.cancel(job_id)
        if outcome is Cancelling.TOO_LATE:
            state = self.app.get(job_id).state
            hint = "; to give it up for good, drop it" if state is State.DEAD else ""
            raise ProblemError(
                HTTPStatus.CONFLICT, "too-late", f"job {job_id!r} is {state} and can't be cancelled{hint}"
            )
        return Cancelled(job_id=job_id, outcome="cancelled" if outcome is Cancelling.CANCELLED else "asked")

    @endpoint("POST", "/api/jobs/{job_id}/retry", Role.ADMIN, status=HTTPStatus.ACCEPTED)
    def retry_job(self, job_id: JobId, how: Annotated[Retry | None, Body()] = None) -> Job:
        """Redrive a dead job, optionally with another payload: attempts start over, the history stays."""
        if how is None or how.payload is None:
            return Job.of(self.app.dead_letters.redrive_job(job_id))
        check_api(self.app.dead_letters.jobs.get(job_id).type, self.app.registry)
        payload = json.dumps(how.payload)
        return Job.of(self.app.dead_letters.redrive_job(job_id, payload=payload))

    @endpoint("POST", "/api/jobs/{job_id}/signal", Role.PRODUCER)
    def signal_job(self, job_id: JobId, signal: Signal) -> Signalled:
        """Send a job a signal: `run.wait_for` returns its payload, also if the job waits for it later."""
        type_ = self.app.get(job_id).type
        check_api(type_, self.app.registry)
        check_scope(self.routes.resolver, type_)
        return Signalled(job_id=job_id, outcome=self.app.signal(job_id, signal.name, signal.payload))

    @endpoint("POST", "/api/jobs/{job_id}/reschedule", Role.ADMIN)
    def reschedule_job(self, job_id: JobId, when: Rescheduling) -> Job:
        """Change when a waiting job starts, to sooner or later."""
        delay = timedelta(seconds=when.delay_seconds)
        return Job.of(self.app.reschedule(job_id, run_at=when.run_at, delay=delay))


def _shown(text: str) -> Any:  # noqa: ANN401 - it is what it is
    value, problem = as_values(text)
    return value if problem is None else text


def _traced(request: Request, headers: Mapping[str, str]) -> Request:
    """
    Return a job's request with the trace context of the HTTP request that asks for it.

    One that isn't as the standard has it is passed over, as the standard has it; so is what doesn't fit beside a
    long correlation id.
    """
    parent, state = headers.get("traceparent") or "", headers.get("tracestate") or ""
    if not _TRACE_PARENT.fullmatch(parent):
        return request
    kept = {"tracestate": state} if _TRACE_STATE.fullmatch(state) else {}
    return replace(request, headers=inherited(request.headers, {"traceparent": parent, **kept}))
