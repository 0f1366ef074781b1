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
from lanework.http.job_types import check_api, type_called
from lanework.http.problems import Problem, ProblemError
from lanework.http.routing import Routes
from lanework.model.schedule.schedule import CatchUpName, OverlapName, ScheduleRecord

TAG: Final = "Schedules"

_MARK: Final = "schedules|"
"""Begins a cursor: other lists' cursors don't."""

Name = Annotated[str, Path(description="The schedule; a declared one has its job type's name.")]


def add_reading(routes: Routes, app: App) -> None:
    """Register what looks at schedules."""

    @routes.add("GET", "/api/schedules", Role.VIEWER, tag=TAG)
    def list_schedules(limit: Limit = 100, cursor: Cursor = None) -> ScheduleList:
        """List schedules by name: when each fires next, what became of its last run."""
        now = app.ports.clock()
        after = "" if cursor is None else _name_in(cursor)
        rest = [one for one in app.schedules.list() if one.record.schedule.name > after]
        page = rest[:limit]
        return ScheduleList(
            schedules=tuple(Schedule.of(one, now=now) for one in page),
            cursor=f"{_MARK}{page[-1].record.schedule.name}" if len(rest) > limit else None,
        )

    @routes.add("GET", "/api/schedules/<name>", Role.VIEWER, tag=TAG)
    def get_schedule(name: Name) -> Schedule:
        """Show one schedule."""
        return _shown(_known(name, app), app)

    @routes.add("GET", "/api/schedules/<name>/next", Role.VIEWER, tag=TAG)
    def get_next_ticks(
        name: Name, count: Annotated[int, Query(ge=1, le=100, description="How many, 1 to 100.")] = 5
    ) -> Ticks:
        """Say when a schedule fires next, in UTC; also while it is paused."""
        _known(name, app)
        ticks = app.schedules.next(name, count)
        return Ticks(name=name, ticks=tuple(f"{tick:%Y-%m-%dT%H:%M:%SZ}" for tick in ticks))


def add_steering(routes: Routes, app: App) -> None:
    """Register what changes schedules."""

    @routes.add("PUT", "/api/schedules/<name>", Role.ADMIN, tag=TAG)
    def put_schedule(name: Name, wanted: NewSchedule) -> Schedule:
        """
        Add a schedule, or change one that was added.

        Safe to repeat: only another timetable starts anew, from now. A declared one is changed in its code.
        """
        added = app.schedules.add(
            name,
            type_called(wanted.type, app.registry).name,
            json.dumps(wanted.payload),
            cron=wanted.cron,
            every=wanted.every,
            tz=wanted.tz,
            overlap=cast("OverlapName | None", wanted.overlap),  # what it isn't, `add` refuses with the nearest
            catch_up=cast("CatchUpName | None", wanted.catch_up),
        )
        return _shown(added.record, app)

    @routes.add("DELETE", "/api/schedules/<name>", Role.ADMIN, tag=TAG)
    def remove_schedule(name: Name) -> Removed:
        """Remove a schedule that was added. Jobs that it has enqueued stay."""
        _known(name, app)
        app.schedules.remove(name)
        return Removed(removed=name)

    @routes.add("POST", "/api/schedules/<name>/pause", Role.ADMIN, tag=TAG)
    def pause_schedule(name: Name) -> Schedule:
        """Let a schedule fire no more until it is resumed. Jobs that it has enqueued run."""
        _known(name, app)
        return _shown(app.schedules.pause(name), app)

    @routes.add("POST", "/api/schedules/<name>/resume", Role.ADMIN, tag=TAG)
    def resume_schedule(name: Name) -> Schedule:
        """Let a schedule fire again, from now: what the pause held up is not caught up with."""
        _known(name, app)
        return _shown(app.schedules.resume(name), app)

    @routes.add("POST", "/api/schedules/<name>/run", Role.ADMIN, tag=TAG, status=HTTPStatus.ACCEPTED)
    def run_schedule(name: Name) -> Enqueued:
        """Enqueue a schedule's job now, beside its ticks."""
        job_type = _known(name, app).schedule.job_type
        check_api(job_type, app.registry)
        return Enqueued.of(app.schedules.run(name), job_type)


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
        raise ProblemError(Problem(status=HTTPStatus.NOT_FOUND, kind="unknown-schedule", detail=str(error))) from error


def _shown(record: ScheduleRecord, app: App) -> Schedule:
    return Schedule.of(Listed(record=record, last_state=None), now=app.ports.clock())
