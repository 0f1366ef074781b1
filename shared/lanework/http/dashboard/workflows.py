"""Pages of workflows: the list, and one as a graph with what can be done about it."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from lanework.app import App
from lanework.http.auth.tokens import Role
from lanework.http.dashboard.graph import BOX_HEIGHT, BOX_WIDTH, layout
from lanework.http.dashboard.rendering import TAG, Pages
from lanework.http.dashboard.words import plural
from lanework.http.forms import FORM
from lanework.http.routing import Routes

ROWS = 50
MOST_NODES = 300

Id = Annotated[str, Path()]


def add_to(routes: Routes, pages: Pages, app: App) -> None:
    """Register them."""

    @routes.add("GET", "/workflows", Role.VIEWER, tag=TAG, is_documented=False)
    def workflows_page(cursor: Annotated[str, Query()] = "") -> Response[str]:
        """Show workflows, the newest first."""
        page = app.workflows.page(limit=ROWS, cursor=cursor or None)
        return pages.show("workflows.html", page=page, is_first=not cursor)

    @routes.add("GET", "/workflows/<workflow_id>", Role.VIEWER, tag=TAG, is_documented=False)
    def workflow_page(workflow_id: Id) -> Response[str]:
        """Show one workflow."""
        standing, graph = app.workflows.drawn(workflow_id, most=MOST_NODES)
        return pages.show(
            "workflow.html",
            standing=standing,
            graph=graph,
            drawing=layout(graph),
            box_width=BOX_WIDTH,
            box_height=BOX_HEIGHT,
        )

    @routes.add("POST", "/workflows/<workflow_id>/cancel", Role.ADMIN, tag=TAG, takes=FORM, is_documented=False)
    def cancel_workflow_on_page(workflow_id: Id) -> Response[str]:
        """Cancel a workflow."""
        return pages.trying(
            lambda: f"Cancelled: {plural(app.workflows.cancel(workflow_id), 'job')} had not ended.",
            f"workflows/{workflow_id}",
        )

    @routes.add("POST", "/workflows/<workflow_id>/retry", Role.ADMIN, tag=TAG, takes=FORM, is_documented=False)
    def retry_workflow_on_page(workflow_id: Id) -> Response[str]:
        """Redrive what died in a workflow."""
        return pages.trying(
            lambda: f"Redriven: {plural(app.workflows.retry(workflow_id), 'dead job')}. What waits for them goes on.",
            f"workflows/{workflow_id}",
        )
