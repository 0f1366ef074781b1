"""Numbers, SLAs, costs and alerts as JSON: what the API answers and `--json` prints. Durations are in seconds."""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003 - pydantic reads them
from typing import TYPE_CHECKING

from pydantic import Field

from lanework.engine.stats.alerting import title_of
from lanework.model.json_view import JsonView, Seconds
from lanework.model.lanes import Lane  # noqa: TC001 - pydantic reads it
from lanework.model.stats.numbers import Count

if TYPE_CHECKING:
    from lanework.engine.stats.overview import LaneOverview, QueueOverview
    from lanework.model.costs import costs
    from lanework.model.sla.results import SlaResult
    from lanework.model.stats import alerts, buckets, numbers


class Spread(JsonView):
    """How durations are spread; null where there were none."""

    mean: Seconds | None
    median: Seconds | None
    p95: Seconds | None
    p99: Seconds | None

    @classmethod
    def of(cls, one: numbers.Spread) -> Spread:
        """Return a spread's document."""
        quantiles = {"median": one.quantile(0.5), "p95": one.quantile(0.95), "p99": one.quantile(0.99)}
        return cls.model_validate({"mean": one.mean, **quantiles})


class Numbers(JsonView):
    """What jobs did."""

    started: int
    first_starts: int
    late: int
    completed: int
    failed: int
    dead: int
    cancelled: int
    parked: int
    failure_share: float | None
    wait: Spread
    run: Spread

    @classmethod
    def of(cls, one: numbers.Numbers) -> Numbers:
        """Return the document of what jobs did. A count's field has its name."""
        counts = {count.name.lower(): one[count] for count in Count if count.name.lower() in cls.model_fields}
        spreads = {"wait": Spread.of(one.waits), "run": Spread.of(one.runs)}
        return cls.model_validate({**counts, "failure_share": one.failure_share, **spreads})


class LaneMetrics(JsonView):
    """Where a lane's jobs stand: three approximate numbers of SQS's, the completed since the stack began, the dead."""

    waiting: int
    active: int
    completed: int
    failed: int
    delayed: int
    total: int

    @classmethod
    def of(cls, one: LaneOverview) -> LaneMetrics:
        """Return a lane's document."""
        return cls.taken_from(one)


class LaneStats(LaneMetrics):
    """Where a lane's jobs stand, and how it does."""

    is_paused: bool
    oldest_seconds: Seconds | None = Field(
        description="How long the oldest message waits at least; null if none waits."
    )
    late_in_last_hour: int
    kept_in_last_hour: float | None = Field(description="Share of first starts that met the SLA, 0.0 to 1.0.")

    @classmethod
    def of(cls, one: LaneOverview) -> LaneStats:
        """Return a lane's document."""
        late, kept = one.sla.late, one.sla.kept_share
        return cls.taken_from(one, oldest_seconds=one.oldest, late_in_last_hour=late, kept_in_last_hour=kept)


class LaneReport(LaneStats):
    """The same, and what its jobs did; `unsent` are jobs that are queued while the lane is empty."""

    unsent: int
    sla_seconds: Seconds | None
    last_hour: Numbers

    @classmethod
    def of(cls, one: LaneOverview) -> LaneReport:
        """Return a lane's document."""
        stats, last_hour = LaneStats.of(one).model_dump(), Numbers.of(one.last_hour)
        return cls.taken_from(one, **stats, sla_seconds=one.sla.start_within, last_hour=last_hour)


class QueueStats(JsonView):
    """How a queue's jobs stand; `waiting`, `active` and `delayed` are estimates where a lane serves several queues."""

    waiting: int
    active: int
    delayed: int
    is_paused: bool
    last_hour: Numbers
    last_day: Numbers

    @classmethod
    def of(cls, one: QueueOverview) -> QueueStats:
        """Return a queue's document."""
        return cls.taken_from(one, last_hour=Numbers.of(one.last_hour), last_day=Numbers.of(one.last_day))


