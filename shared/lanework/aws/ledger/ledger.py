"""The ledger on DynamoDB: pynamodb shapes items and expressions, one boto client sends them (docs/decisions/0006)."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from lanework.aws.clients import translated
from lanework.aws.ledger.bulk_writes import STATEMENTS, chunks
from lanework.aws.ledger.guard_items import GuardItems
from lanework.aws.ledger.indexes import SUMMARISED, dead_page, due_page, summary_of
from lanework.aws.ledger.item import (
    EXPIRY,
    JOB,
    PAYLOAD,
    held_shard_of,
    items_of,
    job_id_of,
    may_exist,
    pk_of,
    to_item,
)
from lanework.aws.ledger.partiql import actions_of, condition_of
from lanework.aws.ledger.payloads import Payloads
from lanework.aws.ledger.read_back import to_record
from lanework.aws.ledger.steps_and_logs import Beside
from lanework.aws.writes import put_if, write_if, write_together
from lanework.engine.ports.ledger import UnavailableOne
from lanework.errors import UnavailableError
from lanework.model.job.ids import SHARDS
from lanework.model.job.payload import is_apart
from lanework.model.lifecycle.change import Applied, Refused, StepExists, has_landed
from lanework.model.lifecycle.states import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from lanework.aws.clients import Clients
    from lanework.aws.ledger.recent_index import RecentIndex
    from lanework.engine.ports.index_keys import EntryKey, JobKey, Page, Summary
    from lanework.engine.ports.transaction_items import TransactionItems
    from lanework.model.job.guard_items import GuardItem, GuardWrite
    from lanework.model.lifecycle.change import Answer, Change
    from lanework.model.lifecycle.states import JobRecord


class DynamoLedger(Beside):
    """Implements the `Ledger` port on the table `<stack>-jobs`."""

    def __init__(self, clients: Clients, *, stack: str, region: str, index_shards: int = SHARDS) -> None:
        self._clients = clients
        self._table = f"{stack}-jobs"
        super().__init__(clients, self._table)
        self._model = items_of(self._table, region=region)
        self._payloads = Payloads(clients, self._table)
        self._marks = GuardItems(clients, self._table)
        self._index_shards = index_shards

    @cached_property
    def _recent(self) -> RecentIndex:
        from lanework.aws.ledger.recent_index import RecentIndex  # noqa: PLC0415 - for lists, and more keys than usual

        return RecentIndex(self._clients, self._table, shards=self._index_shards)

    def put(self, record: JobRecord, *, is_repeated: bool = False) -> JobRecord | None:
        """`is_repeated`: it may have landed before, in another call."""
        if not is_apart(record.payload):
            return self._put_record(record, is_repeated=is_repeated)
        beside = self._payloads.item_of(record)
        if not self._payloads.put_first(beside):  # of a producer that was cut off, or of another job that has the id
            return self.put_guarded(record, ())
        existing = self._put_record(record, is_repeated=is_repeated)
        if existing is not None and _has_no_use_for(existing, record):
            self._payloads.disown(beside)
        return existing

    def _put_record(self, record: JobRecord, *, is_repeated: bool) -> JobRecord | None:
        with translated("recording a job"):
            existing = put_if(self._clients.dynamodb.put_item, self._putting(record), is_repeated=is_repeated)[1]
        return None if existing is None else self._record(existing)

    def put_many(self, records: Sequence[JobRecord]) -> list[JobRecord | UnavailableOne | None]:
        """25 a call where the endpoint has PartiQL, one by one elsewhere; after an outage the rest isn't tried."""
        if len(records) <= STATEMENTS:
            return self._put_chunk_or_not(records, [])
        from lanework.aws.concurrent_calls import concurrently  # noqa: PLC0415 - most calls enqueue few jobs

        outages: list[UnavailableError] = []
        parts = list(chunks(records))
        answers = concurrently(lambda chunk: self._put_chunk_or_not(chunk, outages), parts)
        return [one for some in answers for one in some]

    def _put_chunk_or_not(
        self, records: Sequence[JobRecord], outages: list[UnavailableError]
    ) -> list[JobRecord | UnavailableOne | None]:
        """Record a chunk, unless another has met an outage."""
        if not outages:
            try:
                return self._put_chunk(records)
            except UnavailableError as error:
                outages.append(error)
        return [UnavailableOne(str(outages[0]))] * len(records)

    def _put_chunk(self, records: Sequence[JobRecord]) -> list[JobRecord | UnavailableOne | None]:
        apart = [record for record in records if is_apart(record.payload)]
        with translated("recording payloads"):
            kept = self._bulk.insert([self._payloads.item_of(record) for record in apart]) if apart else []
        without = {record.job_id for record, is_kept in zip(apart, kept, strict=True) if not is_kept}
        whole = [record for record in records if record.job_id not in without]
        with translated("recording jobs"):
            made = self._bulk.insert([self._item_of(record) for record in whole])
        became: dict[str, bool | None] = dict.fromkeys(without, False)
        became |= {record.job_id: is_made for record, is_made in zip(whole, made, strict=True)}
        return [
            None if became[one.job_id] else self._put_again(one, is_repeated=became[one.job_id] is None)
            for one in records
        ]

    def _item_of(self, record: JobRecord) -> dict[str, Any]:
        shards = SHARDS if self._index_shards == SHARDS else self._recent.shards_to_write(record.created_at)
        return to_item(record, self._model, shards=shards)

    def _putting(self, record: JobRecord) -> dict[str, Any]:
        """Return the request that puts a job whose id is free."""
        until = EXPIRY.serialize(record.started_at or record.created_at)
        return {
            "TableName": self._table,
            "Item": self._item_of(record),
            "ConditionExpression": "attribute_not_exists(pk) OR expires_at <= :now",
            "ExpressionAttributeValues": {":now": {"N": until}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def marks(self, names: Sequence[str]) -> dict[str, GuardItem]:
        return self._marks.read(names)

    def put_guarded(
        self, record: JobRecord, markings: Sequence[GuardWrite], items: TransactionItems | None = None
    ) -> JobRecord | None:
        beside = [self._payloads.item_of(record)] if is_apart(record.payload) else []
        existing = self._marks.put(self._putting(record), beside, markings, items)
        return None if existing is None else self._record(existing)

    def change(self, job_id: str, change: Change) -> Answer:
        if not may_exist(job_id):
            return Refused(None)
        payload = cast("str | None", change.write.get(PAYLOAD))
        if payload is not None and is_apart(payload):
            return self._change_with_payload(job_id, change, payload)
        with translated(f"writing {change.name} of job {job_id}"):
            answer = _as_landed(self._write(job_id, change), change)
            if isinstance(answer, Applied) and "expires_at" in change.write and answer.record.payload is None:
                self._expire_payload(job_id, cast("datetime | None", change.write["expires_at"]))
        return answer

    def _expire_payload(self, job_id: str, expires_at: datetime | None) -> None:
        """Let a payload that lies beside its job expire with it; None: in a year."""
        self._payloads.expire(job_id, expires_at)

    def _write(self, job_id: str, change: Change) -> Answer:
        request = {**self._updating(job_id, change), "ReturnValues": "ALL_NEW"}
        answer, stored = write_if(self._clients.dynamodb.update_item, request)
        if answer is None:
            return Refused(None if stored is None else self._record(stored))
        return Applied(self._record(answer["Attributes"]))

    def change_and_keep(self, job_id: str, change: Change, *, step: str, text: str) -> Answer | StepExists:
        refused = self._write_beside(job_id, change, self.keeping_first(job_id, step, text))
        item = refused.get(1)
        return (
            StepExists(item["result"]["S"])
            if item is not None and 0 not in refused
            else self._answer(job_id, change, refused)
        )

    def _change_with_payload(self, job_id: str, change: Change, payload: str) -> Answer:
        own = replace(change, write={**change.write, PAYLOAD: None})
        beside = {"TableName": self._table, "Item": self._payloads.item(job_id, payload)}
        return self._answer(job_id, change, self._write_beside(job_id, own, beside))

    def _write_beside(self, job_id: str, change: Change, put: dict[str, Any]) -> dict[int, dict[str, Any] | None]:
        """Change a job's own item and put another: both, or neither. Return those that were refused, as found."""
        with translated(f"writing {change.name} of job {job_id}"):
            return write_together(self._clients.dynamodb, [{"Update": self._updating(job_id, change)}, {"Put": put}])

    def _answer(self, job_id: str, change: Change, refused: dict[int, dict[str, Any] | None]) -> Answer:
        if refused:
            stored = refused.get(0)
            return _as_landed(Refused(None if stored is None else self._record(stored)), change)
        record = self.get(job_id)
        return Refused(None) if record is None else Applied(record)

    def _updating(self, job_id: str, change: Change) -> dict[str, Any]:
        request: dict[str, Any] = self._model(pk_of(job_id), JOB).get_update_kwargs_from_instance(
            actions=actions_of(change, self._model, job_id),
            condition=condition_of(change, self._model),
            return_values_on_condition_failure="ALL_OLD",
        )
        return request

    def get(self, job_id: str) -> JobRecord | None:
        """One call returns the job and the payload that may lie beside it."""
        if not may_exist(job_id):
            return None
        keys = [{"pk": {"S": pk_of(job_id)}, "sk": {"S": kind}} for kind in (JOB, PAYLOAD)]
        found = self._items.read(keys, doing=f"reading job {job_id}", is_consistent=True)
        items = {item["sk"]["S"]: item for item in found}
        if JOB not in items:
            return None
        beside = {name: value for name, value in items.get(PAYLOAD, {}).items() if name == PAYLOAD}
        # The job's own item wins: what lies beside it may be from before the payload was edited.
        return self._record({**beside, **items[JOB]})

    def get_many(self, job_ids: Sequence[str], *, consistent: bool = False) -> dict[str, JobRecord]:
        # DynamoDB refuses a request that names a key twice.
        keys = [{"pk": {"S": pk_of(one)}, "sk": {"S": JOB}} for one in dict.fromkeys(job_ids) if may_exist(one)]
        found = self._items.read(keys, doing="reading jobs", is_consistent=consistent)
        return {record.job_id: record for record in map(self._record, found)}

    def payload_of(self, record: JobRecord) -> str | None:
        return self._payloads.read(record.job_id) if record.payload is None else record.payload

    def put_back(self, job_id: str, payload: str) -> bool:
        return self._payloads.put_back(job_id, payload)

    def due(self, shard: int, *, until: datetime, limit: int, after: str | None = None) -> Page[EntryKey]:
        with translated("reading the sweep index"):
            return due_page(
                self._clients.dynamodb, self._table, f"sweep#{shard}", until=until, limit=limit, after=after
            )

    def held(self, name: str, shard: int, *, limit: int, until: datetime | None = None) -> list[str]:
        found = self._items.due(held_shard_of(name, shard), until=until, limit=limit, doing="reading the sweep index")
        return [job_id_of(item["pk"]["S"]) for item in found]

    def recent(
        self, *, day: str, before: str | None, limit: int, keep: Callable[[JobKey], bool] | None = None
    ) -> Page[JobKey]:
        return self._recent.page(day=day, before=before, limit=limit, keep=keep)

    def enqueued(self, *, day: str, after: str, until: datetime) -> Page[JobKey]:
        return self._recent.enqueued(day=day, after=after, until=until)

    def summaries(self, job_ids: Sequence[str]) -> list[Summary]:
        keys = [{"pk": {"S": pk_of(one)}, "sk": {"S": JOB}} for one in dict.fromkeys(job_ids)]
        return [summary_of(item) for item in self._items.read(keys, doing="reading jobs", only=SUMMARISED)]

    def dead(
        self, *, before: str | None, limit: int, since: datetime | None = None, until: datetime | None = None
    ) -> Page[EntryKey]:
        with translated("listing dead jobs"):
            return dead_page(self._clients.dynamodb, self._table, before=before, limit=limit, since=since, until=until)

    def _put_again(self, record: JobRecord, *, is_repeated: bool) -> JobRecord | UnavailableOne | None:
        """Ask one by one for what a bulk insert didn't make: it existed, or its service was busy."""
        try:
            return self.put(record, is_repeated=is_repeated)
        except UnavailableError as error:
            return UnavailableOne(str(error))

    def _record(self, raw: Any) -> JobRecord:  # noqa: ANN401 - boto's attribute values
        return to_record(raw, self._model)


def _as_landed(answer: Answer, change: Change) -> Answer:
    """Return an answer, a refusal by what this very change has left being none (rule 17)."""
    is_own = isinstance(answer, Refused) and answer.record is not None and has_landed(change, answer.record)
    return Applied(answer.record) if is_own and answer.record is not None else answer


def _has_no_use_for(existing: JobRecord, record: JobRecord) -> bool:
    """Tell whether a payload that was put for a record is none that the job which has the id may be without."""
    differs = None not in (existing.digest, record.digest) and existing.digest != record.digest
    return existing.payload is not None or existing.state in ENDED or differs
