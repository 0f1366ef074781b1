"""
Payloads that lie beside their jobs: over 1 KB, since every write to a job's item pays for all of it.

A payload is written before its record (rule 16), on condition that there is none: another producer with the same id may
have been faster. What it leaves where its record is not made expires by itself.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.clients import translated
from lanework.aws.ledger.item import EXPIRY, PAYLOAD, job_id_of
from lanework.aws.ledger.steps_and_logs import key_beside
from lanework.aws.table import Table

if TYPE_CHECKING:
    from lanework.aws.clients import Clients
    from lanework.model.lifecycle.states import JobRecord

_BACKSTOP: Final = timedelta(days=365)
"""A payload's own item gets its expiry when the job ends; should that write be lost, it goes a year after its start."""

_RENEWED_UNDER: Final = timedelta(days=180)
"""One with less time left, of a job that goes on, is kept on: a redrive may have been cut off before it did that."""


class Payloads:
    """Writes and reads them, in the jobs table."""

    def __init__(self, clients: Clients, table: str) -> None:
        self._clients = clients
        self._items = Table(clients, table)

    def item_of(self, record: JobRecord) -> dict[str, Any]:
        return self.item(record.job_id, record.payload or "", starts_at=record.run_at)

    def item(self, job_id: str, payload: str, *, starts_at: datetime | None = None) -> dict[str, Any]:
        """Return a payload's item, to be kept for a year from its job's start."""
        expires_at = (starts_at or datetime.now(UTC)) + _BACKSTOP
        return {
            **key_beside(job_id, PAYLOAD),
            PAYLOAD: {"S": payload},
            "expires_at": {"N": EXPIRY.serialize(expires_at)},
        }

    def put_first(self, item: dict[str, Any]) -> bool:
        """Put a payload unless there is one; tell whether this one is there now, or was, by an answer that was lost."""
        answer, stored = self._items.put_first(item, doing="recording a payload")
        return answer is not None or stored == item

    def put_back(self, job_id: str, payload: str) -> bool:
        """A read, which costs a fraction of a refused write of the whole item."""
        doing = f"checking the payload of job {job_id}"
        with translated(doing):
            answer: Any = self._clients.dynamodb.get_item(
                TableName=self._items.name, Key=key_beside(job_id, PAYLOAD), ProjectionExpression="expires_at"
            )
        if "Item" not in answer:
            return self._items.put_first(self.item(job_id, payload), doing=doing)[0] is not None
        until = answer["Item"].get("expires_at")
        if until is not None and EXPIRY.deserialize(until["N"]) < datetime.now(UTC) + _RENEWED_UNDER:
            self.expire(job_id, datetime.now(UTC) + _BACKSTOP)
        return False

    def read(self, job_id: str) -> str | None:
        item = self._items.get(key_beside(job_id, PAYLOAD), doing=f"reading the payload of job {job_id}") or {}
        return item[PAYLOAD]["S"] if PAYLOAD in item else None

    def expire(self, job_id: str, expires_at: datetime | None) -> None:
        """Let a payload expire with its job; None: in a year. Nothing happens where there is none."""
        until = datetime.now(UTC) + _BACKSTOP if expires_at is None else expires_at
        self._set_expiry(job_id, until, "attribute_exists(pk)", {})

    def disown(self, item: dict[str, Any]) -> None:
        """Let a payload go that was put for a record which was not made, unless somebody has put another since."""
        own = {":own": item["expires_at"]}
        self._set_expiry(job_id_of(item["pk"]["S"]), datetime.now(UTC), "expires_at = :own", own)

    def expiring(self, job_id: str, expires_at: datetime) -> dict[str, Any]:
        """Return the statement that lets a payload expire, to be sent with others."""
        return {
            "Statement": f'UPDATE "{self._items.name}" SET "expires_at" = ? WHERE pk = ? AND sk = ? '
            "RETURNING MODIFIED NEW *",
            "Parameters": [{"N": EXPIRY.serialize(expires_at)}, *key_beside(job_id, PAYLOAD).values()],
        }

    def _set_expiry(self, job_id: str, until: datetime, condition: str, values: dict[str, Any]) -> None:
        update = {
            "UpdateExpression": "SET expires_at = :at",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {":at": {"N": EXPIRY.serialize(until)}, **values},
        }
        self._items.update(
            key_beside(job_id, PAYLOAD), update, doing=f"setting the expiry of the payload of job {job_id}"
        )
