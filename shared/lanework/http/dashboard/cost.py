"""The page of costs: what the jobs of the last day cost, by type, and what they would cost in a month."""

from __future__ import annotations

from datetime import timedelta

from aws_lambda_powertools.event_handler import Response

from lanework.app import App
from lanework.http.auth.tokens import Role
from lanework.http.dashboard.rendering import TAG, Pages
from lanework.http.routing import Routes

MONTH = timedelta(days=30)


def add_to(routes: Routes, pages: Pages, app: App) -> None:
    """Register it."""

    @routes.add("GET", "/cost", Role.VIEWER, tag=TAG, is_documented=False)
    def cost_page() -> Response[str]:
        """Show what jobs cost."""
        costs = app.runtime.costs(app.runtime.statistics.overview().day)
        return pages.show("cost.html", costs=costs, times_a_month=MONTH / costs.over)
