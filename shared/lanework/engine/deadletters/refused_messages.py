"""
Messages that were refused: they lie in a dead-letter queue, and can be sent to its queue again.

In a lane's are open messages, in those of event queues events that were no job.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from lanework.engine.dlq_messages.tickets import ticket_of
from lanework.engine.ports.messages import OutgoingMessage
from lanework.model.job.open_message import is_open, with_id
from lanework.model.lanes import ALL_LANES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.messages import DeadLetter

_HIDDEN_FOR: Final = timedelta(seconds=30)
_MOST: Final = 1_000
"""Messages of a dead-letter queue that one call looks at."""

_LONGEST: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedMessage:
    """
    A message of a dead-letter queue that is no job.

    Attributes:
        queue: Of which lane, or the name of a queue of events.
        message_id: The id that SQS gave it.
        type: The job type that it asks for; None if it says none.
        job_id: The id that its job would have; None if it says none.
        reason: Why it was refused; None if that isn't known.
        can_be_sent: It is an open message, or an event; what else lies there is none of Lanework's.
    """

    queue: str
    message_id: str | None
    type: str | None
    job_id: str | None
    reason: str | None
    can_be_sent: bool

    @classmethod
    def of(cls, queue: str, letter: DeadLetter) -> RefusedMessage:
        """Return what a letter shows of itself; its payload is not among it."""
        fields = _fields_of(letter.body)
        return cls(
            queue=queue,
            message_id=letter.message_id,
            type=_text(fields, "type"),
            job_id=_text(fields, "id"),
            reason=letter.error,
            can_be_sent=_can_be_sent(queue, letter),
        )

    def to_json(self) -> dict[str, object]:
        """Return it as `--json` shows it."""
        return {
            "queue": self.queue,
            "messageId": self.message_id,
            "type": self.type,
            "jobId": self.job_id,
            "reason": self.reason,
            "canBeSent": self.can_be_sent,
        }


class RefusedMessages:
    """Lists the messages of dead-letter queues that are no jobs, and sends open ones to their lanes again."""

    def __init__(self, ports: Ports, event_queues: Iterable[str] = ()) -> None:
        """Take the ports, and the names of the queues of events that the application's code knows of."""
        self._ports = ports
        self._event_queues = (*event_queues,)

    def all(self, queue: str | None = None, *, type_: str | None = None) -> list[RefusedMessage]:
        """
        Return what lies in the dead-letter queue of a lane or of a queue of events, or of all, at most 1,000 of each.

        Raises:
            UnavailableError, ConfigError: A queue can't be read.
        """
        return [one for name in self._queues(queue) for one, _ in self._each(name, type_, lambda _, __: None)]

    def resend(self, queue: str | None = None, *, type_: str | None = None) -> list[RefusedMessage]:
        """
        Send open messages and events to their queue again, where they are checked anew; return those that were sent.

        Each is sent before it is deleted, under the id that its job would have had: called twice, a job runs once.

        Raises:
            UnavailableError, UnsendableError, ConfigError: One can't be sent; it stays, as do those after it.
        """
        sent = [found for name in self._queues(queue) for found in self._each(name, type_, self._send)]
        return [one for one, was_sent in sent if was_sent]

    def _queues(self, queue: str | None) -> tuple[str, ...]:
        return (*self._ports.stack_lanes, *self._event_queues) if queue is None else (queue,)

    def _send(self, queue: str, letter: DeadLetter) -> bool:
        if not _can_be_sent(queue, letter):
            return False
        self._ports.lanes.send(queue, OutgoingMessage(body=with_id(letter.body, letter.message_id)))
        self._ports.lanes.delete_dead(queue, [letter.handle])
        return True

    def _each(
        self, queue: str, type_: str | None, do: Callable[[str, DeadLetter], bool | None]
    ) -> Iterator[tuple[RefusedMessage, bool]]:
        """Yield each message that is no job, and whether it was done with; what wasn't is seen again at once."""
        kept: list[str] = []
        try:
            for letter in self._letters(queue):
                kept.append(letter.handle)
                one = RefusedMessage.of(queue, letter)
                if ticket_of(letter.body) is not None or type_ not in (None, one.type):
                    continue
                is_done = bool(do(queue, letter))
                if is_done:
                    kept.pop()
                yield one, is_done
        finally:
            self._ports.lanes.show_dead(queue, kept)

    def _letters(self, queue: str) -> Iterator[DeadLetter]:
        seen = 0
        while seen < _MOST and (page := self._ports.lanes.receive_dead(queue, limit=10, hide_for=_HIDDEN_FOR)):
            seen += len(page)
            yield from page


def _can_be_sent(queue: str, letter: DeadLetter) -> bool:
    return queue not in ALL_LANES or is_open(letter.body)


def _fields_of(body: str) -> dict[str, Any]:
    try:
        found = from_json(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value[:_LONGEST] if isinstance(value, str) else None
