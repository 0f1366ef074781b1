"""How long a critical job waits while thousands of low and batch jobs are queued, in the same worker process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from statistics import quantiles
from typing import TYPE_CHECKING

from bench.measure import Case, environment_of, make, worker_of
from bench.peers import System
from bench.work.work import RECORD
from lanework import Lane

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.endpoint import Endpoint

MIXED = System(
    name="Lanework, three lanes",
    folder="lanework_",
    worker=("lanework", "worker", "--lane", "critical", "--lane", "low", "--lane", "batch", "--concurrency", "{slots}"),
)
_APART_S = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """
    What critical jobs waited, from enqueue to the first line of their code.

    Attributes:
        behind: How many low and batch jobs were queued before them.
        jobs: How many critical jobs were enqueued, one each 30 ms.
    """

    behind: int
    jobs: int
    p50_ms: float
    p99_ms: float


def critical_waits(endpoint: Endpoint, folder: Path, *, behind: int, jobs: int) -> Waits:
    """Fill two lanes, start a worker of 16 slots, then enqueue critical jobs and see when they begin."""
    from bench.systems.lanework_ import jobs as application  # noqa: PLC0415 - it names its stack at first use

    case = Case(slots=16, jobs=behind, work="wait")
    name = f"bench-lanes-{time.time_ns()}"
    done = folder / f"{name}.done"
    done.touch()
    environment = environment_of(MIXED, name, case, endpoint=endpoint, redis="", done=done)
    make(name, endpoint)
    application.connect(name, endpoint.url)
    application.fill(behind, lanes=(Lane.LOW, Lane.BATCH))
    with worker_of(MIXED, case, environment, folder):
        until(lambda: done.stat().st_size > 0)
        for _ in range(jobs):
            application.enqueue_critical()
            time.sleep(_APART_S)
        until(lambda: len(_critical(done)) == jobs)
    waits = [(began - at) * 1000 for at, began, _ in _critical(done)]
    cuts = quantiles(waits, n=100)
    return Waits(behind=behind, jobs=jobs, p50_ms=cuts[49], p99_ms=cuts[98])


def _critical(done: Path) -> list[tuple[float, float, float]]:
    """Return the critical jobs' records: the others carry no time of enqueue."""
    data = done.read_bytes()
    whole = len(data) // RECORD.size * RECORD.size
    return [one for one in RECORD.iter_unpack(data[:whole]) if one[0] > 0]


def until(is_so: Callable[[], bool], *, within: timedelta = timedelta(minutes=3)) -> None:
    """Wait until something is so; RuntimeError if it isn't by then."""
    deadline = time.monotonic() + within.total_seconds()
    while not is_so():
        if time.monotonic() > deadline:
            msg = "the worker did not come that far"
            raise RuntimeError(msg)
        time.sleep(0.02)
