"""The events of one attempt: what every one of them says of the job is filled in here."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from traceback import extract_tb
from typing import TYPE_CHECKING, Final

from lanework.errors import LaneworkError
from lanework.model.events import Action, Event
from lanework.model.job.headers import correlation_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from lanework.engine.ports.bundle import Clock, EventSink, Ports
    from lanework.model.job.envelope import Envelope
    from lanework.model.lifecycle.states import JobRecord

_ENDS_A_RUN: Final = frozenset({Action.JOB_COMPLETED, Action.JOB_RETRYING, Action.JOB_DEAD, Action.JOB_CANCELLED})

_FAILED: Final = frozenset({Action.JOB_RETRYING, Action.JOB_DEAD})


class MessageEvents:
    """Emits what happens to one message's job; `public` has the payload's public fields, once it was read."""

    def __init__(self, envelope: Envelope, events: EventSink, clock: Clock, *, sent_at: datetime | None = None) -> None:
        """Write about this envelope's job; `sent_at` is when SQS took its message, where that is known."""
        self.public: Mapping[str, object] = {}
        self._envelope = envelope
        self._events = events
        self._clock = clock
        self._sent_at = sent_at
        self._waited: timedelta | None = None

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
        if action is Action.JOB_STARTED:
            self._waited = _waited_since(record, self._sent_at)
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
                waited=self._waited if ends or action is Action.JOB_STARTED else None,
                correlation_id=correlation_of(record.headers),
                ran_for=now - record.started_at if ends and record.started_at is not None else None,
                public=self.public,
            )
        )


def _waited_since(record: JobRecord, sent_at: datetime | None) -> timedelta | None:
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


def report_fault(what: str, error: Exception, ports: Ports) -> None:
    """Emit that something failed in a way that the code doesn't foresee: `what`, and what the error is."""
    where = extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {where.name}, line {where.lineno}"
    # The text of an error that isn't ours may quote what a record holds.
    reason = f"{what}: {error if isinstance(error, LaneworkError) else place}"
    ports.events.emit(Event(action=Action.WORKER_FAULT, at=ports.clock(), reason=reason))


class Apart:
    """Keeps what goes wrong with one thing from those that come after it."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._first: LaneworkError | None = None

    @contextmanager
    def each(self, what: str) -> Iterator[None]:
        """
        Handle one thing, named for the log: its failure is logged and goes no further.

        What was refused or didn't answer is kept for `raise_first`. Anything else lies in the thing itself, which
        nobody foresaw: it would be the same at each try, so it is only logged.
        """
        try:
            yield
        except LaneworkError as error:
            self.keep(error)
        except Exception as error:  # noqa: BLE001 - whatever one of many holds, the others are handled
            report_fault(f"{what} was left alone", error, self._ports)

    def keep(self, error: LaneworkError) -> None:
        """Keep an error for `raise_first`."""
        self._first = self._first or error

    def raise_first(self) -> None:
        """Raise the first error that was kept, and forget it."""
        first, self._first = self._first, None
        if first is not None:
            raise first
