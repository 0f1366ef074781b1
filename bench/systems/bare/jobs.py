"""
The floor: a loop over boto that makes Lanework's calls and holds nothing else, its writes `single` or `batched`.

Its requests are Lanework's own, made once by its code; for each job only the names in them are replaced.
"""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import boto3
from botocore.config import Config

import work
from lanework.aws.ledger.bulk_writes import insertion
from lanework.aws.clients import Clients
from lanework.aws.ledger.item import PAYLOAD
from lanework.aws.ledger.group_commit import GroupCommitLedger
from lanework.aws.ledger.partiql import Statement
from lanework.aws.ledger.partiql import statement_of
from lanework.model.lifecycle import run_moves, claim_moves
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.model.job.payload import is_apart
from lanework.settings import Settings

STACK = os.environ["BENCH_QUEUE"]
TABLE = f"{STACK}-jobs"
SLOTS = int(os.environ.get("BENCH_SLOTS", "1"))
LOOPS = -(-SLOTS // 10)
"""How many loops run, so that no more jobs are held at once than elsewhere: a receive brings ten at most."""
AT_ONCE = -(-SLOTS // LOOPS)

_config = Config(parameter_validation=False, retries={"mode": "standard"}, max_pool_connections=50)
_session = boto3.session.Session()
sqs: Any = _session.client("sqs", endpoint_url=os.environ["BENCH_ENDPOINT"], config=_config)
dynamodb: Any = _session.client("dynamodb", endpoint_url=os.environ["BENCH_ENDPOINT"], config=_config)
URL = sqs.get_queue_url(QueueName=f"{STACK}-medium")["QueueUrl"]

NAME = "01ABCDEFGHIJKLMNOPQRSTUVWX"
"""Stands for a job's id in the requests below, and for its claim's."""
PAYLOAD_HERE = "its payload"


def _requests() -> dict[str, Any]:
    """Return Lanework's requests for a job, by what they do."""
    now = datetime.now(UTC)
    envelope = Envelope(
        id=NAME,
        type="bench.task",
        queue="bench",
        lane=Lane.MEDIUM,
        payload=PAYLOAD_HERE,
        attempts=3,
        backoff=timedelta(seconds=2),
        created_at=now,
    )
    settings = Settings(stack=STACK, region="eu-west-1", account="000000000000")
    ledger: Any = GroupCommitLedger(Clients(settings), stack=STACK, region="eu-west-1")
    put = ledger._putting(run_moves.new_record(envelope))
    claim = claim_moves.claim(life=1, claim_id=NAME, now=now, lease=timedelta(seconds=60))
    done = run_moves.complete(
        claim_id=NAME, now=now, result="1", result_omitted=None, expires_at=now + timedelta(days=8)
    )
    changes = {"claim": claim, "complete": done}
    return {
        "body": envelope.encode(),
        "put": put,
        "insert": insertion(TABLE, put["Item"]),
        **{name: {**ledger._updating(NAME, change), "ReturnValues": "ALL_NEW"} for name, change in changes.items()},
        **{
            f"{name} together": cast("Statement", statement_of(change, ledger._model, NAME, TABLE)).request
            for name, change in changes.items()
        },
    }


_TEXTS = {name: one if isinstance(one, str) else json.dumps(one) for name, one in _requests().items()}


def _request(what: str, name: str, payload: str = "") -> Any:
    """Return a request for a job of this name; a payload over 1 KB is no part of its item."""
    inline = "" if is_apart(payload) else payload
    return json.loads(_TEXTS[what].replace(NAME, name).replace(PAYLOAD_HERE, json.dumps(inline)[1:-1]))


def _payload(kind: str, padding: str) -> str:
    return json.dumps({"work": kind, "at": time.time(), "padding": padding})


def _body(name: str, payload: str) -> str:
    return _TEXTS["body"].replace(NAME, name).replace(PAYLOAD_HERE, json.dumps(payload)[1:-1])


def _apart(name: str, payload: str) -> dict[str, Any]:
    return {"pk": {"S": f"job#{name}"}, "sk": {"S": PAYLOAD}, "payload": {"S": payload}}


def enqueue(count: int, kind: str, padding: str) -> None:
    """A put, then a send, each by itself."""
    for _ in range(count):
        name, payload = uuid4().hex, _payload(kind, padding)
        dynamodb.put_item(**_request("put", name, payload))
        if is_apart(payload):
            dynamodb.put_item(TableName=TABLE, Item=_apart(name, payload))
        sqs.send_message(QueueUrl=URL, MessageBody=_body(name, payload), DelaySeconds=0)


def enqueue_many(count: int, kind: str, padding: str) -> None:
    """Inserts 25 at a time, sends ten at a time, or as many as fit in a MiB."""
    jobs = {uuid4().hex: _payload(kind, padding) for _ in range(count)}
    for chunk in _chunks(list(jobs), 25):
        dynamodb.batch_execute_statement(Statements=[_request("insert", name, jobs[name]) for name in chunk])
        apart = [{"PutRequest": {"Item": _apart(name, jobs[name])}} for name in chunk if is_apart(jobs[name])]
        if apart:
            dynamodb.batch_write_item(RequestItems={TABLE: apart})
    for chunk in _chunks(list(jobs), min(10, 1024 * 1024 // (len(padding) + 1024))):
        sqs.send_message_batch(
            QueueUrl=URL,
            Entries=[
                {"Id": str(number), "MessageBody": _body(name, jobs[name]), "DelaySeconds": 0}
                for number, name in enumerate(chunk)
            ],
        )


def _chunks(names: list[str], size: int) -> list[list[str]]:
    return [names[start : start + size] for start in range(0, len(names), size)]


def consume_singly() -> None:
    """Receive as many as may run; claim, do and complete each by itself; delete them in one call."""
    while True:
        messages = _receive()
        for name, payload in map(_job, messages):
            dynamodb.update_item(**_request("claim", name))
            _do(payload)
            dynamodb.update_item(**_request("complete", name))
            if is_apart(payload):
                dynamodb.update_item(**_expiry(name))
        _delete(messages)


def consume_batched() -> None:
    """Receive as many as may run; claim them in one call, do them, complete them in one, delete them in one."""
    while True:
        messages = _receive()
        jobs = [_job(one) for one in messages]
        if jobs:
            _write_together("claim together", jobs)
            for _, payload in jobs:
                _do(payload)
            _write_together("complete together", jobs)
        apart = [_expiry_together(name) for name, payload in jobs if is_apart(payload)]
        if apart:
            dynamodb.batch_execute_statement(Statements=apart)
        _delete(messages)


def _write_together(what: str, jobs: list[tuple[str, str]]) -> None:
    dynamodb.batch_execute_statement(Statements=[_request(what, name) for name, _ in jobs])


def _expiry(name: str) -> dict[str, Any]:
    return {
        "TableName": TABLE,
        "Key": {"pk": {"S": f"job#{name}"}, "sk": {"S": PAYLOAD}},
        "UpdateExpression": "SET expires_at = :at",
        "ExpressionAttributeValues": {":at": {"N": "2000000000"}},
        "ConditionExpression": "attribute_exists(pk)",
    }


def _expiry_together(name: str) -> dict[str, Any]:
    return {
        "Statement": f'UPDATE "{TABLE}" SET "expires_at" = ? WHERE pk = ? AND sk = ? RETURNING MODIFIED NEW *',
        "Parameters": [{"N": "2000000000"}, {"S": f"job#{name}"}, {"S": PAYLOAD}],
    }


def _job(message: dict[str, Any]) -> tuple[str, str]:
    job = json.loads(message["Body"])
    return job["id"], job["payload"]


def _do(payload: str) -> None:
    job = json.loads(payload)
    work.do(job["work"], job["at"])


def _receive() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sqs.receive_message(
        QueueUrl=URL,
        MaxNumberOfMessages=AT_ONCE,
        WaitTimeSeconds=1,
        VisibilityTimeout=60,
        MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
    ).get("Messages", [])
    return found


def _delete(messages: list[dict[str, Any]]) -> None:
    if messages:
        sqs.delete_message_batch(
            QueueUrl=URL,
            Entries=[{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(messages)],
        )


if __name__ == "__main__":
    loop = consume_singly if os.environ["BENCH_VARIANT"] == "single" else consume_batched
    for _ in range(LOOPS):
        threading.Thread(target=loop, daemon=True).start()
    threading.Event().wait()
