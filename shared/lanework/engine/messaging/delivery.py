"""A message as a lane hands it over, and what to do with it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.model.lanes import Lane

LONGEST_VISIBILITY: Final = timedelta(hours=11)
"""Under SQS's 12 hours, which count from the receive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """
    A message as a lane handed it over.

    Attributes:
        time_left: How much longer this invocation may run.
        message_id: The id that SQS gave the message.
        is_first: It is the first of its invocation, which has never more time left than now.
        sent_at: When it was sent, by SQS's clock; None if that isn't known.
        receives: How often it was received, this time included.
        lease: How long a claim holds at first, where the worker lengthens it while the job runs; None: as long as the
            invocation lasts, and a little longer.
    """

    body: str
    lane: Lane
    time_left: timedelta
    message_id: str | None = None
    is_first: bool = True
    sent_at: datetime | None = None
    receives: int = 1
    lease: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Ack:
    """Delete the message: the job ended, or something durable carries it on (rule 4)."""


@dataclass(frozen=True, slots=True)
class Nack:
    """Report the message as failed, so that it comes back: after this long, or when its visibility ends if None."""

    after: timedelta | None = None

    @classmethod
    def until(cls, moment: datetime, *, now: datetime) -> Nack:
        """Keep a message that can't be used before a moment, in whole seconds and never too short."""
        seconds = max(timedelta(0), moment - now) // timedelta(seconds=1) + 1
        return cls(min(timedelta(seconds=seconds), LONGEST_VISIBILITY))


Report = Ack | Nack
