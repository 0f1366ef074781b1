"""A job that could be neither recorded nor sent, run by whoever asked for it (`fallback="inline"`)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from lanework.engine.jobtypes.middleware import around, awaited_within
from lanework.engine.jobtypes.receipt import Receipt
from lanework.engine.jobtypes.returned import awaited, ran
from lanework.engine.jobtypes.run import Run
from lanework.engine.ports.code_runner import exited
from lanework.errors import EnqueueError, UnavailableError
from lanework.model.events import Action, Event
from lanework.model.job.headers import correlation_of
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.run_moves import expiry

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from datetime import datetime, timedelta

    from lanework.engine.jobtypes.middleware import Middleware
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.bundle import Ports


Answered = Receipt[Any] | BaseException
"""What became of a job: its receipt, or what its code raised."""


def enqueue_once(
    request: Request,
    enqueue: Callable[[Request], Receipt[Any]],
    ports: Ports,
    middleware: Sequence[Middleware],
    answers: dict[object, Answered],
) -> Receipt[Any]:
    """
    Enqueue a job, or run it here; if that was done before in the same call, say again what became of it.

    Middleware that proceeds once more, since the job's own code raised what a failed enqueue does, would else run it
    again. A request with other headers is the same job: `answers` goes by its type, its id and its very payload.
    """
    asked = (request.type.name, request.job_id, id(request.payload))
    before = answers.get(asked)
    if isinstance(before, BaseException):
        raise before
    if before is not None:
        return replace(before, duplicate=True)
    try:
        answers[asked] = receipt = enqueue(request)
    except EnqueueError as error:
        try:
            answers[asked] = receipt = run_inline(request, error, ports, middleware)
        except BaseException as raised:
            answers[asked] = raised
            raise
    return receipt


def run_inline(request: Request, error: EnqueueError, ports: Ports, middleware: Sequence[Middleware]) -> Receipt[Any]:
    """
    Run a job's code here, once: no record, no retry, no time-out. What it raises is raised here.

    A record that was made before its message could not be sent is cancelled first, if it can be reached. One that shows
    that the job has begun elsewhere, its answer lost, is left to it: the receipt is a duplicate's.
    """
    if _runs_elsewhere(error.job_id, ports):
        return Receipt(job_id=error.job_id, duplicate=True)
    now, job_type = ports.clock(), request.type
    event = Event(
        action=Action.JOB_RAN_INLINE,
        at=now,
        job_id=error.job_id,
        type=job_type.name,
        queue=job_type.queue,
        lane=request.policy.lane,
        reason=str(error),
        correlation_id=correlation_of(request.headers),
    )
    ports.events.emit(event)
    run = _run_of(request, error.job_id, now)
    code = partial(job_type.function, request.payload, *((run,) if job_type.takes_run else ()))
    try:
        if job_type.is_async:
            value = _beside(awaited_within(middleware, run, code), ports)
        else:
            with around(middleware, run):
                value = code()
                value = _beside(awaited(value), ports) if isawaitable(value) else ran(value)
    except SystemExit as raised:  # the process is the caller's
        raise exited(raised) from None
    return Receipt(job_id=error.job_id, ran_inline=True, reader=_Returned(value))


def _run_of(request: Request, job_id: str, now: datetime) -> Run:
    return Run(
        job_id=job_id,
        job_type=request.type.name,
        queue=request.type.queue,
        lane=request.policy.lane,
        headers=dict(request.headers),
        attempt=1,
        max_attempts=1,
        deadline=now + request.policy.timeout,
        notebook=_Unkept(job_id),
    )


def _runs_elsewhere(job_id: str, ports: Ports) -> bool:
    """Take back what of the job may have been recorded all the same; tell whether it has begun, and so needs nobody."""
    now = ports.clock()
    change = operator_moves.cancel_waiting(now=now, expires_at=expiry(now=now, ever_died=True))
    try:
        answer = ports.ledger.change(job_id, change)
    except UnavailableError:
        return False
    return answer.record is not None and not isinstance(answer, Applied)


def _beside(coroutine: Coroutine[Any, Any, object], ports: Ports) -> object:
    """Return a coroutine's value; the caller may be in an event loop of its own."""
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(copy_context().run, ports.code_runner.run_async, coroutine).result()


@dataclass(frozen=True, slots=True)
class _Returned:
    """What a job's code returned, for its receipt."""

    value: object

    def result(self, _: str, *, timeout: timedelta) -> object:  # noqa: ARG002 - it is here already
        return self.value

    async def result_async(self, job_id: str, *, timeout: timedelta) -> object:
        return self.result(job_id, timeout=timeout)


@dataclass(slots=True)
class _Unkept:
    """Implements `RunStore` for a run of which nothing is kept."""

    job_id: str
    steps: dict[str, str] = field(default_factory=dict)

    def progress(self, percent: int, note: str | None) -> None: ...

    def log(self, line: str) -> None: ...

    def is_cancelled(self) -> bool:
        return False

    def step(self, name: str) -> str | None:
        return self.steps.get(name)

    def keep_step(self, name: str, result: str) -> None:
        self.steps[name] = result

    def keep_first(self, name: str, result: str) -> str:
        return self.steps.setdefault(name, result)

    def until(self, name: str, wait: timedelta) -> datetime | None:  # noqa: ARG002 - nothing outlasts the call
        raise EnqueueError(self.job_id, "it waits between its steps, for which there must be a record")
