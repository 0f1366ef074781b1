"""What lists of jobs are made of: the keys that the two indexes hold, and pages of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from lanework.model.states import JobRecord


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


@dataclass(frozen=True, slots=True, kw_only=True)
class DueKey:
    """What the sweep index holds of a job."""

    sweep_at: datetime
    job_id: str

    @property
    def position(self) -> str:
        """Where a walk of the index goes on."""
        return f"{self.sweep_at.isoformat(timespec='milliseconds')}#{self.job_id}"

    @classmethod
    def at(cls, position: str) -> DueKey:
        """Return the key whose position this is."""
        at, job_id = position.split("#", 1)
        return cls(sweep_at=datetime.fromisoformat(at), job_id=job_id)


KeyT = TypeVar("KeyT", JobKey, DeadKey, DueKey)


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
