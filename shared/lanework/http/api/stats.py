"""Endpoints about what jobs did lately: throughput, SLAs met, costs. They and the pages read the same numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from lanework.app import App
from lanework.engine.stats.statistics import Window, by_lane, by_queue, by_type, lanes_of
from lanework.engine.stats.view import Alerts, Costs, LateJob, Sla, SlaReport
from lanework.http.auth.tokens import Role
from lanework.http.endpoints import Endpoints, endpoint
from lanework.model.json_view import JsonView
from lanework.model.sla.results import late_jobs, sla_by_lane, sla_by_type
from lanework.model.stats.numbers import Count, Numbers

Over = Annotated[Literal["hour", "day"], Query(description="The last hour by minutes, or the last day by hours.")]

_NAMES: Final = {"lane": by_lane, "queue": by_queue, "type": by_type}


class Step(JsonView):
    """What happened within one step."""

    started: int
    completed: int
    failed: int = Field(description="Attempts that failed and are tried again.")
    dead: int
    late: int = Field(description="First starts later than the lane's SLA.")


class Series(JsonView):
    """Numbers step by step, oldest first; the last step isn't over."""

    begins: datetime
    step_seconds: int
    series: dict[str, tuple[Step, ...]] = Field(
        description="By name of the lane, queue or type; idle ones are missing."
    )


class StatsApi(Endpoints):
    """Shows numbers, SLAs, alerts and costs."""

    tag = "Numbers"

    @endpoint("GET", "/api/stats/series", Role.VIEWER)
    def get_series(
        self,
        over: Over = "hour",
        by: Annotated[
            Literal["lane", "queue", "type"], Query(description="What the numbers are added up by.")
        ] = "lane",
    ) -> Series:
        """List starts, ends and late starts, step by step."""
        window = _window(over, self.app)
        return Series(
            begins=window.begins,
            step_seconds=int(window.step.total_seconds()),
            series={name: tuple(map(_step, steps)) for name, steps in window.series(_NAMES[by]).items()},
        )

    @endpoint("GET", "/api/sla", Role.VIEWER)
    def get_sla(self, over: Over = "day") -> SlaReport:
        """Show how many jobs started within their lane's SLA, and which started late."""
        window, lanes = _window(over, self.app), self.app.ports.stack_lanes
        return SlaReport(
            lanes=tuple(Sla.of(one) for one in sla_by_lane(lanes_of(window.numbers)) if one.lane in lanes),
            types=tuple(map(Sla.of, sla_by_type(window.numbers))),
            late_jobs=tuple(map(LateJob.of, late_jobs(window.incidents))),
        )

    @endpoint("GET", "/api/alerts", Role.VIEWER)
    def get_alerts(self) -> Alerts:
        """Tell which alerts are active, and which are over."""
        return Alerts.of(self.app.runtime.alerts())

    @endpoint("GET", "/api/costs", Role.VIEWER)
    def get_costs(self, over: Over = "day") -> Costs:
        """Estimate what jobs cost, by type, retries included."""
        return Costs.of(self.app.runtime.costs(_window(over, self.app)))


def _window(over: str, app: App) -> Window:
    return app.runtime.statistics.last_hour() if over == "hour" else app.runtime.statistics.overview().day


def _step(numbers: Numbers) -> Step:
    return Step(
        started=numbers[Count.STARTED],
        completed=numbers[Count.COMPLETED],
        failed=numbers[Count.FAILED],
        dead=numbers[Count.DEAD],
        late=numbers[Count.LATE],
    )
