"""Pages of workflows: the list, and one as a graph with what can be done about it."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from lanework.http.dashboard.graph import BOX_HEIGHT, BOX_WIDTH, layout
from lanework.http.dashboard.rendering import Pages, action, page
from lanework.http.dashboard.words import plural

ROWS = 50
MOST_NODES = 300

Id = Annotated[str, Path()]


class WorkflowPages(Pages):
    """Shows workflows, and changes one."""

    @page("/workflows")
    def workflows_page(self, cursor: Annotated[str, Query()] = "") -> Response[str]:
        """Show workflows, the newest first."""
        page = self.app.workflows.page(limit=ROWS, cursor=cursor or None)
        return self.show("workflows.html", page=page, is_first=not cursor)

    @page("/workflows/{workflow_id}")
    def workflow_page(self, workflow_id: Id) -> Response[str]:
        """Show one workflow."""
        status, graph = self.app.workflows.drawn(workflow_id, most=MOST_NODES)
        return self.show(
            "workflow.html",
            workflow=status,
            graph=graph,
            drawing=layout(graph),
            box_width=BOX_WIDTH,
            box_height=BOX_HEIGHT,
        )

    @action("/workflows/{workflow_id}/cancel", then="workflows/{workflow_id}")
    def cancel_workflow_on_page(self, workflow_id: Id) -> str:
        """Cancel a workflow."""
        return f"Cancelled: {plural(self.app.workflows.cancel(workflow_id), 'job')} had not ended."

    @action("/workflows/{workflow_id}/retry", then="workflows/{workflow_id}")
    def retry_workflow_on_page(self, workflow_id: Id) -> str:
        """Redrive dead jobs in a workflow."""
        return (
            f"Redriven: {plural(self.app.workflows.retry(workflow_id), 'dead job')}. Jobs that wait for them continue."
        )
