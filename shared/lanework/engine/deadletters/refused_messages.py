"""Open messages that were refused: they lie in a lane's dead-letter queue, and can be sent to the lane again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from lanework.engine.messaging.dlq_tickets import ticket_of
from lanework.engine.ports.messages import OutgoingMessage
from lanework.model.job.open_message import is_open, with_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.messages import DeadLetter
    from lanework.model.lanes import Lane

_HIDDEN_FOR: Final = timedelta(seconds=30)
_MOST: Final = 1_000
"""Messages of a dead-letter queue that one call looks at."""

_LONGEST: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedMessage:
    """
    A message of a dead-letter queue that is no job.

    Attributes:
        lane: Of which lane.
        message_id: The id that SQS gave it.
        type: The job type that it asks for; None if it says none.
        job_id: The id that its job would have; None if it says none.
        reason: Why it was refused; None if that isn't known.
        can_be_sent: It is an open message; what else lies there is none of Lanework's.
    """

    lane: Lane
    message_id: str | None
    type: str | None
    job_id: str | None
    reason: str | None
    can_be_sent: bool

    @classmethod
    def of(cls, lane: Lane, letter: DeadLetter) -> RefusedMessage:
        """Return what a letter shows of itself; its payload is not among it."""
        fields = _fields_of(letter.body)
        return cls(
            lane=lane,
            message_id=letter.message_id,
            type=_text(fields, "type"),
            job_id=_text(fields, "id"),
            reason=letter.error,
            can_be_sent=is_open(letter.body),
        )

    def to_json(self) -> dict[str, object]:
        """Return it as `--json` shows it."""
        return {
            "lane": self.lane,
            "messageId": self.message_id,
            "type": self.type,
            "jobId": self.job_id,
            "reason": self.reason,
            "canBeSent": self.can_be_sent,
        }


class RefusedMessages:
    """Lists the messages of dead-letter queues that are no jobs, and sends open ones to their lanes again."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def all(self, lane: Lane | None = None, *, type_: str | None = None) -> list[RefusedMessage]:
        """
        Return what lies in the dead-letter queue of a lane, or of all, of at most 1,000 messages each.

        Raises:
            UnavailableError, ConfigError: A queue can't be read.
        """
        return [one for where in self._lanes(lane) for one, _ in self._each(where, type_, lambda _, __: None)]

    def resend(self, lane: Lane | None = None, *, type_: str | None = None) -> list[RefusedMessage]:
        """
        Send open messages to their lane again, where they are checked anew; return those that were sent.

        Each is sent before it is deleted, under the id that it would have had: called twice, a job runs once.

        Raises:
            UnavailableError, UnsendableError, ConfigError: One can't be sent; it stays, as do those after it.
        """
        sent = [found for where in self._lanes(lane) for found in self._each(where, type_, self._send)]
        return [one for one, was_sent in sent if was_sent]

    def _lanes(self, lane: Lane | None) -> tuple[Lane, ...]:
        return tuple(self._ports.stack_lanes) if lane is None else (lane,)

    def _send(self, lane: Lane, letter: DeadLetter) -> bool:
        if not is_open(letter.body):
            return False
        self._ports.lanes.send(lane, OutgoingMessage(body=with_id(letter.body, letter.message_id)))
        self._ports.lanes.delete_dead(lane, [letter.handle])
        return True

    def _each(
        self, lane: Lane, type_: str | None, do: Callable[[Lane, DeadLetter], bool | None]
    ) -> Iterator[tuple[RefusedMessage, bool]]:
        """Yield each message that is no job, and whether it was done with; what wasn't is seen again at once."""
        kept: list[str] = []
        try:
            for letter in self._letters(lane):
                kept.append(letter.handle)
                one = RefusedMessage.of(lane, letter)
                if ticket_of(letter.body) is not None or type_ not in (None, one.type):
                    continue
                is_done = bool(do(lane, letter))
                if is_done:
                    kept.pop()
                yield one, is_done
        finally:
            self._ports.lanes.show_dead(lane, kept)

    def _letters(self, lane: Lane) -> Iterator[DeadLetter]:
        seen = 0
        while seen < _MOST and (page := self._ports.lanes.receive_dead(lane, limit=10, hide_for=_HIDDEN_FOR)):
            seen += len(page)
            yield from page


def _fields_of(body: str) -> dict[str, Any]:
    try:
        found = from_json(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value[:_LONGEST] if isinstance(value, str) else None
