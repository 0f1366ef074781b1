"""Batch functions: one call for many jobs of a type, each with an outcome of its own. Loaded where one is declared."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from inspect import isawaitable
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Final,
    Generic,
    ParamSpec,
    Protocol,
    cast,
    get_args,
    get_origin,
    overload,
)

from pydantic import BaseModel
from typing_extensions import TypeVar

from lanework.engine.jobtypes.job import Job
from lanework.engine.jobtypes.job_type import resolve_policy
from lanework.engine.jobtypes.returned import ran
from lanework.engine.jobtypes.run import Run
from lanework.engine.jobtypes.signature import POSITIONAL, check_marks, check_rest, is_model, read_signature
from lanework.errors import DeclarationError, InvalidOptionError, is_a, shown
from lanework.model.job.job_exceptions import Cancel, Discard, Snooze
from lanework.model.lanes import LANES
from lanework.model.limits import is_count

if TYPE_CHECKING:
    from lanework.engine.jobtypes.job_type import Options

PayloadT = TypeVar("PayloadT", bound=BaseModel)
ResultT = TypeVar("ResultT", default=None)
RestP = ParamSpec("RestP")
DirectT_co = TypeVar("DirectT_co", covariant=True)

LARGEST_BATCH: Final = 1_000
"""A function of Lambda's has 1,024 threads at most, and each job of a call is claimed and written by one."""

LONGEST_WITHIN: Final = timedelta(minutes=5)
"""The longest that Lambda gathers (SQS, MaximumBatchingWindowInSeconds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTerms:
    """How many jobs of a batch function's type are gathered for one call, and for how long a worker process waits."""

    size: int
    within: timedelta


class BatchItem(Generic[PayloadT, ResultT]):
    """
    One job of a batch function's call.

    What is said of it counts when the function has ended. Of what nothing was said is completed if the function
    returned, and fails with what it raised otherwise.

    Attributes:
        payload: The job's payload.
        run: The job's attempt; its `wait` and `wait_for` are refused, since others of the call would wait, too.
        result: What `complete` was given.
        error: What `fail`, `discard`, `snooze` or `cancel` ended it with; None of one that did not.
    """

    __slots__ = ("_is_ended", "error", "payload", "result", "run")

    def __init__(self, payload: PayloadT, run: Run) -> None:
        """Made by Lanework, and in unit tests by `lanework.testing.a_batch`."""
        self.payload = payload
        self.run = run
        self.result: ResultT | None = None
        self.error: BaseException | None = None
        self._is_ended = False

    def __repr__(self) -> str:
        return f"<BatchItem {self.run.job_id}>"

    @property
    def is_open(self) -> bool:
        """Whether nothing was said of it yet."""
        return not self._is_ended

    def complete(self, result: ResultT | None = None) -> None:
        """
        Complete the job, with a result.

        Raises:
            InvalidOptionError: An outcome was given before.
        """
        ran(result)
        self.result = result
        self._end(None)

    def fail(self, error: Exception) -> None:
        """
        End the attempt as if the job alone had raised this: it is retried, unless the error or its policy forbids.

        Raises:
            InvalidOptionError: It is no exception, or an outcome was given before.
        """
        if not is_a(error, Exception):
            msg = f'fail takes an exception, as in item.fail(ValueError("no such contact")), got {shown(error)}'
            raise InvalidOptionError(msg)
        self._end(error)

    def discard(self, reason: str) -> None:
        """Give up the job, as `Discard` does: it is dead, cause `discarded`. Errors as in `fail`."""
        self.fail(Discard(reason))

    def snooze(self, wait: timedelta) -> None:
        """Run the job again after this time without using an attempt, as `Snooze` does. Errors as in `fail`."""
        self.fail(Snooze(wait))

    def cancel(self, reason: str) -> None:
        """End the job as cancelled, as `Cancel` does. Errors as in `fail`."""
        self.fail(Cancel(reason))

    def end_with(self, raised: BaseException) -> None:
        """End it with what its call, or middleware around it, raised; for Lanework."""
        self.error, self._is_ended = raised, True

    def _end(self, error: Exception | None) -> None:
        if self._is_ended:
            msg = f"job {self.run.job_id!r} was given an outcome before, in the same call: give each one only"
            raise InvalidOptionError(msg)
        self.error, self._is_ended = error, True


