"""Pages of jobs: the list with its filters, and one job with what can be done about it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from lanework.app import App
from lanework.engine.operations.cancel import Cancelling
from lanework.engine.queries.search import JobFilter
from lanework.engine.stats.late_starts import Within, late_count
from lanework.errors import JobNotFoundError, UnknownNameError
from lanework.http.auth.tokens import Role
from lanework.http.auth.visibility import Sight
from lanework.http.dashboard.relations import relations
from lanework.http.dashboard.rendering import TAG, Pages
from lanework.http.dashboard.timeline import timeline
from lanework.http.forms import FORM
from lanework.http.problems import Problem, ProblemError
from lanework.http.routing import Routes
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.job.headers import correlation_of
from lanework.model.job.payload import masked
from lanework.model.lanes import lane_of
from lanework.model.lifecycle.states import JobRecord, State

ROWS = 50

Word = Annotated[str, Query()]

WordT = TypeVar("WordT", bound=StrEnum)


def add_to(routes: Routes, pages: Pages, app: App) -> None:
    """Register them."""
    sight = Sight(routes, app)

    @routes.add("GET", "/jobs", Role.VIEWER, tag=TAG, is_documented=False)
    def list_page(
        id: Word = "",  # noqa: A002 - what the form calls it
        type: Word = "",  # noqa: A002
        queue: Word = "",
        lane: Word = "",
        status: Word = "",
        late: Word = "",
        cursor: Word = "",
    ) -> Response[str]:
        """Show jobs, the newest first, or go to the one that was asked for by its id."""
        if id.strip():
            return pages.see(f"jobs/{_known(id.strip(), app).job_id}")
        which = JobFilter(
            type=type or None,
            queue=queue or None,
            lane=lane_of(lane) if lane else None,
            state=_one_of(State, "status", status),
            late=_one_of(Within, "late", late),
        )
        asked = {"type": type, "queue": queue, "lane": lane, "status": status, "late": late}
        return pages.show(
            "jobs.html",
            page=app.runtime.search.page(which, limit=ROWS, cursor=cursor or None),
            order=which.order,
            late=None if which.late is None else late_count(app.ports, which.late, lane=which.lane),
            asked={name: word for name, word in asked.items() if word},
            is_first=not cursor,
            withins=tuple(Within),
            rows=ROWS,
            states=tuple(State),
            types=[one.name for one in app.registry.types],
            queues=app.registry.queues,
        )

    @routes.add("GET", "/jobs/<job_id>", Role.VIEWER, tag=TAG, is_documented=False)
    def job_page(job_id: Annotated[str, Path()]) -> Response[str]:
        """Show one job."""
        record = _known(job_id, app)
        shown = sight.record(record)
        return pages.show(
            "job.html",
            job=shown,
            timeline=timeline(shown),
            log=sight.log(record),
            payload=_payload(record, app),
            correlation=correlation_of(record.headers),
            related=relations(record, app),
        )

    @routes.add("POST", "/jobs/<job_id>/cancel", Role.ADMIN, tag=TAG, takes=FORM, is_documented=False)
    def cancel_on_page(job_id: Annotated[str, Path()]) -> Response[str]:
        """Cancel a job."""
        said = {
            Cancelling.CANCELLED: "Cancelled: it won't run.",
            Cancelling.ASKED: "Asked to stop. Unless it completes first, it ends cancelled.",
            Cancelling.TOO_LATE: "Nothing was changed: it had ended already.",
        }
        return pages.trying(lambda: said[app.cancel(job_id)], f"jobs/{job_id}")

    @routes.add("POST", "/jobs/<job_id>/start", Role.ADMIN, tag=TAG, takes=FORM, is_documented=False)
    def start_on_page(job_id: Annotated[str, Path()]) -> Response[str]:
        """Let a waiting job start now."""

        def start() -> str:
            app.reschedule(job_id, delay=timedelta(0))
            return "Due now: it starts within a minute."

        return pages.trying(start, f"jobs/{job_id}")

    @routes.add("POST", "/jobs/<job_id>/redrive", Role.ADMIN, tag=TAG, takes=FORM, is_documented=False)
    def redrive_on_page(job_id: Annotated[str, Path()]) -> Response[str]:
        """Give a dead job another life."""
        return pages.trying(
            lambda: f"Redriven: life {app.dead_letters.redrive_job(job_id).life}. Its attempts start over.",
            f"jobs/{job_id}",
        )

    @routes.add("POST", "/jobs/<job_id>/drop", Role.ADMIN, tag=TAG, takes=FORM, is_documented=False)
    def drop_on_page(job_id: Annotated[str, Path()]) -> Response[str]:
        """Give a dead job up for good."""

        def drop() -> str:
            app.dead_letters.drop(app.dead_letters.jobs.plan(DeadFilter(job_ids=(job_id,))))
            return "Dropped: it ended cancelled, and no redrive brings it back."

        return pages.trying(drop, f"jobs/{job_id}")


def _known(job_id: str, app: App) -> JobRecord:
    try:
        return app.get(job_id)
    except JobNotFoundError as error:
        raise ProblemError(Problem(status=HTTPStatus.NOT_FOUND, kind="job-not-found", detail=str(error))) from error


def _one_of(words: type[WordT], kind: str, word: str) -> WordT | None:
    try:
        return words(word) if word else None
    except ValueError:
        raise UnknownNameError(kind, word, [one.value for one in words]) from None


def _payload(record: JobRecord, app: App) -> dict[str, Any] | None:
    """Return a job's payload with its private fields masked; None if it is gone."""
    text = app.ports.ledger.payload_of(record)
    job_type = app.registry.find(record.type)
    return None if text is None else masked(text, None if job_type is None else job_type.model)
