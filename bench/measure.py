"""One measurement: jobs are enqueued, then a worker empties the queue; both are watched from outside."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import psutil

from bench.endpoint import CREDENTIALS
from bench.peers import ROOT
from bench.work.work import RECORD
from lanework.local.emulator.subprocess_env import clean_environment
from tests.support.stacks import make_stack

if TYPE_CHECKING:
    from collections import Counter

    from bench.endpoint import Endpoint
    from bench.peers import System

LONGEST_DRAIN_S = 300.0
WRITTEN = "items written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    What is measured.

    Attributes:
        work: `noop`, or what bench/work/work.py knows beside it.
        slots: How many jobs the one worker process runs at once.
        jobs: How many.
        size: Bytes of each payload.
        mode: `single`, `spaced` (100 ms apart) or `bulk` enqueueing.
        backlog: How many more are enqueued, and not waited for.
    """

    work: str = "noop"
    slots: int = 1
    jobs: int
    size: int = 200
    mode: str = "bulk"
    backlog: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """
    What came out.

    Attributes:
        jobs: How many were enqueued.
        enqueued_per_s: Jobs enqueued a second.
        enqueue_cpu_ms: CPU of the producer a job.
        enqueue_calls: AWS calls a job to enqueue it.
        drained_per_s: Jobs done a second, from the first job's end to the last's.
        worker_cpu_ms: CPU of the worker and its children a job, in that time.
        worker_calls: AWS calls a job to run it, receives included, from the worker's start.
        writes: Items written in DynamoDB a job, from enqueue to end; refused writes too, which cost the same.
        memory_mb: Resident memory of worker and children when the last job was done.
        p50_ms, p99_ms: How long the code of a job took, so that overlapping jobs show what they cost each other.
        calls: All AWS calls, by operation, and the items written.
    """

    jobs: int
    enqueued_per_s: float
    enqueue_cpu_ms: float
    enqueue_calls: float
    drained_per_s: float
    worker_cpu_ms: float
    worker_calls: float
    writes: float
    memory_mb: float
    p50_ms: float
    p99_ms: float
    calls: dict[str, int]


def measure(system: System, case: Case, *, endpoint: Endpoint, redis: str, folder: Path) -> Measured:
    """Measure a system, with queues and tables of its own."""
    name = f"bench-{uuid4().hex[:10]}"
    done = folder / f"{name}.done"
    done.touch()
    environment = environment_of(system, name, case, endpoint=endpoint, redis=redis, done=done)
    if system.on == "aws":
        make(name, endpoint)
    first = endpoint.counts()
    said = produce(system, case, environment)
    second = endpoint.counts()
    with worker_of(system, case, environment, folder) as process:
        spent, memory = _watch(process, done, case.jobs + 1)  # one more: the producer's first
        calls = endpoint.counts() - second
    records = [RECORD.unpack(one) for one in _chunks(done.read_bytes())][: case.jobs + 1]
    ends = sorted(end for _, _, end in records)
    lasted = sorted((end - began) * 1000 for _, began, end in records)
    cuts = quantiles(lasted, n=100)
    enqueued = case.jobs + case.backlog
    return Measured(
        jobs=enqueued,
        enqueued_per_s=enqueued / said["seconds"],
        enqueue_cpu_ms=said["cpu"] * 1000 / enqueued,
        enqueue_calls=_sum(second - first) / enqueued,
        drained_per_s=(len(ends) - 1) / (ends[-1] - ends[0]),
        worker_cpu_ms=spent * 1000 / case.jobs,
        worker_calls=_sum(calls) / case.jobs,
        writes=(second - first)[WRITTEN] / enqueued + calls[WRITTEN] / case.jobs,
        memory_mb=memory,
        p50_ms=cuts[49],
        p99_ms=cuts[98],
        calls=dict(second - first + calls),
    )


