"""The lanes: one SQS queue per priority, and its dead-letter queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from lanework.engine.ports.messages import DeadLetter, OutgoingMessage, Unsent
    from lanework.model.lanes import Lane, LaneDepth


class Lanes(Protocol):
    """The lanes' queues and their dead-letter queues; where a name is taken, a queue of events is meant by its own."""

    def send(self, lane: str, sending: OutgoingMessage) -> None:
        """
        Send one message to the lane's queue.

        Raises:
            UnavailableError: Whether it was sent is not known.
            UnsendableError: SQS refuses this message: no later try could send it.
            ConfigError: SQS refuses every message: no such queue, no permission.
        """

    def send_many(self, lane: Lane, sendings: Sequence[OutgoingMessage]) -> dict[int, Unsent]:
        """
        Send messages, in as few calls as SQS allows; return what was not sent, by index. Never raises.

        One that SQS refuses keeps none of the others from being sent.
        """

    def send_to_dlq(self, lane: str, body: str, *, cause: str, error: str) -> None:
        """
        Send a dead job's ticket, or a copy of an undecodable message, to the lane's dead-letter queue.

        The engine's own `send_to_dlq` sees to it that it fits: SQS counts cause and error, which are attributes, too.

        Raises:
            UnavailableError: Whether it was sent is not known.
            UnsendableError: SQS refuses it: no later try could send it.
            ConfigError: There is no such queue, or no permission.
        """

    def receive_dead(self, lane: str, *, limit: int, hide_for: timedelta) -> list[DeadLetter]:
        """Receive messages of the lane's dead-letter queue, at most 10, and hide them for so long."""

    def show_dead(self, lane: str, handles: Sequence[str]) -> None:
        """Let received messages of the lane's dead-letter queue be seen again at once. Never raises."""

    def delete_dead(self, lane: str, handles: Sequence[str]) -> None:
        """Delete messages from the lane's dead-letter queue; a stale handle does nothing. Never raises."""

    def change_visibility(self, lane: Lane, handle: str, after: timedelta) -> None:
        """Let a received message come back after this long; a stale receipt handle does nothing. Never raises."""

    def move_back(self, lane: Lane, *, rate: int | None) -> None:
        """
        Have SQS itself move everything in the lane's dead-letter queue back to the lane; it goes on by itself.

        Args:
            lane: Which lane.
            rate: Most messages a second, 1 to 500; None leaves it to SQS.

        Raises:
            UnsupportedError: The endpoint can't do it.
            UnavailableError: Whether it was begun is not known.
        """

    def live(self, lane: Lane) -> LaneDepth:
        """Return how many messages the lane's own queue holds, in one call; the dead are not looked at, and are 0."""

    def counts(self, lane: Lane) -> LaneDepth:
        """Return how many messages the lane holds."""
