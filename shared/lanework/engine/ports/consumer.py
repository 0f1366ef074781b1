"""The port of a consumer: what a worker process does with a lane's queue, and Lambda's mapping does elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from lanework.model.lanes import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """
    A message as it was received.

    Attributes:
        handle: Names this receive; stale once the message is received again.
        body: Its body.
        receives: How often it was received, this time included.
        sent_at: When it was sent, by SQS's clock; None if that isn't known.
        message_id: The id that SQS gave it.
    """

    handle: str
    body: str
    receives: int = 1
    sent_at: datetime | None = None
    message_id: str | None = None


class MessageConsumer(Protocol):
    """The lanes' queues, from the side that empties them."""

    def receive(self, lane: Lane, *, limit: int, wait: timedelta, hide_for: timedelta) -> list[Received]:
        """
        Receive messages.

        Args:
            lane: Of which lane.
            limit: Most messages, 1 to 10.
            wait: How long to wait for the first, at most 20 s (SQS, "long polling").
            hide_for: How long they are hidden from others.

        Raises:
            UnavailableError: SQS doesn't answer.
            ConfigError: There is no such queue, or no permission.
        """

    def delete(self, lane: Lane, handles: Sequence[str]) -> None:
        """Delete messages, ten a call; a stale handle does nothing. Never raises: what stays comes back, is dropped."""

    def hide(self, lane: Lane, handles: Mapping[str, timedelta]) -> None:
        """Let received messages come back after so long, ten a call; a stale handle does nothing. Never raises."""
