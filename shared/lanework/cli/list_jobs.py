"""`lanework list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lanework.cli.connect import application, connected, project_here
from lanework.cli.output import AsJson, out, print_json, seconds, table_of
from lanework.cli.param_types import lane
from lanework.cli.times import stamp
from lanework.engine.queries.job_view import as_json
from lanework.engine.queries.jobs import ran_for, waited
from lanework.engine.queries.search import JobFilter, checked
from lanework.engine.stats.late_starts import Within
from lanework.model.json_view import iso
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from lanework.engine.queries.recent import JobPage
    from lanework.model.lifecycle.states import JobRecord


def list_(
    type_: Annotated[str | None, typer.Option("--type", help="Only this job type.")] = None,
    queue: Annotated[str | None, typer.Option(help="Only this queue.")] = None,
    lane_: Annotated[
        Lane | None,
        typer.Option("--lane", parser=lane, metavar="LANE", help="Only this lane: critical … batch, or 1 to 5."),
    ] = None,
    status: Annotated[State | None, typer.Option(help="Only jobs that stand there.")] = None,
    late: Annotated[
        Within | None, typer.Option(help="Only jobs that started later than promised, within this time.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="Most jobs of a page, 1 to 100.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    as_json_: AsJson = False,
) -> None:
    """
    List jobs, newest first; the dead by their death, the late by their start.

    Example: lanework list --status dead --lane critical
    """
    app = connected() if (type_, queue) == (None, None) or project_here() is None else application()
    which = JobFilter(type=type_, queue=queue, lane=lane_, state=status, late=late)
    page = app.runtime.search.newest(which, limit=limit, cursor=cursor)
    if cursor is None and app.registry.types:
        checked(which, page, app.registry)
    if as_json_:
        print_json(
            {
                "jobs": [as_json(record) for record in page.jobs],
                "cursor": page.cursor,
                "seenUntil": iso(page.seen_until),
            }
        )
        return
    if page.jobs:
        out().print(_jobs_table(page.jobs))
    _say_what_follows(page, which)


def _jobs_table(jobs: tuple[JobRecord, ...]) -> object:
    columns = ("id", "type", "lane", "attempts", "wait", "run", "state", "created")
    return table_of(
        columns,
        (
            (
                one.job_id,
                one.type,
                one.lane,
                one.attempts,
                seconds(waited(one)),
                seconds(ran_for(one)),
                one.state,
                stamp(one.created_at),
            )
            for one in jobs
        ),
    )


def _say_what_follows(page: JobPage, which: JobFilter) -> None:
    if page.jobs and page.cursor is not None:
        out().print(f"\nMore: --cursor '{page.cursor}'", markup=False)
    elif not page.jobs:
        back = "" if page.cursor is None else f"; to look further back: --cursor '{page.cursor}'"
        out().print(f"no such jobs {which.order} since {stamp(page.seen_until)}{back}", markup=False)
