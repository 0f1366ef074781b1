"""Alerts to an SNS topic: mail, chat, pagers, whatever subscribed to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.aws.clients import translated
from lanework.engine.stats.alerting import title_of

if TYPE_CHECKING:
    from lanework.aws.clients import Clients
    from lanework.model.stats.alerts import Alert


class TopicChannel:
    """Implements the `Channel` port on an SNS topic."""

    name = "sns"

    def __init__(self, clients: Clients, *, topic: str) -> None:
        self._clients = clients
        self._topic = topic

    def notify(self, alert: Alert) -> None:
        """A subject line, and a text for people."""
        over = "" if alert.until is None else f"\nIt was over at {alert.until:%Y-%m-%d %H:%M} UTC."
        text = f"{alert.text}.\nSince {alert.since:%Y-%m-%d %H:%M} UTC.{over}\n\n{alert.next_step}\n"
        with translated("publishing an alert"):
            self._clients.sns.publish(TopicArn=self._topic, Subject=f"Lanework: {title_of(alert)}"[:100], Message=text)
