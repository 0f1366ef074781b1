"""What lists of jobs are made of: the keys that the two indexes hold, and pages of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import AT_ONCE, State

if TYPE_CHECKING:
    from lanework.model.lifecycle.states import JobRecord


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
class EntryKey:
    """What the sweep index holds of a job: when it is due there; of a dead job, when it died."""

    time: datetime
    job_id: str

    @property
    def position(self) -> str:
        """Orders by time, jobs of the same millisecond by id, and is a cursor: `time#id`."""
        return f"{self.time.isoformat(timespec='milliseconds')}#{self.job_id}"

    @classmethod
    def at(cls, position: str) -> EntryKey:
        """Return the key whose position this is."""
        time, job_id = position.split("#", 1)
        return cls(time=datetime.fromisoformat(time), job_id=job_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """
    What shows whether something carries a job: a fraction of its record.

    Attributes:
        job_id: Which job.
        type: Its type.
        lane: Its lane.
        life: Which of its lives.
        is_queued: It waits for its first start.
        is_unclaimed: It was never claimed.
        has_entry: The sweep has an entry of it.
        created_at: When it was enqueued.
        due_at: From when it may start; long ago for at once.
        tenant: On whose behalf.
        damage: What of it could not be read: then the rest says nothing.
    """

    job_id: str
    type: str = "unknown"
    lane: Lane = Lane.MEDIUM
    life: int = 1
    is_queued: bool = False
    is_unclaimed: bool = True
    has_entry: bool = False
    created_at: datetime = AT_ONCE
    due_at: datetime = AT_ONCE
    tenant: str | None = None
    damage: str | None = None

    @classmethod
    def of(cls, record: JobRecord) -> Summary:
        """Return what a record says."""
        if record.state is State.UNKNOWN:
            return cls(job_id=record.job_id, damage=record.damage or "")
        return cls(
            job_id=record.job_id,
            type=record.type,
            lane=record.lane,
            life=record.life,
            is_queued=record.state is State.QUEUED,
            is_unclaimed=record.claim_id is None,
            has_entry=record.sweep_at is not None,
            created_at=record.created_at,
            due_at=record.due_at or AT_ONCE,
            tenant=record.tenant,
        )

    @property
    def is_unsent(self) -> bool:
        """Whether only a message can carry it, if there is one."""
        return self.is_queued and self.is_unclaimed and self.life == 1 and not self.has_entry

    @property
    def is_delayed(self) -> bool:
        """Whether it was asked to start later than at once."""
        return self.due_at > self.created_at


KeyT = TypeVar("KeyT", JobKey, EntryKey)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[KeyT]):
    """
    Part of a list.

    Attributes:
        keys: In the list's order: the newest first, or of due entries the soonest.
        cursor: Where the next page begins; None after the last.
    """

    keys: tuple[KeyT, ...]
    cursor: str | None
