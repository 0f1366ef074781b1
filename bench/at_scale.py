"""What Lanework costs by size and lane, and where it ends: `python -m bench.at_scale` writes docs/at-scale.md."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from bench.peers import LANEWORK, OTHER_BROKERS, PEERS, System
from lanework.model.costs.costs import PLATFORM_LOG_BYTES, Usage, costs_of
from lanework.model.job.ids import SHARDS
from lanework.model.lanes import LANES, Lane
from lanework.model.stats.numbers import Count, Key, Numbers
from lanework.observe.prices import prices

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = DOCS / "at-scale.md"
COUNTED: Final = DOCS / "performance" / "a-job.json"
MARKS: Final = ("<!-- computed: python -m bench.at_scale -->", "<!-- end of what is computed -->")

SIZES: Final = {"10 thousand": 10_000, "1 million": 1_000_000, "100 million": 100_000_000, "1 billion": 1_000_000_000}
"""Jobs a day."""

MONTH: Final = timedelta(days=365) / 12
DAYS: Final = MONTH / timedelta(days=1)
HOURS: Final = MONTH / timedelta(hours=1)

RUN: Final = timedelta(milliseconds=100)
MEMORY_MB: Final = 256
PEAK: Final = 5
"""Assumptions: how long a job runs; what its function has; how many times the average a busy minute brings."""

LOG_BYTES: Final = 300
"""The line of a job's end, the only one at INFO where all goes well; tests/unit/test_logs.py measures it."""

_KEY_WRITES_PER_S: Final = 1000
_NEW_TABLE_WRITES_PER_S: Final = 4000
_TABLE_WRITES_PER_S: Final = 40_000
_UNITS: Final = 4
"""DynamoDB: a partition key's writes, a new on-demand table's, a table's default quota; and what a job writes."""

UNITS: Final = {"full": _UNITS, "start": 3}
"""Write units of a job by its type's `record`: its item as often as it is written, and one entry of the index."""

_ITEMS_OF_A_TYPE: Final = 2
"""Among which a type's numbers of a minute are spread (docs/decisions/0021); each flush writes one of them."""

_ACCOUNT_CONCURRENCY: Final = 1000
"""Lambda's default quota of an account and region, shared by all of its functions."""

VCPU_HOUR_USD: Final = 0.03238
GB_HOUR_USD: Final = 0.00356
"""Fargate, Linux on arm64, us-east-1."""

NODE_HOUR_USD: Final = 0.219
NODE_GB: Final = 13.07
"""An assumption: ElastiCache's cache.r7g.large, on demand; two of them, one in reserve."""

READ_UNIT_USD: Final = 0.125e-6
"""DynamoDB, on demand."""

BUSY: Final = 0.6
"""An assumption: how much of a fleet's CPU is used in a busy minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """
    Where something ends.

    Attributes:
        what: What ends.
        jobs_per_s: Where.
        then: What to raise, or to do.
    """

    what: str
    jobs_per_s: float
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """
    Workers on machines.

    Attributes:
        name: As the table shows it.
        system: Whose counts are taken.
        index_writes: Of its table's indexes, for each job.
        nodes: Of Redis.
        limit: What is met first.
    """

    name: str
    system: System
    index_writes: int = 0
    nodes: int = 0
    limit: str


FLEETS: Final = (
    Fleet(
        name="Lanework, `lanework worker` on Fargate",
        system=LANEWORK,
        index_writes=1,
        limit="the table and its index, as above; add tasks",
    ),
    Fleet(
        name="Celery on SQS, results in DynamoDB, on Fargate",
        system=PEERS[0],
        limit="the fleet: add tasks. Its results' table is Celery's own, each result one key",
    ),
    Fleet(
        name="BullMQ on ElastiCache, workers on Fargate",
        system=OTHER_BROKERS[-1],
        nodes=2,
        limit=f"a node's {NODE_GB} GB: all that waits or is kept is in memory; then its one thread. Shard queues",
    ),
)


def counted(results: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return what of a run of `make bench` the page is computed from: jobs enqueued one by one, 16 at once."""
    systems = results["rounds"]["single"]["systems"]
    return {fleet.system.name: _of_a_job(systems[fleet.system.name]) for fleet in FLEETS}


def _of_a_job(found: list[dict[str, Any]]) -> dict[str, float]:
    calls = found[0]["calls"]
    jobs = found[0]["jobs"]
    reads = sum(count for name, count in calls.items() if name in {"dynamodb:GetItem", "dynamodb:Query"})
    return {
        "sqs_requests": round(sum(count for name, count in calls.items() if name.startswith("sqs:")) / jobs, 2),
        "items_written": round(median(one["writes"] for one in found), 2),
        "reads": round(reads / jobs, 2),
        "cpu_ms": round(median(one["worker_cpu_ms"] for one in found), 1),
    }


