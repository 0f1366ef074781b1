"""What the engine needs from outside, as protocols: `aws/` and `memory/` provide them, tests/contract holds both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from lanework.engine.runtime import Runtime
from lanework.model.retention import to_be_archived

if TYPE_CHECKING:
    from lanework.engine.execution import Execution
    from lanework.engine.limits import Limits
    from lanework.engine.pauses import Flags
    from lanework.engine.schedule_store import Scheduler, ScheduleStore
    from lanework.model.change import Answer, Change
    from lanework.model.envelope import Envelope
    from lanework.model.events import Event
    from lanework.model.lanes import Lane
    from lanework.model.marks import Mark, Marking
    from lanework.model.states import JobRecord

Clock = Callable[[], datetime]
"""Gives the time: aware, UTC, whole milliseconds."""

NewId = Callable[[], str]
"""Gives an id that nobody else has."""

LONGEST_SQS_DELAY: Final = timedelta(minutes=15)
"""DelaySeconds goes up to 900 (SQS, SendMessage). What waits longer is sent by the sweep."""

Rand = Callable[[], float]
"""Gives a number from 0.0 up to, not including, 1.0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKey:
    """What the index of recent jobs holds of a job."""

    created_at: datetime
    queue: str
    type: str
    job_id: str

    @property
    def position(self) -> str:
        """The index's sort key, `created#queue#type#id`: it orders by time and is a cursor."""
        return f"{self.created_at.isoformat(timespec='milliseconds')}#{self.queue}#{self.type}#{self.job_id}"

    @classmethod
    def of(cls, record: JobRecord) -> JobKey:
        """Return a job's key."""
        return cls(created_at=record.created_at, queue=record.queue, type=record.type, job_id=record.job_id)

    @classmethod
    def at(cls, position: str) -> JobKey:
        """Return the key whose position this is."""
        created, queue, type_, job_id = position.split("#", 3)
        return cls(created_at=datetime.fromisoformat(created), queue=queue, type=type_, job_id=job_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadKey:
    """What the index of dead jobs holds of a job."""

    died_at: datetime
    job_id: str

    @property
    def position(self) -> str:
        """Orders by time, jobs of the same millisecond by id, and is a cursor: `died#id`."""
        return f"{self.died_at.isoformat(timespec='milliseconds')}#{self.job_id}"

    @classmethod
    def at(cls, position: str) -> DeadKey:
        """Return the key whose position this is."""
        died, job_id = position.split("#", 1)
        return cls(died_at=datetime.fromisoformat(died), job_id=job_id)


KeyT = TypeVar("KeyT", JobKey, DeadKey)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[KeyT]):
    """
    Part of a list.

    Attributes:
        keys: Newest first.
        cursor: Where the next page begins; None after the last.
    """

    keys: tuple[KeyT, ...]
    cursor: str | None


class Ledger(Protocol):
    """One item per job. Every write carries a condition; none replaces a whole item."""

    def put(self, record: JobRecord) -> JobRecord | None:
        """
        Record a new job. Return None if that happened, or the record that already has the id.

        A record that has expired and was not removed yet gives its id up.

        Raises:
            UnavailableError: Whether it was written is not known.
        """

    def put_many(self, records: Sequence[JobRecord]) -> list[JobRecord | UnavailableOne | None]:
        """Record new jobs with different ids; one answer for each, as `put` gives it."""

    def marks(self, names: Sequence[str]) -> dict[str, Mark]:
        """Return the marks that exist, as of now (a consistent read); at most 100 names."""

    def put_guarded(self, record: JobRecord, markings: Sequence[Marking]) -> JobRecord | None:
        """
        Record a new job and write its guards' marks, all of it or nothing. Answers as `put` does.

        Raises:
            ContendedError: A mark isn't as it was read, or is being written.
            UnavailableError: Whether it was written is not known.
        """

    def change(self, job_id: str, change: Change) -> Answer:
        """
        Write, if the conditions hold of the stored item.

        Raises:
            UnavailableError: Whether it was written is not known.
        """

    def get(self, job_id: str) -> JobRecord | None:
        """Return the record as of now (a consistent read), its payload included, or None."""

    def get_many(self, job_ids: Sequence[str]) -> dict[str, JobRecord]:
        """Return the records that exist, without payloads that are kept apart; at most 100 ids."""

    def payload_of(self, record: JobRecord) -> str | None:
        """
        Return the job's payload, wherever it is kept.

        None if its producer was lost between the two writes that a payload over 1 KB takes: the caller repeats them.
        """

    def clear_beside(self, job_id: str) -> None:
        """Delete what is kept beside a job: a payload of its own, its lines and its steps. Repeating it is safe."""

    def due(self, shard: int, *, until: datetime, limit: int) -> list[str]:
        """Return the ids of a shard's jobs whose sweep entry is due by then, soonest first; at most `limit`."""

    def held(self, name: str, shard: int, *, limit: int) -> list[str]:
        """Return the ids of a shard's jobs that a pause holds; at most `limit`."""

    def step(self, job_id: str, name: str) -> str | None:
        """Return what a job's step left, as JSON text, or None."""

    def keep_step(self, job_id: str, name: str, result: str) -> None:
        """Keep what a job's step left."""

    def add_log(self, job_id: str, claim_id: str, *, at: datetime, lines: Sequence[str]) -> None:
        """Keep the lines of one attempt beside its job."""

    def log_of(self, job_id: str) -> tuple[str, ...]:
        """Return a job's lines, all attempts, oldest first."""

    def recent(self, *, day: str, before: str | None, limit: int, keep: Callable[[JobKey], bool]) -> Page[JobKey]:
        """
        Return jobs that were enqueued on a day (UTC, as `2026-11-22`), newest first.

        Args:
            day: The day.
            before: Cursor of the page before, or None for the newest.
            limit: Most keys to return.
            keep: Filter over the keys; what it refuses costs no read of an item.

        Returns:
            A page. It may be short, even empty, and still have a cursor: at most 10,000 keys are looked at.
        """

    def dead(
        self, *, before: str | None, limit: int, since: datetime | None = None, until: datetime | None = None
    ) -> Page[DeadKey]:
        """
        Return dead jobs, the latest death first. The index may lag: a job that was just redriven may still be in it.

        Args:
            before: Cursor of the page before, or None for the newest.
            limit: Most keys to return.
            since: Only jobs that died then or later.
            until: Only jobs that died earlier than this.
        """


