"""dramatiq-sqs; it keeps no results on AWS."""

from __future__ import annotations

import os
import time

import dramatiq
import work
from dramatiq_sqs import SQSBroker

broker = SQSBroker(
    namespace=os.environ["BENCH_QUEUE"],
    endpoint_url=os.environ["BENCH_ENDPOINT"],
    region_name="eu-west-1",
    visibility_timeout=60,
)
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name="medium")
def task(kind: str, at: float, padding: str) -> int:
    """Do it."""
    return work.do(kind, at)


def enqueue(count: int, kind: str, padding: str) -> None:
    """One by one."""
    for _ in range(count):
        task.send(kind, time.time(), padding)


def enqueue_many(count: int, kind: str, padding: str) -> None:
    """As a group: dramatiq-sqs has no batched sends."""
    dramatiq.group(task.message(kind, time.time(), padding) for _ in range(count)).run()
