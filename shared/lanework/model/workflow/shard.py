"""How up to 256 jobs of a workflow ended: a number for each, which only grows. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from heapq import nsmallest
from typing import TYPE_CHECKING, Final

from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from lanework.model.lifecycle.states import JobRecord

SHARD: Final = 256
"""Jobs of one shard: with a number of up to six digits for each, an item of about 2 KB."""

FIRST_LOOK: Final = timedelta(minutes=5)
LONGEST_LOOK: Final = timedelta(hours=1)

_DEAD, _CANCELLED, _COMPLETED, _VOID = range(4)
_OPEN: Final = None
_URGENCY: Final = {_DEAD: 0, _CANCELLED: 1, _OPEN: 2, _COMPLETED: 3}
_RANKS: Final = {State.DEAD: _DEAD, State.CANCELLED: _CANCELLED, State.COMPLETED: _COMPLETED}

VOID: Final = _VOID
"""The end of a place whose job was never added, or belongs elsewhere. Any job's own end outranks it."""


def value_of(life: int, state: State) -> int:
    """Return the number that stands for an end: later lives are larger, and so is the drop of a dead job."""
    return 4 * life + _RANKS[state]


NEVER_MADE: Final = value_of(1, State.CANCELLED)
"""The end of a place whose job was never recorded, since the producer of the workflow stopped."""


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
    How up to 256 jobs of a workflow ended; its shards are numbered from 1.

    Attributes:
        outcomes: For the place of each job that has ended, the number that says how.
        look_at: When the reconciler looks at it; None once nothing can change any more.
        damage: What of it can't be read: then nothing follows from it.
    """

    workflow_id: str
    number: int
    size: int
    created_at: datetime
    outcomes: Mapping[int, int] = field(default_factory=dict)
    look_at: datetime | None = None
    damage: str | None = None

    @property
    def is_ended(self) -> bool:
        """Whether each of its jobs has ended."""
        return self.damage is None and len(self.outcomes) == self.size

    @property
    def is_completed(self) -> bool:
        """Whether each of its jobs has completed."""
        return self.is_ended and all(value % 4 >= _COMPLETED for value in self.outcomes.values())

    @property
    def has_failed(self) -> bool:
        """Whether one of its jobs is dead or cancelled."""
        return any(value % 4 < _COMPLETED for value in self.outcomes.values())

    @property
    def is_final(self) -> bool:
        """Whether nothing can change any more: no job is open, and none is dead."""
        return self.is_ended and all(value % 4 != _DEAD for value in self.outcomes.values())

    @property
    def has_cancelled(self) -> bool:
        """Whether one of its jobs is cancelled: it can't be completed."""
        return any(value % 4 == _CANCELLED for value in self.outcomes.values())

    def is_open(self, place: int) -> bool:
        """Whether more may be heard of a place: its job has not ended, or is dead."""
        return place not in self.outcomes or self.outcomes[place] % 4 == _DEAD

    @property
    def counts(self) -> Counts:
        """How its jobs stand; places that are void are left out."""
        ranks = [value % 4 for value in self.outcomes.values()]
        return Counts(
            jobs=self.size - ranks.count(_VOID),
            completed=ranks.count(_COMPLETED),
            dead=ranks.count(_DEAD),
            cancelled=ranks.count(_CANCELLED),
        )

    @property
    def urgencies(self) -> Iterator[tuple[int, int]]:
        """For each place that is not void, how little it needs attention, from 0, and the place in its workflow."""
        for place in range(self.size):
            rank = self.outcomes[place] % 4 if place in self.outcomes else _OPEN
            if rank != _VOID:
                yield _URGENCY[rank], slot_of(self.number, place)

    def next_look(self, now: datetime) -> datetime:
        """Return when to look at it again: after as long again as it has existed, at most an hour."""
        return now + min(max(now - self.created_at, FIRST_LOOK), LONGEST_LOOK)


def slot_of(number: int, place: int) -> int:
    """Return a job's place in its workflow."""
    return number * SHARD + place


def place_of(slot: int) -> tuple[int, int]:
    """Return which shard a place is in, and where in it."""
    return divmod(slot, SHARD)


def most_urgent(shards: Iterable[Shard], most: int) -> list[int]:
    """
    Return the places of the jobs that need attention first, without those that are void.

    The dead, the cancelled, those that have not ended and the completed, each in their own order.
    """
    return [slot for _, slot in nsmallest(most, (one for shard in shards for one in shard.urgencies))]


def value_of_job(record: JobRecord) -> int | None:
    """Return the value that a workflow's job records when it ends; None before."""
    return value_of(record.life, record.state) if record.state in _RANKS else None
