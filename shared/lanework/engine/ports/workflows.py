"""What workflows, and jobs that wait for jobs, need from outside: `aws/` and `memory/` provide it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lanework.engine.ports.index_keys import JobKey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lanework.engine.ports.index_keys import Page
    from lanework.model.workflow.shard import Shard
    from lanework.model.workflow.workflow import WorkflowRecord


class WorkflowStore(Protocol):
    """Who waits for whom, and how the parts of workflows stand."""

    def add_children(self, edges: Sequence[tuple[str, str]]) -> None:
        """
        Note, for each pair of what is waited for and a job, that the one waits for the other. Repeating it is safe.

        Raises:
            UnavailableError: Some may not be noted.
        """

    def children(self, parent: str, *, after: str | None, limit: int) -> list[str]:
        """Return the ids of jobs that wait for this, in their order, those after `after` (a consistent read)."""

    def get(self, workflow_id: str) -> WorkflowRecord | None:
        """Return a workflow as of now (a consistent read), or None."""

    def get_many(self, workflow_ids: Sequence[str]) -> dict[str, WorkflowRecord]:
        """Return the workflows that exist, by id; at most 100 ids."""

    def write(self, record: WorkflowRecord) -> WorkflowRecord | None:
        """
        Write a workflow, if nobody has since its revision was read; revision 0 requires that there is none.

        Returns:
            It, with its new revision; None if somebody else was first, and nothing was written.

        Raises:
            UnavailableError: Whether it was written is not known.
        """

    def recent(self, *, day: str, before: str | None, limit: int) -> Page[JobKey]:
        """Return workflows of a day (UTC), newest first; the key's `job_id` is the workflow's, its `type` the kind."""

    def make_shards(self, shards: Sequence[tuple[Shard, Sequence[str]]]) -> None:
        """
        Make shards, with the names of their jobs and nested workflows. One that exists stays as it is.

        Raises:
            UnavailableError: Some may not be made; repeat it.
        """

    def shards(self, workflow_id: str, numbers: Sequence[int]) -> list[Shard]:
        """Return those of the shards that exist, in order (a consistent read)."""

    def names(self, workflow_id: str, number: int) -> tuple[str, ...]:
        """Return the jobs and, as `workflow/ID`, the nested workflows of a shard, by their place."""

    def record_end(self, workflow_id: str, slot: int, value: int) -> Shard | None:
        """
        Note how a job ended, unless a larger number says more already. Repeating it is safe.

        Returns:
            The shard after it; None if there is none.

        Raises:
            UnavailableError: Whether it was noted is not known.
        """

    def look_later(self, shard: Shard, at: datetime | None) -> None:
        """Have a shard looked at then; None never again."""

    def due_shards(self, shard: int, *, until: datetime, limit: int) -> list[tuple[str, int]]:
        """Return workflow and number of the shards to be looked at, in one partition of the index; it may lag."""


def key_of(record: WorkflowRecord) -> JobKey:
    """Return a workflow's key in the index of recent ones."""
    return JobKey(created_at=record.created_at, queue="workflow", type=record.kind, job_id=record.workflow_id)
