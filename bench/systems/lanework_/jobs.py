"""Lanework, as its README shows it. The worker is `lanework worker`."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from lanework import App, Concurrency, Jobs, Lane, Rate

try:
    import work
except ImportError:  # imported by the benchmark itself, which runs no job
    from bench.work import work

family = Jobs(queue="bench", attempts=3)


class Task(BaseModel):
    """What every system's job is given."""

    work: str
    at: float
    padding: str


VARIANTS: dict[str, Any] = {
    "concurrency": {"concurrency": Concurrency(1000)},
    "rate": {"rate": Rate(100_000, per=timedelta(minutes=1))},
    "start": {"record": "start"},
}
"""What the job type says, by BENCH_VARIANT; nothing reaches the limits: what is seen is what they cost."""


@family.job("bench.task", **VARIANTS.get(os.environ.get("BENCH_VARIANT", ""), {}))
def task(of: Task) -> int:
    """Do it."""
    done: int = work.do(of.work, of.at)
    return done


app = App(family)


def enqueue(count: int, kind: str, padding: str) -> None:
    """One by one."""
    for _ in range(count):
        task.enqueue(Task(work=kind, at=time.time(), padding=padding))


def enqueue_many(count: int, kind: str, padding: str) -> None:
    """All at once."""
    task.enqueue_many(Task(work=kind, at=time.time(), padding=padding) for _ in range(count))


def connect(stack: str, endpoint: str) -> App:
    """Let the application run on this stack."""
    from lanework.settings import Settings
    from lanework.wiring import aws_ports

    app.use(aws_ports(Settings(stack=stack, region="eu-west-1", endpoint=endpoint, account="000000000000")))
    return app


def fill(count: int, *, lanes: tuple[Lane, ...]) -> None:
    """Enqueue jobs that wait for 50 ms into lanes in turn; their records carry no time of enqueue."""
    task.enqueue_many(
        task.request(Task(work="wait", at=0, padding=""), lane=lanes[number % len(lanes)]) for number in range(count)
    )


def enqueue_critical() -> None:
    """Enqueue a critical job that does nothing."""
    task.enqueue(Task(work="noop", at=time.time(), padding=""), lane="critical")
