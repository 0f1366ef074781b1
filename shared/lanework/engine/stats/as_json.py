"""Numbers as JSON values, in the names that the command line, HTTP clients and scripts use; durations in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanework.model.stats.numbers import Count

if TYPE_CHECKING:
    from datetime import timedelta

    from lanework.engine.stats.overview import LaneOverview, QueueOverview
    from lanework.model.stats.buckets import Incident
    from lanework.model.stats.costs import Costs
    from lanework.model.stats.numbers import Numbers, Spread
    from lanework.model.stats.sla import Kept

_COUNTS: Final = {
    "started": Count.STARTED,
    "firstStarts": Count.FIRST_STARTS,
    "late": Count.LATE,
    "completed": Count.COMPLETED,
    "failed": Count.FAILED,
    "dead": Count.DEAD,
    "cancelled": Count.CANCELLED,
    "parked": Count.PARKED,
}


def numbers_as_json(numbers: Numbers) -> dict[str, object]:
    """Return what jobs did."""
    return {
        **{name: numbers[count] for name, count in _COUNTS.items()},
        "failureShare": numbers.failure_share,
        "wait": _spread(numbers.waits),
        "run": _spread(numbers.runs),
    }


def lane_as_json(one: LaneOverview) -> dict[str, object]:
    """Return how a lane stands."""
    return {
        "waiting": one.waiting,
        "active": one.active,
        "completed": one.completed,
        "failed": one.failed,
        "delayed": one.delayed,
        "total": one.total,
        "isPaused": one.is_paused,
        "unsent": one.unsent,
        "oldestSeconds": _seconds(one.oldest),
        "promiseSeconds": _seconds(one.kept.promise),
        "lastHour": numbers_as_json(one.last_hour),
    }


def queue_as_json(one: QueueOverview) -> dict[str, object]:
    """Return how a queue stands."""
    return {
        "waiting": one.waiting,
        "active": one.active,
        "delayed": one.delayed,
        "isPaused": one.is_paused,
        "lastHour": numbers_as_json(one.last_hour),
        "lastDay": numbers_as_json(one.last_day),
    }


def kept_as_json(one: Kept) -> dict[str, object]:
    """Return how a promise was kept."""
    return {
        "lane": one.lane,
        "type": one.type,
        "promiseSeconds": _seconds(one.promise),
        "starts": one.starts,
        "late": one.late,
        "kept": one.kept_share,
        "medianSeconds": _seconds(one.median),
        "p95Seconds": _seconds(one.p95),
        "p99Seconds": _seconds(one.p99),
    }


def incident_as_json(one: Incident) -> dict[str, object]:
    """Return a late or a dead job."""
    return {
        "kind": one.kind,
        "at": one.at.isoformat(timespec="milliseconds"),
        "jobId": one.job_id,
        "type": one.type,
        "queue": one.queue,
        "lane": one.lane,
        "attempt": one.attempt,
        "waitedSeconds": _seconds(one.waited),
        "cause": one.cause,
    }


def costs_as_json(costs: Costs) -> dict[str, object]:
    """Return what a time cost."""
    return {
        "isEstimate": True,
        "overSeconds": costs.over.total_seconds(),
        "pricesAsOf": costs.prices.as_of.isoformat(),
        "region": costs.prices.region,
        "usd": costs.usd,
        "retriesUsd": costs.retries_usd,
        "idleUsd": costs.idle_usd,
        "types": [
            {
                "type": one.type,
                "jobs": one.jobs,
                "usd": one.usd,
                "retriesUsd": one.retries_usd,
                "usdPerMillion": one.usd_per_million,
                "sqsRequests": one.usage.sqs_requests,
                "writeUnits": one.usage.write_units,
                "invocations": one.usage.invocations,
                "gbSeconds": one.usage.gb_seconds,
                "logBytes": one.usage.log_bytes,
            }
            for one in costs.types
        ],
    }


def _spread(spread: Spread) -> dict[str, float | None]:
    return {
        "mean": _seconds(spread.mean),
        "median": _seconds(spread.quantile(0.5)),
        "p95": _seconds(spread.quantile(0.95)),
        "p99": _seconds(spread.quantile(0.99)),
    }


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else round(duration.total_seconds(), 3)
