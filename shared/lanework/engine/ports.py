"""What the engine needs from outside, as protocols: `aws/` and `memory/` provide them, tests/contract holds both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from lanework.engine.messages import LONGEST_SQS_DELAY
from lanework.engine.runtime import Runtime
from lanework.engine.world import World
from lanework.model.retention import to_be_archived

if TYPE_CHECKING:
    from lanework.engine.execution import Execution
    from lanework.engine.limits import Limits
    from lanework.engine.listing import DeadKey, DueKey, JobKey, Page, Summary
    from lanework.engine.messages import DeadLetter, LaneCounts, Sending, Unsent
    from lanework.engine.pauses import Flags
    from lanework.engine.schedule_store import Scheduler, ScheduleStore
    from lanework.engine.statistics_store import StatisticsStore
    from lanework.engine.workflow_store import WorkflowStore
    from lanework.model.change import Answer, Change, Kept
    from lanework.model.events import Event
    from lanework.model.lanes import Lane
    from lanework.model.marks import Mark, Marking
    from lanework.model.states import JobRecord

Clock = Callable[[], datetime]
"""Gives the time: aware, UTC, whole milliseconds."""

NewId = Callable[[], str]
"""Gives an id that nobody else has."""

Rand = Callable[[], float]
"""Gives a number from 0.0 up to, not including, 1.0."""


class Ledger(Protocol):
    """One item per job. Every write carries a condition; none replaces a whole item."""

    def put(self, record: JobRecord) -> JobRecord | None:
        """
        Record a new job. Return None if that happened, or the record that already has the id.

        A record that has expired and was not removed yet gives its id up. A payload that lies beside the record is
        written before it, so that no record is without; should only that have happened, the id is free (rule 16).

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

    def expect(self, more: int) -> None:
        """
        Count threads that are about to write, so that their writes may share calls; a negative number ends that.

        A write waits for those that are expected, for milliseconds at most.
        """

    def change(self, job_id: str, change: Change) -> Answer:
        """
        Write, if the conditions hold of the stored item.

        A refusal by a record that shows this very change is `Applied`: it landed, and its answer was lost (rule 17).

        Raises:
            UnavailableError: Whether it was written is not known.
        """

    def change_and_keep(self, job_id: str, change: Change, *, step: str, text: str) -> Answer | Kept:
        """
        Write, and keep what a step left, both or neither: neither if that step has left something before.

        Raises:
            UnavailableError: Whether it was written is not known.
        """

    def get(self, job_id: str) -> JobRecord | None:
        """Return the record as of now (a consistent read), its payload included, or None."""

    def get_many(self, job_ids: Sequence[str], *, consistent: bool = False) -> dict[str, JobRecord]:
        """
        Return the records that exist, without payloads that are kept apart; at most 100 ids.

        Args:
            job_ids: Which.
            consistent: As of now, for twice the price; otherwise as of a moment ago.
        """

    def payload_of(self, record: JobRecord) -> str | None:
        """
        Return the job's payload, wherever it is kept.

        None if what lies beside the record is missing: `put_back` mends it.
        """

    def put_back(self, job_id: str, payload: str) -> bool:
        """
        See that a payload which lies beside its job's record is there: put this one if none is; tell whether it did.

        Costs a read where it is there, as it ought to be.

        Raises:
            UnavailableError: Whether it is there is not known.
        """

    def clear_beside(self, job_id: str) -> None:
        """Delete what is kept beside a job: a payload of its own, its lines and its steps. Repeating it is safe."""

    def due(self, shard: int, *, until: datetime, limit: int, after: str | None = None) -> Page[DueKey]:
        """
        Return a shard's jobs whose sweep entry is due by then, soonest first; at most `limit`.

        Args:
            shard: Which.
            until: By when.
            limit: Most of a page.
            after: Cursor of the page before: what it returned is passed over, though its entries may have moved since.
        """

    def held(self, name: str, shard: int, *, limit: int, until: datetime | None = None) -> list[str]:
        """Return the ids of a shard's jobs that are held under a name, by the time of their entry; at most `limit`."""

    def step(self, job_id: str, name: str) -> str | None:
        """Return what a job's step left, as JSON text, or None."""

    def keep_step(self, job_id: str, name: str, result: str) -> None:
        """Keep what a job's step left."""

    def keep_first(self, job_id: str, name: str, result: str) -> str:
        """Keep what a job's step left, unless it has left something before; return what is kept."""

    def add_log(self, job_id: str, claim_id: str, *, at: datetime, lines: Sequence[str]) -> None:
        """Keep the lines of one attempt beside its job."""

    def log_of(self, job_id: str) -> tuple[str, ...]:
        """Return a job's lines, all attempts, oldest first."""

    def recent(
        self, *, day: str, before: str | None, limit: int, keep: Callable[[JobKey], bool] | None = None
    ) -> Page[JobKey]:
        """
        Return jobs that were enqueued on a day (UTC, as `2026-11-22`), newest first.

        Args:
            day: The day.
            before: Cursor of the page before, or None for the newest.
            limit: Most keys to return.
            keep: Filter over the keys; what it refuses costs no read of an item.

        Returns:
            A page, from one query of each shard. With a filter it may be short, even empty, and still have a cursor:
            a query looks at 1,000 keys.
        """

    def enqueued(self, *, day: str, after: str, until: datetime) -> Page[JobKey]:
        """
        Return jobs that were enqueued on a day, oldest first.

        Args:
            day: The day (UTC).
            after: Cursor of the page before, or a moment: what was enqueued then or later.
            until: What was enqueued earlier than this.

        Returns:
            Up to 1,000 of each shard, in one query of each; no cursor if these are all.
        """

    def summaries(self, job_ids: Sequence[str]) -> list[Summary]:
        """Return what is known of jobs that exist, as of a moment ago; at most 100, each for half a read unit."""

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


