"""
Workflows: many jobs that are one thing, with a state, counts, and what is called when they have ended. Pure.

How its jobs ended is kept in shards of up to 256, each an item of its own: so no item grows large, and none is written
more often than it has jobs. A shard keeps a number for each of its jobs that only grows; whatever is told twice or late
changes nothing. The workflow's own item knows which shards are done.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lanework.errors import EnqueueError, InvalidOptionError, WorkflowClosedError
from lanework.model.lanes import DLQ_RETENTION
from lanework.model.states import State
from lanework.model.waiting import GONE, Fact, Standing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lanework.model.states import JobRecord

SHARD: Final = 256
"""Jobs of one shard: with a number of up to six digits for each, an item of about 2 KB."""

MOST_JOBS: Final = 100_000
MOST_SHARDS: Final = 4_096
"""Each enqueue or addition begins a new shard; their numbers are kept in the workflow's own item."""

GIVEN_UP_AFTER: Final = timedelta(hours=1)
"""How long whoever enqueues or adds may take; what isn't there by then was cut off."""

FIRST_LOOK: Final = timedelta(minutes=5)
LONGEST_LOOK: Final = timedelta(hours=1)

KEPT_FOR: Final = DLQ_RETENTION + timedelta(days=2)
"""How long a workflow is kept once all its jobs have ended: as long as one that died can be redriven."""

PREFIX: Final = "workflow/"


class Kind(StrEnum):
    """What a workflow was made by."""

    CHAIN = "chain"
    GROUP = "group"
    BATCH = "batch"


class WorkflowState(StrEnum):
    """Where a workflow stands. `failed` may yet become `completed`, by a redrive of what died."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class When(StrEnum):
    """What of a workflow is waited for: that all its jobs completed, that all ended, or that one did not complete."""

    COMPLETED = "completed"
    ENDED = "ended"
    FAILED = "failed"


_DEAD, _CANCELLED, _COMPLETED, _VOID = range(4)
_RANKS: Final = {State.DEAD: _DEAD, State.CANCELLED: _CANCELLED, State.COMPLETED: _COMPLETED}

VOID: Final = _VOID
"""What is told of a place whose job was never recorded, or belongs elsewhere. Any job's end says more."""


def value_of(life: int, state: State) -> int:
    """Return the number that stands for an end: later lives are larger, and so is the drop of a dead job."""
    return 4 * life + _RANKS[state]


def ref_of(workflow_id: str, when: When = When.COMPLETED) -> str:
    """Return by which name a workflow is waited for."""
    return f"{PREFIX}{workflow_id}" if when is When.COMPLETED else f"{PREFIX}{workflow_id}/{when}"


