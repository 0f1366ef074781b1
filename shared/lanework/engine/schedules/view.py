"""A schedule as JSON: what the API answers and `--json` prints; its payload is not part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from lanework.engine.schedules.service import next_of
from lanework.model.json_view import JsonView
from lanework.model.lifecycle.states import State  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.engine.schedules.service import Listed


class Schedule(JsonView):
    """A schedule, and how far it has come."""

    name: str
    type: str
    cron: str | None
    every_seconds: int | None
    tz: str
    words: str
    overlap: str
    catch_up: str
    source: str = Field(description="declared by a job type, or dynamic: added.")
    paused: bool
    next_at: str | None
    last_run: str | None = Field(description="The job of the newest tick that ran.")
    last_status: State | None = Field(default=None, description="Its state; null where it wasn't read.")

    @classmethod
    def of(cls, listed: Listed, *, now: datetime) -> Schedule:
        """Return a schedule's document."""
        record, timetable = listed.record, listed.record.schedule.timetable
        upcoming = next_of(record, now)
        return cls.taken_from(
            record,
            name=record.schedule.name,
            type=record.schedule.job_type,
            cron=timetable.cron,
            every_seconds=None if timetable.every is None else int(timetable.every.total_seconds()),
            tz=timetable.tz,
            overlap=record.schedule.overlap,
            catch_up=record.schedule.catch_up,
            next_at=None if upcoming is None else f"{upcoming:%Y-%m-%dT%H:%M:%SZ}",
            last_status=listed.last_state,
        )
