"""Endpoints about lanes, and whether the API works: numbers for people, dashboards and Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

TAG: Final = "Lanes"

OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"


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
        """Give the numbers of the lanes to Prometheus."""
        text = openmetrics(app.inspector.counts(), app.ports.flags.read().paused)
        return Response(status_code=HTTPStatus.OK, content_type=OPENMETRICS, body=text)

    @routes.add("GET", "/health", None, tag=TAG)
    def get_health() -> Health:
        """Say whether the API works and reaches its table; 503 if it doesn't."""
        app.ports.flags.read()
        return Health()


def openmetrics(counts: Mapping[Lane, LaneCounts], paused: frozenset[str]) -> str:
    """Return the lanes' numbers as OpenMetrics text, every family with its help."""
    return "\n".join((*_families(counts, paused), "# EOF", ""))


def _families(counts: Mapping[Lane, LaneCounts], paused: frozenset[str]) -> Iterator[str]:
    yield "# TYPE lanework_messages gauge"
    yield "# HELP lanework_messages Messages of a lane, as SQS counts them (approximately)."
    for lane, one in counts.items():
        for state, number in _messages(one).model_dump().items():
            yield f'lanework_messages{{lane="{lane}",state="{state}"}} {number}'
    yield "# TYPE lanework_lane_paused gauge"
    yield "# HELP lanework_lane_paused Whether a lane is paused."
    for lane in counts:
        yield f'lanework_lane_paused{{lane="{lane}"}} {int(f"lane:{lane}" in paused)}'


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
