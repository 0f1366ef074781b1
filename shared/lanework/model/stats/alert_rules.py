"""What is worth an alert: the rules, over what was counted. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from lanework.model.lanes import LANES, Lane
from lanework.model.stats.buckets import Kind
from lanework.model.stats.numbers import Count, Key, Numbers, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lanework.model.lanes import LaneDepth
    from lanework.model.stats.buckets import Incident


class Rule(StrEnum):
    """What an alert is about."""

    DEATH = "death"
    DEATHS = "deaths"
    WAITING = "waiting"
    FAILED = "failed"
    SLA = "sla"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """
    From when on something is worth an alert.

    Attributes:
        deaths: More deaths than this within a day.
        waiting: More messages than this waiting in a lane.
        failed: More dead jobs than this in a lane.
        late_share: At least this share of a lane's starts late, both in the last five minutes and in the last hour.
        starts: So many starts in that hour, so that one job doesn't make an alert.
    """

    deaths: int = 10
    waiting: int = 1_000
    failed: int = 100
    late_share: float = 0.1
    starts: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """
    What the rules look at.

    Attributes:
        hour: What was counted in the last hour; and `minutes` in the last five minutes.
        dealt_with_in_a_day: How many dead jobs were redriven or dropped in it, whenever they died.
        still_dead: Of the types of which any were dealt with within the hour, how many that died in it still are; None
            where that needs no look.
        taken: Ids of our own that were found within the hour to be another's job's, and of which type that is.
        incidents: Late and dead jobs of the last hour by name, the latest first.
    """

    hour: Mapping[Key, Numbers]
    minutes: Mapping[Key, Numbers]
    deaths_in_a_day: int
    incidents: Sequence[Incident]
    depths: Mapping[Lane, LaneDepth]
    dealt_with_in_a_day: int = 0
    still_dead: Mapping[str, int] | None = None
    taken: Mapping[str, str] = field(default_factory=dict)

    def dead_of(self, type_: str) -> int:
        """Return how many jobs of a type died within the hour, and are what somebody should look at."""
        died = sum(one[Count.DEAD] for key, one in self.hour.items() if key.type == type_)
        return died if self.still_dead is None else min(died, self.still_dead.get(type_, died))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is worth an alert now, in one line, about a job type or a lane (or everything: empty)."""

    rule: Rule
    subject: str
    text: str
    next_step: str


def findings_of(situation: Situation, limits: Thresholds) -> tuple[Finding, ...]:
    """Return what is worth an alert."""
    return (
        *_deaths_by_type(situation),
        *_deaths_in_a_day(situation, limits),
        *_depths(situation, limits),
        *_late_lanes(situation, limits),
        *_taken_ids(situation),
    )


def _deaths_by_type(situation: Situation) -> list[Finding]:
    types = sorted({key.type for key, one in situation.hour.items() if one[Count.DEAD] and key.type})
    deaths = {type_: situation.dead_of(type_) for type_ in types}
    return [
        Finding(
            rule=Rule.DEATH,
            subject=type_,
            text=_death_text(type_, count, situation.incidents),
            next_step=f"lanework dlq list --type {type_}",
        )
        for type_, count in deaths.items()
        if count
    ]


def _death_text(type_: str, count: int, incidents: Sequence[Incident]) -> str:
    latest = next((one for one in incidents if one.kind is Kind.DEATH and one.type == type_), None)
    jobs = "1 job" if count == 1 else f"{count:,} jobs"
    if latest is None:
        return f"{jobs} of type {type_} died within an hour"
    attempts = "1 attempt" if latest.attempt == 1 else f"{latest.attempt} attempts"
    how = f"{latest.job_id} in lane {latest.lane} after {attempts}, cause {latest.cause}"
    return f"{jobs} of type {type_} died within an hour, the latest {how}"


def _deaths_in_a_day(situation: Situation, limits: Thresholds) -> list[Finding]:
    if situation.deaths_in_a_day <= limits.deaths:
        return []
    text = f"{situation.deaths_in_a_day:,} jobs died within 24 hours, more than {limits.deaths:,}"
    return [Finding(rule=Rule.DEATHS, subject="", text=text, next_step="lanework dlq list --group")]


def _depths(situation: Situation, limits: Thresholds) -> list[Finding]:
    found = []
    for lane, depth in situation.depths.items():
        if depth.waiting > limits.waiting:
            text = f"{depth.waiting:,} messages wait in lane {lane}, more than {limits.waiting:,}"
            found.append(Finding(rule=Rule.WAITING, subject=lane, text=text, next_step="lanework stats"))
        if depth.dead > limits.failed:
            text = f"{depth.dead:,} dead jobs lie in lane {lane}, more than {limits.failed:,}"
            next_step = f"lanework dlq list --lane {lane} --group"
            found.append(Finding(rule=Rule.FAILED, subject=lane, text=text, next_step=next_step))
    return found


def _late_lanes(situation: Situation, limits: Thresholds) -> list[Finding]:
    found = []
    for lane, terms in LANES.items():
        hour, minutes = _of(lane, situation.hour), _of(lane, situation.minutes)
        starts, late = hour[Count.FIRST_STARTS], hour[Count.LATE]
        is_burning = _late_share(hour) >= limits.late_share and _late_share(minutes) >= limits.late_share
        if terms.start_within is not None and starts >= limits.starts and is_burning:
            within = f"{terms.start_within.total_seconds():g} s"
            text = f"{late:,} of {starts:,} jobs of lane {lane} missed the SLA of {within} within an hour"
            found.append(Finding(rule=Rule.SLA, subject=lane, text=text, next_step=f"lanework sla --lane {lane}"))
    return found


def _taken_ids(situation: Situation) -> list[Finding]:
    return [
        Finding(
            rule=Rule.TAKEN,
            subject=job_id,
            text=f"a job of type {type_} has the id {job_id}, which is Lanework's own: the run takes the next id",
            next_step=f"lanework get {job_id}",
        )
        for job_id, type_ in sorted(situation.taken.items())
    ]


def _of(lane: Lane, numbers: Mapping[Key, Numbers]) -> Numbers:
    return together(one for key, one in numbers.items() if key.lane is lane)


def _late_share(numbers: Numbers) -> float:
    starts = numbers[Count.FIRST_STARTS]
    return numbers[Count.LATE] / starts if starts else 0.0
