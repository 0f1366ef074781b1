"""How long a job waits for a worker that has nothing else to do, from its enqueue to the first line of its code."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from bench.lanes import until
from bench.measure import Case, environment_of, make, produce, worker_of
from bench.peers import ROOT
from bench.work.work import RECORD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.endpoint import Endpoint
    from bench.peers import System

LAMBDA: Final = "Lanework on Lambda, `critical` lane of the embedded stack"
_SLOTS: Final = 10
_FIRST: Final = 5
"""Warm the connections, and don't count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """
    Milliseconds from enqueue to the first line of code; p99 is the longest where there are fewer than a hundred.

    Attributes:
        warm_p50_ms, warm_p99_ms: Where the worker is up and polls; jobs come 100 ms apart, on Lambda each after the end
            of the one before.
        cold_p50_ms, cold_p99_ms: Of a job that waits when its worker's process starts, from that start on; on Lambda
            of the first job after a deployment, from its enqueue.
        warm, cold: How many jobs.
    """

    warm_p50_ms: float
    warm_p99_ms: float
    cold_p50_ms: float
    cold_p99_ms: float
    warm: int
    cold: int


def dispatch_of(system: System, *, endpoint: Endpoint, redis: str, folder: Path, jobs: int, starts: int) -> Dispatch:
    """Measure a worker process, with queues and tables of its own."""
    case = Case(slots=_SLOTS, jobs=jobs + _FIRST, mode="spaced")
    warm: list[float] = []
    cold: list[float] = []
    for number in range(starts):
        name = f"bench-{time.time_ns()}"
        done = folder / f"{name}.done"
        done.touch()
        environment = environment_of(system, name, case, endpoint=endpoint, redis=redis, done=done)
        if system.on == "aws":
            make(name, endpoint)
        produce(system, Case(slots=_SLOTS, jobs=0, mode="single"), environment)  # its warm-up alone: one job
        began = time.time()
        with worker_of(system, case, environment, folder):
            until(partial(_has, done, 1))
            cold.append((_records(done)[0][1] - began) * 1000)
            if number == starts - 1:
                produce(system, case, environment)
                until(partial(_has, done, case.jobs + 2))
                warm = [(start - at) * 1000 for at, start, _ in sorted(_records(done))[-jobs:]]
    return _dispatch(warm, cold)


def lambda_dispatch(*, jobs: int, starts: int) -> Dispatch:
    """Measure a lane of the embedded stack, in a process of its own: it sets variables of the environment."""
    warm: list[float] = []
    cold: list[float] = []
    for number in range(starts):
        count = jobs if number == starts - 1 else 0
        command = [sys.executable, "-m", "bench.lambda_lane", str(count)]
        said = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, check=False)
        if said.returncode:
            msg = f"the embedded stack ran no job: {(said.stderr.strip() or 'no word').splitlines()[-1]}"
            raise RuntimeError(msg)
        first, *others = json.loads(said.stdout.splitlines()[-1])
        cold.append(first)
        warm += others
    return _dispatch(warm, cold)


def _dispatch(warm: Sequence[float], cold: Sequence[float]) -> Dispatch:
    return Dispatch(
        warm_p50_ms=median(warm),
        warm_p99_ms=_p99(warm),
        cold_p50_ms=median(cold),
        cold_p99_ms=_p99(cold),
        warm=len(warm),
        cold=len(cold),
    )


def _p99(values: Sequence[float]) -> float:
    return max(values) if len(values) < 100 else quantiles(values, n=100)[98]


def _has(done: Path, jobs: int) -> bool:
    return done.stat().st_size >= jobs * RECORD.size


def _records(done: Path) -> list[tuple[float, float, float]]:
    data = done.read_bytes()
    return list(RECORD.iter_unpack(data[: len(data) // RECORD.size * RECORD.size]))
