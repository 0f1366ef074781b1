"""A worker process that has run many jobs needs no more memory than one that has run a few."""

from __future__ import annotations

import os
import signal
from datetime import timedelta

import psutil

from tests.support.shop import Shop, ended

JOBS = int(os.environ.get("LANEWORK_SOAK_JOBS", "1500"))
"""`make soak` runs 20,000."""

GROWTH_MB = 8
"""What may come on top of the first third: pools and caches that fill up late. A leak of 1 KB a job would be 13 MB."""

PER_CALL = 500

MOST_MB = 90
"""What a worker of one process and 16 slots may take, its parent included (DESIGN, budgets)."""


def test_memory_stays_flat(shop: Shop) -> None:
    process = shop.worker("--lane", "high", "-c", "16", *shop.with_health)
    peaks: list[int] = []
    for done in range(0, JOBS, PER_CALL):
        shop.enqueue(PER_CALL, type_="task.doze" if done // PER_CALL % 2 else "task.nap")
        shop.until(
            lambda done=done: shop.ended_in_worker() >= done + PER_CALL,  # type: ignore[misc]
            f"{done + PER_CALL} jobs",
            within=timedelta(seconds=120),
        )
        peaks.append(int(shop.health()["processes"][0]["peak_mb"]))
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    taken = [one.memory_info().rss / 1024**2 for one in family]
    process.send_signal(signal.SIGTERM)

    assert ended(process)[0] == 0
    assert len({one[4] for one in shop.notes("begin")}) == 1, "one process ran them all"
    assert peaks[-1] - peaks[len(peaks) // 3] <= GROWTH_MB, peaks
    assert len(family) == 2, "its parent, and it; nobody who watches memory that they share"
    assert sum(taken) <= MOST_MB, taken
