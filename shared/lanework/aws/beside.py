"""What is kept beside a job, in items of its partition: its steps, and the lines of its attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lanework.aws.bulk import BulkPut
from lanework.aws.clients import translated
from lanework.aws.items import JOB, JobItem, pk_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lanework.aws.clients import Clients

_KEPT_FOR: Final = timedelta(days=90)
"""How long lines and steps are kept; a job that still runs after that repeats its steps."""


class Beside:
    """Reads and writes a job's steps and lines, and deletes all that lies beside it."""

    def __init__(self, clients: Clients, table: str) -> None:
        """Use this table."""
        self._clients = clients
        self._table = table
        self._bulk = BulkPut(clients, table)

    def step(self, job_id: str, name: str) -> str | None:
        """See `Ledger.step`."""
        with translated(f"reading step {name} of job {job_id}"):
            answer = self._clients.dynamodb.get_item(
                TableName=self._table, Key=key_beside(job_id, f"step#{name}"), ConsistentRead=True
            )
        return answer["Item"]["result"]["S"] if "Item" in answer else None

    def keep_step(self, job_id: str, name: str, result: str) -> None:
        """See `Ledger.keep_step`."""
        with translated(f"keeping step {name} of job {job_id}"):
            self._put(job_id, f"step#{name}", {"result": {"S": result}})

    def keep_first(self, job_id: str, name: str, result: str) -> str:
        """See `Ledger.keep_first`."""
        with translated(f"keeping step {name} of job {job_id}"):
            try:
                self._clients.dynamodb.put_item(**self.keeping_first(job_id, name, result))
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                item: Any = error.response.get("Item")
                return str(item["result"]["S"])
        return result

    def keeping_first(self, job_id: str, name: str, result: str) -> dict[str, Any]:
        """Return the request that keeps what a step left, unless it has left something before."""
        return {
            "TableName": self._table,
            "Item": _item(job_id, f"step#{name}", {"result": {"S": result}}),
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def add_log(self, job_id: str, claim_id: str, *, at: datetime, lines: Sequence[str]) -> None:
        """See `Ledger.add_log`: an item for each attempt, in the order of their ends."""
        with translated(f"keeping the log of job {job_id}"):
            key = f"log#{JobItem.sweep_at.serialize(at)}#{claim_id}"
            self._put(job_id, key, {"lines": {"L": [{"S": line} for line in lines]}})

    def log_of(self, job_id: str) -> tuple[str, ...]:
        """See `Ledger.log_of`."""
        with translated(f"reading the log of job {job_id}"):
            answer = self._clients.dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :log)",
                ExpressionAttributeValues={":pk": {"S": pk_of(job_id)}, ":log": {"S": "log#"}},
                ConsistentRead=True,
            )
        return tuple(line["S"] for item in answer["Items"] for line in item["lines"]["L"])

    def clear(self, job_id: str) -> None:
        """See `Ledger.clear_beside`."""
        with translated(f"clearing what lies beside job {job_id}"):
            self._bulk.delete([key_beside(job_id, kind) for kind in self._kinds(job_id) if kind != JOB])

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
        self._clients.dynamodb.put_item(TableName=self._table, Item=_item(job_id, kind, values))


def _item(job_id: str, kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return an item beside a job. It outlives the job by months at most: what ends a job knows nothing of it."""
    expires_at = round((datetime.now(UTC) + _KEPT_FOR).timestamp())
    return {**key_beside(job_id, kind), **values, "expires_at": {"N": str(expires_at)}}


def key_beside(job_id: str, kind: str) -> dict[str, Any]:
    """Return the key of one of a job's items."""
    return {"pk": {"S": pk_of(job_id)}, "sk": {"S": kind}}
