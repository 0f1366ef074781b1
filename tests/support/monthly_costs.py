"""What a stack costs a month: `python -m tests.support.monthly_costs` computes it and writes it to docs/deploy.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from bench.at_scale import LOG_BYTES
from lanework.local.deployment.template import read_template
from lanework.model.costs.costs import costs_of
from lanework.model.lanes import Lane
from lanework.model.stats.numbers import Count, Key, Numbers
from lanework.observe.prices import prices

ROOT: Final = Path(__file__).parents[2]
GUIDE: Final = ROOT / "docs" / "deploy.md"
MONTH: Final = timedelta(days=365) / 12

READ_UNIT_USD: Final = 0.125e-6
ALARM_USD: Final = 0.10
"""A month, of standard resolution; CloudWatch's pricing page. Its first three dashboards are free."""

MEMORY_MB: Final = 256

READS: Final = ("Query", "GetItem", "BatchGetItem")
WRITES: Final = ("UpdateItem",)
OF_SQS: Final = ("ReceiveMessage", "GetQueueAttributes")

TICK_READS: Final = 32
TICK_WRITES: Final = 2
TICK_SQS: Final = 15
"""The most that the clock asks in a minute without jobs, rounded up; tests/integration/test_idle_tick.py counts it."""

TICK_S: Final = 0.5
"""An assumption: how long such a tick is billed for."""

SCHEDULE_USD: Final = 1e-6
"""An invocation by EventBridge Scheduler, beyond its 14 million free ones a month."""

KEPT_WARM_MS: Final = 5
"""An assumption: how long an event is billed for that a function answers at once."""

JOBS_A_DAY: Final = 1_000_000
RUN_MS: Final = 100
"""An assumption: how long a job runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a table."""

    what: str
    usd: float


def idle() -> list[Line]:
    """Return what a stack costs that has nothing to do."""
    price, ticks = prices(), MONTH / timedelta(minutes=1)
    alarms = sum(one["Type"] == "AWS::CloudWatch::Alarm" and "Condition" not in one for one in _resources().values())
    tick = (
        TICK_READS * READ_UNIT_USD
        + TICK_WRITES * price.write_unit_usd
        + TICK_SQS * price.sqs_request_usd
        + price.invocation_usd
        + TICK_S * MEMORY_MB / 1024 * price.gb_second_usd
    )
    return [
        Line(what="Lambda's polling of five empty queues", usd=costs_of({}, price, over=MONTH).idle_usd),
        Line(what="the clock, each minute", usd=ticks * tick),
        Line(what=f"{alarms} alarms", usd=alarms * ALARM_USD),
    ]


def kept_warm() -> float:
    """Return what a month of `CriticalKeepWarm` costs."""
    price, calls = prices(), MONTH / timedelta(minutes=5)
    run = KEPT_WARM_MS / 1000 * MEMORY_MB / 1024 * price.gb_second_usd
    return calls * (SCHEDULE_USD + price.invocation_usd + run)


def busy(batch_size: int, log_bytes: int = LOG_BYTES) -> float:
    """Return what a month of a million jobs a day costs, beyond what the idle stack does."""
    jobs = round(JOBS_A_DAY * (MONTH / timedelta(days=1)))
    invocations = jobs // batch_size
    of_type = {
        Count.FIRST_STARTS: jobs,
        Count.STARTED: jobs,
        Count.COMPLETED: jobs,
        Count.RUN_MS: jobs * RUN_MS,
        Count.LOG_BYTES: jobs * log_bytes,
    }
    of_lane = {Count.INVOCATIONS: invocations, Count.BILLED_MB_MS: jobs * RUN_MS * MEMORY_MB}
    numbers = {
        Key(lane=Lane.MEDIUM, queue="email", type="email.send"): Numbers({one.value: n for one, n in of_type.items()}),
        Key(lane=Lane.MEDIUM): Numbers({one.value: n for one, n in of_lane.items()}),
    }
    (found,) = costs_of(numbers, prices(), over=MONTH).types
    return found.usd


def tables() -> str:
    """Return both tables as the guide has them."""
    lines = idle()
    still = [*lines, Line(what="**an idle stack**", usd=sum(one.usd for one in lines))]
    million = [
        Line(what="one job an invocation, as `critical`, `high`, `low` and `batch` are", usd=busy(1)),
        Line(what="five an invocation, as `medium` is where it is busy", usd=busy(5)),
        Line(what="the same with `LogLevel=WARNING`", usd=busy(5, log_bytes=0)),
    ]
    return f"{_table('nothing to do', still)}\n\n{_table('a million jobs a day, on top', million)}"


def written(guide: str) -> str:
    """Return the guide with the tables in place of those that it has."""
    pattern = r"^\| nothing to do \|.*?\n\n\|.*?(?=\n\n)"
    return re.sub(pattern, lambda _: tables(), guide, count=1, flags=re.MULTILINE | re.DOTALL)


def _table(title: str, lines: list[Line]) -> str:
    rows = [f"| {title} | USD a month |", "| --- | ---: |"]
    return "\n".join([*rows, *(f"| {one.what} | {one.usd:,.2f} |" for one in lines)])


def _resources() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = read_template(ROOT / "template.yaml")["Resources"]
    return found


if __name__ == "__main__":
    GUIDE.write_text(written(GUIDE.read_text()))
