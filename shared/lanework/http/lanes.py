"""Endpoints about lanes, and whether the API works: numbers for people, dashboards and Prometheus."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Final, Literal

from aws_lambda_powertools.event_handler import Response

from lanework.app import App
from lanework.engine.census import Census, census
from lanework.engine.messages import LaneCounts
from lanework.http.answers import Answer
from lanework.http.routing import Routes
from lanework.http.tokens import Role
from lanework.model.lanes import Lane
from lanework.model.states import State
from lanework.observe.openmetrics import CONTENT_TYPE, openmetrics

TAG: Final = "Lanes"


class LaneMessages(Answer):
    """The messages of a lane, as SQS counts them (approximately)."""

    waiting: int
    in_flight: int
    delayed: int
    dead: int


class Stats(Answer):
    """The messages of every lane, by its name."""

    lanes: dict[Lane, LaneMessages]


class LaneMetrics(Answer):
    """The jobs of a lane: those completed are counted among the newest 1,000 jobs, the others are SQS's numbers."""

    waiting: int
    active: int
    completed: int
    failed: int
    delayed: int
    total: int


class Metrics(Answer):
    """The jobs of every lane, by its name in capitals."""

    success: Literal[True] = True
    metrics: dict[str, LaneMetrics]
    completed_since: datetime | None


class Health(Answer):
    """The API works, and reaches its table."""

    status: Literal["ok"] = "ok"


def add_to(routes: Routes, app: App) -> None:
    """Register them."""

    @routes.add("GET", "/api/stats", Role.VIEWER, tag=TAG)
    def get_stats() -> Stats:
        """Count the messages of every lane."""
        return Stats(lanes={lane: _messages(one) for lane, one in app.inspector.counts().items()})

    @routes.add("GET", "/api/jobs/metrics", Role.VIEWER, tag=TAG)
    def get_metrics() -> Metrics:
        """Count the jobs of every lane."""
        counts, counted = app.inspector.counts(), census(app.inspector)
        return Metrics(
            metrics={lane.name: _metrics(lane, one, counted) for lane, one in counts.items()},
            completed_since=counted.since,
        )

    @routes.add("GET", "/metrics", Role.VIEWER, tag=TAG, is_documented=False)
    def get_openmetrics() -> Response[str]:
        """Give the numbers of lanes and job types to Prometheus."""
        return Response(status_code=HTTPStatus.OK, content_type=CONTENT_TYPE, body=openmetrics(app.standing()))

    @routes.add("GET", "/health", None, tag=TAG)
    def get_health() -> Health:
        """Say whether the API works and reaches its table; 503 if it doesn't."""
        app.ports.flags.read()
        return Health()


def _messages(one: LaneCounts) -> LaneMessages:
    return LaneMessages(waiting=one.waiting, in_flight=one.in_flight, delayed=one.delayed, dead=one.dead)


def _metrics(lane: Lane, one: LaneCounts, counted: Census) -> LaneMetrics:
    completed = counted.by_lane.get((lane, State.COMPLETED), 0)
    return LaneMetrics(
        waiting=one.waiting,
        active=one.in_flight,
        completed=completed,
        failed=one.dead,
        delayed=one.delayed,
        total=one.waiting + one.in_flight + completed + one.dead + one.delayed,
    )
