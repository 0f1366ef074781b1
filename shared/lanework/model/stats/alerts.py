"""What is worth waking somebody for, and what is over again. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from lanework.model.lanes import LANES, Lane
from lanework.model.stats.buckets import Kind
from lanework.model.stats.numbers import Count, Key, Numbers, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lanework.model.stats.buckets import Depth, Incident

KEPT_RESOLVED: Final = 50
"""Alerts that are over and still shown."""

CALM_FOR: Final = timedelta(minutes=5)
"""How long nothing must be found before an alert is over: what comes and goes minute by minute is sent once."""


class Rule(StrEnum):
    """What an alert is about."""

    DEATH = "death"
    DEATHS = "deaths"
    WAITING = "waiting"
    FAILED = "failed"
    SLA = "sla"
    TAKEN = "taken"


class Phase(StrEnum):
    """Which message about an alert."""

    RAISED = "raised"
    RESOLVED = "resolved"


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
        hour: What was counted in the last hour.
        minutes: And in the last five minutes.
        deaths_in_a_day: How many jobs died in the last day.
        dealt_with_in_a_day: How many dead jobs were redriven or dropped in it, whenever they died.
        still_dead: Of the types of which any were dealt with within the hour, how many that died in it still are; None
            where that needs no look.
        taken: Ids of our own that were found within the hour to be another's job's, and of which type that is.
        incidents: Late and dead jobs of the last hour by name, the latest first.
        depths: How much each lane holds.
    """

    hour: Mapping[Key, Numbers]
    minutes: Mapping[Key, Numbers]
    deaths_in_a_day: int
    incidents: Sequence[Incident]
    depths: Mapping[Lane, Depth]
    dealt_with_in_a_day: int = 0
    still_dead: Mapping[str, int] | None = None
    taken: Mapping[str, str] = field(default_factory=dict)

    def dead_of(self, type_: str) -> int:
        """Return how many jobs of a type died within the hour, and are what somebody should look at."""
        died = sum(one[Count.DEAD] for key, one in self.hour.items() if key.type == type_)
        return died if self.still_dead is None else min(died, self.still_dead.get(type_, died))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    Something that is worth an alert now.

    Attributes:
        subject: A job type or a lane; empty where the rule is about everything.
        text: What is wrong, in one line.
        next_step: What to look at, as a command.
    """

    rule: Rule
    subject: str
    text: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """
    An alert, from when it was raised.

    Attributes:
        rule, subject, text, next_step: As in `Finding`; the text is the latest.
        since: When it was raised.
        until: Since when it is over; None while it is active.
        calm_since: Since when nothing was found any more, while it is active; None if something still is.
        delivered: Which phase each channel received, as `sns raised`.
    """

    rule: Rule
    subject: str
    text: str
    next_step: str
    since: datetime
    until: datetime | None = None
    calm_since: datetime | None = None
    delivered: frozenset[str] = frozenset()

    @property
    def phase(self) -> Phase:
        """The phase to send."""
        return Phase.RAISED if self.until is None else Phase.RESOLVED

    def found_again(self, finding: Finding) -> Alert:
        """Return the alert with what is wrong by now."""
        return replace(self, text=finding.text, next_step=finding.next_step, calm_since=None)

    def not_found(self, now: datetime) -> Alert:
        """Return the alert after a look that found nothing: it is over once it was calm for long enough."""
        calm_since = now if self.calm_since is None else self.calm_since
        if now - calm_since >= CALM_FOR:
            return replace(self, until=calm_since, calm_since=None)
        return replace(self, calm_since=calm_since)

    def has_told(self, channel: str) -> bool:
        """Tell whether a channel needs no word: it knows, or it never knew of an alert that is over already."""
        knows_end = f"{channel} {self.phase}" in self.delivered
        return knows_end or (self.until is not None and f"{channel} {Phase.RAISED}" not in self.delivered)

    def delivered_to(self, channel: str) -> Alert:
        """Return the alert of which a channel knows."""
        return replace(self, delivered=self.delivered | {f"{channel} {self.phase}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """
    What stands of alerts.

    Attributes:
        active: Oldest first.
        resolved: The latest end first, at most 50.
    """

    active: tuple[Alert, ...] = ()
    resolved: tuple[Alert, ...] = field(default=())

    @property
    def text(self) -> str:
        """All of it as JSON text."""
        content = {
            "active": [_as_json(one) for one in self.active],
            "resolved": [_as_json(one) for one in self.resolved],
        }
        return json.dumps(content, separators=(",", ":"))

    @classmethod
    def at_text(cls, text: str | None) -> Alerts:
        """Return the alerts whose text this is; none for None."""
        if text is None:
            return cls()
        content: dict[str, Any] = json.loads(text)
        return cls(
            active=tuple(_from_json(one) for one in content["active"]),
            resolved=tuple(_from_json(one) for one in content["resolved"]),
        )

    def after(self, findings: Iterable[Finding], *, now: datetime) -> Alerts:
        """Return what stands after these findings: each is raised once, and over when it stays away."""
        found = {(one.rule, one.subject): one for one in findings}
        looked_at: list[Alert] = []
        for alert in self.active:
            finding = found.pop((alert.rule, alert.subject), None)
            looked_at.append(alert.not_found(now) if finding is None else alert.found_again(finding))
        over = [one for one in looked_at if one.until is not None]
        active = [one for one in looked_at if one.until is None]
        active += [
            Alert(rule=one.rule, subject=one.subject, text=one.text, next_step=one.next_step, since=now)
            for one in found.values()
        ]
        return Alerts(active=tuple(active), resolved=(*over, *self.resolved)[:KEPT_RESOLVED])

    def undelivered(self, channel: str) -> tuple[Alert, ...]:
        """Return what a channel hasn't received yet, the oldest first."""
        return tuple(one for one in (*reversed(self.resolved), *self.active) if not one.has_told(channel))

    def delivered(self, alert: Alert, channel: str) -> Alerts:
        """Return what stands once a channel knows of an alert."""

        def of(alerts: tuple[Alert, ...]) -> tuple[Alert, ...]:
            return tuple(one.delivered_to(channel) if _is_same(one, alert) else one for one in alerts)

        return Alerts(active=of(self.active), resolved=of(self.resolved))


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
            text = f"{late:,} of {starts:,} jobs of lane {lane} started later than the promised {within} within an hour"
            found.append(Finding(rule=Rule.SLA, subject=lane, text=text, next_step=f"lanework sla --lane {lane}"))
    return found


