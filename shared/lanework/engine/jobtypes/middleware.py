"""An application's own code around every enqueue and every run; a job's headers go on to the jobs that it enqueues."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, cast

from lanework.engine.jobtypes.returned import awaited
from lanework.errors import LaneworkError
from lanework.model.job.headers import CORRELATION, inherited

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.jobtypes.run import Run

Proceed = Callable[["Sequence[Request]"], "list[Receipt[Any]]"]
"""Enqueues jobs through the middleware that comes next."""


class Middleware:
    """
    Code around enqueueing and running. Override what you need; of several, the first listed is the outermost.

    It is called for Lanework's own jobs, too (`run.queue` is `lanework`).
    """

    def enqueue(self, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[Any]]:
        """
        Enqueue jobs; called once for `enqueue`, `enqueue_with` or `enqueue_many`, before anything is recorded.

        Args:
            requests: The jobs that are asked for. `with_headers` gives one words to take along.
            proceed: Enqueues them, through the middleware after this one; raise instead to refuse.

        Returns:
            Their receipts, in order.
        """
        return proceed(requests)

    def run(self, run: Run) -> AbstractContextManager[object]:  # noqa: ARG002 - those who override it use it
        """
        Return a context in which a job's code runs, synchronous or not: it is entered inside the job's own task.

        The code's exceptions pass through it, `Snooze` and the like among them. It may raise another one in their
        place; it can't make them go away. What it raises on entering fails the attempt.

        Args:
            run: The attempt; its `headers` are what the job took along.
        """
        return nullcontext()


_RUNNING: Final[ContextVar[Run | None]] = ContextVar("lanework_running", default=None)
"""The attempt whose code runs here: a thread's, or a task's."""


def enqueue_through(
    middleware: Sequence[Middleware], requests: Sequence[Request], enqueue: Proceed
) -> list[Receipt[Any]]:
    """
    Enqueue jobs through middleware, the first outermost; inside a job they take its headers and correlation id along.

    Raises:
        LaneworkError: The middleware returned no receipt for each.
    """
    run = _RUNNING.get()
    if run is not None:
        parent = {CORRELATION: run.correlation_id, **run.headers}
        requests = [replace(one, headers=inherited(one.headers, parent)) for one in requests]
    proceed = enqueue
    for one in reversed(middleware):
        proceed = partial(_receipts_of, one, proceed=proceed)
    receipts = proceed(requests)
    if len(receipts) != len(requests):
        msg = f"middleware returned {len(receipts)} receipts for {len(requests)} jobs: one for each, or raise"
        raise LaneworkError(msg)
    return receipts


def _receipts_of(one: Middleware, requests: Sequence[Request], proceed: Proceed) -> list[Receipt[Any]]:
    """Return what a middleware's `enqueue` does, or say who forgot to."""
    receipts: object = one.enqueue(requests, proceed)
    if not isinstance(receipts, list):
        if isawaitable(receipts):
            getattr(receipts, "close", lambda: None)()  # an `async def`: nothing of it has run
        kind = type(receipts).__name__
        msg = f"{type(one).__name__}.enqueue returned {kind}: it must return the receipts that `proceed` returns"
        raise LaneworkError(msg)
    return receipts


@contextmanager
def around(middleware: Sequence[Middleware], run: Run) -> Iterator[None]:
    """Enter middleware around a job's code, the first outermost; none of them makes an exception go away."""
    token = _RUNNING.set(run)
    try:
        with ExitStack() as stack:
            for one in middleware:
                stack.enter_context(_firm(_context(one, run)))
            yield
    finally:
        _RUNNING.reset(token)


@contextmanager
def for_nobody() -> Iterator[None]:
    """Let jobs that are enqueued here take no other job's headers along: code runs here for several."""
    token = _RUNNING.set(None)
    try:
        yield
    finally:
        _RUNNING.reset(token)


async def awaited_within(middleware: Sequence[Middleware], run: Run, code: Callable[[], object]) -> object:
    """Return what code gives within middleware, awaited if it can be."""
    with around(middleware, run):
        return await awaited(code())


def _context(one: Middleware, run: Run) -> AbstractContextManager[object]:
    """Return the context of a middleware, or say why there is none."""
    context: object = one.run(run)
    if hasattr(type(context), "__enter__"):
        return cast("AbstractContextManager[object]", context)
    if isawaitable(context) or hasattr(type(context), "__next__"):
        getattr(context, "close", lambda: None)()
    kind = type(context).__name__
    msg = (
        f"{type(one).__name__}.run returned {kind}: it must return a context, as a function under @contextmanager "
        "does (not `async def`, nor @asynccontextmanager: it is entered in the job's own task)"
    )
    raise LaneworkError(msg)


@contextmanager
def _firm(context: AbstractContextManager[object]) -> Iterator[None]:
    """Enter a context, and raise what was raised in it, whatever it does."""
    raised: BaseException | None = None
    with context:
        try:
            yield
        except BaseException as error:
            raised = error
            raise
    if raised is not None:
        raise raised
