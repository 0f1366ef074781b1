"""Lanework's budgets and goals, and whether a run kept them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from bench.peers import BARE_BATCHED, LANEWORK, PEERS
from bench.start import LIBRARIES, WORKER

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUND: Final = "noop-16"
FAR: Final = "far-16"
FAR_64: Final = "far-64"
SLOW: Final = "slow-16"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """
    One budget.

    Attributes:
        what: What is bounded.
        bound: By how much, as the table shows it.
        found: What was found.
        is_kept: Whether that is within the bound.
        is_counted: Whether it is a count, which another run repeats; else it is a ratio of times.
    """

    what: str
    bound: str
    found: str
    is_kept: bool
    is_counted: bool = False


def budgets(results: dict[str, Any]) -> list[Budget]:
    """Return the budgets that a run's results can speak of."""
    return [*_of_enqueueing(results), *_of_running(results), *_of_peers(results), *_of_the_rest(results)]


def middle(results: dict[str, Any], name: str, system: str, figure: str) -> float | None:
    """Return the median of a figure over a round's repetitions; None where it wasn't measured."""
    found = results["rounds"].get(name, {}).get("systems", {}).get(system, [])
    return median(one[figure] for one in found) if found else None


def _at_most(what: str, value: float | None, most: float, unit: str = "") -> Iterator[Budget]:
    if value is not None:
        found = f"{value:.2f}{unit}"
        yield Budget(
            what=what, bound=f"≤ {most:g}{unit}", found=found, is_kept=value <= most, is_counted="CPU" not in what
        )


def _at_least(what: str, value: float | None, least: float, unit: str = "") -> Iterator[Budget]:
    if value is not None:
        yield Budget(what=what, bound=f"≥ {least:g}{unit}", found=f"{value:.2f}{unit}", is_kept=value >= least)


def _of_enqueueing(results: dict[str, Any]) -> Iterator[Budget]:
    mine = middle(results, "single", LANEWORK.name, "enqueue_cpu_ms")
    bare = middle(results, "single", BARE_BATCHED.name, "enqueue_cpu_ms")
    yield from _at_most("enqueue, CPU over the bare boto calls it must make", _ratio(mine, bare), 1.15, " ×")
    for name in (ROUND, "size-20000"):
        answer = next(iter(results["rounds"].get(name, {}).get("systems", {}).get(LANEWORK.name, [])), None)
        if answer is not None:
            sent = answer["calls"]["sqs:SendMessageBatch"] / answer["jobs"]
            size = "20 KB" if name == "size-20000" else "200 bytes"
            yield from _at_most(f"`enqueue_many`, SQS calls a job, payloads of {size}", sent, 0.15)


def _of_running(results: dict[str, Any]) -> Iterator[Budget]:
    yield from _at_most(
        "items written a job, from enqueue to its end", middle(results, ROUND, LANEWORK.name, "writes"), 3.05
    )
    yield from _at_most(
        "AWS calls a job to run it, where jobs run at the same time",
        middle(results, ROUND, LANEWORK.name, "worker_calls"),
        0.5,
    )
    floor = _ratio(
        middle(results, ROUND, LANEWORK.name, "drained_per_s"),
        middle(results, ROUND, BARE_BATCHED.name, "drained_per_s"),
    )
    yield from _at_least("jobs a second, over the bare loop that makes the same calls", floor, 0.8, " ×")


def _of_peers(results: dict[str, Any]) -> Iterator[Budget]:
    keeping = [
        one.name for one in PEERS if one.keeps_results and middle(results, ROUND, one.name, "writes") is not None
    ]
    if not keeping:
        return
    calls = {name: _calls(results, name) for name in [LANEWORK.name, *keeping]}
    fewest = min(keeping, key=calls.__getitem__)
    yield from _at_most(
        f"AWS calls a job, enqueue included, over {fewest}", calls[LANEWORK.name] / calls[fewest], 0.5, " ×"
    )
    for name, where in _WHERE.items():
        rates = {one: middle(results, name, one, "drained_per_s") or 0.0 for one in (LANEWORK.name, *keeping)}
        fastest = max(keeping, key=rates.__getitem__)
        if rates[fastest]:
            ratio = rates[LANEWORK.name] / rates[fastest]
            yield from _at_least(f"jobs a second, over {fastest}{where}", ratio, 2.0, " ×")


_WHERE: Final = {
    ROUND: "",
    FAR: ", each call as long as on AWS",
    FAR_64: ", the same, 64 at once",
    SLOW: ", each call 10 ms",
}
"""In which rounds the peers' throughput is asked for, and what sets each apart."""


def _calls(results: dict[str, Any], name: str) -> float:
    enqueue = middle(results, ROUND, name, "enqueue_calls") or 0.0
    return enqueue + (middle(results, ROUND, name, "worker_calls") or 0.0)


def _of_the_rest(results: dict[str, Any]) -> Iterator[Budget]:
    if "critical" in results:
        waits = results["critical"]
        what = f"a critical job's wait behind {waits['behind']:,} low and batch jobs, p99"
        yield Budget(what=what, bound="< 1000 ms", found=f"{waits['p99_ms']:.0f} ms", is_kept=waits["p99_ms"] < 1000)
    if "cold" in results:
        cold = results["cold"]
        ratio = cold[WORKER]["cpu_ms"] / cold[LIBRARIES]["cpu_ms"]
        yield from _at_most(
            "worker's cold start, over the libraries alone (CPU of imports and clients)", ratio, 1.25, " ×"
        )
        ratio = cold["API of one job"]["cpu_ms"] / cold["resolver alone"]["cpu_ms"]
        yield from _at_most("API's cold start, over Powertools' resolver with validation alone", ratio, 1.3, " ×")
    if "scale" in results:
        sizes = list(results["scale"].values())
        for what in sizes[0]:
            calls = [sum(one[what]["calls"].values()) for one in sizes]
            most = max(int(size) for size in results["scale"])
            yield Budget(
                what=f"AWS calls for {what}: {most:,} jobs over 1,000",
                bound="as many",
                found=f"{calls[0]} → {calls[-1]}",
                is_kept=calls[-1] <= calls[0],
                is_counted=True,
            )


def _ratio(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one / other
