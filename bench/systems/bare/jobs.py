"""The floor: a loop over boto that makes Lanework's calls and holds nothing else, its writes `single` or `batched`."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config

import work

TABLE = os.environ["BENCH_QUEUE"] + "-jobs"
QUEUE = os.environ["BENCH_QUEUE"] + "-medium"
SLOTS = int(os.environ.get("BENCH_SLOTS", "1"))
LOOPS = -(-SLOTS // 10)
"""How many loops run, so that no more jobs are held at once than elsewhere: a receive brings ten at most."""
AT_ONCE = -(-SLOTS // LOOPS)

_config = Config(parameter_validation=False, retries={"mode": "standard"}, max_pool_connections=50)
_session = boto3.session.Session()
sqs: Any = _session.client("sqs", endpoint_url=os.environ["BENCH_ENDPOINT"], config=_config)
dynamodb: Any = _session.client("dynamodb", endpoint_url=os.environ["BENCH_ENDPOINT"], config=_config)
URL = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]


def _item(name: str, padding: str) -> dict[str, Any]:
    return {
        "pk": {"S": name},
        "sk": {"S": "job"},
        "state": {"S": "queued"},
        "payload": {"S": padding},
        "recent_shard": {"S": f"day#{hash(name) % 4}"},
        "recent_key": {"S": f"{time.time()}#{name}"},
    }


def _body(name: str, kind: str, padding: str) -> str:
    return json.dumps({"id": name, "work": kind, "at": time.time(), "padding": padding})


def enqueue(count: int, kind: str, padding: str) -> None:
    """A put, then a send, each by itself."""
    for _ in range(count):
        name = uuid4().hex
        dynamodb.put_item(TableName=TABLE, Item=_item(name, padding), ConditionExpression="attribute_not_exists(pk)")
        sqs.send_message(QueueUrl=URL, MessageBody=_body(name, kind, padding))


def enqueue_many(count: int, kind: str, padding: str) -> None:
    """Inserts 25 at a time, sends ten at a time, or as many as fit in a MiB."""
    names = [uuid4().hex for _ in range(count)]
    for start in range(0, count, 25):
        statements = []
        for name in names[start : start + 25]:
            item = _item(name, padding)
            fields = ", ".join(f"'{field}': ?" for field in item)
            statements.append(
                {"Statement": f'INSERT INTO "{TABLE}" VALUE {{{fields}}}', "Parameters": list(item.values())}
            )
        dynamodb.batch_execute_statement(Statements=statements)
    at_once = min(10, 1024 * 1024 // (len(padding) + 1024))
    for start in range(0, count, at_once):
        sqs.send_message_batch(
            QueueUrl=URL,
            Entries=[
                {"Id": str(number), "MessageBody": _body(name, kind, padding)}
                for number, name in enumerate(names[start : start + at_once])
            ],
        )


def consume_singly() -> None:
    """Receive as many as may run; claim, do and complete each by itself; delete them in one call."""
    while True:
        messages = _receive()
        for message in messages:
            job = json.loads(message["Body"])
            _update(job["id"], "running", "queued")
            work.do(job["work"], job["at"])
            _update(job["id"], "completed", "running")
        _delete(messages)


def consume_batched() -> None:
    """Receive as many as may run; claim them in one call, do them, complete them in one, delete them in one."""
    while True:
        messages = _receive()
        jobs = [json.loads(message["Body"]) for message in messages]
        if jobs:
            _update_many(jobs, "running", "queued")
            for job in jobs:
                work.do(job["work"], job["at"])
            _update_many(jobs, "completed", "running")
        _delete(messages)


def _receive() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sqs.receive_message(
        QueueUrl=URL, MaxNumberOfMessages=AT_ONCE, WaitTimeSeconds=1, VisibilityTimeout=60
    ).get("Messages", [])
    return found


def _delete(messages: list[dict[str, Any]]) -> None:
    if messages:
        sqs.delete_message_batch(
            QueueUrl=URL,
            Entries=[{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(messages)],
        )


def _update(name: str, state: str, before: str) -> None:
    dynamodb.update_item(
        TableName=TABLE,
        Key={"pk": {"S": name}, "sk": {"S": "job"}},
        UpdateExpression="SET #s = :s, claim_id = :c, due_at = :d",
        ConditionExpression="#s = :b",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={
            ":s": {"S": state},
            ":b": {"S": before},
            ":c": {"S": name},
            ":d": {"N": str(int(time.time()))},
        },
        ReturnValues="ALL_NEW",
    )


def _update_many(jobs: list[dict[str, Any]], state: str, before: str) -> None:
    statement = (
        f'UPDATE "{TABLE}" SET "state" = ? SET "claim_id" = ? SET "due_at" = ? '
        'WHERE pk = ? AND sk = ? AND "state" = ? RETURNING ALL NEW *'
    )
    dynamodb.batch_execute_statement(
        Statements=[
            {
                "Statement": statement,
                "Parameters": [
                    {"S": state},
                    {"S": job["id"]},
                    {"N": str(int(time.time()))},
                    {"S": job["id"]},
                    {"S": "job"},
                    {"S": before},
                ],
            }
            for job in jobs
        ]
    )


if __name__ == "__main__":
    loop = consume_singly if os.environ["BENCH_VARIANT"] == "single" else consume_batched
    for _ in range(LOOPS):
        threading.Thread(target=loop, daemon=True).start()
    threading.Event().wait()
