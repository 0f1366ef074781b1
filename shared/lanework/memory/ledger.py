"""The ledger in memory: conditional writes on records in a dict, one at a time."""

from __future__ import annotations

from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING, Any

from lanework.engine.ports.index_keys import EntryKey, JobKey, Page, Summary
from lanework.engine.ports.ledger import UnavailableOne
from lanework.errors import ContendedError, UnavailableError, is_a
from lanework.model.job.ids import held_shard, shard_of
from lanework.model.job.payload import is_apart
from lanework.model.lifecycle.change import Applied, Refused, StepExists, has_landed, holds
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from lanework.engine.ports.index_keys import KeyT
    from lanework.engine.ports.transaction_items import TransactionItems
    from lanework.model.job.guard_items import GuardItem, GuardWrite
    from lanework.model.lifecycle.change import Answer, Change
    from lanework.model.lifecycle.states import JobRecord


_PAGE = 1_000


class MemoryLedger:
    """
    Implements the `Ledger` port. As on DynamoDB, a payload over 1 KB lies beside its record, and is a write of its own.

    Attributes:
        records: Every job's record, by id, without a payload that lies beside it.
        payloads: The payloads that lie beside their records, by job.
        items: The application's own items that came with jobs, as they were given.
        write_items: Writes such items, for a job's id; by default they are kept in `items`.
        each: Makes one of the writes of a call that takes several; the proof lets any of them fail.
    """

    def __init__(self) -> None:
        self.records: dict[str, JobRecord] = {}
        self.payloads: dict[str, str] = {}
        self.items: list[Mapping[str, Any]] = []
        self.write_items: Callable[[str, TransactionItems], None] = lambda _, items: self.items.extend(items.given)
        self.each: Callable[[Callable[[], Any]], Any] = _at_once
        self._lock = RLock()
        self._steps: dict[tuple[str, str], str] = {}
        self._logs: dict[str, list[str]] = {}
        self._marks: dict[str, GuardItem] = {}

    def put(self, record: JobRecord) -> JobRecord | None:
        """The payload beside it first, so that no record is without."""
        if not is_apart(record.payload):
            return self._put_record(record)
        was_there = self.each(lambda: self._put_payload(record))
        existing: JobRecord | None = self.each(lambda: self._put_record(record, has_another=was_there))
        return existing

    def _put_payload(self, record: JobRecord) -> bool:
        """Put a payload unless there is one; tell whether there was another."""
        with self._lock:
            return self.payloads.setdefault(record.job_id, record.payload or "") != record.payload

    def _put_record(self, record: JobRecord, *, has_another: bool = False) -> JobRecord | None:
        with self._lock:
            existing = self._in_the_way(record)
            if existing is None:
                self._keep(record, is_payload_new=has_another)
            elif existing.payload is not None or existing.retired:  # one that ended may have its own
                self.payloads.pop(record.job_id, None)  # it belongs to nothing
            return existing

    def _keep(self, record: JobRecord, *, is_payload_new: bool = True) -> None:
        self.records[record.job_id] = _answered(record)
        if is_payload_new and is_apart(record.payload):
            self.payloads[record.job_id] = record.payload or ""

    def _in_the_way(self, record: JobRecord) -> JobRecord | None:
        existing = self.records.get(record.job_id)
        now = record.started_at or record.created_at
        is_over = existing is not None and existing.expires_at is not None and existing.expires_at <= now
        return None if is_over else existing

    def put_back(self, job_id: str, payload: str) -> bool:
        with self._lock:
            is_missing = job_id in self.records and job_id not in self.payloads
            if is_missing:
                self.payloads[job_id] = payload
            return is_missing

    def put_many(self, records: Sequence[JobRecord]) -> list[JobRecord | UnavailableOne | None]:
        return [self._put_one(record) for record in records]

    def _put_one(self, record: JobRecord) -> JobRecord | UnavailableOne | None:
        try:
            return self.put(record)
        except UnavailableError as error:
            return UnavailableOne(str(error))

    def marks(self, names: Sequence[str]) -> dict[str, GuardItem]:
        with self._lock:
            return {name: self._marks[name] for name in names if name in self._marks}

    def put_guarded(
        self, record: JobRecord, markings: Sequence[GuardWrite], items: TransactionItems | None = None
    ) -> JobRecord | None:
        with self._lock:
            existing = self._in_the_way(record)
            if existing is not None:
                return existing
            for marking in markings:
                found = self._marks.get(marking.mark.name)
                if marking.after != (None if found is None else found.job_id):
                    msg = f"{marking.mark.name} was written meanwhile"
                    raise ContendedError(msg)
            if items is not None:
                self.write_items(record.job_id, items)
            self._keep(record)
            self._marks |= {marking.mark.name: marking.mark for marking in markings}
            return None

    def change(self, job_id: str, change: Change) -> Answer:
        with self._lock:
            refused = self._refused(job_id, change)
            return self._changed(job_id, change) if refused is None else refused

    def change_and_keep(self, job_id: str, change: Change, *, step: str, text: str) -> Answer | StepExists:
        with self._lock:
            refused = self._refused(job_id, change)
            if refused is not None:
                return refused
            if (job_id, step) in self._steps:
                return StepExists(self._steps[job_id, step])
            self._steps[job_id, step] = text
            return self._changed(job_id, change)

    def _refused(self, job_id: str, change: Change) -> Answer | None:
        stored = self.records.get(job_id)
        if stored is not None and all(holds(condition, stored) for condition in change.require):
            return None
        return Applied(stored) if stored is not None and has_landed(change, stored) else Refused(stored)

    def _changed(self, job_id: str, change: Change) -> Answer:
        stored = self.records[job_id]
        once = {name: value for name, value in change.write_once.items() if getattr(stored, name) is None}
        attempts = {"attempts": stored.attempts + change.attempts} if change.attempts else {}
        written: dict[str, Any] = {**once, **attempts, **change.write}
        self._keep(replace(stored, **written))
        return Applied(self.records[job_id])

    def get(self, job_id: str) -> JobRecord | None:
        with self._lock:
            record = self.records.get(job_id) if is_a(job_id, str) else None
            beside = None if record is None else self.payloads.get(job_id)
            # The job's own record wins: what lies beside it may be from before the payload was edited.
            return record if record is None or beside is None or record.payload else replace(record, payload=beside)

    def get_many(self, job_ids: Sequence[str], *, consistent: bool = False) -> dict[str, JobRecord]:  # noqa: ARG002
        return {job_id: self.records[job_id] for job_id in job_ids if job_id in self.records}

    def payload_of(self, record: JobRecord) -> str | None:
        return self.payloads.get(record.job_id) if record.payload is None else record.payload

    def clear_beside(self, job_id: str) -> None:
        self._logs.pop(job_id, None)
        self.payloads.pop(job_id, None)
        self._steps = {key: result for key, result in self._steps.items() if key[0] != job_id}

    def due(self, shard: int, *, until: datetime, limit: int, after: str | None = None) -> Page[EntryKey]:
        found = [
            EntryKey(time=record.sweep_at, job_id=record.job_id)
            for record in self.records.values()
            if record.sweep_at is not None and record.sweep_at <= until
            if record.state is not State.DEAD and record.held_by is None and shard_of(record.job_id) == shard
        ]
        rest = sorted((one for one in found if after is None or one.position > after), key=lambda one: one.position)
        return Page(keys=tuple(rest[:limit]), cursor=rest[limit - 1].position if len(rest) > limit else None)

    def held(self, name: str, shard: int, *, limit: int, until: datetime | None = None) -> list[str]:
        found = sorted(
            (one.sweep_at, one.job_id)
            for one in self.records.values()
            if one.held_by == name and one.sweep_at is not None and (until is None or one.sweep_at <= until)
        )
        return [job_id for _, job_id in found if held_shard(name, job_id) == shard][:limit]

    def step(self, job_id: str, name: str) -> str | None:
        return self._steps.get((job_id, name))

    def keep_step(self, job_id: str, name: str, result: str) -> None:
        self._steps[job_id, name] = result

    def keep_first(self, job_id: str, name: str, result: str) -> str:
        with self._lock:
            return self._steps.setdefault((job_id, name), result)

    def add_log(self, job_id: str, claim_id: str, *, at: datetime, lines: Sequence[str]) -> None:  # noqa: ARG002
        self._logs.setdefault(job_id, []).extend(lines)

    def log_of(self, job_id: str) -> tuple[str, ...]:
        return tuple(self._logs.get(job_id, ()))

    def recent(
        self, *, day: str, before: str | None, limit: int, keep: Callable[[JobKey], bool] | None = None
    ) -> Page[JobKey]:
        shown = (record for record in self.records.values() if not record.retired)
        keys = (key for key in map(JobKey.of, shown) if key.created_at.date().isoformat() == day)
        return _page((key for key in keys if keep is None or keep(key)), before, limit)

    def enqueued(self, *, day: str, after: str, until: datetime) -> Page[JobKey]:
        keys = [JobKey.of(record) for record in list(self.records.values()) if not record.retired]
        found = [
            key
            for key in sorted(keys, key=lambda key: key.position)
            if key.created_at.date().isoformat() == day and key.created_at < until and key.position > after
        ]
        cursor = found[_PAGE - 1].position if len(found) > _PAGE else None
        return Page(keys=tuple(found[:_PAGE]), cursor=cursor)

    def summaries(self, job_ids: Sequence[str]) -> list[Summary]:
        return [Summary.of(self.records[job_id]) for job_id in job_ids if job_id in self.records]

    def dead(
        self, *, before: str | None, limit: int, since: datetime | None = None, until: datetime | None = None
    ) -> Page[EntryKey]:
        keys = (
            EntryKey(time=record.sweep_at, job_id=record.job_id)
            for record in self.records.values()
            if record.state is State.DEAD and record.sweep_at is not None
        )
        asked = (key for key in keys if (since is None or key.time >= since) and (until is None or key.time < until))
        return _page(asked, before, limit)


def _answered(record: JobRecord) -> JobRecord:
    """Return a record as writes and lists answer with it: a large payload is no part of it, as on DynamoDB."""
    return replace(record, payload=None) if is_apart(record.payload) else record


def _page(keys: Iterable[KeyT], before: str | None, limit: int) -> Page[KeyT]:
    found = sorted(keys, key=lambda key: key.position, reverse=True)
    rest = found if before is None else [key for key in found if key.position < before]
    is_more = len(rest) > limit
    return Page(keys=tuple(rest[:limit]), cursor=rest[limit - 1].position if is_more and limit else None)


def _at_once(write: Callable[[], Any]) -> Any:  # noqa: ANN401 - what a write answers
    return write()