def read_ref(ref: str) -> tuple[str, When] | None:
    """Return which workflow a name means, and what of it; None if it is a job's id."""
    if not ref.startswith(PREFIX):
        return None
    workflow_id, _, when = ref.removeprefix(PREFIX).partition("/")
    return workflow_id, When(when) if when else When.COMPLETED


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How the jobs of a workflow, or of a part of it, stand."""

    jobs: int = 0
    completed: int = 0
    dead: int = 0
    cancelled: int = 0

    @property
    def open(self) -> int:
        """Those that have not ended."""
        return self.jobs - self.completed - self.dead - self.cancelled

    def plus(self, other: Counts) -> Counts:
        """Return the counts of both together."""
        return Counts(
            jobs=self.jobs + other.jobs,
            completed=self.completed + other.completed,
            dead=self.dead + other.dead,
            cancelled=self.cancelled + other.cancelled,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """
    How up to 256 jobs of a workflow ended.

    Attributes:
        workflow_id: Whose.
        number: Which of its shards, from 1.
        size: How many jobs it has.
        created_at: When it was made.
        told: For the place of each job that has ended, the number that says how.
        look_at: When the reconciler looks at it; None once nothing can change any more.
    """

    workflow_id: str
    number: int
    size: int
    created_at: datetime
    told: Mapping[int, int] = field(default_factory=dict)
    look_at: datetime | None = None

    @property
    def is_ended(self) -> bool:
        """Whether each of its jobs has ended."""
        return len(self.told) == self.size

    @property
    def is_completed(self) -> bool:
        """Whether each of its jobs has completed."""
        return self.is_ended and all(value % 4 >= _COMPLETED for value in self.told.values())

    @property
    def has_failed(self) -> bool:
        """Whether one of its jobs is dead or cancelled."""
        return any(value % 4 < _COMPLETED for value in self.told.values())

    @property
    def is_final(self) -> bool:
        """Whether nothing can change any more: no job is open, and none is dead."""
        return self.is_ended and all(value % 4 != _DEAD for value in self.told.values())

    @property
    def has_cancelled(self) -> bool:
        """Whether one of its jobs is cancelled: it can't be completed."""
        return any(value % 4 == _CANCELLED for value in self.told.values())

    def is_open(self, place: int) -> bool:
        """Whether more may be heard of a place: its job has not ended, or is dead."""
        return place not in self.told or self.told[place] % 4 == _DEAD

    @property
    def counts(self) -> Counts:
        """How its jobs stand; places that are void are left out."""
        ranks = [value % 4 for value in self.told.values()]
        return Counts(
            jobs=self.size - ranks.count(_VOID),
            completed=ranks.count(_COMPLETED),
            dead=ranks.count(_DEAD),
            cancelled=ranks.count(_CANCELLED),
        )

    def next_look(self, now: datetime) -> datetime:
        """Return when to look at it again: after as long again as it has existed, at most an hour."""
        return now + min(max(now - self.created_at, FIRST_LOOK), LONGEST_LOOK)


def slot_of(number: int, place: int) -> int:
    """Return a job's place in its workflow."""
    return number * SHARD + place


def place_of(slot: int) -> tuple[int, int]:
    """Return which shard a place is in, and where in it."""
    return divmod(slot, SHARD)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRecord:
    """
    The item of a workflow.

    Attributes:
        workflow_id: Its id.
        kind: What made it.
        created_at: When it was enqueued.
        jobs: Places for jobs and nested workflows that were given out.
        shards: Shards that were.
        allotted_at: When the latest was.
        sealed: Everything that it began with is enqueued, or will never be.
        given_up: It will never be, since whoever enqueued it was cut off.
        ended: Shards each of whose jobs has ended.
        completed: Of these, the ones each of whose jobs has completed.
        has_failed: One of its jobs died or was cancelled, at some time.
        has_cancelled: One of its jobs was cancelled: it can't be completed.
        closed_at: When all its jobs had ended: nothing can be added.
        completed_at: When all of them had completed.
        cancelled_at: When it was cancelled.
        parent: The workflow that it is part of.
        slot: Its place there.
        expires_at: From when it may be gone.
        revision: Counts its writes: whoever writes requires that nobody has since it was read.
    """

    workflow_id: str
    kind: Kind
    created_at: datetime
    jobs: int
    shards: int
    allotted_at: datetime
    expires_at: datetime
    sealed: bool = False
    given_up: bool = False
    ended: frozenset[int] = frozenset()
    completed: frozenset[int] = frozenset()
    has_failed: bool = False
    has_cancelled: bool = False
    closed_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    parent: str | None = None
    slot: int | None = None
    revision: int = 0

    @property
    def state(self) -> WorkflowState:
        """Where it stands."""
        if self.completed_at is not None:
            return WorkflowState.COMPLETED
        if self.cancelled_at is not None:
            return WorkflowState.CANCELLED
        return WorkflowState.RUNNING if self.closed_at is None else WorkflowState.FAILED

    def with_shard(self, shard: Shard) -> WorkflowRecord:
        """Return it as it is with what a shard says; nothing that was said before is taken back."""
        one = frozenset({shard.number})
        return replace(
            self,
            ended=self.ended | one if shard.is_ended else self.ended,
            completed=self.completed | one if shard.is_completed else self.completed,
            has_failed=self.has_failed or shard.has_failed,
            has_cancelled=self.has_cancelled or shard.has_cancelled,
        )

    def without_shards(self, numbers: frozenset[int]) -> WorkflowRecord:
        """Return it without shards that were given out and never made: nothing is waited for in them."""
        return replace(self, ended=self.ended | numbers, completed=self.completed | numbers)

    def abandoned(self, now: datetime) -> WorkflowRecord:
        """Return it sealed and cancelled, since whoever enqueued it was cut off in the middle."""
        if self.sealed:
            return self
        return replace(self, sealed=True, given_up=True, cancelled_at=self.cancelled_at or now)

    def whole(self) -> WorkflowRecord:
        """
        Return it sealed, since everything that it began with is enqueued.

        Raises:
            EnqueueError: It was given up before.
        """
        if self.given_up:
            why = "it is a workflow that was enqueued in part, and given up an hour later; choose another id"
            raise EnqueueError(self.workflow_id, why)
        return replace(self, sealed=True)

    def settled(self, now: datetime) -> WorkflowRecord:
        """Return it with what follows from how its shards stand."""
        closed = self.closed_at
        if closed is None and self.sealed and len(self.ended) == self.shards:
            closed = now
        is_completed = closed is not None and len(self.completed) == self.shards
        return replace(
            self,
            closed_at=closed,
            completed_at=now if self.completed_at is None and is_completed else self.completed_at,
            expires_at=now + KEPT_FOR if closed is not None and self.closed_at is None else self.expires_at,
        )

    def with_room(self, *, jobs: int, shards: int, now: datetime) -> WorkflowRecord:
        """
        Return it with more places.

        Raises:
            WorkflowClosedError: It has ended, or was cancelled.
            InvalidOptionError: It would have too many.
        """
        if self.closed_at is not None or self.cancelled_at is not None:
            raise WorkflowClosedError(self.workflow_id, state=self.state)
        check_size(self.jobs + jobs, self.shards + shards)
        return replace(self, jobs=self.jobs + jobs, shards=self.shards + shards, allotted_at=now)


