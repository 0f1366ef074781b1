"""Events as CloudWatch metrics, in the embedded metric format that Powertools writes: a log line for each type."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from lanework.forks import in_each_process
from lanework.model.events import Action
from lanework.model.lanes import LANES

if TYPE_CHECKING:
    from lanework.model.events import Event

NAMESPACE: Final = "Lanework"

_ENDS: Final = {Action.JOB_COMPLETED: "Completed", Action.JOB_RETRYING: "FailedAttempts", Action.JOB_DEAD: "Deaths"}
_MOST_NAMED: Final = 50


class EmfSink:
    """
    Implements the `EventSink` port.

    The dimensions are the service (the stack), the lane and the job type: CloudWatch charges for each combination and
    metric. The rest, such as the jobs' ids, goes along as properties, which logs can be searched by.
    """

    def __init__(self, service: str | None = None) -> None:
        """Write for this service; None takes Powertools' own setting, `POWERTOOLS_SERVICE_NAME`."""
        self._service = service
        in_each_process(self, EmfSink._begin)  # what this process took, it writes

    def _begin(self) -> None:
        self._lock = Lock()
        self._events: dict[tuple[str, str], list[Event]] = {}

    def emit(self, event: Event) -> None:
        """Keep an event that says anything measurable."""
        if event.type is None or event.lane is None or event.action not in {Action.JOB_STARTED, *_ENDS}:
            return
        with self._lock:
            self._events.setdefault((event.lane, event.type), []).append(event)

    def flush(self) -> None:
        """Write a line for each lane and type."""
        with self._lock:
            kept, self._events = self._events, {}
        for (lane, type_), events in kept.items():
            self._write(lane, type_, events)

    def _write(self, lane: str, type_: str, events: list[Event]) -> None:
        metrics = EphemeralMetrics(namespace=NAMESPACE, service=self._service)
        metrics.add_dimension("lane", lane)
        metrics.add_dimension("type", type_)
        for event in events:
            _measure(metrics, event)
        ids = sorted({event.job_id for event in events if event.job_id is not None})
        metrics.add_metadata("queue", events[0].queue)
        metrics.add_metadata("job_ids", ids[:_MOST_NAMED])
        metrics.flush_metrics()


def _measure(metrics: EphemeralMetrics, event: Event) -> None:
    if event.action is Action.JOB_STARTED:
        metrics.add_metric("Started", MetricUnit.Count, 1)
        if event.waited is not None and event.lane is not None:
            metrics.add_metric("Wait", MetricUnit.Milliseconds, event.waited.total_seconds() * 1000)
            metrics.add_metric("LateStarts", MetricUnit.Count, int(LANES[event.lane].misses_sla(event.waited)))
        return
    metrics.add_metric(_ENDS[event.action], MetricUnit.Count, 1)
    if event.ran_for is not None:
        metrics.add_metric("RunTime", MetricUnit.Milliseconds, event.ran_for.total_seconds() * 1000)