class Lanes(Protocol):
    """The lanes' queues and their dead-letter queues."""

    def send(self, lane: Lane, sending: Sending) -> None:
        """
        Send one message to the lane's queue.

        Raises:
            UnavailableError: Whether it was sent is not known.
            UnsendableError: SQS refuses this message: no later try could send it.
            ConfigError: SQS refuses every message: no such queue, no permission.
        """

    def send_many(self, lane: Lane, sendings: Sequence[Sending]) -> dict[int, Unsent]:
        """
        Send messages, in as few calls as SQS allows; return what was not sent, by index. Never raises.

        One that SQS refuses keeps none of the others from being sent.
        """

    def bury(self, lane: Lane, body: str, *, cause: str, error: str) -> None:
        """
        Send a dead job's ticket, or a copy of an undecodable message, to the lane's dead-letter queue.

        The engine's own `bury` sees to it that it fits: SQS counts cause and error, which are attributes, too.

        Raises:
            UnavailableError: Whether it was sent is not known.
            UnsendableError: SQS refuses it: no later try could send it.
            ConfigError: There is no such queue, or no permission.
        """

    def receive_dead(self, lane: Lane, *, limit: int, hide_for: timedelta) -> list[DeadLetter]:
        """Receive messages of the lane's dead-letter queue, at most 10, and hide them for so long."""

    def show_dead(self, lane: Lane, handles: Sequence[str]) -> None:
        """Let received messages of the lane's dead-letter queue be seen again at once. Never raises."""

    def delete_dead(self, lane: Lane, handles: Sequence[str]) -> None:
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

    def live(self, lane: Lane) -> LaneCounts:
        """Return how many messages the lane's own queue holds, in one call; the dead are not looked at, and are 0."""

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


def nobody(_: JobRecord) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """
    Everything that the engine needs from outside, together.

    Attributes:
        look_ahead: What is due within this time is sent now, held back by SQS for what is left of it, and so starts to
            the second; what is due later waits for the sweep. At most SQS's 15 minutes.
        archive: Where jobs go before their records expire; None keeps none.
        world: Who is told of completions and deaths.
        tell: Sends the webhook of a job's completion or death, if it has one. The application sets it; raises
            UnavailableError, and may be repeated.
    """

    ledger: Ledger
    lanes: Lanes
    flags: Flags
    limits: Limits
    schedules: ScheduleStore
    scheduler: Scheduler
    statistics: StatisticsStore
    workflows: WorkflowStore
    events: EventSink
    clock: Clock
    new_id: NewId
    new_nonce: Callable[[], str]
    rand: Rand
    runtime: Runtime = field(default_factory=Runtime)
    look_ahead: timedelta = LONGEST_SQS_DELAY
    archive: Archive | None = None
    world: World = field(default_factory=World)
    tell: Callable[[JobRecord], None] = nobody

    def ending(self, change: Change) -> Change:
        """Return the write of a job's end as it is to be made: with an entry for the archive, where there is one."""
        return change if self.archive is None else to_be_archived(change)


Guard = Callable[["Execution"], None]
"""Takes one execution through claim, run, and complete or settle. In Lambda this is Powertools' idempotency."""
