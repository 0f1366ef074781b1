"""What a job has to do with: the schedule that enqueued it, its workflow, what it waits for, what waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lanework.errors import UnknownNameError
from lanework.model.schedule.schedule import schedule_of_run
from lanework.model.workflow.workflow import When, read_ref

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework.app import App
    from lanework.model.lifecycle.states import JobRecord, State

MOST_CHILDREN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """
    A job or a workflow that another has to do with.

    Attributes:
        name: Its id.
        path: Its page, from the root.
        state: Where a job stands; None of a workflow, and of a job whose record is gone.
        what: What of a workflow is waited for: that it `ended` or `failed`; empty for its completion.
    """

    name: str
    path: str
    state: State | None = None
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    """
    What a job has to do with.

    Attributes:
        schedule: The schedule that enqueued it, if it is still there.
        parents: What it waits for, or has waited for.
        children: What waits for it, 20 at most.
        has_more: There are more children.
    """

    schedule: str | None
    parents: tuple[Related, ...]
    children: tuple[Related, ...]
    has_more: bool


def relations(record: JobRecord, app: App) -> Relations:
    """Read what a job has to do with: a read for each kind that its record names, and one more."""
    waiting: Sequence[str] = ()
    if record.has_children:
        waiting = app.ports.workflows.children(record.job_id, after=None, limit=MOST_CHILDREN + 1)
    shown = waiting[:MOST_CHILDREN]
    ids = list(dict.fromkeys([*(one for one in record.after if read_ref(one) is None), *shown]))
    records = app.ports.ledger.get_many(ids[:100]) if ids else {}
    return Relations(
        schedule=_schedule_of(record.job_id, app),
        parents=tuple(_related(one, records) for one in record.after),
        children=tuple(_related(one, records) for one in shown),
        has_more=len(waiting) > len(shown),
    )


def _schedule_of(job_id: str, app: App) -> str | None:
    name = schedule_of_run(job_id)
    if name is None:
        return None
    try:
        return app.schedules.get(name).schedule.name
    except UnknownNameError:
        return None


def _related(name: str, records: dict[str, JobRecord]) -> Related:
    ref = read_ref(name)
    if ref is not None:
        workflow_id, when = ref
        return Related(
            name=workflow_id, path=f"workflows/{workflow_id}", what="" if when is When.COMPLETED else when.value
        )
    record = records.get(name)
    return Related(name=name, path=f"jobs/{name}", state=None if record is None else record.state)
