"""Endpoints about workflows: list, show, draw, results, cancel, retry."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field

from lanework.engine.workflows.view import CountedWorkflow, Graph, Result, Results, Workflow
from lanework.http.api.jobs import Cursor, Limit
from lanework.http.auth.tokens import Role
from lanework.http.endpoints import Endpoints, endpoint
from lanework.model.json_view import JsonView

Id = Annotated[str, Path(description="The workflow's id.")]


class WorkflowList(JsonView):
    """Part of the list of workflows, newest first."""

    workflows: tuple[Workflow, ...]
    cursor: str | None = Field(description="Gives the next page; null after the last. A page may be short, even empty.")


class Asked(JsonView):
    """How many jobs were asked to stop, or were redriven."""

    workflow_id: str
    jobs: int


class WorkflowsApi(Endpoints):
    """Shows workflows, and changes one."""

    tag = "Workflows"

    @endpoint("GET", "/api/workflows", Role.VIEWER)
    def list_workflows(self, limit: Limit = 20, cursor: Cursor = None) -> WorkflowList:
        """List workflows, newest first; those that are a step of another are left out."""
        page = self.app.workflows.page(limit=limit, cursor=cursor)
        return WorkflowList(workflows=tuple(Workflow.of(one) for one in page.workflows), cursor=page.cursor)

    @endpoint("GET", "/api/workflows/{workflow_id}", Role.VIEWER)
    def get_workflow(self, workflow_id: Id) -> CountedWorkflow:
        """Show a workflow's state."""
        return CountedWorkflow.counted(self.app.workflows.get(workflow_id))

    @endpoint("GET", "/api/workflows/{workflow_id}/graph", Role.VIEWER)
    def draw_workflow(
        self, workflow_id: Id, limit: Annotated[int, Query(ge=1, le=500, description="Most nodes, 1 to 500.")] = 100
    ) -> Graph:
        """
        Show a workflow's graph: its jobs, those of nested workflows, and which waits for which.

        A chain's stand in its order; others, and those that are drawn if not all are, as they need attention: the dead,
        the cancelled, those that have not ended, the completed.
        """
        return Graph.of(self.app.workflows.graph(workflow_id, most=limit), is_full=self.sight.is_full)

    @endpoint("GET", "/api/workflows/{workflow_id}/results", Role.VIEWER)
    def list_results(
        self,
        workflow_id: Id,
        limit: Limit = 100,
        cursor: Annotated[int | None, Query(ge=0, le=10**9, description="Where the page before ended.")] = None,
    ) -> Results:
        """List what a workflow's jobs returned."""
        page = self.app.workflows.result_page(workflow_id, after=cursor, limit=limit)
        results = map(Result.of, self.sight.results(page.results))
        return Results(results=tuple(results), cursor=page.next)

    @endpoint("POST", "/api/workflows/{workflow_id}/cancel", Role.ADMIN)
    def cancel_workflow(self, workflow_id: Id) -> Asked:
        """
        Cancel a workflow: jobs that wait end at once, running ones are asked to stop.

        What is called back on completion or failure runs. Safe to repeat.
        """
        return Asked(workflow_id=workflow_id, jobs=self.app.workflows.cancel(workflow_id))

    @endpoint("POST", "/api/workflows/{workflow_id}/retry", Role.ADMIN)
    def retry_workflow(self, workflow_id: Id) -> Asked:
        """Redrive the dead jobs of a workflow, and of workflows nested in it."""
        return Asked(workflow_id=workflow_id, jobs=self.app.workflows.retry(workflow_id))
