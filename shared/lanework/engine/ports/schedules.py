"""What schedules need from outside, as protocols: `aws/` and `memory/` provide them, tests/contract holds both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.model.schedule.schedule import Schedule, ScheduleRecord


class ScheduleStore(Protocol):
    """One small item per schedule, all in one partition, which takes 1,000 writes a second: two for each firing."""

    def get(self, name: str) -> ScheduleRecord | None:
        """Return a schedule as of now (a consistent read), or None."""

    def all(self) -> list[ScheduleRecord]:
        """Return every schedule, by name. It reads them all: for people, and when the declared ones have changed."""

    def due(self, *, until: datetime, limit: int) -> list[str]:
        """Return the names of schedules whose `due_at` is come, soonest first; at most `limit`. The index may lag."""

    def write(self, record: ScheduleRecord) -> ScheduleRecord | None:
        """
        Write a schedule, if nobody has since its revision was read; revision 0 requires that there is none.

        Returns:
            It, with its new revision; None if somebody else was first, and nothing was written.

        Raises:
            UnavailableError: Whether it was written is not known.
        """

    def remove(self, record: ScheduleRecord) -> bool:
        """Remove a schedule under the condition of `write`; tell whether that happened."""


class Scheduler(Protocol):
    """EventBridge Scheduler, in the stack's own group: it calls the clock function at a schedule's ticks."""

    def create(self, schedule: Schedule) -> bool:
        """
        Let it call from now on, or differently from now on. False if the endpoint has no such service.

        Raises:
            UnavailableError: It didn't answer; whether it was created is not known.
            ConfigError: It refused.
        """

    def delete(self, name: str) -> None:
        """
        Let it call no more; one that isn't there does nothing.

        Raises:
            UnavailableError, ConfigError: As in `create`.
        """
