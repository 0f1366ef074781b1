"""Endpoints about dead jobs: list, group, redrive, drop."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from lanework.engine.deadletters.bulk_redrive import RedriveSummary
from lanework.engine.deadletters.query import RedrivePlan
from lanework.engine.deadletters.view import DeadGroup, Unreadable
from lanework.engine.jobtypes.receipt import Receipt
from lanework.engine.queries.job_view import as_json
from lanework.engine.queries.search import check_names
from lanework.http.api.jobs import Cursor, Limit
from lanework.http.api.requests import Dropping, Redriving, Which
from lanework.http.api.responses import DeadGroups, DeadJob, DeadList, Moved
from lanework.http.auth.tokens import Role
from lanework.http.endpoints import Endpoints, endpoint
from lanework.model.job.fingerprint import fingerprint_of
from lanework.model.lifecycle.states import JobRecord

_MOST_GROUPS: Final = 100


class DeadLettersApi(Endpoints):
    """List, group, redrive and drop dead jobs."""

    tag = "Dead letters"

    @endpoint("GET", "/api/admin/dlq", Role.VIEWER)
    def list_dead_jobs(self, which: Annotated[Which, Query()], limit: Limit = 20, cursor: Cursor = None) -> DeadList:
        """List dead jobs, the latest death first."""
        self.sight.check_search(which.error)
        asked = which.filter()
        found = self.app.dead_letters.jobs.page(asked, limit=limit, cursor=cursor)
        if not found.jobs and cursor is None:
            check_names(self.app.registry, type_=asked.type, queue=asked.queue)
        unreadable = self.app.dead_letters.unreadable() if found.cursor is None else {}
        return DeadList(
            count=len(found.jobs),
            jobs=tuple(map(dead_job, found.jobs, self.sight.records(found.jobs))),
            cursor=found.cursor,
            unreadable=Unreadable.each(unreadable),
        )

    @endpoint("GET", "/api/admin/dlq/groups", Role.VIEWER)
    def group_dead_jobs(self, which: Annotated[Which, Query()]) -> DeadGroups:
        """Count dead jobs by their error, without the parts that differ from job to job."""
        self.sight.check_search(which.error)
        found = self.app.dead_letters.groups(which.filter())
        shown = tuple(DeadGroup.of(one, self.sight.shape(one)) for one in found.groups[:_MOST_GROUPS])
        return DeadGroups(groups=shown, is_counted=found.is_counted)

    @endpoint("POST", "/api/admin/dlq/redrive", Role.ADMIN, status=HTTPStatus.ACCEPTED)
    def redrive_dead_jobs(self, which: Redriving) -> Moved:
        """
        Redrive dead jobs: attempts start over, the history stays.

        Over 100 of them, and those with a canary or a rate, are redriven by a job of their own.
        """
        plan = self.app.dead_letters.jobs.plan(which.chosen())
        if which.dry_run:
            return _moved("redrive", plan)
        return _moved("redrive", plan, self.app.dead_letters.redrive(plan, which.options, can_wait=False))

    @endpoint("POST", "/api/admin/dlq/drop", Role.ADMIN, status=HTTPStatus.ACCEPTED)
    def drop_dead_jobs(self, which: Dropping) -> Moved:
        """Drop dead jobs for good: they are cancelled, and can't be redriven."""
        plan = self.app.dead_letters.jobs.plan(which.chosen())
        return _moved("drop", plan, None if which.dry_run else self.app.dead_letters.drop(plan))


def dead_job(record: JobRecord, seen: JobRecord | None = None) -> DeadJob:
    """Return a dead job as the list shows it; `seen` is what of it the caller reads, all of it by default."""
    shown = as_json(seen or record)
    names = ("error", "errorType", "attemptCount", "createdAt", "processedAt", "queue", "lane", "cause", "life")
    extra = {
        "jobId": record.job_id,
        "jobType": record.type,
        "status": "dlq",
        "fingerprint": fingerprint_of(record),
    }
    return DeadJob.model_validate({**{name: shown[name] for name in names}, **extra})


def _moved(
    action: Literal["redrive", "drop"], plan: RedrivePlan, became: RedriveSummary | Receipt[Any] | None = None
) -> Moved:
    """Return what a plan moves; None of what became of it is a dry run."""
    return Moved(
        action=action,
        dry_run=became is None,
        matched=plan.count,
        is_counted=plan.is_counted,
        jobs=tuple(map(dead_job, plan.jobs)),
        moved=became.moved if isinstance(became, RedriveSummary) else None,
        passed_over=became.passed_over if isinstance(became, RedriveSummary) else None,
        left_out={**plan.left_out, **(became.left if isinstance(became, RedriveSummary) else {})},
        job_id=became.job_id if isinstance(became, Receipt) else None,
    )