def environment_of(
    system: System, name: str, case: Case, *, endpoint: Endpoint, redis: str, done: Path
) -> dict[str, str]:
    """Return what a system's producer and worker find in their environment."""
    return {
        **clean_environment(),
        **CREDENTIALS,
        "PYTHONPATH": os.pathsep.join([str(system.home), str(ROOT / "work")]),
        "BENCH_ENDPOINT": endpoint.url,
        "BENCH_REDIS": redis,
        "BENCH_QUEUE": name,
        "BENCH_SLOTS": str(case.slots),
        "BENCH_SIZE": str(case.size),
        "BENCH_VARIANT": system.variant,
        "BENCH_BATCHING": "1" if case.mode == "bulk" else "0",
        "BENCH_DONE": str(done),
        "AWS_ENDPOINT_URL": endpoint.url,
        "LANEWORK_STACK": name,
        "LANEWORK_ACCOUNT": "000000000000",
        "POWERTOOLS_LOG_LEVEL": "ERROR",  # as the peers: no line for each job
    }


def make(name: str, endpoint: Endpoint) -> None:
    """Make what the systems find: Lanework's queues and table, Celery's table, taskiq's bucket."""
    os.environ.update(CREDENTIALS)
    make_stack(name, endpoint.url)
    boto3.client("s3", endpoint_url=endpoint.url).create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    boto3.client("dynamodb", endpoint_url=endpoint.url).create_table(
        TableName=f"{name}-celery",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )


def produce(system: System, case: Case, environment: dict[str, str]) -> dict[str, float]:
    """Run a system's producer; return the seconds and CPU seconds that it took, without its warm-up."""
    command = system.producer(case.mode, case.jobs + case.backlog, case.work, case.size)
    with subprocess.Popen(
        command,
        env=environment,
        cwd=system.home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        out, err = process.communicate("go\n", timeout=LONGEST_DRAIN_S)
    if process.returncode != 0:
        msg = f"{system.name}'s producer failed: {err[-2000:]}"
        raise RuntimeError(msg)
    said: dict[str, float] = json.loads(out.splitlines()[-1])
    return said


@contextlib.contextmanager
def worker_of(system: System, case: Case, environment: dict[str, str], folder: Path) -> Any:
    """Run a system's worker for as long as a block lasts."""
    with (folder / f"{system.folder}.log").open("ab") as log:
        process = subprocess.Popen(
            system.command(slots=case.slots, queue=environment["BENCH_QUEUE"], redis=environment["BENCH_REDIS"]),
            env=environment,
            cwd=system.home,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, then end its process group."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(15)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _watch(process: subprocess.Popen[bytes], done: Path, jobs: int) -> tuple[float, float]:
    """Return the CPU seconds from the first job done to the last, and the memory then in MB."""
    root = psutil.Process(process.pid)
    deadline = time.monotonic() + LONGEST_DRAIN_S
    before: float | None = None
    while (count := done.stat().st_size // RECORD.size) < jobs:
        if before is None and count:
            before = _cpu(root)
        if process.poll() is not None or time.monotonic() > deadline:
            msg = f"the worker did {count} of {jobs} jobs; see its log beside {done}"
            raise RuntimeError(msg)
        time.sleep(0.005)
    after, memory = _cpu(root), _memory(root)
    return after - (before or after), memory


def _family(root: psutil.Process) -> list[psutil.Process]:
    return [root, *root.children(recursive=True)]


def _cpu(root: psutil.Process) -> float:
    total = 0.0
    for one in _family(root):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
    return total


def _memory(root: psutil.Process) -> float:
    total = 0
    for one in _family(root):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += one.memory_info().rss
    return total / 1024 / 1024


def _sum(counts: Counter[str]) -> int:
    """Return how many calls there were; items written are no calls."""
    return sum(count for name, count in counts.items() if name != WRITTEN)


def _chunks(data: bytes) -> list[bytes]:
    return [data[start : start + RECORD.size] for start in range(0, len(data) - RECORD.size + 1, RECORD.size)]