def per_month(lane: Lane, jobs_a_day: int, *, batch: int | None = None) -> float:
    """Return what a lane's jobs cost a month on Lambda, with batches as full as the template lets them be."""
    jobs = round(jobs_a_day * DAYS)
    of_type = {
        Count.FIRST_STARTS: jobs,
        Count.STARTED: jobs,
        Count.COMPLETED: jobs,
        Count.RUN_MS: jobs * _ms(RUN),
        Count.LOG_BYTES: jobs * LOG_BYTES,
    }
    of_lane = {
        Count.INVOCATIONS: jobs // (batch or LANES[lane].batch_size),
        Count.BILLED_MB_MS: jobs * _ms(RUN) * MEMORY_MB,
    }
    numbers = {
        Key(lane=lane, queue="q", type="t"): Numbers({one.value: n for one, n in of_type.items()}),
        Key(lane=lane): Numbers({one.value: n for one, n in of_lane.items()}),
    }
    (found,) = costs_of(numbers, prices(), over=MONTH).types
    return found.usd


def usd_a_million(
    batch: int, *, record: Literal["full", "start"] = "full", sent: int = 1, is_provisioned: bool = False
) -> float:
    """
    Return what a million jobs cost on Lambda, from counts: requests, write units, GB-seconds, bytes of logs.

    Args:
        batch: Jobs of an invocation.
        record: When a job is recorded, as on its type.
        sent: Jobs of a SendMessageBatch; 1 sends them singly.
        is_provisioned: Write units are paid for by the hour, at a steady load (`TableCapacity`); else by the request.
    """
    units = UNITS[record] + 1 / batch  # and an invocation's numbers
    usage = Usage(
        sqs_requests=1 / sent + 2 / batch,
        write_units=0 if is_provisioned else units,
        invocations=1 / batch,
        gb_seconds=RUN.total_seconds() * MEMORY_MB / 1024,
        log_bytes=LOG_BYTES + PLATFORM_LOG_BYTES / batch,
    )
    by_the_hour = units * prices().steady_write_unit_usd if is_provisioned else 0.0
    return 1e6 * (usage.usd(prices()) + by_the_hour)


def limits(lane: Lane) -> list[Limit]:
    """Return what bounds a lane, the nearest first."""
    a_second = timedelta(seconds=1) / RUN
    found = [
        Limit(
            what=f"`{lane.title()}Workers={LANES[lane].workers}`",
            jobs_per_s=LANES[lane].workers * a_second,
            then=f"`{lane.title()}Workers`, up to 1,000",
        ),
        Limit(
            what="a new table's first writes",
            jobs_per_s=_NEW_TABLE_WRITES_PER_S / _UNITS,
            then="warm throughput, or let it double by itself",
        ),
        Limit(
            what="Lambda's 1,000 at once in an account",
            jobs_per_s=_ACCOUNT_CONCURRENCY * a_second,
            then="a quota increase, or `lanework worker`",
        ),
        Limit(
            what=f"the `recent` index, `IndexShards={SHARDS}`",
            jobs_per_s=SHARDS * _KEY_WRITES_PER_S,
            then="`IndexShards`, up to 128",
        ),
        Limit(
            what=f"one type's numbers, at a batch size of {LANES[lane].batch_size}",
            jobs_per_s=_ITEMS_OF_A_TYPE * _KEY_WRITES_PER_S * LANES[lane].batch_size,
            then="nothing breaks: numbers are written later; bigger batches, or two types",
        ),
        Limit(
            what="a table's 40,000 writes a second",
            jobs_per_s=_TABLE_WRITES_PER_S / _UNITS,
            then="a quota increase",
        ),
    ]
    return sorted(found, key=lambda one: one.jobs_per_s)


def tables() -> str:
    """Return the page's tables."""
    return f"{_costs()}\n\n{_million()}\n\n{_met()}\n\n{_ceilings()}\n\n{_needs()}\n\n{_beside()}"


def written(page: str) -> str:
    """Return the page with the tables in place of those that it has."""
    begin, end = MARKS
    said = f"{begin}\n\n{tables()}\n\n{end}"
    return re.sub(f"{re.escape(begin)}.*{re.escape(end)}", lambda _: said, page, flags=re.DOTALL)


