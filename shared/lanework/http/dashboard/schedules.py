"""The page of schedules: when each fires next, what became of its last run, run now, pause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from lanework.app import App
from lanework.engine.schedules.service import Listed
from lanework.http.dashboard.rendering import Pages, action, page
from lanework.http.job_types import check_api, open_names
from lanework.model.lifecycle.states import JobRecord, State
from lanework.model.schedule.schedule import ScheduleRecord

TICKS = 5

RUNS = 3

_MOST_RUNS = 300
"""Runs that are looked up for one page: three calls."""

_PAGE = 100

Name = Annotated[str, Path()]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """
    A run of a schedule.

    Attributes:
        job_id: Its job.
        at: Its tick; None if its id doesn't tell.
        state: Where it stands; None if its record has expired.
    """

    job_id: str
    at: datetime | None
    state: State | None


class SchedulePages(Pages):
    """Shows schedules, and changes one."""

    @page("/schedules")
    def schedules_page(self) -> Response[str]:
        """Show every schedule."""
        now = self.app.ports.clock()
        listed = self.app.schedules.list()
        upcoming = {one.record.schedule.name: tuple(islice(_ticks(one.record, now), TICKS)) for one in listed}
        return self.show(
            "schedules.html",
            listed=listed,
            upcoming=upcoming,
            runs=_runs(listed, self.app, now),
            runnable=open_names(self.app.registry),
        )

    @action("/schedules/{name}/run", then="schedules")
    def run_on_page(self, name: Name) -> str:
        """Enqueue a schedule's job now."""
        check_api(self.app.schedules.get(name).schedule.job_type, self.app.registry)
        return f"Enqueued {self.app.schedules.run(name).job_id}."

    @action("/schedules/{name}/pause", then="schedules")
    def pause_schedule_on_page(self, name: Name) -> str:
        """Let a schedule fire no more."""
        self.app.schedules.pause(name)
        return f"Paused: {name} fires no more. Jobs that it has enqueued run."

    @action("/schedules/{name}/resume", then="schedules")
    def resume_schedule_on_page(self, name: Name) -> str:
        """Let a schedule fire again."""
        self.app.schedules.resume(name)
        return f"Resumed: {name} fires again, from now. Ticks of the time of the pause are not made up for."


def _ticks(record: ScheduleRecord, now: datetime) -> Iterator[datetime]:
    """Return a schedule's next ticks, also those that a pause holds up; none of one that can't be read."""
    return iter(()) if record.damage else record.schedule.timetable.after(now)


def _runs(listed: Sequence[Listed], app: App, now: datetime) -> dict[str, list[_Run]]:
    """Return each schedule's last run, and those of the ticks before now that are still kept, the latest first."""
    ticks: dict[str, dict[str, datetime]] = {}
    for one in listed:
        schedule = one.record.schedule
        ticks[schedule.name] = {schedule.run_id(at): at for at in islice(schedule.timetable.before(now), RUNS)}
    ids = [run for runs in ticks.values() for run in runs][:_MOST_RUNS]
    records: dict[str, JobRecord] = {}
    for start in range(0, len(ids), _PAGE):
        records |= app.ports.ledger.get_many(ids[start : start + _PAGE])
    found: dict[str, list[_Run]] = {}
    for one in listed:
        own, last = ticks[one.record.schedule.name], one.record.last_run
        runs = [_Run(job_id=run, at=at, state=records[run].state) for run, at in own.items() if run in records]
        if last is not None and last not in {run.job_id for run in runs}:
            runs.insert(0, _Run(job_id=last, at=own.get(last) or one.record.last_tick, state=one.last_state))
        found[one.record.schedule.name] = runs
    return found
