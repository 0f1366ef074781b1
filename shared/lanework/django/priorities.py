"""Django's priorities, -100 to 100, as lanes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from lanework.django.framework import options_of
from lanework.model.lanes import Lane

_LEAST: Final = ((51, Lane.CRITICAL), (1, Lane.HIGH), (0, Lane.MEDIUM), (-50, Lane.LOW), (-100, Lane.BATCH))
"""The least priority of each lane: what is above the default starts before it, what is below it after it."""

_HIGHEST: Final = {Lane.CRITICAL: 100, Lane.HIGH: 50, Lane.MEDIUM: 0, Lane.LOW: -1, Lane.BATCH: -51}


def lane_for(priority: int) -> Lane:
    """Return the lane of a task's priority."""
    return next(lane for least, lane in _LEAST if priority >= least)


def as_enqueued(task: Any, *, queue: str, lane: Lane) -> Any:  # noqa: ANN401 - a task of any framework
    """
    Return a task with the queue and, as far as its lane says it, the priority that its job has.

    The priority itself isn't kept: it is the task's own if that means the lane, else the highest of the lane.
    """
    changed: dict[str, Any] = {} if queue == task.queue_name else {"queue_name": queue}
    if options_of(task).get("lane") is None and lane_for(task.priority) is not lane:
        changed["priority"] = _HIGHEST[lane]
    return replace(task, **changed) if changed else task
