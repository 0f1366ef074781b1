"""The dead jobs by error, so that a thousand of them read as the three things that went wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from lanework.engine.deadletters.query import MOST_COUNTED, PAGE
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.job.fingerprint import fingerprint_of, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from lanework.engine.deadletters.query import DeadJobs
    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.states import Cause, JobRecord

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """
    Dead jobs of the same error.

    Attributes:
        fingerprint: What they have in common; a filter takes it.
        shape: The error, with what varies left out.
        types, lanes, causes: Of what they are, the most frequent first.
        latest: The one that died last.
    """

    fingerprint: str
    shape: str
    count: int
    types: tuple[str, ...]
    lanes: tuple[Lane, ...]
    causes: tuple[Cause, ...]
    latest: JobRecord
    first_died_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """The dead jobs by error, the largest group first; `is_counted`: all are in it, not the first 10,000 or 100."""

    groups: tuple[Group, ...]
    is_counted: bool


def groups(dead: DeadJobs, which: DeadFilter) -> Grouping:
    """
    Return the dead by the fingerprint of their error, the largest group first.

    Raises:
        NothingMatchesError: No dead job is asked for; an empty filter asks for nothing in particular and may be empty.
    """
    found = tuple(islice(dead.matching(which), MOST_COUNTED))
    if not found and which != DeadFilter():
        raise dead.nothing(which)
    return _grouped(found, is_counted=len(found) < MOST_COUNTED)


def latest_groups(dead: DeadJobs, which: DeadFilter) -> Grouping:
    """Return those of the latest 100 deaths that are asked for by their error: five reads, however many are dead."""
    page = dead.page(which, limit=PAGE)
    return _grouped(page.jobs, is_counted=page.cursor is None)


def _grouped(jobs: Iterable[JobRecord], *, is_counted: bool) -> Grouping:
    by_error: dict[str, list[JobRecord]] = {}
    for record in jobs:
        by_error.setdefault(fingerprint_of(record), []).append(record)
    found = [_group(error, same) for error, same in by_error.items()]
    return Grouping(
        groups=tuple(sorted(found, key=lambda group: group.count, reverse=True)),
        is_counted=is_counted,
    )


def _group(error: str, jobs: list[JobRecord]) -> Group:
    return Group(
        fingerprint=error,
        shape=shape_of(jobs[0].error or ""),
        count=len(jobs),
        types=_by_frequency(job.type for job in jobs),
        lanes=_by_frequency(job.lane for job in jobs),
        causes=_by_frequency(job.cause for job in jobs if job.cause is not None),
        latest=jobs[0],
        first_died_at=jobs[-1].ended_at,
    )


def _by_frequency(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(value for value, _ in Counter(values).most_common())
