"""Lanework's budgets and goals, and whether a run kept them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final, Literal

from bench.peers import BARE_BATCHED, CELERY, LANEWORK, LIMITED, RECORDED_AT_START, TASKIQ
from bench.start import FIRST, LIBRARIES, WORKER

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUND: Final = "noop-16"
CALLS: Final = "calls-16"
FAR: Final = "far-16"
FAR_64: Final = "far-64"
SLOW: Final = "slow-16"
WAIT: Final = "wait-16"
FAR_WAIT: Final = "far-wait-16"
PUBLIC: Final = "public-wait"
PUBLIC_CPU: Final = "public-cpu"
LIMITS: Final = "limits-16"

_READING: Final = {f"dynamodb:{one}" for one in ("GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems")}

NOT_MEASURED: Final = "not measured"
_IDEAL_WAIT: Final = 16 / 0.05
"""Jobs a second of 16 slots whose jobs wait for 50 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """
    One budget.

    Attributes:
        what: What is bounded.
        bound: By how much, as the table shows it.
        found: What was found.
        is_kept: Whether that is within the bound; None if it wasn't measured.
        is_counted: Whether it is a count, which another run repeats; else it is a ratio of times.
    """

    what: str
    bound: str
    found: str
    is_kept: bool | None
    is_counted: bool = False

    @property
    def verdict(self) -> str:
        """What the table says of it."""
        return {True: "kept", False: "**missed**", None: NOT_MEASURED}[self.is_kept]


def budgets(results: dict[str, Any]) -> list[Budget]:
    """Return the budgets of the questions that a run put; one whose systems couldn't be measured says so."""
    return [
        *_of_enqueueing(results),
        *_of_calls(results),
        *_of_speed(results),
        *_of_peers(results),
        *_of_the_rest(results),
        *(_of_prices() if "single" in results["rounds"] else ()),
    ]


def middle(results: dict[str, Any], name: str, system: str, figure: str) -> float | None:
    """Return the median of a figure over a round's repetitions; None where it wasn't measured."""
    found = _found(results, name, system)
    return median(one[figure] for one in found) if found else None


