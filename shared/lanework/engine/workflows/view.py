"""Workflows as JSON: what the API answers and `--json` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from lanework.model.json_view import JsonView, Moment
from lanework.model.lifecycle.states import State  # noqa: TC001 - pydantic reads it
from lanework.model.workflow.workflow import Kind, When, WorkflowState  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    from lanework.engine.workflows import graph, query
    from lanework.model.workflow.workflow import WorkflowRecord


class Workflow(JsonView):
    """Where a workflow stands. Times are ISO 8601 in UTC."""

    workflow_id: str
    kind: Kind
    status: WorkflowState = Field(description="failed may yet become completed, by a retry of what died.")
    created_at: Moment
    ended_at: Moment | None = Field(description="When all its jobs had ended.")
    completed_at: Moment | None
    cancelled_at: Moment | None
    part_of: str | None = Field(description="The workflow that it is a step of.")

    @classmethod
    def of(cls, record: WorkflowRecord) -> Workflow:
        """Return a record's document."""
        return cls.taken_from(record, status=record.state, ended_at=record.closed_at, part_of=record.parent)


class CountedWorkflow(Workflow):
    """The same, and how its jobs stand; a nested workflow counts as one."""

    jobs: int
    open: int = Field(description="Jobs that have not ended.")
    completed: int
    dead: int
    cancelled: int
    percent: int = Field(description="Of its jobs, how many have ended.")

    @classmethod
    def counted(cls, status: query.WorkflowStatus) -> CountedWorkflow:
        """Return the document of a workflow whose jobs were counted."""
        return cls.taken_from(status.counts, **Workflow.of(status.record).model_dump(), percent=status.percent)


class Node(JsonView):
    """A job or a workflow."""

    name: str = Field(description="The job's id, or workflow/ID.")
    type: str | None = Field(description="Job type, or kind of workflow; null if its record is gone.")
    status: str | None
    within: str | None = Field(description="The workflow that it is part of.")
    role: Literal["job", "workflow", "success", "complete", "failure"]
    life: int
    error: str | None


class Edge(JsonView):
    """One node waits for another."""

    parent: str
    child: str
    when: When = Field(description="What of the parent is waited for.")


class Graph(JsonView):
    """A workflow as a drawing, the workflow itself first."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int = Field(description="How many jobs there are beyond these.")

    @classmethod
    def of(cls, drawn: graph.Graph, *, is_full: bool = True) -> Graph:
        """Return a drawing's document; unless it is full, of errors the types only."""
        return cls(
            nodes=tuple(
                Node.taken_from(one, status=one.state, error=one.error if is_full else one.error_type)
                for one in drawn.nodes
            ),
            edges=tuple(map(Edge.taken_from, drawn.edges)),
            left_out=drawn.left_out,
        )


class Result(JsonView):
    """What came of one job."""

    job_id: str
    status: State
    result: Any
    result_omitted: str | None

    @classmethod
    def of(cls, one: query.JobResult) -> Result:
        """Return a result's document."""
        return cls.taken_from(one, status=one.state, result_omitted=one.omitted)


class Results(JsonView):
    """Part of the results of a workflow's own jobs, in their order."""

    results: tuple[Result, ...]
    cursor: int | None = Field(description="Gives the next page; null after the last. A page may be short, even empty.")
