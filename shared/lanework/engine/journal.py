"""The events of one execution: what every one of them says of the job is filled in here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.model.events import Action, Event
from lanework.model.headers import correlation_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lanework.engine.ports import Clock, EventSink
    from lanework.model.envelope import Envelope
    from lanework.model.states import JobRecord

_ENDS_A_RUN: Final = frozenset({Action.COMPLETED, Action.RETRYING, Action.DEAD, Action.CANCELLED})

_FAILED: Final = frozenset({Action.RETRYING, Action.DEAD})


class Journal:
    """
    Emits what happens to one message's job.

    Attributes:
        public: The payload's public fields, once it was read.
    """

    def __init__(self, envelope: Envelope, events: EventSink, clock: Clock, *, sent_at: datetime | None = None) -> None:
        """Write about this envelope's job; `sent_at` is when SQS took its message, where that is known."""
        self.public: Mapping[str, object] = {}
        self._envelope = envelope
        self._events = events
        self._clock = clock
        self._sent_at = sent_at

    def note(self, action: Action, *, reason: str | None = None, wait: timedelta | None = None) -> None:
        """Emit an event about the message."""
        self._events.emit(
            Event(
                action=action,
                at=self._clock(),
                job_id=self._envelope.id,
                type=self._envelope.type,
                queue=self._envelope.queue,
                lane=self._envelope.lane,
                reason=reason,
                wait=wait,
                correlation_id=correlation_of(self._envelope.headers),
                public=self.public,
            )
        )

    def run(
        self, action: Action, record: JobRecord, *, wait: timedelta | None = None, reason: str | None = None
    ) -> None:
        """Emit an event about a run, from the record as the transition left it."""
        now = self._clock()
        ends, failed = action in _ENDS_A_RUN, action in _FAILED
        self._events.emit(
            Event(
                action=action,
                at=now,
                job_id=record.job_id,
                type=record.type,
                queue=record.queue,
                lane=record.lane,
                attempt=record.attempts,
                cause=record.cause,
                error=record.error if failed else None,
                error_type=record.error_type if failed else None,
                wait=wait,
                reason=reason,
                waited=waited_since(record, self._sent_at) if action is Action.STARTED else None,
                correlation_id=correlation_of(record.headers),
                ran_for=now - record.started_at if ends and record.started_at is not None else None,
                public=self.public,
            )
        )


def waited_since(record: JobRecord, sent_at: datetime | None) -> timedelta | None:
    """
    Return how long a job that starts for the first time has waited; None for later starts.

    The wait of a job that was to start at once begins when SQS took its message, so that no producer's clock counts.
    One that was delayed, or that a minute's tick had to send, waits from the start that was asked for.
    """
    if record.started_at is None or record.started_at != record.first_started_at:
        return None
    was_sent_at_once = record.run_at == record.created_at and record.sweep_at is None
    asked = sent_at if was_sent_at_once and sent_at is not None else record.run_at
    return max(record.started_at - asked, timedelta(0))
