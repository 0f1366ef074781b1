"""Alerts: raised by what the rules find, over when it has not been found for a while. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from lanework.model.stats.alert_rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lanework.model.stats.alert_rules import Finding

KEPT_RESOLVED: Final = 50
"""Alerts that are over and still shown."""

CALM_FOR: Final = timedelta(minutes=5)
"""How long nothing must be found before an alert is over: what comes and goes minute by minute is sent once."""


class Phase(StrEnum):
    """Which message about an alert."""

    RAISED = "raised"
    RESOLVED = "resolved"


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

    def needs_no_word(self, channel: str) -> bool:
        """Whether a channel needs no word: it knows, or it never knew of an alert that is over already."""
        knows_end = f"{channel} {self.phase}" in self.delivered
        return knows_end or (self.until is not None and f"{channel} {Phase.RAISED}" not in self.delivered)

    def delivered_to(self, channel: str) -> Alert:
        """Return the alert of which a channel knows."""
        return replace(self, delivered=self.delivered | {f"{channel} {self.phase}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """The alerts that are active, oldest first, and at most 50 that are resolved, the latest end first."""

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
        return tuple(one for one in (*reversed(self.resolved), *self.active) if not one.needs_no_word(channel))

    def delivered(self, alert: Alert, channel: str) -> Alerts:
        """Return what stands once a channel knows of an alert."""

        def of(alerts: tuple[Alert, ...]) -> tuple[Alert, ...]:
            return tuple(one.delivered_to(channel) if _is_same(one, alert) else one for one in alerts)

        return Alerts(active=of(self.active), resolved=of(self.resolved))


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
