"""The port of limits: who holds which slot, who waits for one, and which starts are reserved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """
    One concurrency limit, as it stands.

    Attributes:
        n: How many slots there were when a job last had to wait; None if none ever had.
        holders: Claim id of a run, or `job:<id>` of a job that a slot is kept for, and until when it holds its slot.
        waiting_since: When a job last had to wait for a slot; None if none waits.
    """

    n: int | None = None
    holders: Mapping[str, datetime] = field(default_factory=dict)
    waiting_since: datetime | None = None

    def expired(self, now: datetime) -> dict[str, datetime]:
        """Return the holders whose time is over: a run that crashed, or a job that didn't come for its slot."""
        return {holder: until for holder, until in self.holders.items() if until <= now}


class Limits(Protocol):
    """
    What limits need to remember: one item for each concurrency limit, one for each rate.

    An item takes about 1,000 write units a second (DynamoDB, "Best practices for designing partition keys"). A run
    under a concurrency limit writes its item twice at most, each time a unit for every 15 slots that are held: a limit
    of up to 15 carries 500 jobs a second, one of 150 carries 50, and more where runs of one process share a write. A
    rate is written once for a job that starts at once, twice for one that must wait, and shared likewise.
    """

    def take(self, name: str, *, n: int, holder: str, until: datetime, kept_for: str) -> tuple[bool, Slots]:
        """
        Take a slot, if fewer than `n` are held, or in place of the one that is kept for this job.

        A holder that has one already has it still: whoever lost an answer asks again (rule 17).

        Args:
            name: The limit.
            n: How many slots there are.
            holder: Who takes it.
            until: Until when it is held at most.
            kept_for: Holder whose slot may be taken over.

        Returns:
            Whether it was taken, and the slots as they stand.

        Raises:
            UnavailableError: Whether it was taken is not known.
        """

    def keep_for(self, name: str, *, n: int, holder: str, until: datetime) -> tuple[bool, Slots]:
        """Keep a slot for a job that is on its way, if fewer than `n` are held and none is kept for it already."""

    def extend(self, name: str, holder: str, *, until: datetime) -> None:
        """Hold a slot for longer, never shorter; one that isn't held stays so."""

    def give_back(self, name: str, holder: str) -> Slots:
        """Free a slot; one that isn't held stays so."""

    def drop(self, name: str, holders: Mapping[str, datetime]) -> bool:
        """Free slots whose holders' time is over; False if one of them is still held, and not as it was seen."""

    def slots(self, name: str) -> Slots:
        """Return the slots as of now (a consistent read)."""

    def announce(self, name: str, *, n: int, now: datetime, look_at: datetime) -> None:
        """Note that a job is about to wait for a slot, and when the sweep looks at the limit."""

    def look_again(self, name: str, slots: Slots, *, at: datetime | None) -> None:
        """
        Say when the sweep looks at a limit again.

        Args:
            name: The limit.
            slots: The slots as they were seen; nothing is changed if a job was announced since.
            at: When; None if nobody waits any more.
        """

    def contended(self, *, until: datetime, limit: int) -> list[str]:
        """Return the limits that the sweep is to look at by then, soonest first; at most `limit`."""

    def reserve(self, name: str, *, at: datetime, interval: timedelta, missed: datetime | None, by: str) -> bool:
        """
        Reserve a start under a rate, if it is free by then; tell whether it was.

        Args:
            name: The rate.
            at: The start.
            interval: The time between two starts.
            missed: The start that was reserved for the same job before, and that it came too late for. If none was
                reserved after it, the rate counts as free.
            by: An id of this reservation: who lost an answer asks again with it.

        Raises:
            UnavailableError: Whether it was reserved is not known; it is then lost.
        """

    def next_start(
        self, name: str, *, now: datetime, interval: timedelta, missed: datetime | None, by: str
    ) -> datetime:
        """
        Reserve the first start that is free, and return it: now, or after all that are reserved; else as `reserve`.

        Jobs that ask at the same time get starts that follow each other, of which the first may be a moment ago.
        """

    def free_from(self, name: str) -> datetime | None:
        """Return from when a rate is free (a consistent read); None if it always was."""
