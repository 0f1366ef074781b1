"""The lanes in memory: standard queues with delay, visibility and a dead-letter queue, on a clock that is given."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count, islice
from typing import TYPE_CHECKING

from lanework.engine.ports.consumer import Received
from lanework.engine.ports.messages import (
    LARGEST_MESSAGE,
    LONGEST_SQS_DELAY,
    DeadLetter,
    OutgoingMessage,
    Unsent,
    size_of,
)
from lanework.errors import UnsendableError
from lanework.model.job.sqs_text import refused_in
from lanework.model.lanes import LANES, Lane, LaneDepth

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lanework.engine.ports.bundle import Clock


@dataclass(slots=True, kw_only=True)
class _Message:
    body: str
    visible_at: datetime
    delayed_until: datetime
    message_id: str
    receives: int = 0
    handle: str = ""


@dataclass(slots=True, kw_only=True)
class _Letter:
    body: str
    handle: str
    was_moved_by_sqs: bool
    visible_at: datetime
    message_id: str
    error: str | None


@dataclass(slots=True)
class _Queue:
    messages: list[_Message] = field(default_factory=list)
    dead: list[_Letter] = field(default_factory=list)


class MemoryLanes:
    """
    Implements the `Lanes` port, and what a consumer does with a queue: receive, delete, change visibility.

    Attributes:
        queues: Each lane's messages and its DLQ's, in their order: for tests that play what SQS may do by itself.
    """

    def __init__(self, clock: Clock) -> None:
        """Begin empty; `clock` decides what is visible."""
        self._clock = clock
        self.queues: dict[str, _Queue] = defaultdict(_Queue, {lane: _Queue() for lane in Lane})
        self._handles = count(1)
        self._message_ids = count(1)

    def send(self, lane: str, sending: OutgoingMessage) -> None:
        """Refuses what SQS refuses: some characters, more than 1 MiB, and a delay of more than 15 minutes."""
        _check(sending.body)
        if not timedelta(0) <= sending.delay <= LONGEST_SQS_DELAY:
            msg = f"SQS refuses the message: its delay of {sending.delay.total_seconds():.0f} s is not 0 to 900 s"
            raise UnsendableError(msg)
        visible_at = self._clock() + sending.delay
        self.queues[lane].messages.append(
            _Message(
                body=sending.body,
                visible_at=visible_at,
                delayed_until=visible_at,
                message_id=self._new_message_id(),
            )
        )

    def _new_message_id(self) -> str:
        return f"message-{next(self._message_ids)}"

    def send_many(self, lane: Lane, sendings: Sequence[OutgoingMessage]) -> dict[int, Unsent]:
        unsent: dict[int, Unsent] = {}
        for index, sending in enumerate(sendings):
            try:
                self.send(lane, sending)
            except UnsendableError as error:
                unsent[index] = Unsent(error)
        return unsent

    def send_to_dlq(self, lane: str, body: str, *, cause: str, error: str) -> None:
        """Cause and error are shown in the console only."""
        _check(body, cause=cause, error=error)
        self.put_dead(lane, body, was_moved_by_sqs=False, error=error)

    def receive_dead(self, lane: str, *, limit: int, hide_for: timedelta) -> list[DeadLetter]:
        now = self._clock()
        seen = list(islice((one for one in self.queues[lane].dead if one.visible_at <= now), limit))
        for letter in seen:
            letter.visible_at = now + hide_for
        return [
            DeadLetter(
                handle=one.handle,
                body=one.body,
                was_moved_by_sqs=one.was_moved_by_sqs,
                message_id=one.message_id,
                error=one.error or None,
            )
            for one in seen
        ]

    def show_dead(self, lane: str, handles: Sequence[str]) -> None:
        shown = set(handles)
        for letter in self.queues[lane].dead:
            if letter.handle in shown:
                letter.visible_at = self._clock()

    def delete_dead(self, lane: str, handles: Sequence[str]) -> None:
        queue = self.queues[lane]
        gone = set(handles)
        queue.dead = [one for one in queue.dead if one.handle not in gone]

    def put_dead(
        self,
        lane: str,
        body: str,
        *,
        was_moved_by_sqs: bool,
        error: str | None = None,
        message_id: str | None = None,
    ) -> None:
        letter = _Letter(
            body=body,
            handle=f"{lane}-dlq-{next(self._handles)}",
            was_moved_by_sqs=was_moved_by_sqs,
            visible_at=self._clock(),
            message_id=message_id or self._new_message_id(),
            error=error,
        )
        self.queues[lane].dead.append(letter)

    def move_back(self, lane: Lane, *, rate: int | None) -> None:  # noqa: ARG002 - it takes no time here
        queue = self.queues[lane]
        letters, queue.dead = queue.dead, []
        for letter in letters:
            self.send(lane, OutgoingMessage(body=letter.body))

    def live(self, lane: Lane) -> LaneDepth:
        now = self._clock()
        queue = self.queues[lane]
        delayed = sum(1 for one in queue.messages if one.delayed_until > now)
        hidden = sum(1 for one in queue.messages if one.visible_at > now)
        return LaneDepth(waiting=len(queue.messages) - hidden, in_flight=hidden - delayed, delayed=delayed, dead=0)

    def counts(self, lane: Lane) -> LaneDepth:
        return replace(self.live(lane), dead=len(self.queues[lane].dead))

    def receive(self, lane: Lane, *, visibility: timedelta | None = None) -> Received | None:
        """Receive one visible message, or None. Visibility defaults to the lane's: function timeout and 5 s."""
        now = self._clock()
        for message in self.queues[lane].messages:
            if message.visible_at <= now:
                message.visible_at = now + (visibility or LANES[lane].timeout + timedelta(seconds=5))
                message.receives += 1
                message.handle = f"{lane}-{next(self._handles)}"
                return Received(
                    handle=message.handle,
                    body=message.body,
                    receives=message.receives,
                    message_id=message.message_id,
                )
        return None

    def delete(self, lane: Lane, handle: str) -> None:
        """Delete a message; a stale handle does nothing."""
        messages = self.queues[lane].messages
        place = next((number for number, one in enumerate(messages) if one.handle == handle), None)
        if place is not None:
            del messages[place]

    def change_visibility(self, lane: Lane, handle: str, after: timedelta) -> None:
        """Let a message come back after this long; a stale handle does nothing."""
        for message in self.queues[lane].messages:
            if message.handle == handle:
                message.visible_at = self._clock() + after

    def dead(self, lane: str) -> tuple[str, ...]:
        """Return the bodies in the lane's dead-letter queue, oldest first."""
        return tuple(one.body for one in self.queues[lane].dead)


def _check(body: str, **attributes: str) -> None:
    """
    Refuse what SQS refuses.

    Raises:
        UnsendableError: Of the text, a character or the size, attributes included, can't be sent.
    """
    refused = refused_in(body)
    if refused is not None or not body or size_of(body, attributes) > LARGEST_MESSAGE:
        msg = f"SQS refuses the message: it holds {refused}" if refused else "SQS refuses the message: its size"
        raise UnsendableError(msg)
