"""Celery on SQS; with BENCH_VARIANT=results, results in DynamoDB. Settings as its documentation advises for SQS."""

from __future__ import annotations

import os
import time

import work
from celery import Celery

KEEPS_RESULTS = os.environ["BENCH_VARIANT"] == "results"
HOST = os.environ["BENCH_ENDPOINT"].removeprefix("http://")
QUEUE = os.environ["BENCH_QUEUE"] + "-medium"

app = Celery("bench", broker=f"sqs://test:test@{HOST}")
app.conf.update(
    broker_transport_options={
        "region": "eu-west-1",
        "is_secure": False,
        "wait_time_seconds": 1,
        "polling_interval": 0,  # it would sleep a second between receives with one slot
        "visibility_timeout": 60,
        "predefined_queues": {QUEUE: {"url": f"{os.environ['BENCH_ENDPOINT']}/000000000000/{QUEUE}"}},
    },
    task_default_queue=QUEUE,
    task_acks_late=True,
    task_ignore_result=not KEEPS_RESULTS,
    worker_enable_remote_control=False,
    worker_prefetch_multiplier=10,
    broker_connection_retry_on_startup=True,
)
if KEEPS_RESULTS:
    host, port = HOST.split(":")
    app.conf.result_backend = f"dynamodb://test:test@{host}:{port}/{os.environ['BENCH_QUEUE']}-celery"
    app.conf.dynamodb_endpoint_url = os.environ["BENCH_ENDPOINT"]


@app.task(name="bench.task")
def task(kind: str, at: float, padding: str) -> int:
    """Do it."""
    return work.do(kind, at)


def enqueue(count: int, kind: str, padding: str) -> None:
    """One by one."""
    for _ in range(count):
        task.delay(kind, time.time(), padding)


def enqueue_many(count: int, kind: str, padding: str) -> None:
    """As a group: Celery has no batched sends."""
    from celery import group

    group(task.s(kind, time.time(), padding) for _ in range(count)).apply_async()
