"""taskiq-aio-sqs; with BENCH_VARIANT=results, results in S3."""

from __future__ import annotations

import asyncio
import os
import time

import work
from taskiq_aio_sqs import S3Backend, SQSBroker

_WHERE = {
    "endpoint_url": os.environ["BENCH_ENDPOINT"],
    "region_name": "eu-west-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
broker = SQSBroker(
    os.environ["BENCH_QUEUE"] + "-medium",
    wait_time_seconds=1,
    max_number_of_messages=10,
    visibility_timeout=60,
    enable_batching=os.environ.get("BENCH_BATCHING") == "1",
    batch_size=min(10, 1024 * 1024 // (int(os.environ["BENCH_SIZE"]) + 1024)),  # it loses a batch of more than a MiB
    batch_timeout=0.1,
    **_WHERE,
)
if os.environ["BENCH_VARIANT"] == "results":
    broker = broker.with_result_backend(S3Backend(os.environ["BENCH_QUEUE"], **_WHERE))


@broker.task(task_name="bench.task")
async def task(kind: str, at: float, padding: str) -> int:
    """Do it."""
    return await work.do_async(kind, at)


def enqueue(count: int, kind: str, padding: str) -> None:
    """One after the other."""

    async def one_by_one() -> None:
        for _ in range(count):
            await task.kiq(kind, time.time(), padding)

    _run(one_by_one)


def enqueue_many(count: int, kind: str, padding: str) -> None:
    """A hundred at a time, which its broker sends in batches of ten."""

    async def together() -> None:
        for start in range(0, count, 100):
            size = min(100, count - start)
            await asyncio.gather(*(task.kiq(kind, time.time(), padding) for _ in range(size)))

    _run(together)


_loop = asyncio.new_event_loop()
_is_started = False


def _run(enqueue_all) -> None:
    """Enqueue, and wait until its buffers are sent: its shutdown, which would, hangs in 2.1.1."""

    async def and_flush() -> None:
        global _is_started
        if not _is_started:
            await broker.startup()
            _is_started = True
        await enqueue_all()
        while any(not one.empty() for one in broker._batch_buffers.values()):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        if broker._batch_buffers:
            await asyncio.sleep(0.2)  # the last batch waits for its time-out, and is sent

    _loop.run_until_complete(and_flush())
