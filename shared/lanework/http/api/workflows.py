"""Endpoints about workflows: list, show, draw, results, cancel, retry."""

from __future__ import annotations

from typing import Annotated, Final

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field

from lanework.app import App
from lanework.engine.workflows.view import CountedWorkflow, Graph, Result, Results, Workflow
from lanework.http.api.jobs import Cursor, Limit
from lanework.http.auth.tokens import Role
from lanework.http.auth.visibility import Sight
from lanework.http.routing import Routes
from lanework.model.json_view import JsonView

TAG: Final = "Workflows"

Id = Annotated[str, Path(description="The workflow's id.")]


class WorkflowList(JsonView):
    """Part of the list of workflows, newest first."""

    workflows: tuple[Workflow, ...]
    cursor: str | None = Field(description="Gives the next page; null after the last. A page may be short, even empty.")


class Asked(JsonView):
    """How many jobs were asked to stop, or were redriven."""

    workflow_id: str
    jobs: int


def add_reading(routes: Routes, app: App) -> None:
    """Register what looks at workflows."""
    sight = Sight(routes, app)

    @routes.add("GET", "/api/workflows", Role.VIEWER, tag=TAG)
    def list_workflows(limit: Limit = 20, cursor: Cursor = None) -> WorkflowList:
        """List workflows, newest first; those that are a step of another are left out."""
        page = app.workflows.page(limit=limit, cursor=cursor)
        return WorkflowList(workflows=tuple(Workflow.of(one) for one in page.workflows), cursor=page.cursor)

    @routes.add("GET", "/api/workflows/<workflow_id>", Role.VIEWER, tag=TAG)
    def get_workflow(workflow_id: Id) -> CountedWorkflow:
        """Show where a workflow stands."""
        return CountedWorkflow.counted(app.workflows.get(workflow_id))

    @routes.add("GET", "/api/workflows/<workflow_id>/graph", Role.VIEWER, tag=TAG)
    def draw_workflow(
        workflow_id: Id, limit: Annotated[int, Query(ge=1, le=500, description="Most nodes, 1 to 500.")] = 100
    ) -> Graph:
        """
        Draw a workflow: its jobs, those of nested workflows, and which waits for which.

        A chain's stand in its order; others, and those that are drawn if not all are, as they need attention: the dead,
        the cancelled, those that have not ended, the completed.
        """
        return Graph.of(app.workflows.graph(workflow_id, most=limit), is_full=sight.is_full)

    @routes.add("GET", "/api/workflows/<workflow_id>/results", Role.VIEWER, tag=TAG)
    def list_results(
        workflow_id: Id,
        limit: Limit = 100,
        cursor: Annotated[int | None, Query(ge=0, le=10**9, description="Where the page before ended.")] = None,
    ) -> Results:
        """List what a workflow's jobs returned."""
        page = app.workflows.result_page(workflow_id, after=cursor, limit=limit)
        results = map(Result.of, sight.results(page.results))
        return Results(results=tuple(results), cursor=page.next)


def add_steering(routes: Routes, app: App) -> None:
    """Register what changes workflows."""

    @routes.add("POST", "/api/workflows/<workflow_id>/cancel", Role.ADMIN, tag=TAG)
    def cancel_workflow(workflow_id: Id) -> Asked:
        """
        Cancel a workflow: jobs that wait end at once, running ones are asked to stop.

        What is called back on completion or failure runs. Safe to repeat.
        """
        return Asked(workflow_id=workflow_id, jobs=app.workflows.cancel(workflow_id))

    @routes.add("POST", "/api/workflows/<workflow_id>/retry", Role.ADMIN, tag=TAG)
    def retry_workflow(workflow_id: Id) -> Asked:
        """Redrive what died in a workflow, and in those that are steps of it."""
        return Asked(workflow_id=workflow_id, jobs=app.workflows.retry(workflow_id))
