"""Running a task as a job: its context, its signals, what it raised."""

from __future__ import annotations

from asyncio import CancelledError
from traceback import extract_tb, format_exception, format_list
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from lanework import Cancel, Discard, Snooze, Suspended
from lanework.django.connections import connections_of_this_thread, healthy_connections
from lanework.django.priorities import as_enqueued

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from lanework import Run
    from lanework.django.framework import Framework

WORKER: Final = "attempt-{}"
"""Django counts attempts by the ids of workers, and Lanework doesn't keep which worker made which attempt."""

_MOST_FRAMES: Final = 20
"""The innermost ones of an error that the job's log keeps; of an endless recursion there are a thousand."""


def runner(task: Any, framework: Framework, discard_on: tuple[type[Exception], ...]) -> Callable[..., Any]:  # noqa: ANN401 - of the framework
    """Return the function of a task's job."""

    def run_task(arguments: Any, run: Run) -> Any:  # noqa: ANN401 - whatever it takes and returns
        attempt = _Attempt(task, framework, arguments, run)
        with connections_of_this_thread():
            framework.started.send_robust(**attempt.signal)
            try:
                value = attempt.returned(task.func(*attempt.positional, **attempt.result.kwargs))
            except BaseException as error:
                if attempt.has_failed(error, discard_on):
                    framework.finished.send_robust(**attempt.signal)
                raise
            framework.finished.send_robust(**attempt.signal)
            return value

    run_task.task = task  # type: ignore[attr-defined]
    return run_task


def async_runner(
    task: Any,  # noqa: ANN401 - of the framework
    framework: Framework,
    discard_on: tuple[type[Exception], ...],
) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return the function of the job of an `async def` task."""

    async def run_task(arguments: Any, run: Run) -> Any:  # noqa: ANN401 - whatever it takes and returns
        attempt = _Attempt(task, framework, arguments, run)
        async with healthy_connections():
            await framework.started.asend_robust(**attempt.signal)
            try:
                value = attempt.returned(await task.func(*attempt.positional, **attempt.result.kwargs))
            except BaseException as error:
                if attempt.has_failed(error, discard_on):
                    await framework.finished.asend_robust(**attempt.signal)
                raise
            await framework.finished.asend_robust(**attempt.signal)
            return value

    run_task.task = task  # type: ignore[attr-defined]
    return run_task


class _Attempt:
    """
    One attempt of a task.

    Attributes:
        result: Its `TaskResult`, as far as it is known without a read: `refresh()` gets the rest.
    """

    def __init__(self, task: Any, framework: Framework, arguments: Any, run: Run) -> None:  # noqa: ANN401 - of the framework
        self._framework, self._run = framework, run
        now = timezone.now()
        self.result = framework.task_result(
            task=as_enqueued(task, queue=run.queue, lane=run.lane),
            id=run.job_id,
            status=framework.status.RUNNING,
            enqueued_at=None,
            started_at=now,
            last_attempted_at=now,
            finished_at=None,
            args=arguments.args,
            kwargs=arguments.kwargs,
            backend=task.backend,
            errors=[],
            worker_ids=[WORKER.format(number) for number in range(1, run.attempt + 1)],
        )
        self.signal = {"sender": type(task.get_backend()), "task_result": self.result}
        context = [framework.task_context(task_result=self.result)] if task.takes_context else []
        self.positional = [*context, *self.result.args]

    def returned(self, value: object) -> Any:  # noqa: ANN401 - JSON
        """Return a task's value as JSON values; what is none fails it for good, for its work is done."""
        try:
            result = self._framework.normalize_json(value)
        except (TypeError, ValueError) as error:
            name = self.result.task.module_path
            msg = f"{error}: {name} returned what isn't JSON; return its id, or nothing"
            raise Discard(msg) from error
        self._set(status=self._framework.status.SUCCESSFUL, finished_at=timezone.now(), _return_value=result)
        return result

    def has_failed(self, error: BaseException, discard_on: tuple[type[Exception], ...]) -> bool:
        """Note what was raised in the job's log, for its result; tell whether no further attempt follows."""
        if isinstance(error, Snooze | Suspended):
            return False
        raised = error.__cause__ if isinstance(error, Discard) and error.__cause__ is not None else error
        path = f"{type(raised).__module__}.{type(raised).__qualname__}"
        frames = [one for one in extract_tb(raised.__traceback__, -_MOST_FRAMES) if one.filename != __file__]
        if not isinstance(error, CancelledError):  # so a coroutine sees that its time is over, which the record says
            self._run.log(f"attempt {self._run.attempt} raised {path} at\n{''.join(format_list(frames)).rstrip()}")
        is_final = isinstance(error, (Cancel, Discard, *discard_on)) or self._run.is_last_attempt
        if is_final:
            self._set(status=self._framework.status.FAILED, finished_at=timezone.now())
            trace = "".join(format_exception(raised))
            self.result.errors.append(self._framework.task_error(exception_class_path=path, traceback=trace))
        return is_final

    def _set(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self.result, name, value)
