"""One call of a batch function for jobs that were claimed. What it comes to for each is left with its attempt."""

from __future__ import annotations

from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, cast

from lanework.engine.execution.outcome import of_value
from lanework.engine.jobtypes.batch import Batch, BatchItem, nothing
from lanework.engine.jobtypes.middleware import around, for_nobody
from lanework.engine.jobtypes.returned import awaited
from lanework.engine.ports.code_runner import bounded, is_from_outside
from lanework.errors import LaneworkError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from datetime import datetime

    from lanework.engine.execution.attempt import Attempt
    from lanework.engine.execution.run_code import JobCode
    from lanework.engine.ports.code_runner import Body

_ROOM_FOR_EACH: Final = timedelta(milliseconds=10)
"""What is kept back of the time for each further outcome that is yet to be written."""

_LEAST: Final = timedelta(milliseconds=100)

_OF_A_RESULT: Final = timedelta(seconds=1)
"""How long a result may take to be written as JSON: that may be code of the job's."""


@dataclass(slots=True)
class _Seat:
    """A job's place in a call."""

    attempt: Attempt
    code: JobCode
    item: BatchItem[Any, Any]
    middleware: ExitStack = field(default_factory=ExitStack)


def call_once(attempts: Sequence[Attempt]) -> None:
    """
    Call a batch function for claimed attempts of its type, in the order in which they were enqueued.

    Its time is that of the one that has least. Afterwards `in_call` of each says what it came to; an attempt that
    turned out to be of another type has none, and runs by itself. Of what is raised only a Ctrl-C gets out.
    """
    seats: list[_Seat] = []
    for one in sorted(attempts, key=_enqueued):
        try:
            code = one.code
            if code.type.batch is None or (seats and code.type is not seats[0].code.type):
                continue
            with code.ports.code_runner.limit(code.timeout):
                item = BatchItem[Any, Any](code.payload, code.new_run)
        except BaseException as raised:
            if is_from_outside(raised) or one.stored is None:
                raise
            one.in_call = raised
        else:
            code.run_store.may_wait = False
            seats.append(_Seat(one, code, item))
    if seats:
        _Call(seats).make()


def _enqueued(attempt: Attempt) -> tuple[datetime, int, str]:
    """Order as enqueued: ids that were made one after the other count up."""
    if attempt.stored is None:
        msg = f"job {attempt.job_id!r} must not run unclaimed"
        raise LaneworkError(msg)
    return attempt.stored.created_at, len(attempt.job_id), attempt.job_id


class _Call:
    def __init__(self, seats: Sequence[_Seat]) -> None:
        self._seats = seats
        self._code = seats[0].code
        self._runner = self._code.ports.code_runner

    def make(self) -> None:
        """Make the call, and leave with each attempt what it came to."""
        timeout = max(min(one.code.timeout for one in self._seats) - _ROOM_FOR_EACH * (len(self._seats) - 1), _LEAST)
        deadline = self._code.ports.clock() + timeout
        for one in self._seats:
            one.item.run.deadline = deadline
        try:
            copy_context().run(self._run, timeout, deadline)
        except BaseException as raised:
            if is_from_outside(raised):
                raise
            for one in self._open:
                one.item.end_with(raised)
        for one in self._seats:
            one.attempt.in_call = one.item.error if one.item.error is not None else self._result(one)

    def _run(self, timeout: timedelta, deadline: datetime) -> None:
        if self._code.type.is_async:
            self._wait(self._awaited(), timeout)
            return
        with self._runner.limit(timeout):
            entered = self._enter()
            try:
                value = self._called()
                if isawaitable(value):
                    value = self._wait(awaited(value), deadline - self._code.ports.clock())
                self._complete(value)
            except BaseException as raised:
                self._leave(entered, raised)
                raise
            self._leave(entered, None)

    async def _awaited(self) -> None:
        entered = self._enter()
        try:
            self._complete(await awaited(self._called()))
        except BaseException as raised:
            self._leave(entered, raised)
            raise
        self._leave(entered, None)

    def _wait(self, coroutine: Coroutine[Any, Any, object], timeout: timedelta) -> object:
        body = cast("Body", self._runner.run_async(bounded(coroutine, timeout)))
        return body.result()

    def _called(self) -> object:
        """Call the function, unless nobody is left to call it for."""
        items = [one.item for one in self._open]
        return self._code.type.function(Batch(items)) if items else None

    def _complete(self, value: object) -> None:
        """Complete what nothing was said of; TypeError if the function returned something, which nobody would get."""
        nothing(value)
        for one in self._open:
            one.item.complete()

    @property
    def _open(self) -> list[_Seat]:
        return [one for one in self._seats if one.item.is_open]

    # --- middleware: each job's around the call, so that it sees how that job ends

    def _enter(self) -> Sequence[_Seat]:
        """Enter each job's middleware; what it raises fails that job, for which the function isn't called then."""
        entered: list[_Seat] = []
        for one in self._seats:
            try:
                one.middleware.enter_context(around(self._code.middleware, one.item.run))
            except BaseException as raised:
                if is_from_outside(raised):
                    raise
                one.item.end_with(raised)
            else:
                entered.append(one)
        if len(entered) > 1:
            entered[-1].middleware.enter_context(for_nobody())
        return entered

    def _leave(self, entered: Sequence[_Seat], raised: BaseException | None) -> None:
        """Leave each job's middleware with how that job ended; what it raises instead counts."""
        for one in reversed(entered):
            error = raised if one.item.is_open else one.item.error
            try:
                _close(one.middleware, error)
            except BaseException as other:
                if is_from_outside(other):
                    raise
                if other is not error:
                    one.item.end_with(other)

    def _result(self, seat: _Seat) -> Any:  # noqa: ANN401 - an outcome, or what was raised
        try:
            with self._runner.limit(_OF_A_RESULT):
                return of_value(seat.item.result)
        except BaseException as raised:
            if is_from_outside(raised):
                raise
            return raised


def _close(stack: ExitStack, error: BaseException | None) -> None:
    if error is None:
        stack.close()
    else:
        stack.__exit__(type(error), error, error.__traceback__)
