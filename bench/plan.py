"""What is measured: which systems do which work, how often, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.measure import Case
from bench.peers import BARE_BATCHED, BARE_SINGLE, FLOOR, LANEWORK, OTHER_BROKERS, PEERS

if TYPE_CHECKING:
    from bench.peers import System

CELERY, _, TASKIQ, *_ = PEERS
BULLMQ: Final = OTHER_BROKERS[-1]
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
    """

    name: str
    says: str
    case: Case
    systems: tuple[System, ...]
    repetitions: int


def rounds(*, is_quick: bool) -> list[Round]:
    """Return the questions; the quick ones are the same with fewer jobs and systems, once each."""
    if is_quick:
        some = (LANEWORK, BARE_BATCHED, TASKIQ)
        return [_round("noop-16", Case(slots=16, jobs=300), some, 1), _round("single", _SINGLE, some[:2], 1)]
    few = (LANEWORK, BARE_BATCHED, BARE_SINGLE, CELERY, TASKIQ)
    return [
        *(_round(f"noop-{slots}", Case(slots=slots, jobs=1000), EVERYBODY, 3) for slots in (1, 4, 16)),
        _round("wait-16", Case(work="wait", slots=16, jobs=1000), (*few, BULLMQ), 3),
        _round("cpu-4", Case(work="cpu", slots=4, jobs=600), (*few, BULLMQ), 3),
        _round("single", _SINGLE, (*few, BULLMQ), 3),
        *(
            _round(f"size-{size}", Case(slots=16, jobs=300, size=size), few, 3)
            for size in (200, 20_000, 200_000)
        ),
        *(
            _round(f"backlog-{backlog}", Case(slots=16, jobs=1000, backlog=backlog), (LANEWORK, BARE_BATCHED), repeated)
            for backlog, repeated in ((0, 3), (10_000, 3), (100_000, 1))
        ),
    ]


_SINGLE: Final = Case(slots=16, jobs=300, mode="single")

_WORK: Final = {"noop": "jobs that do nothing", "wait": "jobs that wait for 50 ms", "cpu": "jobs of 5 ms of CPU"}


def _round(name: str, case: Case, systems: tuple[System, ...], repetitions: int) -> Round:
    how = "enqueued one by one" if case.mode == "single" else "enqueued in bulk"
    says = f"{case.jobs:,} {_WORK[case.work]}, {case.size:,} bytes each, {how}, {case.slots} at once"
    if case.backlog:
        says += f", of {case.backlog:,} more that wait"
    return Round(name=name, says=says, case=case, systems=systems, repetitions=repetitions)
