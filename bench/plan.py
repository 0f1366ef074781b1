"""What is measured: which systems do which work, how often, in which order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from bench.budgets import CALLS, FAR, FAR_64, FAR_WAIT, LIMITS, PUBLIC, PUBLIC_CPU, ROUND, SLOW, WAIT
from bench.measure import Case
from bench.peers import (
    BARE_BATCHED,
    BARE_SINGLE,
    BULLMQ,
    CELERY,
    FLOOR,
    LANEWORK,
    LIMITED,
    OTHER_BROKERS,
    PEERS,
    RECORDED_AT_START,
    TASKIQ,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.peers import System

EVERYBODY: Final = (LANEWORK, *FLOOR, *PEERS, *OTHER_BROKERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """
    One question, put to several systems; each repetition asks all of them before the next begins.

    Attributes:
        name: Its key in the results.
        says: What it shows.
        case: What is done.
        systems: By whom.
        repetitions: How often.
        latency_ms: How long a call of each service waits before the emulator looks at it; nothing: not at all.
    """

    name: str
    says: str
    case: Case
    systems: tuple[System, ...]
    repetitions: int
    latency_ms: Mapping[str, float] = field(default_factory=dict)


def rounds(*, is_quick: bool) -> list[Round]:
    """Return the questions; the quick ones are the same with fewer jobs and systems, once each."""
    if is_quick:
        some = (LANEWORK, BARE_BATCHED, TASKIQ)
        return [
            _round(ROUND, Case(slots=16, jobs=300), some, 1),
            _far(_round(FAR, Case(slots=16, jobs=300), some, 1)),
            _round("single", _SINGLE, some[:2], 1),
        ]
    few = (LANEWORK, BARE_BATCHED, BARE_SINGLE, CELERY, TASKIQ)
    far = (LANEWORK, BARE_BATCHED, CELERY, TASKIQ)
    ours = (LANEWORK, BARE_BATCHED)
    return [
        _round(ROUND, Case(slots=16, jobs=_JOBS), EVERYBODY, 3),
        _far(_round(FAR, Case(slots=16, jobs=_JOBS), (LANEWORK, *FLOOR, *PEERS), 3)),
        _far(_round(FAR_64, Case(slots=64, jobs=2 * _JOBS), (LANEWORK, BARE_BATCHED, TASKIQ), 2)),
        _slow(_round(SLOW, Case(slots=16, jobs=_JOBS), far, 2)),
        *(_round(f"noop-{slots}", Case(slots=slots, jobs=_JOBS), (*few, BULLMQ), 2) for slots in (1, 4)),
        _round(CALLS, Case(slots=16, jobs=_JOBS), (LANEWORK,), 10),
        _round(WAIT, Case(work="wait", slots=16, jobs=_JOBS), (*few, BULLMQ), 2),
        _far(_round(FAR_WAIT, Case(work="wait", slots=16, jobs=_JOBS), (LANEWORK, CELERY, TASKIQ), 2)),
        *(
            _round(name, Case(work=work, slots=10, jobs=1000), (LANEWORK, CELERY, TASKIQ, BULLMQ), 2)
            for name, work in ((PUBLIC, "wait-100"), (PUBLIC_CPU, "cpu-1"))
        ),
        _round(LIMITS, Case(slots=16, jobs=_JOBS), (LANEWORK, *LIMITED), 3),
        _round("cpu-4", Case(work="cpu", slots=4, jobs=_JOBS), (*few, BULLMQ), 2),
        _round("single", _SINGLE, (*few, RECORDED_AT_START, BULLMQ), 3),
        *(
            _round(f"size-{size}", Case(slots=16, jobs=200, size=size), (*ours, TASKIQ), 2)
            for size in (20_000, 200_000)
        ),
        *(
            _round(f"backlog-{backlog}", Case(slots=16, jobs=_JOBS, backlog=backlog), ours, 1)
            for backlog in (10_000, 100_000)
        ),
    ]


_JOBS: Final = 600
_SINGLE: Final = Case(slots=16, jobs=300, mode="single")

_WORK: Final = {
    "noop": "jobs that do nothing",
    "wait": "jobs that wait for 50 ms",
    "wait-100": "jobs that wait for 100 ms",
    "cpu": "jobs of 5 ms of CPU",
    "cpu-1": "jobs of 1 ms of CPU",
}


_AWS_MS: Final = {"sqs": 20.0, "dynamodb": 10.0, "s3": 100.0}
"""
How long AWS takes by its own pages: SQS 20 ms in "Increasing throughput using horizontal scaling and action batching",
DynamoDB "single-digit milliseconds" in "What is Amazon DynamoDB?", S3 100 to 200 ms in "Optimizing S3 performance".
"""


def _far(asked: Round) -> Round:
    """Ask the same where calls take as long as AWS says they do."""
    return replace(asked, says=f"{asked.says}, each call as long as on AWS", latency_ms=_AWS_MS)


def _slow(asked: Round) -> Round:
    """Ask the same where every call takes ten milliseconds, whatever it does."""
    return replace(asked, says=f"{asked.says}, each call 10 ms", latency_ms=dict.fromkeys(_AWS_MS, 10.0))


def _round(name: str, case: Case, systems: tuple[System, ...], repetitions: int) -> Round:
    how = "enqueued one by one" if case.mode == "single" else "enqueued in bulk"
    says = f"{case.jobs:,} {_WORK[case.work]}, {case.size:,} bytes each, {how}, {case.slots} at once"
    if case.backlog:
        says += f", of {case.backlog:,} more that wait"
    return Round(name=name, says=says, case=case, systems=systems, repetitions=repetitions)
