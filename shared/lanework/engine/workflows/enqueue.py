"""
Enqueueing workflows, and adding to them.

The order loses nothing: first the workflow's own item, unsealed, and its shards with the names of all its jobs; then
the jobs; then the seal. An unsealed workflow never ends; one that stays so for an hour was cut off, its caller had no
answer, and the reconciler cancels it. Repeated with the same id before that, it goes on where it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.dependencies.cycles import around, check_circle, with_beyond
from lanework.engine.dependencies.release_dependents import Waiting
from lanework.engine.dependencies.workflow_progress import Shards
from lanework.engine.workflows.definition import Draft, Layout, Workflow, check_step, waits_of
from lanework.errors import (
    InvalidOptionError,
    JobIdTakenError,
    UnknownParentError,
    WorkflowClosedError,
    WorkflowNotFoundError,
)
from lanework.model.job.ids import checked_workflow_id
from lanework.model.workflow.dependency import ParentStatus
from lanework.model.workflow.shard import FIRST_LOOK, SHARD, VOID, Shard
from lanework.model.workflow.workflow import PREFIX, WorkflowRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.bundle import Ports

_AT_ONCE: Final = 1_000
"""Jobs that are recorded before the first of them is sent."""

_LONGEST_RUN: Final = timedelta(days=90)
"""How long a workflow is kept that has not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowReceipt:
    """
    Proof that a workflow is recorded and all its jobs are enqueued.

    Attributes:
        workflow_id: Its id.
        duplicate: It was enqueued before; nothing new will run.
    """

    workflow_id: str
    duplicate: bool = False

    @property
    def ref(self) -> str:
        """The name by which other jobs wait for it: `after=[receipt.ref]`."""
        return f"{PREFIX}{self.workflow_id}"