class Batch(Sequence[BatchItem[PayloadT, ResultT]], Generic[PayloadT, ResultT]):
    """
    The jobs of one call of a batch function: at least one, in the order in which they were enqueued.

    `Batch[Contact]` of jobs without a result, `Batch[Contact, str]` of jobs whose results are strings.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[BatchItem[PayloadT, ResultT]]) -> None:
        """Made by Lanework, and in unit tests by `lanework.testing.a_batch`."""
        self._items = tuple(items)

    @overload
    def __getitem__(self, index: int) -> BatchItem[PayloadT, ResultT]: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[BatchItem[PayloadT, ResultT]]: ...

    def __getitem__(self, index: int | slice) -> BatchItem[PayloadT, ResultT] | Sequence[BatchItem[PayloadT, ResultT]]:
        """Return a job by its position, or several."""
        return self._items[index]

    def __len__(self) -> int:
        """Return how many jobs there are."""
        return len(self._items)


class BatchJob(Job[PayloadT, RestP, DirectT_co, ResultT]):
    """A declared type of jobs that run many in a call. Call it with a batch to run its code here, as in a unit test."""

    def __call__(  # type: ignore[override]  # it is enqueued as any job, and called with a batch of them
        self, batch: Batch[PayloadT, ResultT], /, *args: RestP.args, **kwargs: RestP.kwargs
    ) -> DirectT_co:
        """
        Run the function directly: no queue, no record, no retry; then look at the items' `result` and `error`.

        Raises:
            TypeError: It returned something: a result belongs to an item. A coroutine is yours to await.
        """
        value = self.type.function(batch, *args, **kwargs)
        return cast("DirectT_co", value if isawaitable(value) else nothing(value))


class BatchDeclaration(Protocol):
    """What `Jobs.batch(...)` returns: takes the function, `async def` or `def`, and gives the `BatchJob`."""

    @overload
    def __call__(
        self, function: Callable[Concatenate[Batch[PayloadT, ResultT], RestP], Coroutine[Any, Any, None]], /
    ) -> BatchJob[PayloadT, RestP, Coroutine[Any, Any, None], ResultT]: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[Batch[PayloadT, ResultT], RestP], None], /
    ) -> BatchJob[PayloadT, RestP, None, ResultT]: ...


def nothing(value: object) -> None:
    """Refuse what a batch function returned; TypeError."""
    if value is not None:
        msg = f"a batch function returned {type(value).__name__}: give each item its own result, item.complete(…)"
        raise TypeError(msg)


def checked_terms(name: str, size: object, within: object, options: Options) -> BatchTerms:
    """Return what a declaration says of its calls; InvalidOptionError if it can't be used."""
    if not (is_count(size) and 1 <= cast("int", size) <= LARGEST_BATCH):
        msg = f"size of batch {name!r} must be a number from 1 to {LARGEST_BATCH:,}, got {shown(size)}"
        raise InvalidOptionError(msg)
    if not isinstance(within, timedelta):
        msg = f"within must be a timedelta, as in within=timedelta(seconds=1), got {shown(within)}"
        raise InvalidOptionError(msg)
    lane = resolve_policy(options).lane
    sla = LANES[lane].start_within
    if within < timedelta(0) or within > LONGEST_WITHIN or (sla is not None and within >= sla):
        most = f"at most {LONGEST_WITHIN.total_seconds():g} s" if sla is None else f"below {sla.total_seconds():g} s"
        why = "" if sla is None else f", within which lane {lane} starts its jobs"
        msg = f"within of batch {name!r} must be 0 or more and {most}{why}; got {within.total_seconds():g} s"
        raise InvalidOptionError(msg)
    return BatchTerms(size=cast("int", size), within=within)


def batch_signature_of(name: str, function: Callable[..., object]) -> tuple[type[BaseModel], bool, Any]:
    """Return the model of the payloads that a batch function takes, that it takes no run, and what its results are."""
    where, parameters, hints = read_signature(name, function)
    found = hints.get(parameters[0].name) if parameters and parameters[0].kind in POSITIONAL else None
    model, *rest = get_args(found) or (None,)
    if (get_origin(found) or found) is not Batch or not is_model(model):
        msg = f"{where}: its first parameter must be annotated Batch[…] of a pydantic model, as in Batch[Contact]"
        raise DeclarationError(msg)
    check_marks(where, model)
    if any(hints.get(one.name) is Run for one in parameters):
        msg = f"{where} takes a run: each job of a batch has its own, item.run"
        raise DeclarationError(msg)
    check_rest(where, parameters[1:], "a batch function is called with (batch)")
    if hints.get("return") not in {None, type(None)}:
        msg = f"{where} returns nothing: annotate it -> None, and give each item its result by item.complete(…)"
        raise DeclarationError(msg)
    result = rest[0] if rest else None
    return model, False, type(None) if result is None else result
