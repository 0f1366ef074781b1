"""Workflows, and who waits for whom, in memory."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from lanework.engine.ports.index_keys import Page
from lanework.engine.ports.workflows import key_of
from lanework.errors import is_a
from lanework.model.job.ids import shard_of
from lanework.model.workflow.shard import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lanework.engine.ports.index_keys import JobKey
    from lanework.model.workflow.shard import Shard
    from lanework.model.workflow.workflow import WorkflowRecord


class MemoryWorkflows:
    """Implements the `WorkflowStore` port."""

    def __init__(self) -> None:
        self._children: dict[str, set[str]] = {}
        self._records: dict[str, WorkflowRecord] = {}
        self._shards: dict[tuple[str, int], Shard] = {}
        self._names: dict[tuple[str, int], tuple[str, ...]] = {}
        self._lock = Lock()

    def add_children(self, edges: Sequence[tuple[str, str]]) -> None:
        with self._lock:
            for parent, child in edges:
                self._children.setdefault(parent, set()).add(child)

    def children(self, parent: str, *, after: str | None, limit: int) -> list[str]:
        found = sorted(self._children.get(parent, ()))
        return [child for child in found if after is None or child > after][:limit]

    def get(self, workflow_id: str) -> WorkflowRecord | None:
        return self._records.get(workflow_id) if is_a(workflow_id, str) else None

    def get_many(self, workflow_ids: Sequence[str]) -> dict[str, WorkflowRecord]:
        return {one: self._records[one] for one in workflow_ids if one in self._records}

    def write(self, record: WorkflowRecord) -> WorkflowRecord | None:
        with self._lock:
            stored = self._records.get(record.workflow_id)
            if record.revision != (0 if stored is None else stored.revision):
                return None
            written = replace(record, revision=record.revision + 1)
            self._records[record.workflow_id] = written
            return written

    def recent(self, *, day: str, before: str | None, limit: int) -> Page[JobKey]:
        keys = sorted(map(key_of, self._records.values()), key=lambda key: key.position, reverse=True)
        of_day = [key for key in keys if key.created_at.date().isoformat() == day]
        rest = [key for key in of_day if before is None or key.position < before]
        cursor = rest[limit - 1].position if len(rest) > limit else None
        return Page(keys=tuple(rest[:limit]), cursor=cursor)

    def make_shards(self, shards: Sequence[tuple[Shard, Sequence[str]]]) -> None:
        with self._lock:
            for shard, names in shards:
                self._shards.setdefault((shard.workflow_id, shard.number), shard)
                self._names.setdefault((shard.workflow_id, shard.number), tuple(names))

    def shards(self, workflow_id: str, numbers: Sequence[int]) -> list[Shard]:
        keys = [(workflow_id, number) for number in sorted(numbers)]
        return [self._shards[key] for key in keys if key in self._shards]

    def names(self, workflow_id: str, number: int) -> tuple[str, ...]:
        return self._names.get((workflow_id, number), ())

    def record_end(self, workflow_id: str, slot: int, value: int) -> Shard | None:
        number, place = place_of(slot)
        with self._lock:
            shard = self._shards.get((workflow_id, number))
            if shard is None or shard.outcomes.get(place, -1) >= value:
                return shard
            outcomes = replace(shard, outcomes={**shard.outcomes, place: value})
            self._shards[workflow_id, number] = outcomes
            return outcomes

    def look_later(self, shard: Shard, at: datetime | None) -> None:
        key = (shard.workflow_id, shard.number)
        with self._lock:
            if key in self._shards:
                self._shards[key] = replace(self._shards[key], look_at=at)

    def due_shards(self, shard: int, *, until: datetime, limit: int) -> list[tuple[str, int]]:
        due = sorted(
            (one.look_at, key)
            for key, one in self._shards.items()
            if one.look_at is not None and one.look_at <= until and shard_of(f"{key[0]}#{key[1]}") == shard
        )
        return [key for _, key in due][:limit]