class WorkflowEnqueuer:
    """Records workflows and enqueues their jobs."""

    def __init__(
        self, ports: Ports, registry: Registry, enqueue_many: Callable[[list[Request]], list[Receipt[Any]]]
    ) -> None:
        self._ports = ports
        self._registry = registry
        self._enqueue_many = enqueue_many
        self._store = ports.workflows
        self._shards = Shards(ports)

    def enqueue(self, plan: Workflow, workflow_id: str | None) -> WorkflowReceipt:
        """
        Enqueue a workflow, once for each id. Errors as in `Workflows.enqueue`.

        JobIdTakenError: another job has the id of one of its jobs, such as `ID.2`. Take another id.
        """
        if not isinstance(plan, Workflow):
            msg = f"a workflow is what chain, group or batch returned, not a {type(plan).__name__}"
            raise InvalidOptionError(msg)
        own_id = self._ports.new_id() if workflow_id is None else checked_workflow_id(workflow_id)
        layout = Layout()
        layout.add_workflow(plan, own_id)
        self._check(layout)
        try:
            self._check_parents(layout.waits())
        except UnknownParentError:
            if self._store.get(own_id) is None:  # else it is repeated, and what it waited for has expired since
                raise
        existing = self._record(layout.drafts[0])
        if existing is not None and existing.whole() == existing:
            return WorkflowReceipt(workflow_id=own_id, duplicate=True)
        if existing is not None:
            self._take_up(own_id)
        for draft in layout.drafts[1:]:
            if self._record(draft) is not None:
                self._take_up(draft.workflow_id)
        self._fill(layout, layout.drafts)
        self._seal(layout)
        return WorkflowReceipt(workflow_id=own_id)

    def add(self, workflow_id: str, steps: Sequence[Request | Workflow]) -> tuple[str, ...]:
        """Add steps to a workflow whose jobs haven't all ended; return their names. Errors as in `Workflows.add`."""
        now = self._ports.clock()
        if not steps:
            return ()
        self._check_added(workflow_id, steps)
        shards = -(-len(steps) // SHARD)
        before, after = self._shards.update(
            workflow_id, lambda one: one.with_room(jobs=len(steps), shards=shards, now=now)
        )
        if before is None or after is None:
            raise WorkflowNotFoundError(workflow_id)
        if after.closed_at is not None:
            raise WorkflowClosedError(workflow_id, state=after.state)
        layout = Layout()
        draft = layout.added(before, steps)
        for nested in layout.drafts:
            self._record(nested)
        self._fill(layout, [draft, *layout.drafts])
        self._seal(layout)
        return draft.names

    def _fill(self, layout: Layout, drafts: Sequence[Draft]) -> None:
        """Make the shards and enqueue the jobs."""
        now = self._ports.clock()
        for draft in drafts:
            self._store.make_shards(list(_shards_of(draft, now)))
        for start in range(0, len(layout.requests), _AT_ONCE):
            requests = layout.requests[start : start + _AT_ONCE]
            receipts = self._enqueue_many(requests)
            self._give_up_places(requests, receipts)

    def _seal(self, layout: Layout) -> None:
        for draft in reversed(layout.drafts):
            released = self._shards.change(draft.workflow_id, WorkflowRecord.whole)
            Waiting(self._ports).release(released)

    def _take_up(self, workflow_id: str) -> None:
        """Go on with a workflow that was enqueued in part, with an hour from now, before anything of it is recorded."""
        now = self._ports.clock()
        self._shards.update(workflow_id, lambda one: one.taken_up(now))

    def _record(self, draft: Draft) -> WorkflowRecord | None:
        """Record a workflow, unsealed; return the one that has its id already, if one does."""
        now = self._ports.clock()
        record = WorkflowRecord(
            workflow_id=draft.workflow_id,
            kind=draft.kind,
            created_at=now,
            jobs=len(draft.names),
            shards=draft.shards,
            allotted_at=now,
            expires_at=now + _LONGEST_RUN,
            parent=draft.parent,
            slot=draft.slot,
        )
        return None if self._store.write(record) is not None else self._store.get(draft.workflow_id)

    def _give_up_places(self, requests: Sequence[Request], receipts: Iterable[Receipt[Any]]) -> None:
        """Wait for no job that existed before and belongs elsewhere."""
        repeated = [
            (request, receipt.job_id)
            for request, receipt in zip(requests, receipts, strict=True)
            if receipt.duplicate and request.workflow is not None
        ]
        for request, job_id in repeated:
            record = self._ports.ledger.get(job_id)
            own = record is not None and (record.workflow, record.slot) == (request.workflow, request.slot)
            if not own and record is not None and _is_derived(request):
                raise JobIdTakenError(job_id, request.type.name, taken_by=record.type)
            if not own and request.workflow is not None and request.slot is not None:
                shard = self._store.record_end(request.workflow, request.slot, VOID)
                if shard is not None and shard.is_ended:
                    Waiting(self._ports).release(self._shards.sum_up(shard))

    def _check_added(self, workflow_id: str, steps: Sequence[Request | Workflow]) -> None:
        """Check what is to be added before it is given places: what is wrong with it must not hold the workflow up."""
        found = self._store.get(workflow_id)
        if found is None:
            raise WorkflowNotFoundError(workflow_id)
        found.with_room(jobs=len(steps), shards=-(-len(steps) // SHARD), now=self._ports.clock())
        for step in steps:
            check_step(step, of="a workflow")
        layout = Layout()
        draft = layout.added(found, steps)
        self._check(layout)
        waits = layout.waits()
        if self._check_parents(waits):
            whole = waits | waits_of(draft) | around(workflow_id, self._ports)
            check_circle(with_beyond(whole, self._ports))

    def _check(self, layout: Layout) -> None:
        """Check what needs no look at other jobs."""
        for request in layout.requests:
            if self._registry.get(request.type.name).is_recorded_at_start:
                from lanework.engine.jobtypes.recorded_at_start import refuse  # noqa: PLC0415 - few job types say it

                raise refuse(request.type.name, "a place in a workflow")
        layout.check_callbacks()
        check_circle(layout.waits())

    def _check_parents(self, waits: Mapping[str, Sequence[str]]) -> bool:
        """Check that what jobs wait for outside of their plan exists; return whether there is any."""
        facts = Waiting(self._ports).facts({one for parents in waits.values() for one in parents} - waits.keys())
        for name, parents in waits.items():
            unknown = [one for one in parents if one in facts and facts[one].status is ParentStatus.GONE]
            if unknown:
                raise UnknownParentError(name, unknown)
        return bool(facts)


def _is_derived(request: Request) -> bool:
    """Tell whether a job's id was made of its workflow's: the one who has it may stay, its job can't be left out."""
    return re.fullmatch(rf"{re.escape(request.workflow or '')}\.([0-9]+|on-[a-z]+)", request.job_id or "") is not None


def _shards_of(draft: Draft, now: datetime) -> Iterable[tuple[Shard, tuple[str, ...]]]:
    for index in range(draft.shards):
        names = draft.names[index * SHARD : (index + 1) * SHARD]
        shard = Shard(
            workflow_id=draft.workflow_id,
            number=draft.first + index,
            size=len(names),
            created_at=now,
            look_at=now + FIRST_LOOK,
        )
        yield shard, names
