"""How everything stands, as OpenMetrics text for Prometheus and its kin."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lanework.model.lanes import LANES
from lanework.model.stats.alert_rules import Rule
from lanework.model.stats.alerts import Alerts
from lanework.model.stats.numbers import BOUNDS, Count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lanework.engine.stats.overview import LaneOverview, StackOverview
    from lanework.model.stats.numbers import Key, Numbers, Spread

CONTENT_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_OUTCOMES: Final = {
    "completed": Count.COMPLETED,
    "failed": Count.FAILED,
    "dead": Count.DEAD,
    "cancelled": Count.CANCELLED,
}
_MB_MS_OF_A_GB_SECOND: Final = 1024 * 1000


def openmetrics(now: StackOverview) -> str:
    """
    Return every family with its type and help.

    Counters go up for as long as the stack lives, except that a killed process's last numbers are missing.
    """
    types = [(key, one) for key, one in sorted(now.overview.total.items()) if key.type]
    lines = [line for family in (*_lanes(now), _alerts(now), *_types(types)) for line in family.lines()]
    return "\n".join((*lines, "# EOF", ""))


@dataclass(frozen=True, slots=True)
class _Family:
    """A metric: its name, type and help, and its samples as suffix, labels and value."""

    name: str
    kind: str
    help: str
    samples: Iterable[tuple[str, dict[str, str], float]]

    def lines(self) -> Iterator[str]:
        yield f"# TYPE {self.name} {self.kind}"
        yield f"# HELP {self.name} {self.help}"
        for suffix, labels, value in self.samples:
            written = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            yield f"{self.name}{suffix}{{{written}}} {value:.15g}"


def _lanes(now: StackOverview) -> Iterator[_Family]:
    yield _Family(
        "lanework_messages",
        "gauge",
        "Messages of a lane, as SQS counts them (approximately); dead ones as of the minute's tick.",
        [("", {"lane": one.lane, "state": state}, count) for one in now.lanes for state, count in _held(one)],
    )
    oldest = {one.lane: one.oldest.total_seconds() if one.oldest else 0 for one in now.lanes}
    start_within = {lane: LANES[lane].start_within for lane in oldest}
    slas = {lane: within.total_seconds() for lane, within in start_within.items() if within is not None}
    invocations, billed = dict.fromkeys(LANES, 0), dict.fromkeys(LANES, 0.0)
    for key, numbers in now.overview.total.items():
        invocations[key.lane] += numbers[Count.INVOCATIONS]
        billed[key.lane] += numbers[Count.BILLED_MB_MS] / _MB_MS_OF_A_GB_SECOND
    for name, kind, help_, values in (
        (
            *("oldest_message_seconds", "gauge"),
            "How long the oldest message of a lane waits at least, in whole minutes; 0 if nothing waits.",
            oldest,
        ),
        ("lane_paused", "gauge", "Whether a lane is paused.", {one.lane: int(one.is_paused) for one in now.lanes}),
        (
            *("lane_sla_seconds", "gauge"),
            "Within which time a job of a lane is to start first; a lane without an SLA is left out.",
            slas,
        ),
        ("invocations", "counter", "Invocations of a lane's worker function.", invocations),
        ("billed_gb_seconds", "counter", "What they are billed for, measured inside the function.", billed),
    ):
        suffix = "_total" if kind == "counter" else ""
        yield _Family(f"lanework_{name}", kind, help_, [(suffix, {"lane": lane}, one) for lane, one in values.items()])


def _alerts(now: StackOverview) -> _Family:
    active = Counter(one.rule for one in Alerts.at_text(now.overview.alerts).active)
    return _Family(
        "lanework_alert_active",
        "gauge",
        "How many alerts of a rule are active, as of the minute's tick.",
        [("", {"rule": rule}, active[rule]) for rule in Rule],
    )


def _types(types: list[tuple[Key, Numbers]]) -> Iterator[_Family]:
    for name, count, help_ in (
        ("lanework_jobs_started", Count.STARTED, "Attempts that were started."),
        ("lanework_jobs_late", Count.LATE, "Jobs whose first attempt started later than their lane's SLA."),
        ("lanework_jobs_parked", Count.PARKED, "Runs that were put back without using an attempt."),
    ):
        yield _Family(name, "counter", help_, [("_total", _labels(key), one[count]) for key, one in types])
    yield _Family(
        "lanework_jobs_ended",
        "counter",
        "Attempts by how they ended; a failed one is retried, a dead job is given up.",
        [
            ("_total", {**_labels(key), "outcome": outcome}, one[count])
            for key, one in types
            for outcome, count in _OUTCOMES.items()
        ],
    )
    yield _histogram(
        "lanework_job_wait_seconds", "From the asked to the first start.", [(key, one.waits) for key, one in types]
    )
    yield _histogram("lanework_job_run_seconds", "How long attempts took.", [(key, one.runs) for key, one in types])


def _histogram(name: str, help_: str, spreads: list[tuple[Key, Spread]]) -> _Family:
    return _Family(name, "histogram", help_, [one for key, spread in spreads for one in _parts(key, spread)])


def _parts(key: Key, spread: Spread) -> Iterator[tuple[str, dict[str, str], float]]:
    below = 0
    bounds = [*(f"{bound.total_seconds()}" for bound in BOUNDS), "+Inf"]
    for bound, part in zip(bounds, spread.parts, strict=True):
        below += part
        yield "_bucket", {**_labels(key), "le": bound}, below
    yield "_sum", _labels(key), spread.total.total_seconds()
    yield "_count", _labels(key), spread.count


def _held(one: LaneOverview) -> tuple[tuple[str, int], ...]:
    return (("waiting", one.waiting), ("in_flight", one.active), ("delayed", one.delayed), ("dead", one.failed))


def _labels(key: Key) -> dict[str, str]:
    return {"lane": key.lane, "queue": key.queue, "type": key.type}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
