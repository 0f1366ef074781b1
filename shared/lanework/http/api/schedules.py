"""Endpoints about schedules: list, add, pause, resume, remove, run now, when next."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated, Final, cast

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from lanework.app import App
from lanework.engine.schedules.service import Listed
from lanework.engine.schedules.view import Schedule
from lanework.errors import UnknownNameError, foreign_cursor
from lanework.http.api.jobs import Cursor, Limit
from lanework.http.api.requests import NewSchedule
from lanework.http.api.responses import Enqueued, Removed, ScheduleList, Ticks
from lanework.http.auth.tokens import Role
from lanework.http.endpoints import Endpoints, endpoint
from lanework.http.job_types import check_api, type_called
from lanework.http.problems import ProblemError
from lanework.model.schedule.schedule import CatchUpName, OverlapName, ScheduleRecord

_MARK: Final = "schedules|"
"""Begins a cursor: other lists' cursors don't."""

Name = Annotated[str, Path(description="The schedule; a declared one has its job type's name.")]


class SchedulesApi(Endpoints):
    """Shows schedules, and changes one."""

    tag = "Schedules"

    @endpoint("GET", "/api/schedules", Role.VIEWER)
    def list_schedules(self, limit: Limit = 100, cursor: Cursor = None) -> ScheduleList:
        """List schedules by name: when each fires next, what became of its last run."""
        now = self.app.ports.clock()
        after = "" if cursor is None else _name_in(cursor)
        rest = [one for one in self.app.schedules.list() if one.record.schedule.name > after]
        page = rest[:limit]
        return ScheduleList(
            schedules=tuple(Schedule.of(one, now=now) for one in page),
            cursor=f"{_MARK}{page[-1].record.schedule.name}" if len(rest) > limit else None,
        )

    @endpoint("GET", "/api/schedules/{name}", Role.VIEWER)
    def get_schedule(self, name: Name) -> Schedule:
        """Show one schedule."""
        return _shown(_known(name, self.app), self.app)

    @endpoint("GET", "/api/schedules/{name}/next", Role.VIEWER)
    def get_next_ticks(
        self, name: Name, count: Annotated[int, Query(ge=1, le=100, description="How many, 1 to 100.")] = 5
    ) -> Ticks:
        """Show when a schedule fires next, in UTC; also while it is paused."""
        _known(name, self.app)
        ticks = self.app.schedules.next(name, count)
        return Ticks(name=name, ticks=tuple(f"{tick:%Y-%m-%dT%H:%M:%SZ}" for tick in ticks))

    @endpoint("PUT", "/api/schedules/{name}", Role.ADMIN)
    def put_schedule(self, name: Name, wanted: NewSchedule) -> Schedule:
        """
        Add a schedule, or change one that was added.

        Safe to repeat: only a changed timetable starts again, from now. A declared one is changed in its code.
        """
        added = self.app.schedules.add(
            name,
            type_called(wanted.type, self.app.registry).name,
            json.dumps(wanted.payload),
            cron=wanted.cron,
            every=wanted.every,
            tz=wanted.tz,
            overlap=cast("OverlapName | None", wanted.overlap),  # what it isn't, `add` refuses with the nearest
            catch_up=cast("CatchUpName | None", wanted.catch_up),
        )
        return _shown(added.record, self.app)

    @endpoint("DELETE", "/api/schedules/{name}", Role.ADMIN)
    def remove_schedule(self, name: Name) -> Removed:
        """Remove a schedule that was added. Jobs that it has enqueued stay."""
        _known(name, self.app)
        self.app.schedules.remove(name)
        return Removed(removed=name)

    @endpoint("POST", "/api/schedules/{name}/pause", Role.ADMIN)
    def pause_schedule(self, name: Name) -> Schedule:
        """Pause a schedule: it doesn't fire until it is resumed. Jobs that it has enqueued run."""
        _known(name, self.app)
        return _shown(self.app.schedules.pause(name), self.app)

    @endpoint("POST", "/api/schedules/{name}/resume", Role.ADMIN)
    def resume_schedule(self, name: Name) -> Schedule:
        """Resume a schedule from now: ticks of the time of the pause are not made up for."""
        _known(name, self.app)
        return _shown(self.app.schedules.resume(name), self.app)

    @endpoint("POST", "/api/schedules/{name}/run", Role.ADMIN, status=HTTPStatus.ACCEPTED)
    def run_schedule(self, name: Name) -> Enqueued:
        """Enqueue a schedule's job now, beside its ticks."""
        job_type = _known(name, self.app).schedule.job_type
        check_api(job_type, self.app.registry)
        return Enqueued.of(self.app.schedules.run(name), job_type)


def _name_in(cursor: str) -> str:
    """
    Return the name that a page ended with. It need not be a schedule's any more.

    Raises:
        InvalidOptionError: The cursor is of another list.
    """
    if not cursor.startswith(_MARK):
        raise foreign_cursor(cursor)
    return cursor.removeprefix(_MARK)


def _known(name: str, app: App) -> ScheduleRecord:
    try:
        return app.schedules.get(name)
    except UnknownNameError as error:
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-schedule", str(error)) from error


def _shown(record: ScheduleRecord, app: App) -> Schedule:
    return Schedule.of(Listed(record=record, last_state=None), now=app.ports.clock())
