"""
Workflows: jobs with one common state, counts, and callbacks for their end. Pure.

The ends of its jobs are kept in shards of up to 256 jobs, one item each. So no item grows large, and none is written
more often than it has jobs. A shard keeps a number for each job that only grows; recording twice or late changes
nothing. The workflow's own item knows which shards are done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lanework.errors import EnqueueError, InvalidOptionError, WorkflowClosedError
from lanework.model.lanes import DLQ_RETENTION
from lanework.model.lifecycle.states import State
from lanework.model.workflow.dependency import GONE, UNKNOWN, Fact, OnFailure, ParentStatus
from lanework.model.workflow.shard import Shard, value_of

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.model.lifecycle.states import JobRecord

MOST_JOBS: Final = 100_000
MOST_SHARDS: Final = 4_096
"""Each enqueue or addition begins a new shard; their numbers are kept in the workflow's own item."""

GIVEN_UP_AFTER: Final = timedelta(hours=1)
"""How long whoever enqueues or adds may take; what isn't there by then was cut off."""

KEPT_FOR: Final = DLQ_RETENTION + timedelta(days=2)
"""How long a workflow is kept once all its jobs have ended: as long as one that died can be redriven."""

PREFIX: Final = "workflow/"


class Kind(StrEnum):
    """What a workflow was made by."""

    CHAIN = "chain"
    GROUP = "group"
    BATCH = "batch"


class WorkflowState(StrEnum):
    """
    Where a workflow stands.

    `failed` may yet become `completed`, by a redrive of what died. `unknown`: this code can't read its record.
    """

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class When(StrEnum):
    """What of a workflow is waited for: that all its jobs completed, that all ended, or that one did not complete."""

    COMPLETED = "completed"
    ENDED = "ended"
    FAILED = "failed"


def ref_of(workflow_id: str, when: When = When.COMPLETED) -> str:
    """Return by which name a workflow is waited for."""
    return f"{PREFIX}{workflow_id}" if when is When.COMPLETED else f"{PREFIX}{workflow_id}/{when}"


def read_ref(ref: str) -> tuple[str, When] | None:
    """Return which workflow a name means, and what of it; None if it is a job's id."""
    if not ref.startswith(PREFIX):
        return None
    workflow_id, _, when = ref.removeprefix(PREFIX).partition("/")
    return workflow_id, When(when) if when else When.COMPLETED


def misunderstood(child: JobRecord) -> str | None:
    """Return what of a waiting job's conditions this code doesn't know, such as a later release's; None if nothing."""
    try:
        OnFailure(child.on_failure or OnFailure.WAIT)
        for name in child.open_parents:
            read_ref(name)
    except ValueError as error:
        return str(error)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRecord:
    """
    The item of a workflow.

    Attributes:
        jobs: Places for jobs and nested workflows that were given out, and the `shards` that were.
        allotted_at: When the latest was, or when its enqueue was repeated.
        sealed: Everything that it began with is enqueued, or will never be.
        given_up: It will never be, since whoever enqueued it was cut off.
        ended: Shards each of whose jobs has ended; of these, `completed` are the ones whose jobs all have.
        has_failed: One of its jobs died or was cancelled, at some time.
        has_cancelled: One of its jobs was cancelled: it can't be completed.
        closed_at: When all its jobs had ended: nothing can be added.
        parent: The workflow that it is part of; `slot` is its place there.
        expires_at: From when it may be gone.
        revision: Counts its writes: whoever writes requires that nobody has since it was read.
        damage: What of it can't be read, such as a later release's word; then it is never written.
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
    damage: str | None = None

    @property
    def state(self) -> WorkflowState:
        """Where it stands."""
        if self.damage is not None:
            return WorkflowState.UNKNOWN
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

    def taken_up(self, now: datetime) -> WorkflowRecord:
        """Return it with an hour from now for whoever repeats its enqueue; EnqueueError if it was given up before."""
        return self if self.whole() == self else replace(self, allotted_at=now)

    def whole(self) -> WorkflowRecord:
        """Return it sealed, since everything that it began with is enqueued; EnqueueError if it was given up before."""
        if self.given_up:
            why = "a workflow with this id was enqueued only in part and cancelled an hour later; choose another id"
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
        """Return it with more places; WorkflowClosedError if it has ended, InvalidOptionError if they are too many."""
        if self.closed_at is not None or self.cancelled_at is not None:
            raise WorkflowClosedError(self.workflow_id, state=self.state)
        check_size(self.jobs + jobs, self.shards + shards)
        return replace(self, jobs=self.jobs + jobs, shards=self.shards + shards, allotted_at=now)


def check_size(jobs: int, shards: int) -> None:
    """Refuse a workflow that is larger than it may be."""
    if jobs > MOST_JOBS:
        msg = f"a workflow may have {MOST_JOBS:,} jobs, not {jobs:,}: make several workflows, and nest them in one"
        raise InvalidOptionError(msg)
    if shards > MOST_SHARDS:
        msg = f"jobs were added to the workflow in more than {MOST_SHARDS:,} calls: add more of them in one call"
        raise InvalidOptionError(msg)


def workflow_fact(found: WorkflowRecord | None, when: When, now: datetime) -> Fact:
    """Return what a workflow says to those that wait for it."""
    if found is None or found.expires_at <= now:
        return GONE
    if found.damage is not None:
        return UNKNOWN
    says = f"the workflow has {found.state}" if found.state is WorkflowState.COMPLETED else f"it is {found.state}"
    match when:
        case When.COMPLETED:
            status = _status_of(found)
        case When.ENDED:
            status = ParentStatus.OPEN if found.closed_at is None else ParentStatus.DONE
        case When.FAILED:
            over = ParentStatus.OPEN if found.completed_at is None else ParentStatus.OVER
            status = ParentStatus.DONE if found.has_failed else over
    return Fact(status=status, says=says)


def _status_of(found: WorkflowRecord) -> ParentStatus:
    if found.damage is not None:
        return ParentStatus.OPEN
    if found.completed_at is not None:
        return ParentStatus.DONE
    if found.closed_at is None:
        return ParentStatus.OPEN
    return ParentStatus.OVER if found.has_cancelled else ParentStatus.FAILED


def value_of_workflow(found: WorkflowRecord) -> int | None:
    """Return the value that a nested workflow records when it ends; None before."""
    match _status_of(found):
        case ParentStatus.DONE:
            return value_of(1, State.COMPLETED)
        case ParentStatus.OVER:
            return value_of(1, State.CANCELLED)
        case ParentStatus.FAILED:
            return value_of(1, State.DEAD)
        case _:
            return None
