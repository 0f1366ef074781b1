"""Endpoints about what jobs did lately: throughput, promises kept, costs. They and the pages read the same numbers."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from lanework.app import App
from lanework.engine.stats.statistics import Window, by_lane, by_queue, by_type, lanes_of
from lanework.http.auth.tokens import Role
from lanework.http.routing import Routes
from lanework.model.json_view import JsonView
from lanework.model.lanes import Lane
from lanework.model.stats import alerts
from lanework.model.stats.numbers import Count, Numbers
from lanework.model.stats.sla import Kept, kept_by_lane, kept_by_type, late_jobs

TAG: Final = "Numbers"

Over = Annotated[Literal["hour", "day"], Query(description="The last hour by minutes, or the last day by hours.")]

_NAMES: Final = {"lane": by_lane, "queue": by_queue, "type": by_type}


class Step(JsonView):
    """What happened within one step."""

    started: int
    completed: int
    failed: int = Field(description="Attempts that failed and are tried again.")
    dead: int
    late: int = Field(description="First starts later than the lane promises.")


class Series(JsonView):
    """Numbers step by step, oldest first; the last step isn't over."""

    begins: datetime
    step_seconds: int
    series: dict[str, tuple[Step, ...]] = Field(
        description="By name of the lane, queue or type; idle ones are missing."
    )


class Promise(JsonView):
    """How a lane's promise was kept, as a whole or for one job type."""

    lane: Lane
    type: str | None
    promise_seconds: float | None
    starts: int
    late: int
    kept: float | None = Field(description="0.0 to 1.0; null where nothing is promised or nothing started.")
    median_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None


class LateJob(JsonView):
    """A job that started later than promised."""

    job_id: str
    type: str
    queue: str
    lane: Lane
    at: datetime
    waited_seconds: float | None


class Promises(JsonView):
    """How promises were kept."""

    lanes: tuple[Promise, ...]
    types: tuple[Promise, ...]
    late_jobs: tuple[LateJob, ...] = Field(description="The latest first; at most 100 of an hour are known by name.")


class Alert(JsonView):
    """Something that is worth waking somebody for, or was."""

    rule: str
    subject: str = Field(description="The lane or job type; empty where it is about everything.")
    text: str
    next_step: str = Field(description="What to look at, as a command.")
    since: datetime
    until: datetime | None = Field(description="When it was over; null while it is active.")


class Alerts(JsonView):
    """What stands of alerts, as of the clock's latest tick."""

    active: tuple[Alert, ...]
    resolved: tuple[Alert, ...] = Field(description="The latest end first, at most 50.")


class TypeCost(JsonView):
    """What the jobs of a type cost."""

    type: str
    jobs: int
    usd: float
    usd_per_million: float | None
    retries_usd: float


class Costs(JsonView):
    """What jobs cost on AWS: an estimate."""

    over_seconds: int
    prices_as_of: date
    region: str
    usd: float
    retries_usd: float
    idle_usd: float = Field(description="Lambda's polling of empty lanes, at most.")
    types: tuple[TypeCost, ...]


def add_to(routes: Routes, app: App) -> None:
    """Register them."""

    @routes.add("GET", "/api/stats/series", Role.VIEWER, tag=TAG)
    def get_series(
        over: Over = "hour",
        by: Annotated[
            Literal["lane", "queue", "type"], Query(description="What the numbers are added up by.")
        ] = "lane",
    ) -> Series:
        """Give starts, ends and late starts, step by step."""
        window = _window(over, app)
        return Series(
            begins=window.begins,
            step_seconds=int(window.step.total_seconds()),
            series={name: tuple(map(_step, steps)) for name, steps in window.series(_NAMES[by]).items()},
        )

    @routes.add("GET", "/api/sla", Role.VIEWER, tag=TAG)
    def get_promises(over: Over = "day") -> Promises:
        """Say how the lanes' promises were kept, and which jobs started late."""
        window = _window(over, app)
        return Promises(
            lanes=tuple(map(_promise, kept_by_lane(lanes_of(window.numbers)))),
            types=tuple(map(_promise, kept_by_type(window.numbers))),
            late_jobs=tuple(
                LateJob(
                    job_id=one.job_id,
                    type=one.type,
                    queue=one.queue,
                    lane=one.lane,
                    at=one.at,
                    waited_seconds=_seconds(one.waited),
                )
                for one in late_jobs(window.incidents)
            ),
        )

    @routes.add("GET", "/api/alerts", Role.VIEWER, tag=TAG)
    def get_alerts() -> Alerts:
        """Tell which alerts are active, and which are over."""
        found = app.runtime.alerts()
        return Alerts(active=tuple(map(_alert, found.active)), resolved=tuple(map(_alert, found.resolved)))

    @routes.add("GET", "/api/costs", Role.VIEWER, tag=TAG)
    def get_costs(over: Over = "day") -> Costs:
        """Estimate what jobs cost, by type, retries included."""
        found = app.runtime.costs(_window(over, app))
        return Costs(
            over_seconds=int(found.over.total_seconds()),
            prices_as_of=found.prices.as_of,
            region=found.prices.region,
            usd=found.usd,
            retries_usd=found.retries_usd,
            idle_usd=found.idle_usd,
            types=tuple(
                TypeCost(
                    type=one.type,
                    jobs=one.jobs,
                    usd=one.usd,
                    usd_per_million=one.usd_per_million,
                    retries_usd=one.retries_usd,
                )
                for one in found.types
            ),
        )


def _alert(one: alerts.Alert) -> Alert:
    return Alert(
        rule=one.rule, subject=one.subject, text=one.text, next_step=one.next_step, since=one.since, until=one.until
    )


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


def _promise(kept: Kept) -> Promise:
    return Promise(
        lane=kept.lane,
        type=kept.type,
        promise_seconds=_seconds(kept.promise),
        starts=kept.starts,
        late=kept.late,
        kept=kept.kept_share,
        median_seconds=_seconds(kept.median),
        p95_seconds=_seconds(kept.p95),
        p99_seconds=_seconds(kept.p99),
    )


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()
