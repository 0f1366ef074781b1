"""Raising alerts, notifying the channels, and resolving them: once a minute, by the clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from lanework.engine.enqueue.reserved_ids import taken_ids
from lanework.engine.jobtypes.request import builtin_request
from lanework.errors import LaneworkError
from lanework.model.events import Action, Event
from lanework.model.lifecycle.states import State
from lanework.model.stats.alert_rules import Situation, Thresholds, findings_of
from lanework.model.stats.alerts import Alert, Alerts, Phase
from lanework.model.stats.buckets import HOUR, MINUTE
from lanework.model.stats.numbers import Count, together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.stats.statistics import Overview, Statistics, Window
    from lanework.model.lanes import Lane, LaneDepth

_MOST_READ: Final = 100
"""Dead jobs of an hour that are read. Of a type that isn't among so many, all are taken to be dead still."""

_LATELY: Final = 4 * MINUTE
"""With the minute that isn't over these are five."""

_NOTIFIED_AT_ONCE: Final = 10
"""Messages that a channel gets in one tick; the others follow."""


class Channel(Protocol):
    """Where alerts go."""

    @property
    def name(self) -> str:
        """Its name; it must not change, since its deliveries are stored under it."""

    def notify(self, alert: Alert) -> None:
        """
        Send an alert that was raised or has ended. May be sent twice.

        Raises:
            LaneworkError: It couldn't be sent; the next tick tries again.
        """


@dataclass(frozen=True, slots=True)
class JobChannel:
    """Implements `Channel` by a job of the application, such as one that sends an e-mail; it gets a `view.Alert`."""

    job_type: str
    registry: Registry
    enqueue: Callable[[Request], Receipt[Any]]

    @property
    def name(self) -> str:
        return f"job:{self.job_type}"

    def notify(self, alert: Alert) -> None:
        """Enqueue it, under an id that makes one job of an alert that is sent twice."""
        from lanework.engine.stats import view  # noqa: PLC0415 - models to build, where few alerts are

        job_id = f"alert-{alert.rule}-{alert.subject or 'all'}@{alert.since:%Y%m%dT%H%M%S}-{alert.phase}"
        self.enqueue(builtin_request(self.registry.get(self.job_type), view.Alert.of(alert).to_json(), job_id))


class AlertManager:
    """Looks at what was counted, keeps which alerts are active, and notifies every channel of each change once."""

    def __init__(
        self,
        ports: Ports,
        statistics: Statistics,
        channels: Sequence[Channel],
        *,
        thresholds: Thresholds | None = None,
    ) -> None:
        self._ports = ports
        self._statistics = statistics
        self._channels = tuple(channels)
        self._limits = Thresholds() if thresholds is None else thresholds

    def tick(self, depths: Mapping[Lane, LaneDepth]) -> Alerts:
        """Raise and end alerts by what the lanes hold now, and send what wasn't sent."""
        store, overview = self._ports.statistics, self._statistics.overview()
        kept = overview.alerts
        before = Alerts.at_text(kept)
        found = still_dead(_situation(overview, depths), self._limits, self._ports)
        situation = replace(found, taken=self._taken())
        findings = findings_of(situation, self._limits)
        current = before.after(findings, now=self._ports.clock())
        if current != before:
            if not store.keep_alerts(current.text, before=kept):  # another tick was faster, and notifies
                return before
            kept = current.text
            self._say(current, before)
        delivered = self._notify(current)
        if delivered != current:
            store.keep_alerts(delivered.text, before=kept)
        return delivered

    def _taken(self) -> dict[str, str]:
        now = self._ports.clock()
        return {one.job_id: one.by for one in taken_ids(self._ports) if now - one.at < HOUR}

    def _notify(self, current: Alerts) -> Alerts:
        for channel in self._channels:
            for alert in current.undelivered(channel.name)[:_NOTIFIED_AT_ONCE]:
                try:
                    channel.notify(alert)
                except LaneworkError as error:
                    self._emit(Action.ALERT_DELIVERY_FAILED, f"{channel.name}: {error}")
                    break
                current = current.delivered(alert, channel.name)
        return current

    def _say(self, current: Alerts, before: Alerts) -> None:
        known = {(one.rule, one.subject, one.since) for one in before.active}
        for alert in current.active:
            if (alert.rule, alert.subject, alert.since) not in known:
                self._emit(Action.ALERT_RAISED, alert.text)
        for alert in current.resolved:
            if alert not in before.resolved:
                self._emit(Action.ALERT_RESOLVED, alert.text)

    def _emit(self, action: Action, reason: str) -> None:
        self._ports.events.emit(Event(action=action, at=self._ports.clock(), reason=reason))


def _situation(overview: Overview, depths: Mapping[Lane, LaneDepth]) -> Situation:
    return Situation(
        hour=overview.hour.numbers,
        minutes=overview.hour.latest(_LATELY).numbers,
        deaths_in_a_day=_in_all(overview.day, Count.DEAD),
        dealt_with_in_a_day=_in_all(overview.day, Count.DEALT_WITH),
        incidents=overview.hour.incidents,
        depths=depths,
    )


def _in_all(window: Window, count: Count) -> int:
    return together(window.numbers.values())[count]


def title_of(alert: Alert) -> str:
    """Return a subject line, at most 100 characters."""
    about = f"{alert.rule} {alert.subject}".strip()
    return f"{'Resolved: ' if alert.phase is Phase.RESOLVED else ''}{about}"[:100]


def still_dead(situation: Situation, limits: Thresholds, ports: Ports) -> Situation:
    """
    Return a situation without the deaths that were dealt with.

    Where nobody dealt with any, nothing is read; otherwise an index, and the records of an hour's dead, 100 at most.
    """
    now = ports.clock()
    if situation.deaths_in_a_day > limits.deaths and situation.dealt_with_in_a_day:
        page = ports.ledger.dead(before=None, limit=limits.deaths + 1, since=now - 24 * HOUR)
        situation = replace(situation, deaths_in_a_day=_at_most(len(page.keys), situation, limits))
    if any(one[Count.DEALT_WITH] for one in situation.hour.values()) and _dead(situation):
        return replace(situation, still_dead=_by_type(situation, now - HOUR, ports))
    return situation


def _at_most(found: int, situation: Situation, limits: Thresholds) -> int:
    return situation.deaths_in_a_day if found > limits.deaths else found


def _dead(situation: Situation) -> set[str]:
    return {key.type for key, one in situation.hour.items() if one[Count.DEAD]}


def _by_type(situation: Situation, since: datetime, ports: Ports) -> dict[str, int]:
    """Return how many of each type that died in the hour are dead; no word of a type means that it isn't known."""
    page = ports.ledger.dead(before=None, limit=_MOST_READ, since=since)
    records = ports.ledger.get_many([key.job_id for key in page.keys])
    found = Counter(one.type for one in records.values() if one.state is State.DEAD)
    return dict(found) if page.cursor is not None else {type_: found[type_] for type_ in _dead(situation)}