def _taken_ids(situation: Situation) -> list[Finding]:
    return [
        Finding(
            rule=Rule.TAKEN,
            subject=job_id,
            text=f"a job of type {type_} has the id {job_id}, which is Lanework's own: the run goes on under the next",
            next_step=f"lanework get {job_id}",
        )
        for job_id, type_ in sorted(situation.taken.items())
    ]


def _of(lane: Lane, numbers: Mapping[Key, Numbers]) -> Numbers:
    return together(one for key, one in numbers.items() if key.lane is lane)


def _late_share(numbers: Numbers) -> float:
    starts = numbers[Count.FIRST_STARTS]
    return numbers[Count.LATE] / starts if starts else 0.0


def _is_same(one: Alert, other: Alert) -> bool:
    return (one.rule, one.subject, one.since) == (other.rule, other.subject, other.since)


def _as_json(alert: Alert) -> dict[str, Any]:
    return {
        "rule": alert.rule,
        "subject": alert.subject,
        "text": alert.text,
        "next_step": alert.next_step,
        "since": _ms(alert.since),
        "until": None if alert.until is None else _ms(alert.until),
        "calm_since": None if alert.calm_since is None else _ms(alert.calm_since),
        "delivered": sorted(alert.delivered),
    }


def _from_json(values: Mapping[str, Any]) -> Alert:
    return Alert(
        rule=Rule(values["rule"]),
        subject=values["subject"],
        text=values["text"],
        next_step=values["next_step"],
        since=_moment(values["since"]),
        until=None if values["until"] is None else _moment(values["until"]),
        calm_since=None if values.get("calm_since") is None else _moment(values["calm_since"]),
        delivered=frozenset(values["delivered"]),
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=rest)
