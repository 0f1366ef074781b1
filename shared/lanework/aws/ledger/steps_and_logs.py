"""What is kept beside a job, in items of its partition: its steps, and the lines of its attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.clients import translated
from lanework.aws.ledger.bulk_writes import BulkPut
from lanework.aws.ledger.item import JOB, MOMENT, pk_of
from lanework.aws.writes import write_if

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lanework.aws.clients import Clients

_KEPT_FOR: Final = timedelta(days=90)
"""How long lines are kept, and steps after the last pass of their job: it may wait for 60 days until the next one."""

_RENEWED_UNDER: Final = timedelta(days=75)
"""Steps with less time left are kept on: a wait of 60 days and two weeks of trouble fit."""

_STEP: Final = "step#"


class Beside:
    """Reads and writes a job's steps and lines, and deletes all that lies beside it."""

    def __init__(
        self, clients: Clients, table: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._clock = clock
        self._clients = clients
        self._table = table
        self._bulk = BulkPut(clients, table)

    def step(self, job_id: str, name: str) -> str | None:
        with translated(f"reading step {name} of job {job_id}"):
            answer: Any = self._clients.dynamodb.get_item(
                TableName=self._table, Key=key_beside(job_id, f"{_STEP}{name}"), ConsistentRead=True
            )
            return self._left_by(job_id, answer["Item"]) if "Item" in answer else None

    def keep_step(self, job_id: str, name: str, result: str) -> None:
        with translated(f"keeping step {name} of job {job_id}"):
            self._put(job_id, f"{_STEP}{name}", {"result": {"S": result}})

    def keep_first(self, job_id: str, name: str, result: str) -> str:
        with translated(f"keeping step {name} of job {job_id}"):
            _, before = write_if(self._clients.dynamodb.put_item, self.keeping_first(job_id, name, result))
            return result if before is None else self._left_by(job_id, before)

    def keeping_first(self, job_id: str, name: str, result: str) -> dict[str, Any]:
        """Return the request that keeps what a step left, unless it has left something before."""
        return {
            "TableName": self._table,
            "Item": self._item(job_id, f"{_STEP}{name}", {"result": {"S": result}}),
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def add_log(self, job_id: str, claim_id: str, *, at: datetime, lines: Sequence[str]) -> None:
        """An item for each attempt, in the order of their ends."""
        with translated(f"keeping the log of job {job_id}"):
            key = f"log#{MOMENT.serialize(at)}#{claim_id}"
            self._put(job_id, key, {"lines": {"L": [{"S": line} for line in lines]}})

    def log_of(self, job_id: str) -> tuple[str, ...]:
        with translated(f"reading the log of job {job_id}"):
            answer = self._clients.dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :log)",
                ExpressionAttributeValues={":pk": {"S": pk_of(job_id)}, ":log": {"S": "log#"}},
                ConsistentRead=True,
            )
        return tuple(line["S"] for item in answer["Items"] for line in item["lines"]["L"])

    def clear(self, job_id: str) -> None:
        with translated(f"clearing what lies beside job {job_id}"):
            self._bulk.delete([key_beside(job_id, kind) for kind in self._kinds(job_id) if kind != JOB])

    def _left_by(self, job_id: str, step: Any) -> str:  # noqa: ANN401 - an item
        """
        Return what a step left; if it is old, keep all steps of its job on.

        All of them: a signal that the job has not asked for yet is old, too. Each pass comes by some step. One that has
        gone meanwhile stays so.
        """
        if int(step["expires_at"]["N"]) < (self._clock() + _RENEWED_UNDER).timestamp():
            for kind in [kind for kind in self._kinds(job_id) if kind.startswith(_STEP)]:
                request = {
                    "TableName": self._table,
                    "Key": key_beside(job_id, kind),
                    "UpdateExpression": "SET expires_at = :at",
                    "ConditionExpression": "attribute_exists(pk)",
                    "ExpressionAttributeValues": {":at": self._expires_at()},
                }
                write_if(self._clients.dynamodb.update_item, request)
        return str(step["result"]["S"])

    def _kinds(self, job_id: str) -> Iterator[str]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk_of(job_id)}},
            "ProjectionExpression": "sk",
        }
        while True:
            answer = self._clients.dynamodb.query(**request)
            yield from (item["sk"]["S"] for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _put(self, job_id: str, kind: str, values: dict[str, Any]) -> None:
        self._clients.dynamodb.put_item(TableName=self._table, Item=self._item(job_id, kind, values))

    def _item(self, job_id: str, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        """Return an item beside a job. It outlives the job by months at most: what ends a job knows nothing of it."""
        return {**key_beside(job_id, kind), **values, "expires_at": self._expires_at()}

    def _expires_at(self) -> dict[str, str]:
        return {"N": str(round((self._clock() + _KEPT_FOR).timestamp()))}


def key_beside(job_id: str, kind: str) -> dict[str, Any]:
    return {"pk": {"S": pk_of(job_id)}, "sk": {"S": kind}}
