"""The lanes in memory, with what SQS may do to a standard queue's messages by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lanework.engine.ports.messages import OutgoingMessage
from lanework.errors import UndecodableError, UnsendableError
from lanework.memory import MemoryLanes
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from tests.unit.proof.poison import REFUSED

if TYPE_CHECKING:
    from lanework.engine.ports.bundle import Clock

LANES_USED = (Lane.HIGH, Lane.MEDIUM)


@lru_cache(maxsize=4096)
def read(body: str) -> Envelope | None:
    """Return the message that a body holds; None if it holds none."""
    try:
        return Envelope.decode(body)
    except UndecodableError:
        return None


class ForgetfulLanes(MemoryLanes):
    """Lanes whose deleted messages may come once more."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.gone: list[tuple[Lane, str]] = []

    def send(self, lane: str, sending: OutgoingMessage) -> None:
        message = read(sending.body)
        if message is not None and message.id.startswith(REFUSED):
            msg = "Invalid characters found"
            raise UnsendableError(msg)
        super().send(lane, sending)

    def delete(self, lane: Lane, handle: str) -> None:
        self.gone += [(lane, one.body) for one in self.queues[lane].messages if one.handle == handle]
        super().delete(lane, handle)


class Queues:
    """
    Two lanes' queues, and the hand that plays SQS.

    Attributes:
        lanes: The lanes, as the engine sees them.
    """

    def __init__(self, clock: Clock) -> None:
        self.lanes = ForgetfulLanes(clock)
        self._clock = clock

    @property
    def is_any_waiting(self) -> bool:
        """Whether a lane's queue holds a message, visible or not."""
        return any(self.lanes.queues[lane].messages for lane in LANES_USED)

    @property
    def is_any_visible(self) -> bool:
        """Whether a message can be received now."""
        return any(one.visible_at <= self._clock() for _, one in self._there())

    @property
    def is_any_dead(self) -> bool:
        """Whether a DLQ holds a message."""
        return any(self.lanes.queues[lane].dead for lane in LANES_USED)

    def waiting(self, job_id: str) -> list[Envelope]:
        """Return a job's messages in the lanes' queues, visible or not."""
        bodies = (one.body for lane in LANES_USED for one in self.lanes.queues[lane].messages)
        return [message for message in map(read, bodies) if message is not None and message.id == job_id]

    def dead(self, job_id: str, *, moved_by_sqs: bool) -> list[Envelope]:
        """Return a job's messages in the dead-letter queues: what SQS moved, or what was sent there."""
        letters = (one for lane in LANES_USED for one in self.lanes.queues[lane].dead)
        messages = (read(one.body) for one in letters if one.was_moved_by_sqs is moved_by_sqs)
        return [message for message in messages if message is not None and message.id == job_id]

    def next_visible(self) -> list[datetime]:
        """Return when messages and letters can be received."""
        queues = [self.lanes.queues[lane] for lane in LANES_USED]
        moved = [one.visible_at for queue in queues for one in queue.dead if one.was_moved_by_sqs]
        return [one.visible_at for queue in queues for one in queue.messages] + moved

    def end_visibility(self, number: int) -> None:
        """Let a message that is hidden, in flight or delayed, be received now."""
        if hidden := [one for _, one in self._there() if one.visible_at > self._clock()]:
            hidden[number % len(hidden)].visible_at = self._clock()

    def end_visibilities(self) -> None:
        """Let every message be received now."""
        for _, one in self._there():
            one.visible_at = min(one.visible_at, self._clock())

    def copy(self, number: int) -> None:
        """Deliver a message that is in a queue twice."""
        if there := self._there():
            lane, one = there[number % len(there)]
            self.lanes.queues[lane].messages.append(replace(one, visible_at=self._clock(), handle=""))

    def deliver_again(self, number: int) -> None:
        """Bring a deleted message back."""
        if gone := self.lanes.gone:
            lane, body = gone[number % len(gone)]
            self.lanes.send(lane, OutgoingMessage(body=body))

    def give_up_on(self, number: int) -> None:
        """Move a live message to its DLQ, as after too many receives."""
        if there := self._there():
            lane, one = there[number % len(there)]
            self.lanes.queues[lane].messages.remove(one)
            self.lanes.put_dead(lane, one.body, was_moved_by_sqs=True)

    def press_redrive(self, *, twice: bool, limit: int) -> None:
        """Move what is in the DLQs back, as the console's button does; twice, and each may come as two copies."""
        for lane in LANES_USED:
            queue = self.lanes.queues[lane]
            moving, queue.dead = queue.dead[:limit], queue.dead[limit:]
            for letter in moving * (2 if twice else 1):
                self.lanes.send(lane, OutgoingMessage(body=letter.body))

    def _there(self) -> list[tuple[Lane, Any]]:
        return [(lane, one) for lane in LANES_USED for one in self.lanes.queues[lane].messages]
