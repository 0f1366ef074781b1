"""What is worth knowing of batch functions in Lambda; nothing of it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lanework.engine.jobtypes.job_type import resolve_policy
from lanework.model.lanes import LONGEST_IN_LAMBDA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lanework.engine.jobtypes.job_type import JobType
    from lanework.model.lanes import Lane


def largest_batches(types: Iterable[JobType]) -> dict[Lane, int]:
    """Return, for each lane with batch functions that Lambda may run, the size of the largest."""
    found: dict[Lane, int] = {}
    for _, lane, size in _in_lambda(types):
        found[lane] = max(size, found.get(lane, 0))
    return found


def batch_notes(template: Mapping[str, Any], types: Iterable[JobType]) -> list[str]:
    """Return a line for each batch function of which Lambda makes smaller calls than it could take."""
    lines: list[str] = []
    for name, lane, size in _in_lambda(types):
        worker = f"{lane.title()}Worker"
        try:
            most = template["Resources"][worker]["Properties"]["Events"]["Lane"]["Properties"]["BatchSize"]
        except (KeyError, TypeError):
            continue
        if isinstance(most, int) and most < size:
            lines.append(
                f"note: {name} takes {size} jobs a call, and Lambda hands it {most} at most: raise BatchSize of "
                f"{worker} in template.yaml (over 10, MaximumBatchingWindowInSeconds too), or run the lane with "
                "lanework worker"
            )
    return lines


def _in_lambda(types: Iterable[JobType]) -> Iterator[tuple[str, Lane, int]]:
    for one in types:
        policy = resolve_policy(one.options)
        if one.batch is not None and one.options.where != "worker" and policy.timeout <= LONGEST_IN_LAMBDA:
            yield one.name, policy.lane, one.batch.size
