"""A workflow as nodes and edges: what `lanework workflow show` draws, and the dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lanework.model.workflow.shard import most_urgent, place_of
from lanework.model.workflow.workflow import Kind, When, read_ref, ref_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord
    from lanework.model.workflow.shard import Shard
    from lanework.model.workflow.workflow import WorkflowRecord

MOST_NODES: Final = 500
_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """
    A job or a workflow.

    Attributes:
        name: The job's id, or `workflow/ID`: what edges name.
        type: Job type, or kind of workflow.
        state: Where it stands; None if its record is gone, or not made yet.
        within: The workflow that it is part of; None of the outermost.
        role: `job`, `workflow`, or of what is called back `success`, `complete` or `failure`.
    """

    name: str
    type: str | None
    state: str | None
    within: str | None
    role: str
    life: int = 1
    error: str | None = None
    error_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One waits for the other."""

    parent: str
    child: str
    when: When


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A workflow as a drawing: the workflow first, then what is in it; `left_out` jobs are beyond the nodes."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int


_ROLES: Final = {When.COMPLETED: "success", When.ENDED: "complete", When.FAILED: "failure"}


class Drawing:
    """
    Reads a workflow and draws it; writes nothing.

    Where not all has room, jobs that need attention have it first: the dead, the cancelled, those that have not ended,
    the completed. The shards tell which these are, so only the records of jobs that are drawn are read.
    """

    def __init__(self, ports: Ports, *, most: int) -> None:
        self._ports = ports
        self._room = most
        self._nodes: list[Node] = []
        self._parents: dict[str, tuple[str, ...]] = {}
        self._left_out = 0

    def of(self, found: WorkflowRecord, shards: Sequence[Shard]) -> Graph:
        """Draw a workflow whose shards were read."""
        self._room -= 1
        self._workflow(found, shards, within=None)
        shown = {node.name for node in self._nodes}
        edges = (
            Edge(parent=parent, child=child, when=when)
            for child, waits in self._parents.items()
            for parent, when in map(_parent_of, waits)
            if parent in shown
        )
        return Graph(nodes=tuple(self._nodes), edges=tuple(edges), left_out=self._left_out)

    def _workflow(self, found: WorkflowRecord, shards: Sequence[Shard], *, within: str | None) -> None:
        name = ref_of(found.workflow_id)
        self._nodes.append(Node(name=name, type=found.kind, state=found.state, within=within, role="workflow"))
        self._steps(self._chosen(found, shards), name)
        for when in When:
            called = self._ports.workflows.children(ref_of(found.workflow_id, when), after=None, limit=_PAGE)
            records = self._records(called)
            for job_id in called:
                record = records.get(job_id)
                is_ours = record is not None and record.workflow == found.workflow_id and record.slot is None
                if is_ours:
                    self._room -= 1
                    self._job(job_id, record, within=name, role=_ROLES[when])

    def _nested(self, found: WorkflowRecord, *, within: str) -> None:
        """Draw a workflow within another; where there is no room for its jobs, they are not looked at."""
        if self._room > 0:
            self._workflow(found, shards_of(found, self._ports), within=within)
        else:
            self._left_out += found.jobs
            self._workflow(found, (), within=within)

    def _chosen(self, found: WorkflowRecord, shards: Sequence[Shard]) -> list[str]:
        """Return which steps are drawn, and keep their room: those of a chain in its order, others by urgency."""
        slots = most_urgent(shards, max(self._room, 0))
        self._room -= len(slots)
        self._left_out += sum(shard.counts.jobs for shard in shards) - len(slots)
        numbers = sorted({place_of(slot)[0] for slot in slots})
        names = {number: self._ports.workflows.names(found.workflow_id, number) for number in numbers}
        ordered = sorted(slots) if found.kind is Kind.CHAIN else slots
        return [names[number][place] for number, place in map(place_of, ordered) if place < len(names[number])]

    def _steps(self, names: Sequence[str], within: str) -> None:
        records = self._records([name for name in names if read_ref(name) is None])
        for name in names:
            ref = read_ref(name)
            if ref is None:
                self._job(name, records.get(name), within=within, role="job")
                continue
            nested = self._ports.workflows.get(ref[0])
            if nested is not None:
                self._nested(nested, within=within)

    def _job(self, job_id: str, record: JobRecord | None, *, within: str, role: str) -> None:
        if record is None:
            self._nodes.append(Node(name=job_id, type=None, state=None, within=within, role=role))
            return
        self._nodes.append(
            Node(
                name=job_id,
                type=record.type,
                state=record.state,
                within=within,
                role=role,
                life=record.life,
                error=record.error,
                error_type=record.error_type,
            )
        )
        self._parents[job_id] = record.after

    def _records(self, ids: list[str]) -> dict[str, JobRecord]:
        now = self._ports.clock()
        found = self._ports.ledger.get_many(ids) if ids else {}
        return {job_id: record for job_id, record in found.items() if not record.is_expired(now)}


def shards_of(found: WorkflowRecord, ports: Ports) -> Sequence[Shard]:
    """Return how the parts of a workflow stand: 100 shards a read, of 256 jobs each."""
    return ports.workflows.shards(found.workflow_id, range(1, found.shards + 1))


def _parent_of(waits_for: str) -> tuple[str, When]:
    ref = read_ref(waits_for)
    return (waits_for, When.COMPLETED) if ref is None else (ref_of(ref[0]), ref[1])