class Sla(JsonView):
    """How a lane's SLA was met, as a whole or for one job type."""

    lane: Lane
    type: str | None
    sla_seconds: Seconds | None
    starts: int
    late: int
    kept: float | None = Field(description="0.0 to 1.0; null where the lane has no SLA or nothing started.")
    median_seconds: Seconds | None
    p95_seconds: Seconds | None
    p99_seconds: Seconds | None

    @classmethod
    def of(cls, kept: SlaResult) -> Sla:
        """Return the document of how an SLA was met."""
        return cls.taken_from(
            kept,
            sla_seconds=kept.start_within,
            kept=kept.kept_share,
            median_seconds=kept.median,
            p95_seconds=kept.p95,
            p99_seconds=kept.p99,
        )


class LateJob(JsonView):
    """A job that started later than its SLA says."""

    job_id: str
    type: str
    queue: str
    lane: Lane
    at: datetime
    waited_seconds: Seconds | None

    @classmethod
    def of(cls, one: buckets.Incident) -> LateJob:
        """Return a late start's document."""
        return cls.taken_from(one, waited_seconds=one.waited)


class SlaReport(JsonView):
    """How SLAs were met."""

    lanes: tuple[Sla, ...]
    types: tuple[Sla, ...]
    late_jobs: tuple[LateJob, ...] = Field(description="The latest first; at most 100 of an hour are known by name.")


class Alert(JsonView):
    """Something that is worth waking somebody for, or was."""

    phase: str = Field(description="raised, or resolved once it is over.")
    rule: str
    subject: str = Field(description="The lane or job type; empty where it is about everything.")
    title: str = Field(description="Rule and subject in a line.")
    text: str
    next_step: str = Field(description="What to look at, as a command.")
    since: datetime
    until: datetime | None = Field(description="When it was over; null while it is active.")

    @classmethod
    def of(cls, one: alerts.Alert) -> Alert:
        """Return an alert's document, which webhooks and jobs get too."""
        return cls.taken_from(one, title=title_of(one))


class Alerts(JsonView):
    """What stands of alerts, as of the clock's latest tick."""

    active: tuple[Alert, ...]
    resolved: tuple[Alert, ...] = Field(description="The latest end first, at most 50.")

    @classmethod
    def of(cls, found: alerts.Alerts) -> Alerts:
        """Return the document of all alerts."""
        return cls(active=tuple(map(Alert.of, found.active)), resolved=tuple(map(Alert.of, found.resolved)))


class TypeCost(JsonView):
    """What the jobs of a type cost, and what they used of AWS."""

    type: str
    jobs: int
    usd: float
    usd_per_million: float | None
    retries_usd: float
    sqs_requests: float
    write_units: float
    invocations: float
    gb_seconds: float
    log_bytes: float

    @classmethod
    def of(cls, one: costs.TypeCost) -> TypeCost:
        """Return a type's document."""
        return cls(**{name: getattr(one if hasattr(one, name) else one.usage, name) for name in cls.model_fields})


class Costs(JsonView):
    """What jobs cost on AWS: an estimate."""

    is_estimate: bool = True
    over_seconds: int
    prices_as_of: date
    region: str
    usd: float
    retries_usd: float
    idle_usd: float = Field(description="Lambda's polling of empty lanes, at most.")
    writes_usd: float = Field(description="DynamoDB's write units, on demand: what is in `usd`.")
    provisioned_writes_usd: float = Field(description="The same with TableCapacity=provisioned, if they came evenly.")
    types: tuple[TypeCost, ...]

    @classmethod
    def of(cls, found: costs.Costs) -> Costs:
        """Return a time's document."""
        return cls.taken_from(
            found,
            is_estimate=True,
            over_seconds=int(found.over.total_seconds()),
            prices_as_of=found.prices.as_of,
            region=found.prices.region,
            types=tuple(map(TypeCost.of, found.types)),
        )