def _costs() -> str:
    rows = [
        f"| {lane} | {LANES[lane].batch_size} | {_usd(per_month(lane, 1_000_000) / DAYS)} | "
        f"{' | '.join(_usd(per_month(lane, size)) for size in SIZES.values())} |"
        for lane in Lane
    ]
    ten = " | ".join(_usd(per_month(Lane.MEDIUM, size, batch=10)) for size in SIZES.values())
    rows.append(f"| any, batches of ten | 10 | {_usd(per_month(Lane.MEDIUM, 1_000_000, batch=10) / DAYS)} | {ten} |")
    return "\n".join([_head("lane", "batch size", "USD a million jobs", *_sizes("USD a month at {} a day")), *rows])


def _million() -> str:
    rows = []
    for record in UNITS:
        for batch, sent in ((1, 1), (10, 1), (10, 10)):
            found = [
                usd_a_million(batch, record=cast("Any", record), sent=sent, is_provisioned=one) for one in (False, True)
            ]
            rows.append(f'| `record="{record}"` | {batch} | {sent} | {" | ".join(map(_usd, found))} |')
    titles = ("jobs an invocation", "jobs a send", "USD a million jobs, on demand", "provisioned, at a steady load")
    return "\n".join([_head("record", *titles), *rows])


def _needs() -> str:
    """Return what each size takes in a busy minute."""
    own = json.loads(COUNTED.read_text())[LANEWORK.name]["cpu_ms"] / 1000 / BUSY
    needs: dict[str, Callable[[float], float]] = {
        "jobs a second": lambda peak: peak,
        "executions at once": lambda peak: peak * RUN.total_seconds(),
        "or vCPUs of `lanework worker`": lambda peak: peak * own,
        "`IndexShards`": lambda peak: max(SHARDS, peak / _KEY_WRITES_PER_S),
        "write units a second of the table": lambda peak: peak * (_UNITS - 1),
        "write units a second of its index `recent`": lambda peak: peak,
    }
    rows = [
        f"| {what} | {' | '.join(f'{ceil(of(_peak(size))):,}' for size in SIZES.values())} |"
        for what, of in needs.items()
    ]
    return "\n".join([_head("in a busy minute", *_sizes("{} a day")), *rows])


def _met() -> str:
    rows = []
    for lane in Lane:
        cells = []
        for size in SIZES.values():
            peak = _peak(size)
            met = [one for one in limits(lane) if one.jobs_per_s < peak]
            cells.append("; ".join(one.what for one in met) or "none")
        rows.append(f"| {lane} | {' | '.join(cells)} |")
    return "\n".join([_head("lane", *_sizes("limits met at {} a day, the first one first")), *rows])


def _ceilings() -> str:
    every = {one.what: one for lane in Lane for one in limits(lane)}.values()
    rows = [
        f"| {one.what} | {one.jobs_per_s:,.0f} | {one.jobs_per_s * 86_400 / PEAK / 1e6:,.1f} million | {one.then} |"
        for one in sorted(every, key=lambda one: one.jobs_per_s)
    ]
    return "\n".join([_head("limit", "jobs a second", "jobs a day, busy minutes included", "what to raise"), *rows])


def _beside() -> str:
    lambdas = " | ".join(_usd(per_month(Lane.MEDIUM, size)) for size in SIZES.values())
    rows = [f"| Lanework on Lambda, `medium` | {lambdas} | its `MediumWorkers`, as above |"]
    rows += [
        f"| {one.name} | {' | '.join(_usd(_fleet(one, size)) for size in SIZES.values())} | {one.limit} |"
        for one in FLEETS
    ]
    return "\n".join([_head("system", *_sizes("USD a month at {} a day"), "what ends first"), *rows])


def _fleet(fleet: Fleet, jobs_a_day: int) -> float:
    """Return what a fleet costs: two tasks of a quarter vCPU at least, enough of them for a busy minute, all month."""
    job: dict[str, float] = json.loads(COUNTED.read_text())[fleet.system.name]
    usage = Usage(sqs_requests=job["sqs_requests"], write_units=job["items_written"] + fleet.index_writes)
    cores = max(2 * 0.25, _peak(jobs_a_day) * job["cpu_ms"] / 1000 / BUSY)
    compute = HOURS * cores * (VCPU_HOUR_USD + 2 * GB_HOUR_USD)
    asked = jobs_a_day * DAYS * (usage.usd(prices()) + job["reads"] * READ_UNIT_USD)
    return asked + compute + fleet.nodes * HOURS * NODE_HOUR_USD


def _peak(jobs_a_day: int) -> float:
    return jobs_a_day / 86_400 * PEAK


def _ms(of: timedelta) -> int:
    return of // timedelta(milliseconds=1)


def _usd(value: float) -> str:
    return f"{value:,.2f}" if value < 1000 else f"{value:,.0f}"


def _sizes(form: str) -> list[str]:
    return [form.format(name) for name in SIZES]


def _head(*titles: str) -> str:
    return f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
