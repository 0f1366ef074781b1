"""Endpoints about workflows: list, show, draw, results, cancel, retry."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field

from lanework.app import App
from lanework.engine.workflows.query import as_json, counts_as_json
from lanework.http.api.jobs import Cursor, Limit
from lanework.http.api.responses import Answer
from lanework.http.auth.tokens import Role
from lanework.http.auth.visibility import Sight
from lanework.http.routing import Routes
from lanework.model.lifecycle.states import State
from lanework.model.workflow.workflow import Kind, When, WorkflowState

TAG: Final = "Workflows"

Id = Annotated[str, Path(description="The workflow's id.")]


class Workflow(Answer):
    """Where a workflow stands. Times are ISO 8601 in UTC."""

    workflow_id: str
    kind: Kind
    status: WorkflowState = Field(description="failed may yet become completed, by a retry of what died.")
    created_at: str
    ended_at: str | None = Field(description="When all its jobs had ended.")
    completed_at: str | None
    cancelled_at: str | None
    part_of: str | None = Field(description="The workflow that it is a step of.")


class CountedWorkflow(Workflow):
    """The same, and how its jobs stand; a nested workflow counts as one."""

    jobs: int
    open: int = Field(description="Jobs that have not ended.")
    completed: int
    dead: int
    cancelled: int
    percent: int = Field(description="Of its jobs, how many have ended.")


class WorkflowList(Answer):
    """Part of the list of workflows, newest first."""

    workflows: tuple[Workflow, ...]
    cursor: str | None = Field(description="Gives the next page; null after the last. A page may be short, even empty.")


class Node(Answer):
    """A job or a workflow."""

    name: str = Field(description="The job's id, or workflow/ID.")
    type: str | None = Field(description="Job type, or kind of workflow; null if its record is gone.")
    status: str | None
    within: str | None = Field(description="The workflow that it is part of.")
    role: Literal["job", "workflow", "success", "complete", "failure"]
    life: int
    error: str | None


class Edge(Answer):
    """One node waits for another."""

    parent: str
    child: str
    when: When = Field(description="What of the parent is waited for.")


class Graph(Answer):
    """A workflow as a drawing, the workflow itself first."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int = Field(description="How many jobs there are beyond these.")


class Result(Answer):
    """What came of one job."""

    job_id: str
    status: State
    result: Any
    result_omitted: str | None


class Results(Answer):
    """Part of the results of a workflow's own jobs, in their order."""

    results: tuple[Result, ...]
    cursor: int | None = Field(description="Gives the next page; null after the last. A page may be short, even empty.")


class Asked(Answer):
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
        return WorkflowList(
            workflows=tuple(Workflow.model_validate(as_json(one)) for one in page.workflows), cursor=page.cursor
        )

    @routes.add("GET", "/api/workflows/<workflow_id>", Role.VIEWER, tag=TAG)
    def get_workflow(workflow_id: Id) -> CountedWorkflow:
        """Show where a workflow stands."""
        standing = app.workflows.get(workflow_id)
        return CountedWorkflow.model_validate({**as_json(standing.record), **counts_as_json(standing)})

    @routes.add("GET", "/api/workflows/<workflow_id>/graph", Role.VIEWER, tag=TAG)
    def draw_workflow(
        workflow_id: Id, limit: Annotated[int, Query(ge=1, le=500, description="Most nodes, 1 to 500.")] = 100
    ) -> Graph:
        """
        Draw a workflow: its jobs, those of nested workflows, and which waits for which.

        A chain's stand in its order; others, and those that are drawn if not all are, as they need attention: the dead,
        the cancelled, those that have not ended, the completed.
        """
        graph = app.workflows.graph(workflow_id, most=limit)
        return Graph(
            nodes=tuple(
                Node.model_validate(
                    {
                        "name": one.name,
                        "type": one.type,
                        "status": one.state,
                        "within": one.within,
                        "role": one.role,
                        "life": one.life,
                        "error": one.error if sight.is_full else one.error_type,
                    }
                )
                for one in graph.nodes
            ),
            edges=tuple(Edge(parent=one.parent, child=one.child, when=one.when) for one in graph.edges),
            left_out=graph.left_out,
        )

    @routes.add("GET", "/api/workflows/<workflow_id>/results", Role.VIEWER, tag=TAG)
    def list_results(
        workflow_id: Id,
        limit: Limit = 100,
        cursor: Annotated[int | None, Query(ge=0, le=10**9, description="Where the page before ended.")] = None,
    ) -> Results:
        """List what a workflow's jobs returned."""
        page = app.workflows.result_page(workflow_id, after=cursor, limit=limit)
        results = (
            Result(job_id=one.job_id, status=one.state, result=sight.value(one.result), result_omitted=one.omitted)
            for one in page.results
        )
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