def check_size(jobs: int, shards: int) -> None:
    """
    Check that a workflow is no larger than it may be.

    Raises:
        InvalidOptionError: It is.
    """
    if jobs > MOST_JOBS:
        msg = f"a workflow may have {MOST_JOBS:,} jobs, not {jobs:,}: make several, and one around them"
        raise InvalidOptionError(msg)
    if shards > MOST_SHARDS:
        msg = f"jobs were added to the workflow in more than {MOST_SHARDS:,} calls: add more of them in one call"
        raise InvalidOptionError(msg)


def workflow_fact(found: WorkflowRecord | None, when: When, now: datetime) -> Fact:
    """Return what a workflow says to those that wait for it."""
    if found is None or found.expires_at <= now:
        return GONE
    says = f"the workflow has {found.state}" if found.state is WorkflowState.COMPLETED else f"it is {found.state}"
    match when:
        case When.COMPLETED:
            standing = _standing_of(found)
        case When.ENDED:
            standing = Standing.OPEN if found.closed_at is None else Standing.DONE
        case When.FAILED:
            over = Standing.OPEN if found.completed_at is None else Standing.OVER
            standing = Standing.DONE if found.has_failed else over
    return Fact(standing=standing, says=says)


def _standing_of(found: WorkflowRecord) -> Standing:
    if found.completed_at is not None:
        return Standing.DONE
    if found.closed_at is None:
        return Standing.OPEN
    return Standing.OVER if found.has_cancelled else Standing.FAILED


def value_of_job(record: JobRecord) -> int | None:
    """Return what is told of a job that is part of a workflow; None while it has not ended."""
    return value_of(record.life, record.state) if record.state in _RANKS else None


def value_of_workflow(found: WorkflowRecord) -> int | None:
    """Return what is told of a workflow that is part of another; None while it has not ended."""
    match _standing_of(found):
        case Standing.DONE:
            return value_of(1, State.COMPLETED)
        case Standing.OVER:
            return value_of(1, State.CANCELLED)
        case Standing.FAILED:
            return value_of(1, State.DEAD)
        case _:
            return None
