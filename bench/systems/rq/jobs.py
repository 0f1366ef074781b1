"""RQ: another broker, Redis. What people leave."""

from __future__ import annotations

import os
import time

import task
from redis import Redis
from rq import Queue

queue = Queue(os.environ["BENCH_QUEUE"], connection=Redis.from_url(os.environ["BENCH_REDIS"]))


def enqueue(count: int, kind: str, padding: str) -> None:
    """One by one."""
    for _ in range(count):
        queue.enqueue(task.task, kind, time.time(), padding)


def enqueue_many(count: int, kind: str, padding: str) -> None:
    """In one pipeline."""
    queue.enqueue_many([Queue.prepare_data(task.task, (kind, time.time(), padding)) for _ in range(count)])
