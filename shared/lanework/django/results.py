"""A job's record as Django's `TaskResult`."""

from __future__ import annotations

import builtins
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils import timezone

import lanework
from lanework import JobFailedError, State
from lanework.django.priorities import as_enqueued
from lanework.django.task_runs import WORKER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from lanework import JobRecord
    from lanework.django.framework import Framework

_STATUS: Final = {
    State.RUNNING: "RUNNING",
    State.COMPLETED: "SUCCESSFUL",
    State.DEAD: "FAILED",
    State.CANCELLED: "FAILED",
}
"""All others are waiting to be run, perhaps again: READY."""

_RAISED: Final = re.compile(r"\S+ attempt (\d+) raised (\S+) at\n(.*)", re.DOTALL)
"""A line of a job's log that `task_runs` has written."""


def result_of(record: JobRecord, task: Any, framework: Framework, *, log: Iterable[str]) -> Any:  # noqa: ANN401 - of the framework
    """
    Return the result of a job.

    Args:
        task: The task that the job runs.
        log: The lines of the job's log; only a job that has failed has any that matter.
    """
    arguments = json.loads(record.payload or "{}")
    result = framework.task_result(
        task=_task_of(record, task),
        id=record.job_id,
        status=framework.status[_STATUS.get(record.state, "READY")],
        enqueued_at=_moment(record.created_at),
        started_at=_moment(record.first_started_at),
        last_attempted_at=_moment(record.started_at),
        finished_at=_moment(record.ended_at),
        args=arguments.get("args", []),
        kwargs=arguments.get("kwargs", {}),
        backend=task.backend,
        errors=[framework.task_error(**one) for one in _errors(record, [*log])],
        worker_ids=[WORKER.format(number) for number in range(1, record.attempts + 1)],
    )
    value = None if record.result is None else json.loads(record.result)
    object.__setattr__(result, "_return_value", value)
    return result


def _task_of(record: JobRecord, task: Any) -> Any:  # noqa: ANN401 - of the framework
    """Return the task as it was enqueued."""
    found = as_enqueued(task, queue=record.queue, lane=record.lane)
    return found if record.run_at <= record.created_at else replace(found, run_after=_moment(record.run_at))


def _moment(at: datetime | None) -> datetime | None:
    """Return a time as the project's are: aware, or where USE_TZ is off, without a zone."""
    return at if at is None or settings.USE_TZ else timezone.make_naive(at)


def _errors(record: JobRecord, log: list[str]) -> list[dict[str, str]]:
    """Return what the attempts of this life raised, oldest first, or why a job ended that raised nothing."""
    raised = [found for line in log if (found := _RAISED.match(line))]
    errors: list[dict[str, str]] = []
    for failure in reversed([one for one in record.failures if one.life == record.life]):
        while raised and int(raised[-1][1]) > failure.attempt:
            raised.pop()
        found = raised.pop() if raised and int(raised[-1][1]) == failure.attempt else None
        path = _path_of(failure.error_type) if found is None else found[2]
        errors.insert(0, _error(path, failure.error, "" if found is None else found[3]))
    if not errors and record.state in (State.DEAD, State.CANCELLED):
        found = raised[-1] if raised else None
        path = _path_of(record.error_type) if found is None else found[2]
        errors.append(
            _error(path, record.error or f"the job is {record.state}: {record.cause}", found[3] if found else "")
        )
    return errors


def _error(path: str, said: str, frames: str) -> dict[str, str]:
    name = path.rpartition(".")[2]
    text = said if said.startswith(f"{name}: ") or not frames else f"{name}: {said}"
    head = f"Traceback (most recent call last):\n{frames}\n" if frames else ""
    return {"exception_class_path": path, "traceback": f"{head}{text}\n"}


def _path_of(name: str | None) -> str:
    """Return where an exception's class is of which only the name is known; JobFailedError's if it isn't found."""
    for module in (builtins, lanework):
        if name is not None and hasattr(module, name):
            return f"{module.__name__}.{name}"
    return f"{JobFailedError.__module__}.{JobFailedError.__qualname__}"
