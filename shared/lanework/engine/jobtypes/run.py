"""What a job's code is handed about its own run."""

from __future__ import annotations

import re
from dataclasses import InitVar, dataclass, field
from datetime import timedelta
from inspect import isawaitable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

from pydantic_core import PydanticSerializationError, from_json, to_json

from lanework.async_calls import async_twin, beside_the_loop
from lanework.engine.jobtypes.returned import NotRunError, ran
from lanework.errors import InvalidOptionError, SignalTimeoutError, TooLargeError, is_a, shown
from lanework.model.job.headers import CORRELATION
from lanework.model.job.job_exceptions import Suspended

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from lanework.model.lanes import Lane

T = TypeVar("T")

_STEP: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_LONGEST_NOTE: Final = 200

LONGEST_WAIT: Final = timedelta(days=60)
"""Steps are kept for 90 days after a pass that comes by: those before a wait outlast it, with a month to spare."""

LARGEST_STEP: Final = 256 * 1024
"""Bytes of JSON; an item of DynamoDB's holds 400 KB."""

TIMED_OUT: Final = "timed out"
"""What is kept in place of a signal that didn't come in time; no JSON text is this."""


class RunStore(Protocol):
    """Where a run's own words go: the ledger, or a list in a unit test."""

    def progress(self, percent: int, note: str | None) -> None:
        """Keep how far the job is."""

    def log(self, line: str) -> None:
        """Keep a line with the job."""

    def is_cancelled(self) -> bool:
        """Tell whether the job was asked to stop."""

    def step(self, name: str) -> str | None:
        """Return what a step of the job left, as JSON text, or None if it was not done."""

    def keep_step(self, name: str, result: str) -> None:
        """Keep what a step left, for later attempts."""

    def keep_first(self, name: str, result: str) -> str:
        """Keep what a step left, unless it has left something before; return what is kept."""

    def until(self, name: str, wait: timedelta) -> datetime | None:
        """Return until when the job waits, counted from when it first asked; None if that is over."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Run:
    """
    One attempt, as the job's own code sees it.

    Attributes:
        job_id: The job's id; the same on every attempt, so it can serve as an idempotency key elsewhere.
        attempt: Which attempt this is, from 1.
        max_attempts: Most attempts.
        deadline: When the attempt is stopped; aware, UTC.
        job_type: Name of the job's type.
        queue: The queue that the type belongs to.
        lane: The lane that the job is in.
        headers: What goes along beside the payload, such as a `traceparent`; read-only.
        workflow_id: The workflow that the job is part of, or is called back by; None of others.
    """

    job_id: str
    job_type: str
    queue: str
    lane: Lane
    attempt: int
    max_attempts: int
    deadline: datetime
    notebook: InitVar[RunStore]
    headers: Mapping[str, str] = field(default_factory=dict)
    workflow_id: str | None = None
    _notebook: RunStore = field(init=False)
    _waits: int = field(default=0, init=False)

    def __post_init__(self, notebook: RunStore) -> None:
        self._notebook = notebook
        self.headers = MappingProxyType(dict(self.headers))

    @property
    def correlation_id(self) -> str:
        """What the job belongs to: the id that it was given, or that of the first job of its line."""
        return self.headers.get(CORRELATION, self.job_id)

    @property
    def is_last_attempt(self) -> bool:
        """Whether the job dies if this attempt fails."""
        return self.attempt >= self.max_attempts

    @property
    def cancelled(self) -> bool:
        """Whether the job was asked to stop: a long one looks now and then and raises `Cancel`. A read a second."""
        return self._notebook.is_cancelled()

    def progress(self, percent: int, note: str | None = None) -> None:
        """
        Say how far the job is. Each call is one write to its record.

        Args:
            percent: 0 to 100; a fraction is cut off.
            note: What it is doing, at most 200 characters.

        Raises:
            InvalidOptionError: The percentage is out of range.
            ClaimLostError: This attempt outlived its lease and another has taken over; let it end.
        """
        if not 0 <= percent <= 100:  # noqa: PLR2004 - per cent
            msg = f"progress must be between 0 and 100, got {percent}"
            raise InvalidOptionError(msg)
        self._notebook.progress(int(percent), None if note is None else note[: _LONGEST_NOTE + 1])

    def log(self, line: str) -> None:
        """Keep a line with the job: its last 100 lines, 16 KB in all. They are written once, when the attempt ends."""
        self._notebook.log(line)

    def once(self, name: str, call: Callable[[], T]) -> T:
        """
        Do a step of the job that must not be repeated by a retry: its result is kept with the job.

        A crash between the step and the keeping repeats it; make it idempotent with `job_id` where that matters.

        Args:
            name: Names the step within the job: letters, digits and _ . : -, at most 64.
            call: Does the step; what it returns must be JSON, at most 256 KB: it comes back as such on later attempts.

        Raises:
            InvalidOptionError: The name can't be used, or what the step returned is not JSON, or is code that was yet
                to run: a coroutine (`once_async` awaits it), or a generator.
            TooLargeError: What it returned is too large. Either way the step was done, and a retry repeats it.
        """
        _check_name("step", name)
        before = self._notebook.step(name)
        return self._kept(name, _ran(name, call())) if before is None else cast("T", from_json(before))

    async def once_async(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        """Do a step of an async job, `call` being awaited; otherwise as `once`. Other jobs go on meanwhile."""
        _check_name("step", name)
        before = await beside_the_loop(self._notebook.step, name)
        if before is None:
            value: Any = call()
            return await beside_the_loop(self._kept, name, _ran(name, await value if isawaitable(value) else value))
        return cast("T", from_json(before))

    def _kept(self, name: str, result: T) -> T:
        """Keep what a step left, and return it as later attempts will see it."""
        try:
            text = to_json(result).decode()
            kept = from_json(text)  # else no later attempt could read it
        except (PydanticSerializationError, ValueError) as error:
            msg = f"step {name!r} was done, but what it returned can't be kept, since it is not JSON: {error}"
            raise InvalidOptionError(msg) from None
        size = len(text.encode())
        if size > LARGEST_STEP:
            what = f"what step {name!r} returned"
            raise TooLargeError(what, size=size, limit=LARGEST_STEP, why="keep the data in S3 and return its key")
        self._notebook.keep_step(name, text)
        return cast("T", kept)

    def wait(self, duration: timedelta, *, name: str | None = None) -> None:
        """
        End the attempt, and go on after this time: the code runs again from its beginning, and passes the wait over.

        No attempt is used, and nothing is held meanwhile. Steps that must not be repeated go into `once`.

        Args:
            duration: How long, counted from when the job first came here; above zero, at most 60 days.
            name: Names the wait within the job, as a step's. By default waits go by their number, so give names where a
                run may come by other waits than the one before.

        Raises:
            InvalidOptionError: The duration or the name can't be used.
            Suspended: To end the attempt; no `Exception`, so let it pass.
        """
        self._waits += 1
        called = f"#{self._waits}" if name is None else _check_name("wait", name)
        until = self._notebook.until(f"wait/{called}", _check_wait("wait", duration))
        if until is not None:
            raise Suspended(until)

    def wait_for(self, signal: str, *, timeout: timedelta) -> Any:  # noqa: ANN401 - whatever was sent
        """
        Return what a signal brought; until it comes, the job is parked as in `wait`.

        `app.signal`, `lanework signal` and the API send one. The first of a name counts, also if it came before the job
        waited for it; every later attempt gets the same.

        Args:
            signal: The signal's name, as a step's.
            timeout: How long, counted from when the job first came here; above zero, at most 60 days.

        Raises:
            SignalTimeoutError: It didn't come in time. From then on it is refused: every attempt learns the same.
            InvalidOptionError: The name or the timeout can't be used.
            Suspended: To end the attempt; no `Exception`, so let it pass.
        """
        step = signal_step(signal)
        _check_wait("timeout", timeout)
        came = self._notebook.step(step)
        if came is None:
            until = self._notebook.until(f"until/{signal}", timeout)
            if until is not None:
                raise Suspended(until, signal)
            came = self._notebook.keep_first(step, TIMED_OUT)
        if came == TIMED_OUT:
            raise SignalTimeoutError(self.job_id, signal)
        return from_json(came)

    progress_async = async_twin(progress)
    wait_async = async_twin(wait)
    wait_for_async = async_twin(wait_for)


def signal_step(signal: str) -> str:
    """Return the step under which a signal is kept; no step of a job's own has such a name."""
    return f"signal/{_check_name('signal', signal)}"


def _ran(name: str, value: T) -> T:
    """Return what a step returned, unless it stands for code that has not run."""
    try:
        return cast("T", ran(value))
    except NotRunError as error:
        msg = f"step {name!r} was not done: {error}; or do it by run.once_async, which awaits it"
        raise InvalidOptionError(msg) from None


def _check_name(kind: str, name: str) -> str:
    if is_a(name, str) and _STEP.fullmatch(name):
        return name
    msg = f"{kind} {shown(name)} can't be used: 1 to 64 of letters, digits and _ . : -"
    raise InvalidOptionError(msg)


def _check_wait(name: str, wait: timedelta) -> timedelta:
    if is_a(wait, timedelta) and timedelta(0) < wait <= LONGEST_WAIT:
        return wait
    msg = f"{name} must be a timedelta above zero and of at most {LONGEST_WAIT.days} days, got {shown(wait)}"
    raise InvalidOptionError(msg)
