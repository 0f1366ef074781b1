"""Endpoints about lanes, and whether the API works: numbers for people, dashboards and Prometheus."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from aws_lambda_powertools.event_handler import Response
from pydantic import Field

from lanework.engine.stats.view import LaneMetrics, LaneStats
from lanework.http.auth.tokens import Role
from lanework.http.endpoints import Endpoints, endpoint
from lanework.model.json_view import JsonView
from lanework.model.lanes import Lane
from lanework.observe.openmetrics import CONTENT_TYPE, openmetrics


class Stats(JsonView):
    """Every lane, by its name."""

    lanes: dict[Lane, LaneStats]
    paused: tuple[str, ...] = Field(description="Such as lane:low, queue:email or type:user.otp.")
    unsent: dict[Lane, int] = Field(
        description="Empty lanes, and how many of the newest jobs are queued in them: recorded, and never sent."
    )


class Metrics(JsonView):
    """The jobs of every lane, by its name in capitals."""

    success: Literal[True] = True
    metrics: dict[str, LaneMetrics]


class Health(JsonView):
    """The API works, and reaches its table."""

    status: Literal["ok"] = "ok"


class LanesApi(Endpoints):
    """Shows lanes, and whether the API works."""

    tag = "Lanes"

    @endpoint("GET", "/api/stats", Role.VIEWER)
    def get_stats(self) -> Stats:
        """Show the numbers of every lane."""
        now = self.app.runtime.overview()
        return Stats(
            lanes={one.lane: LaneStats.of(one) for one in now.lanes},
            paused=tuple(sorted(now.paused)),
            unsent={one.lane: one.unsent for one in now.lanes if one.unsent},
        )

    @endpoint("GET", "/api/jobs/metrics", Role.VIEWER)
    def get_metrics(self) -> Metrics:
        """Count the jobs of every lane."""
        return Metrics(metrics={one.lane.name: LaneMetrics.of(one) for one in self.app.runtime.overview().lanes})

    @endpoint("GET", "/metrics", Role.VIEWER, is_documented=False)
    def get_openmetrics(self) -> Response[str]:
        """Give the numbers of lanes and job types to Prometheus."""
        return Response(
            status_code=HTTPStatus.OK, content_type=CONTENT_TYPE, body=openmetrics(self.app.runtime.overview())
        )

    @endpoint("GET", "/health", None)
    def get_health(self) -> Health:
        """Check that the API works and reaches its table; 503 if it doesn't."""
        self.app.ports.flags.read()
        return Health()