@dataclass(frozen=True, slots=True)
class UnavailableOne:
    """The answer for one of many: its service was not available, and whether it was written is not known."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
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
    def of(cls, envelope: Envelope, *, delay: timedelta = timedelta(0)) -> Sending:
        """Return a job's message."""
        return cls(body=envelope.encode(), delay=delay, tenant=envelope.tenant)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneCounts:
    """
    What SQS says of a lane's two queues, approximately.

    Attributes:
        waiting: Ready to be received.
        in_flight: Received, neither deleted nor visible again: running, or waiting for a retry.
        delayed: Sent with a delay that isn't over.
        dead: Tickets in the dead-letter queue.
    """

    waiting: int
    in_flight: int
    delayed: int
    dead: int

    @property
    def holds_anything(self) -> bool:
        """Whether any message is left to be dealt with; dead ones are dealt with."""
        return bool(self.waiting or self.in_flight or self.delayed)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """
    A message as it was received from a dead-letter queue.

    Attributes:
        handle: Deletes it.
        body: Its body.
        was_moved_by_sqs: SQS itself moved it there, having delivered it too often; otherwise we sent it.
    """

    handle: str
    body: str
    was_moved_by_sqs: bool


class Lanes(Protocol):
    """The lanes' queues and their dead-letter queues."""

    def send(self, lane: Lane, sending: Sending) -> None:
        """
        Send one message to the lane's queue.

        Raises:
            UnavailableError: Whether it was sent is not known.
        """

    def send_many(self, lane: Lane, sendings: Sequence[Sending]) -> dict[int, str]:
        """Send messages, in as few calls as SQS allows; return what failed as index and reason."""

    def bury(self, lane: Lane, body: str, *, cause: str, error: str) -> None:
        """
        Send a dead job's ticket, or a copy of an undecodable message, to the lane's dead-letter queue.

        Raises:
            UnavailableError: Whether it was sent is not known.
        """

    def receive_dead(self, lane: Lane, *, limit: int, hide_for: timedelta) -> list[DeadLetter]:
        """Receive messages of the lane's dead-letter queue, at most 10, and hide them for so long."""

    def show_dead(self, lane: Lane, handles: Sequence[str]) -> None:
        """Let received messages of the lane's dead-letter queue be seen again at once. Never raises."""

    def delete_dead(self, lane: Lane, handle: str) -> None:
        """Delete a message from the lane's dead-letter queue; a stale receipt handle does nothing."""

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

    def counts(self, lane: Lane) -> LaneCounts:
        """Return how many messages the lane holds."""


class EventSink(Protocol):
    """Where events go."""

    def emit(self, event: Event) -> None:
        """Take one event. Never raises."""

    def flush(self) -> None:
        """Write out what was taken; called once per batch. Never raises."""


class Archive(Protocol):
    """Where jobs go before their records expire."""

    def put(self, key: str, body: bytes) -> None:
        """
        Keep an object, below the stack's own prefix; one with the same key is replaced.

        Raises:
            UnavailableError: It doesn't answer.
            ConfigError: There is no such bucket, or no permission.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """
    Everything that the engine needs from outside, together.

    Attributes:
        look_ahead: What is due within this time is sent now, held back by SQS for what is left of it, and so starts to
            the second; what is due later waits for the sweep. At most SQS's 15 minutes.
        archive: Where jobs go before their records expire; None keeps none.
    """

    ledger: Ledger
    lanes: Lanes
    flags: Flags
    limits: Limits
    schedules: ScheduleStore
    scheduler: Scheduler
    events: EventSink
    clock: Clock
    new_id: NewId
    rand: Rand
    runtime: Runtime = field(default_factory=Runtime)
    look_ahead: timedelta = LONGEST_SQS_DELAY
    archive: Archive | None = None

    def ending(self, change: Change) -> Change:
        """Return the write of a job's end as it is to be made: with an entry for the archive, where there is one."""
        return change if self.archive is None else to_be_archived(change)


Guard = Callable[["Execution"], None]
"""Takes one execution through claim, run, and complete or settle. In Lambda this is Powertools' idempotency."""