def _found(results: dict[str, Any], name: str, system: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = results["rounds"].get(name, {}).get("systems", {}).get(system, [])
    return found


def _at_most(what: str, value: float | None, most: float, unit: str = "", *, is_counted: bool = True) -> Budget:
    found = NOT_MEASURED if value is None else f"{value:.2f}{unit}"
    is_kept = None if value is None else value <= most
    return Budget(what=what, bound=f"≤ {most:g}{unit}", found=found, is_kept=is_kept, is_counted=is_counted)


def _at_least(what: str, value: float | None, least: float, unit: str = " ×") -> Budget:
    found = NOT_MEASURED if value is None else f"{value:.2f}{unit}"
    return Budget(what=what, bound=f"≥ {least:g}{unit}", found=found, is_kept=None if value is None else value >= least)


def _of_enqueueing(results: dict[str, Any]) -> Iterator[Budget]:
    if "single" in results["rounds"]:
        over = _over(results, "single", LANEWORK.name, BARE_BATCHED.name, "enqueue_cpu_ms")
        yield _at_most("enqueue, CPU over the bare boto calls it must make", over, 1.15, " ×", is_counted=False)
        yield _at_most("AWS calls to enqueue a job", middle(results, "single", LANEWORK.name, "enqueue_calls"), 2.05)
    if RECORDED_AT_START.name in results["rounds"].get("single", {}).get("systems", {}):
        calls, written = (middle(results, "single", RECORDED_AT_START.name, one) for one in ("enqueue_calls", "writes"))
        yield _at_most('AWS calls to enqueue a job, record="start"', calls, 1.05)
        yield _at_most('items written a job, record="start"', written, 2.05)
    for name, size in ((ROUND, "200 bytes"), ("size-20000", "20 KB")):
        for answer in _found(results, name, LANEWORK.name)[:1]:
            sent = answer["calls"]["sqs:SendMessageBatch"] / answer["jobs"]
            yield _at_most(f"`enqueue_many`, SQS calls a job, payloads of {size}", sent, 0.15)
    for name, where in _WHERE.items():
        if name in results["rounds"] and name != FAR_64:
            over = _over(results, name, LANEWORK.name, TASKIQ.name, "enqueued_per_s")
            yield _at_least(f"`enqueue_many`, jobs a second, over {TASKIQ.name}{where}", over, 0.95)


def _of_calls(results: dict[str, Any]) -> Iterator[Budget]:
    if ROUND in results["rounds"]:
        written = middle(results, ROUND, LANEWORK.name, "writes")
        yield _at_most("items written a job, from enqueue to its end", written, 3.05)
        reads = [
            sum(made for operation, made in one["calls"].items() if operation in _READING) / one["jobs"]
            for one in _found(results, ROUND, LANEWORK.name)
        ]
        yield _at_most("reads of DynamoDB a job, of what is paused", max(reads, default=None), 0.05)
        memory = middle(results, ROUND, LANEWORK.name, "memory_mb")
        yield _at_most("memory of a worker of 16 slots, its parent and helpers included", memory, 90, " MB")
    if CALLS in results["rounds"]:
        calls = [one["worker_calls"] for one in _found(results, CALLS, LANEWORK.name)]
        what = "AWS calls a job to run it, 16 slots"
        yield _at_most(f"{what}, median of ten runs", median(calls) if calls else None, 0.45)
        yield _at_most(f"{what}, most in ten runs", max(calls, default=None), 0.5)


def _of_speed(results: dict[str, Any]) -> Iterator[Budget]:
    for name, where, least in ((WAIT, "", 0.9), (FAR_WAIT, ", each call as long as on AWS", 0.75)):
        if name in results["rounds"]:
            rate = middle(results, name, LANEWORK.name, "drained_per_s")
            what = f"jobs that wait for 50 ms, 16 slots, over the ideal{where}"
            yield _at_least(what, None if rate is None else rate / _IDEAL_WAIT, least)
    if WAIT in results["rounds"]:
        over = _over(results, WAIT, LANEWORK.name, CELERY.name)
        yield _at_least(f"jobs that wait for 50 ms, 16 slots, over {CELERY.name}", over, 1)
    if ROUND in results["rounds"]:
        over = _over(results, ROUND, LANEWORK.name, BARE_BATCHED.name)
        yield _at_least("jobs a second, over the bare loop that makes the same calls", over, 1)
    if PUBLIC in results["rounds"]:
        rate = middle(results, PUBLIC, LANEWORK.name, "drained_per_s")
        yield _at_least("jobs that wait for 100 ms, 10 at once, a second", rate, 97, "")
    if LIMITS in results["rounds"]:
        for one in LIMITED:
            over = _over(results, LIMITS, one.name, LANEWORK.name)
            yield _at_least(f"jobs a second, {one.name} over {LANEWORK.name} without", over, 0.8)


def _of_peers(results: dict[str, Any]) -> Iterator[Budget]:
    if ROUND in results["rounds"]:
        what = f"AWS calls a job, enqueue included, over {TASKIQ.name}"
        yield _at_most(what, _ratio(_calls(results, LANEWORK.name), _calls(results, TASKIQ.name)), 0.5, " ×")
    for name, where in _WHERE.items():
        if name in results["rounds"]:
            over = _over(results, name, LANEWORK.name, TASKIQ.name)
            yield _at_least(f"jobs a second, over {TASKIQ.name}{where}", over, _LEAST[name])


_WHERE: Final = {
    ROUND: "",
    FAR: ", each call as long as on AWS",
    FAR_64: ", the same, 64 at once",
    SLOW: ", each call 10 ms",
}
"""In which rounds throughput is compared with the fastest SQS peer that keeps results, and what sets each apart."""

_LEAST: Final = {ROUND: 1.4, FAR: 2.0, FAR_64: 2.0, SLOW: 1.0}


def _calls(results: dict[str, Any], name: str) -> float | None:
    enqueue, worker = (middle(results, ROUND, name, figure) for figure in ("enqueue_calls", "worker_calls"))
    return None if enqueue is None or worker is None else enqueue + worker


def _of_the_rest(results: dict[str, Any]) -> Iterator[Budget]:
    if "critical" in results:
        waits = results["critical"]
        what = f"a critical job's wait behind {waits['behind']:,} low and batch jobs, p99"
        yield Budget(what=what, bound="< 1000 ms", found=f"{waits['p99_ms']:.0f} ms", is_kept=waits["p99_ms"] < 1000)
    if "cold" in results:
        cold = results["cold"]
        ratio = cold[WORKER]["cpu_ms"] / cold[LIBRARIES]["cpu_ms"]
        what = "worker's cold start, over the libraries alone (CPU of imports and clients)"
        yield _at_most(what, ratio, 1.25, " ×", is_counted=False)
        ratio = cold["API of one job"]["cpu_ms"] / cold["resolver alone"]["cpu_ms"]
        what = "API's cold start, over Powertools' resolver with validation alone"
        yield _at_most(what, ratio, 1.3, " ×", is_counted=False)
        if FIRST in cold:
            what = "CPU of a critical lane's first invocation, beyond the third"
            yield _at_most(what, cold[FIRST]["cpu_ms"], 45, " ms", is_counted=False)
    if "scale" in results:
        yield from _of_scale(results["scale"])


def _of_prices() -> Iterator[Budget]:
    """Computed from counts that tests hold: requests, write units, bytes of logs. A run's exit code is no price's."""
    from bench.at_scale import usd_a_million  # noqa: PLC0415 - it loads what a stack's numbers are

    jobs = "USD a million jobs of 100 ms, sent and run"
    asked: tuple[tuple[Literal["full", "start"], float, float], ...] = (("full", 4.9, 3.4), ("start", 3.9, 2.5))
    for record, one, ten in asked:
        what = f'{jobs} singly, on demand, record="{record}"'
        yield _at_most(what, usd_a_million(1, record=record), one, is_counted=False)
        what = f'{jobs} in tens, on demand, record="{record}"'
        yield _at_most(what, usd_a_million(10, record=record, sent=10), ten, is_counted=False)
        what = f'{jobs} in tens, provisioned, record="{record}"'
        usd = usd_a_million(10, record=record, sent=10, is_provisioned=True)
        yield _at_most(what, usd, 1.5, is_counted=False)


def _of_scale(scale: dict[str, Any]) -> Iterator[Budget]:
    sizes, most = list(scale.values()), max(map(int, scale))
    for what in sizes[0]:
        calls = [sum(one[what]["calls"].values()) for one in sizes]
        yield _as_many(f"AWS calls for {what}: {most:,} jobs over 1,000", calls)
    listed = [one["list, a page of 50"] for one in sizes]
    if "read" in listed[-1]:
        yield _as_many(
            f"keys and items read for a list's page: {most:,} jobs over 1,000", [one["read"] for one in listed]
        )
        what = f"time of a list's page of {most:,} jobs, over the same requests by boto alone"
        yield _at_most(what, listed[-1]["ms"] / listed[-1]["bare_ms"], 1.25, " ×", is_counted=False)


def _as_many(what: str, counts: list[int]) -> Budget:
    found = f"{counts[0]} → {counts[-1]}"
    return Budget(what=what, bound="as many", found=found, is_kept=counts[-1] <= counts[0], is_counted=True)


def _over(results: dict[str, Any], name: str, one: str, other: str, figure: str = "drained_per_s") -> float | None:
    return _ratio(middle(results, name, one, figure), middle(results, name, other, figure))


def _ratio(one: float | None, other: float | None) -> float | None:
    return None if one is None or not other else one / other
