"""
Enqueueing jobs that wait for others: their parents must exist, and must have a mark before they end.

The order loses nothing: the dependency is stored, then the parent is marked, then the job is recorded. A parent that
ended before its mark counts as ended; one that ended between the mark and the record is found by a read after the
record, or by the reconciler if the producer is gone by then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lanework.engine.dependencies.cycles import check_circle
from lanework.engine.dependencies.release_dependents import Waiting
from lanework.errors import UnavailableError, UnknownParentError
from lanework.model.lifecycle import dependency_moves
from lanework.model.workflow.dependency import ParentStatus
from lanework.model.workflow.workflow import read_ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lanework.engine.enqueue.prepared_job import PreparedJob
    from lanework.engine.ports.bundle import Ports


def attached(jobs: Sequence[PreparedJob], ports: Ports) -> list[PreparedJob]:
    """
    Note who waits for whom, and return the jobs, each of which knows whether others wait for it.

    Raises:
        InvalidOptionError: Jobs wait for each other in a circle, or for one that has no record before it starts.
        UnknownParentError, UnavailableError: A parent doesn't exist, or can't be read. Nothing was enqueued.
    """
    waiting = [job for job in jobs if job.record.after]
    among = {job.job_id for job in jobs}
    check_circle({job.job_id: job.record.after for job in waiting})
    parents = {parent for job in waiting for parent in job.record.after}
    outside = parents - among
    for job in jobs:
        if job.job_id in parents and job.is_recorded_at_start:
            from lanework.engine.jobtypes.recorded_at_start import refuse  # noqa: PLC0415 - few job types say it

            raise refuse(job.request.type.name, "a job that others wait for")
    _check_known(waiting, outside, ports)
    ports.workflows.add_children([(parent, job.job_id) for job in waiting for parent in job.record.after])
    for parent in sorted(outside):
        if read_ref(parent) is None:
            ports.ledger.change(parent, dependency_moves.attach())
    return [
        replace(job, record=replace(job.record, has_children=True)) if job.job_id in parents else job for job in jobs
    ]


def look_at_parents(jobs: Iterable[PreparedJob], repeated: set[str], ports: Ports) -> None:
    """Look at recorded jobs whose parents may have ended meanwhile; `repeated` ones may not know that others wait."""
    among = {job.job_id for job in jobs} - repeated
    late = [job.job_id for job in jobs if not among.issuperset(job.record.after)]
    try:
        for parent in sorted({one for job in jobs for one in job.record.after if one in repeated}):
            ports.ledger.change(parent, dependency_moves.attach())
        Waiting(ports).look(late)
    except UnavailableError:
        return  # they are recorded, with an entry: the reconciler looks at them


def _check_known(waiting: Sequence[PreparedJob], outside: set[str], ports: Ports) -> None:
    facts = Waiting(ports).facts(outside)
    for job in waiting:
        unknown = [one for one in job.record.after if one in facts and facts[one].status is ParentStatus.GONE]
        if unknown:
            raise UnknownParentError(job.job_id, unknown)
