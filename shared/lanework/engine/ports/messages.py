"""What a lane's two queues take and give: messages, dead letters, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.errors import LaneworkError
    from lanework.model.job.envelope import Envelope

LONGEST_SQS_DELAY: Final = timedelta(minutes=15)
"""DelaySeconds goes up to 900 (SQS, SendMessage). What waits longer is sent by the sweep."""

LARGEST_MESSAGE: Final = 1024 * 1024
"""Bytes of a message, its attributes included, and of all messages of a batch (SQS quotas, "Message size")."""

_TYPE_OF_ATTRIBUTE: Final = "String"


def size_of(body: str, attributes: Mapping[str, str] | None = None) -> int:
    """Return what SQS counts as a message's size: its body, and name, type and value of each attribute that it has."""
    said = ((name, _TYPE_OF_ATTRIBUTE, value) for name, value in (attributes or {}).items() if value)
    return _bytes_of(body) + sum(_bytes_of(part) for parts in said for part in parts)


def _bytes_of(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """
    One message to send.

    Attributes:
        body: Its body.
        delay: How long SQS holds it back; whole seconds, at most 900.
        tenant: Whose it is: its group, between which SQS shares a lane fairly.
    """

    body: str
    delay: timedelta = timedelta(0)
    tenant: str | None = None

    @classmethod
    def of(cls, envelope: Envelope, *, delay: timedelta = timedelta(0)) -> OutgoingMessage:
        """Return a job's message."""
        return cls(body=envelope.encode(), delay=delay, tenant=envelope.tenant)


@dataclass(frozen=True, slots=True)
class Unsent:
    """
    The answer for one of many messages: it was not sent, or whether it was is not known.

    Attributes:
        error: What `Lanes.send` would have raised.
    """

    error: LaneworkError


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """
    A message as it was received from a dead-letter queue.

    Attributes:
        handle: Deletes it.
        body: Its body.
        was_moved_by_sqs: SQS itself moved it there, having delivered it too often; otherwise we sent it.
        message_id: The id that SQS gave it.
        error: Why it is there, if we sent it and it had room for that.
    """

    handle: str
    body: str
    was_moved_by_sqs: bool
    message_id: str | None = None
    error: str | None = None
