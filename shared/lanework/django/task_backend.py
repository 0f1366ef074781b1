"""What both backends do: enqueue tasks as jobs, and read jobs as results."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.utils.timezone import is_aware, make_aware, make_naive

from lanework import DeclarationError, InvalidOptionError, JobNotFoundError, State, UnknownLaneError
from lanework.django.checks import check_backend
from lanework.django.commit import after_commit
from lanework.django.framework import options_of
from lanework.django.results import result_of
from lanework.django.settings import outbox_database, project_app
from lanework.django.task_jobs import checked_arguments, declare, lane_of
from lanework.errors import did_you_mean
from lanework.model.job.ids import checked_queue
from lanework.model.job.payload import written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.core.checks import CheckMessage

    from lanework import App, Job, JobRecord, Request
    from lanework.django.framework import Framework

_PER_CALL: Final = ("attempts", "backoff", "timeout", "webhook", "unique_for")
"""Options that `dataclasses.replace(task, attempts=9)` may change of one call."""


class LaneworkTasks:
    """
    Tasks as jobs: a mixin over the `BaseTaskBackend` of a framework.

    OPTIONS of its entry in TASKS: `ENQUEUE_ON_COMMIT`. False enqueues at once. True, the default, waits for the commit
    of each transaction that is open, in any database; a rollback enqueues nothing. `get_result` knows the job from the
    commit on. With LANEWORK_OUTBOX, it is a row of the transaction instead, which no crash loses.
    """

    framework: ClassVar[Framework]
    supports_defer = supports_async_task = supports_get_result = supports_priority = True

    alias: str
    queues: set[str]
    options: Mapping[str, Any]

    def __init__(self, alias: str, params: Mapping[str, Any]) -> None:
        """Take what TASKS says; what is wrong with it, `manage.py check` says."""
        super().__init__(alias, params)  # type: ignore[call-arg]
        self.params = params
        self._jobs: dict[Any, Job[Any, Any, Any, Any]] = {}

    @property
    def app(self) -> App:
        """The application, as `project_app` finds it."""
        return project_app()

    def job_of(self, task: Any) -> Job[Any, Any, Any, Any]:  # noqa: ANN401 - of the framework
        """Return the job of a task; errors as in `declare`."""
        if task.func not in self._jobs:
            self._jobs[task.func] = declare(task, self.framework).job
        return self._jobs[task.func]

    def validate_task(self, task: Any) -> None:  # noqa: ANN401 - of the framework
        """Refuse, with the framework's error, a task that can't be run, or that can't be a job as written."""
        try:
            super().validate_task(task)  # type: ignore[misc]
        except self.framework.invalid_task as error:
            if not self.queues or task.queue_name in self.queues:
                raise
            msg = f"{error} Add it to QUEUES of TASKS[{self.alias!r}]{did_you_mean(task.queue_name, self.queues)}"
            raise self.framework.invalid_task(msg) from None
        try:
            self.job_of(task)
            lane_of(task)
            checked_queue(task.queue_name)
        except (DeclarationError, InvalidOptionError, UnknownLaneError) as error:
            raise self.framework.invalid_task(str(error)) from error

    def enqueue(self, task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - of the framework
        """
        Enqueue a task, at once or after the commit; return its result, whose id is final.

        Raises:
            InvalidTask: It can't be run by this backend; django-tasks calls it InvalidTaskError.
            TypeError: Its function doesn't take the arguments, or one isn't JSON.
            ConfigError, InvalidPayloadError, LaneLeftOutError, TooLargeError: As of `Job.enqueue`.
            EnqueueError, QuotaExceededError: The same, out of the `atomic` block where there is one.
        """
        self.validate_task(task)
        arguments = checked_arguments(task, args, kwargs, self.framework)
        result = self.framework.task_result(
            task=task,
            id=self.app.ports.new_id(),
            status=self.framework.status.READY,
            enqueued_at=None,
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            **arguments,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )
        request = self._request(task, arguments, result.id)
        _check(request, self.app)
        database = outbox_database()
        if database is not None:
            from lanework.django import outbox  # noqa: PLC0415 - for who has its table

            outbox.enqueue(request, using=database)
            after_commit(partial(self._enqueued, result))
        elif self.options.get("ENQUEUE_ON_COMMIT", True):
            after_commit(partial(self._send, request, result))
        else:
            self._send(request, result)
        return result

    def _request(self, task: Any, arguments: dict[str, Any], job_id: str) -> Request:  # noqa: ANN401 - of the framework
        said = options_of(task)
        options: dict[str, Any] = {name: said[name] for name in _PER_CALL if name in said}
        if task.run_after is not None:
            options["run_at"] = task.run_after if is_aware(task.run_after) else make_aware(task.run_after)
        request = self.job_of(task).request(arguments, job_id=job_id, lane=lane_of(task), **options)
        if task.queue_name == request.type.queue:
            return request
        return replace(request, type=replace(request.type, queue=task.queue_name))

    def _send(self, request: Request, result: Any) -> None:  # noqa: ANN401 - of the framework
        receipt = self.app.enqueue_request(request)
        object.__setattr__(result, "id", receipt.job_id)  # that of the first one, of unique work
        self._enqueued(result, is_new=not receipt.duplicate)

    def _enqueued(self, result: Any, *, is_new: bool = True) -> None:  # noqa: ANN401 - of the framework
        now = self.app.ports.clock()
        object.__setattr__(result, "enqueued_at", now if settings.USE_TZ else make_naive(now))
        if is_new:
            self.framework.enqueued.send(type(self), task_result=result)

    def get_result(self, result_id: str) -> Any:  # noqa: ANN401 - of the framework
        """
        Read the job of a result: one read, and one more if it has failed.

        Raises:
            TaskResultDoesNotExist: There is no job of a task of this process; a task that is enqueued in a transaction
                has none before the commit.
        """
        try:
            record = self.app.get(result_id)
        except JobNotFoundError as error:
            raise self.framework.does_not_exist(str(error)) from None
        task = self._task_of(record)
        if task is None or record.retired:
            msg = f"{result_id}: its record has expired" if record.retired else f"{result_id}: a job of {record.type}"
            raise self.framework.does_not_exist(msg)
        has_failed = record.failures or record.state in (State.DEAD, State.CANCELLED)
        log = self.app.inspector.log(result_id) if has_failed else ()
        return result_of(record, task, self.framework, log=log)

    def _task_of(self, record: JobRecord) -> Any:  # noqa: ANN401 - of the framework
        """Return the task that a job runs, if this process has it."""
        known = (job.type for job in self._jobs.values() if job.name == record.type)
        job_type = next(known, None) or self.app.registry.find(record.type)
        return getattr(job_type.function, "task", None) if job_type is not None else None

    def check(self, **_: object) -> Iterator[CheckMessage]:
        """Yield what is wrong with the entry in TASKS."""
        yield from check_backend(self)


def _check(request: Request, app: App) -> None:
    """Refuse before the commit what would be refused after it."""
    app.ports.check_lane(request.policy.lane)
    written(request.type.name, request.type.model, request.payload)
