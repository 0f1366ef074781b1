"""Pages of jobs: the list with its filters, and one job with what can be done about it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from lanework.app import App
from lanework.engine.operations.cancel import Cancelling
from lanework.engine.queries.search import JobFilter
from lanework.engine.sla.late_starts import Within, late_count
from lanework.errors import UnknownNameError
from lanework.http.dashboard.relations import relations
from lanework.http.dashboard.rendering import Pages, action, page
from lanework.http.dashboard.timeline import timeline
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.job.headers import correlation_of
from lanework.model.job.payload import masked
from lanework.model.lanes import lane_of
from lanework.model.lifecycle.states import JobRecord, State

ROWS = 50

Word = Annotated[str, Query()]
JobId = Annotated[str, Path()]

WordT = TypeVar("WordT", bound=StrEnum)


class JobPages(Pages):
    """Shows jobs, and changes one."""

    @page("/jobs")
    def list_page(
        self,
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
            return self.see(f"jobs/{self.app.get(id.strip()).job_id}")
        which = JobFilter(
            type=type or None,
            queue=queue or None,
            lane=lane_of(lane) if lane else None,
            state=_one_of(State, "status", status),
            late=_one_of(Within, "late", late),
        )
        asked = {"type": type, "queue": queue, "lane": lane, "status": status, "late": late}
        return self.show(
            "jobs.html",
            page=self.app.runtime.search.page(which, limit=ROWS, cursor=cursor or None),
            order=which.order,
            late=None if which.late is None else late_count(self.app.ports, which.late, lane=which.lane),
            asked={name: word for name, word in asked.items() if word},
            is_first=not cursor,
            rows=ROWS,
            states=tuple(State),
        )

    @page("/jobs/{job_id}")
    def job_page(self, job_id: JobId) -> Response[str]:
        """Show one job."""
        record = self.app.get(job_id)
        shown = self.sight.record(record)
        return self.show(
            "job.html",
            job=shown,
            timeline=timeline(shown),
            log=self.sight.log(record),
            payload=_payload(record, self.app),
            correlation=correlation_of(record.headers),
            related=relations(record, self.app),
        )

    @action("/jobs/{job_id}/cancel", then="jobs/{job_id}")
    def cancel_on_page(self, job_id: JobId) -> str:
        """Cancel a job."""
        said = {
            Cancelling.CANCELLED: "Cancelled: it won't run.",
            Cancelling.ASKED: "Asked to stop. Unless it completes first, it ends cancelled.",
            Cancelling.TOO_LATE: "Nothing was changed: it had ended already.",
        }
        return said[self.app.cancel(job_id)]

    @action("/jobs/{job_id}/start", then="jobs/{job_id}")
    def start_on_page(self, job_id: JobId) -> str:
        """Let a waiting job start now."""
        self.app.reschedule(job_id, delay=timedelta(0))
        return "Due now: it starts within a minute."

    @action("/jobs/{job_id}/redrive", then="jobs/{job_id}")
    def redrive_on_page(self, job_id: JobId) -> str:
        """Give a dead job another life."""
        return f"Redriven: life {self.app.dead_letters.redrive_job(job_id).life}. Its attempts start over."

    @action("/jobs/{job_id}/drop", then="jobs/{job_id}")
    def drop_on_page(self, job_id: JobId) -> str:
        """Give a dead job up for good."""
        self.app.dead_letters.drop(self.app.dead_letters.jobs.plan(DeadFilter(job_ids=(job_id,))))
        return "Dropped: it ended cancelled, and no redrive brings it back."


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
