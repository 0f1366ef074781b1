"""What is kept beside a job, in items of its partition: its steps, and the lines of its attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.clients import translated
from lanework.aws.ledger.bulk_writes import BulkPut
from lanework.aws.ledger.item import JOB, MOMENT, pk_of
from lanework.aws.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lanework.aws.clients import Clients

_KEPT_FOR: Final = timedelta(days=90)
"""How long lines are kept, and steps after the last pass of their job: it may wait for 60 days until the next one."""

_RENEWED_UNDER: Final = timedelta(days=75)
"""Steps with less time left are kept on: a wait of 60 days and two weeks of trouble fit."""

_STEP: Final = "step#"


class Beside:
    """Implements what the `Ledger` port says of steps and lines, and deletes all that lies beside a job."""

    def __init__(
        self, clients: Clients, table: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._clock = clock
        self._items = Table(clients, table)
        self._bulk = BulkPut(clients, table)

    def step(self, job_id: str, name: str) -> str | None:
        item = self._items.get(key_beside(job_id, f"{_STEP}{name}"), doing=f"reading step {name} of job {job_id}")
        return None if item is None else self._left_by(job_id, item)

    def keep_step(self, job_id: str, name: str, result: str) -> None:
        self._items.put(self._step(job_id, name, result), doing=f"keeping step {name} of job {job_id}")

    def keep_first(self, job_id: str, name: str, result: str) -> str:
        before = self._items.put_first(self._step(job_id, name, result), doing=f"keeping step {name} of job {job_id}")[
            1
        ]
        return result if before is None else self._left_by(job_id, before)

    def keeping_first(self, job_id: str, name: str, result: str) -> dict[str, Any]:
        """Return the request that keeps what a step left, unless it has left something before."""
        return self._items.putting_first(self._step(job_id, name, result))

    def add_log(self, job_id: str, claim_id: str, *, at: datetime, lines: Sequence[str]) -> None:
        """An item for each attempt, in the order of their ends."""
        kept = {"lines": {"L": [{"S": line} for line in lines]}}
        item = self._item(job_id, f"log#{MOMENT.serialize(at)}#{claim_id}", kept)
        self._items.put(item, doing=f"keeping the log of job {job_id}")

    def log_of(self, job_id: str) -> tuple[str, ...]:
        found = self._items.query(
            "pk = :pk AND begins_with(sk, :log)",
            {":pk": {"S": pk_of(job_id)}, ":log": {"S": "log#"}},
            doing=f"reading the log of job {job_id}",
            ConsistentRead=True,
        )
        return tuple(line["S"] for item in found for line in item["lines"]["L"])

    def clear_beside(self, job_id: str) -> None:
        with translated(f"deleting the items of job {job_id}"):
            self._bulk.delete([key_beside(job_id, kind) for kind in self._kinds(job_id) if kind != JOB])

    def _left_by(self, job_id: str, step: Any) -> str:  # noqa: ANN401 - an item
        """
        Return what a step left; if it is old, keep all steps of its job on.

        All of them: a signal that the job has not asked for yet is old, too. Each pass comes by some step. One that has
        gone meanwhile stays so.
        """
        if int(step["expires_at"]["N"]) < (self._clock() + _RENEWED_UNDER).timestamp():
            update = {
                "UpdateExpression": "SET expires_at = :at",
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeValues": {":at": self._expires_at()},
            }
            for kind in [kind for kind in self._kinds(job_id) if kind.startswith(_STEP)]:
                self._items.update(key_beside(job_id, kind), update, doing=f"keeping steps of job {job_id}")
        return str(step["result"]["S"])

    def _kinds(self, job_id: str) -> Iterator[str]:
        values, doing = {":pk": {"S": pk_of(job_id)}}, f"reading what lies beside job {job_id}"
        found = self._items.query("pk = :pk", values, doing=doing, ProjectionExpression="sk")
        return (item["sk"]["S"] for item in found)

    def _step(self, job_id: str, name: str, result: str) -> dict[str, Any]:
        return self._item(job_id, f"{_STEP}{name}", {"result": {"S": result}})

    def _item(self, job_id: str, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        """Return an item beside a job. It outlives the job by months at most: what ends a job knows nothing of it."""
        return {**key_beside(job_id, kind), **values, "expires_at": self._expires_at()}

    def _expires_at(self) -> dict[str, str]:
        return {"N": str(round((self._clock() + _KEPT_FOR).timestamp()))}


def key_beside(job_id: str, kind: str) -> dict[str, Any]:
    return {"pk": {"S": pk_of(job_id)}, "sk": {"S": kind}}
