"""Recording in workflows how their jobs ended, up to the outermost; and which of their parts that lets go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.errors import LaneworkError
from lanework.model.lifecycle.states import State
from lanework.model.workflow.shard import value_of_job
from lanework.model.workflow.workflow import GIVEN_UP_AFTER, When, ref_of, value_of_workflow, workflow_fact

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord
    from lanework.model.workflow.dependency import Fact
    from lanework.model.workflow.shard import Shard
    from lanework.model.workflow.workflow import WorkflowRecord

Released = list[tuple[str, "Fact"]]
"""What has happened that others may wait for, by the name under which they do."""


class Shards:
    """Records ends in workflows. All of it may be repeated, and done by many at once."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._store = ports.workflows

    def record_end(self, ended: JobRecord) -> Released:
        """Record in a job's workflow that it has ended; return what that brought about."""
        value = value_of_job(ended)
        if ended.workflow is None or ended.slot is None or value is None:
            return []
        shard = self._store.record_end(ended.workflow, ended.slot, value)
        if shard is None or not (shard.is_ended or ended.state is not State.COMPLETED):
            return []
        return self.sum_up(shard)

    def sum_up(self, shard: Shard) -> Released:
        """Record how a shard of a workflow stands; return what that brought about, there and in those around it."""
        released = self.change(shard.workflow_id, lambda found: found.with_shard(shard))
        if shard.is_final:
            self._store.look_later(shard, None)
        return released

    def change(self, workflow_id: str, how: Callable[[WorkflowRecord], WorkflowRecord]) -> Released:
        """Write what follows for a workflow, and record it in the one around it; return what that brought about."""
        before, after = self.update(workflow_id, how)
        if before is None or after is None:
            return []
        now = self._ports.clock()
        released: Released = []
        for when in When:
            fact = workflow_fact(after, when, now)
            if fact.status is not workflow_fact(before, when, now).status:
                released.append((ref_of(workflow_id, when), fact))
        value = value_of_workflow(after)
        if after.parent is None or after.slot is None or value is None or value == value_of_workflow(before):
            return released
        around = self._store.record_end(after.parent, after.slot, value)
        return released if around is None else released + self.sum_up(around)

    def update(
        self, workflow_id: str, how: Callable[[WorkflowRecord], WorkflowRecord]
    ) -> tuple[WorkflowRecord | None, WorkflowRecord | None]:
        """
        Write what follows for a workflow, unless that is so already; return it before and after.

        Raises:
            ContendedError, LaneworkError: Others wrote it again and again, or its record can't be read.
        """

        def attempt() -> tuple[WorkflowRecord | None, WorkflowRecord | None] | None:
            before = self._store.get(workflow_id)
            if before is None:
                return None, None
            if before.damage is not None:
                msg = f"workflow {workflow_id!r} can't be written, since its record can't be read: {before.damage}"
                raise LaneworkError(msg)
            wanted = how(before).settled(self._ports.clock())
            after = before if wanted == before else self._store.write(wanted)
            return None if after is None else (before, after)

        return self._ports.retry_conflicts(attempt, what=f"workflow {workflow_id!r}")

    def mend(self, found: WorkflowRecord) -> Released:
        """Go on without shards that were given out and never made, since whoever was to make them was cut off."""
        if found.closed_at is not None or self._ports.clock() - found.allotted_at < GIVEN_UP_AFTER:
            return []
        wanted = [number for number in range(1, found.shards + 1) if number not in found.ended]
        made = {shard.number for shard in self._store.shards(found.workflow_id, wanted)}
        missing = frozenset(wanted) - made
        return self.change(found.workflow_id, lambda one: one.without_shards(missing)) if missing else []
