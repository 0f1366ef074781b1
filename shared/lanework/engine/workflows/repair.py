"""
Repairs workflows after crashes, by checking their shards at growing intervals.

Ends that a crash left unrecorded are recorded; jobs that it left uncreated are given up. It reads the records of jobs
whose end the shard doesn't have. So recording an end needs no transaction, and no crash leaves a workflow waiting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanework.engine.dependencies.release_dependents import Waiting
from lanework.engine.dependencies.workflow_progress import Shards
from lanework.engine.messaging.message_events import report_fault
from lanework.engine.operations.cancel import cancel
from lanework.errors import ConfigError, ContendedError, JobNotFoundError, LaneworkError, UnavailableError
from lanework.model.job.ids import SHARDS
from lanework.model.lifecycle.states import ENDED
from lanework.model.workflow.shard import LONGEST_LOOK, NEVER_MADE, VOID, Shard, slot_of, value_of_job
from lanework.model.workflow.workflow import GIVEN_UP_AFTER, read_ref, value_of_workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lanework.engine.ports.bundle import Ports
    from lanework.model.workflow.workflow import WorkflowRecord

_PAGE: Final = 20


class WorkflowRepair:
    """Looks at the shards whose time has come."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._store = ports.workflows
        self._shards = Shards(ports)

    def tick(self, *, has_time: Callable[[], bool] = lambda: True) -> int:
        """Look at what is due; return how many jobs wait no longer by what was found."""
        moved = 0
        for partition in range(SHARDS):
            seen: set[tuple[str, int]] = set()
            while has_time():
                due = self._store.due_shards(partition, until=self._ports.clock(), limit=_PAGE)
                fresh = [one for one in due if one not in seen]
                for workflow_id, number in fresh:
                    moved += self._try(workflow_id, number)
                seen |= set(fresh)
                if not fresh:  # nothing is due, or the index lags behind the items
                    break
        return moved

    def _try(self, workflow_id: str, number: int) -> int:
        """Look at one shard; one that can't be handled is reported and put off, and stops none of the others."""
        try:
            return self.look(workflow_id, number)
        except ContendedError as error:  # of this workflow; it is looked at again with the next tick
            report_fault(f"shard {number} of workflow {workflow_id} was left to the next tick", error, self._ports)
            return 0
        except (UnavailableError, ConfigError):
            raise  # the others would meet the same
        except Exception as error:  # noqa: BLE001 - it lies in this workflow's items
            now = self._ports.clock()
            report_fault(f"shard {number} of workflow {workflow_id} was left alone", error, self._ports)
            unread = Shard(workflow_id=workflow_id, number=number, size=0, created_at=now)
            self._store.look_later(unread, now + LONGEST_LOOK)
            return 0

    def look(self, workflow_id: str, number: int) -> int:
        """Look at one shard; return how many jobs wait no longer by what was found. LaneworkError: it can't be read."""
        shard = next(iter(self._store.shards(workflow_id, [number])), None)
        if shard is None:
            return 0
        found = self._store.get(workflow_id)
        if found is None:
            self._store.look_later(shard, None)
            return 0
        damage = shard.damage or found.damage
        if damage is not None:
            msg = f"what it says can't be read: {damage}"
            raise LaneworkError(msg)
        now = self._ports.clock()
        if not found.sealed and now - found.allotted_at > GIVEN_UP_AFTER:
            found = self._give_up(found)
        names = self._store.names(workflow_id, number)
        values = self._values(shard, names, found)
        for place, value in values.items():
            shard = self._store.record_end(workflow_id, slot_of(number, place), value) or shard
        released = self._shards.sum_up(shard) + self._shards.mend(found)
        if not shard.is_final:
            self._store.look_later(shard, shard.next_look(now))
        return Waiting(self._ports).release(released)

    def _give_up(self, found: WorkflowRecord) -> WorkflowRecord:
        """Cancel what was never enqueued to its end: whoever did was cut off, and had no answer."""
        now = self._ports.clock()
        _, after = self._shards.update(
            found.workflow_id,
            lambda one: one.abandoned(now),
        )
        return found if after is None else after

    def _values(self, shard: Shard, names: tuple[str, ...], found: WorkflowRecord) -> Mapping[int, int]:
        """Return what is to be recorded, by place: missing ends, and places that nobody will fill."""
        open_names = {place: name for place, name in enumerate(names) if shard.is_open(place)}
        jobs = [name for name in open_names.values() if read_ref(name) is None]
        now = self._ports.clock()
        is_late = found.sealed and now - shard.created_at > GIVEN_UP_AFTER
        missing = NEVER_MADE if found.given_up else VOID
        values: dict[int, int | None] = {}
        records = self._ports.ledger.get_many(jobs, consistent=True)
        for place, name in open_names.items():
            ref, record = read_ref(name), records.get(name)
            if ref is not None:
                nested = self._store.get(ref[0])
                values[place] = value_of_workflow(nested) if nested else (missing if is_late else None)
            elif record is None:
                values[place] = missing if is_late and place not in shard.outcomes else None
            elif (record.workflow, record.slot) != (shard.workflow_id, slot_of(shard.number, place)):
                values[place] = VOID
            else:
                values[place] = value_of_job(record)
                if found.cancelled_at is not None and record.state not in ENDED:
                    self._cancel(name)
        return {place: value for place, value in values.items() if value is not None}

    def _cancel(self, job_id: str) -> None:
        try:
            cancel(job_id, self._ports)
        except JobNotFoundError:
            return
