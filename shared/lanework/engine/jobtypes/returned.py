"""What a job's code returned, awaited if it can be; code that has not run is refused."""

from __future__ import annotations

from concurrent.futures import Future
from inspect import isasyncgen, isawaitable, iscoroutine, isgenerator
from typing import Any, Final

_MOST_NESTED: Final = 10
"""How often what was awaited may be awaitable itself."""

_LAZY: Final = (map, filter)


class NotRunError(Exception):
    """Raised when a job's code, or a step of it, returned code that was yet to be run."""


async def awaited(value: object) -> object:
    """
    Return a value, awaited if it can be.

    Raises:
        NotRunError: It is code that was not run.
    """
    for _ in range(_MOST_NESTED):
        if not isawaitable(value):
            break
        value = await value
    return ran(value)


def ran(value: object) -> object:
    """
    Return a value that a job's code returned.

    Raises:
        NotRunError: It is code that was not run. It is closed.
    """
    what = _unrun(value)
    if what is None:
        return value
    if isgenerator(value) or iscoroutine(value):
        value.close()
    msg = f"it returned {what}, so its code has not run: {_HINTS[what]}"
    raise NotRunError(msg)


_HINTS: Final = {
    "a generator": "leave out `yield`, or collect in the job what it gives, as in list(…)",
    "an asynchronous generator": "leave out `yield`, or collect in the job what it gives: [one async for one in …]",
    "an iterator that computes as it goes": "collect in the job what it gives, as in list(…)",
    "a future": "wait in the job for its result()",
    "an awaitable": "await it in the job, declared with `async def`",
}


def _unrun(value: Any) -> str | None:  # noqa: ANN401 - whatever was returned
    """Return what a value is that stands for code which has not run; None of others."""
    if isgenerator(value):
        return "a generator"
    if isasyncgen(value):
        return "an asynchronous generator"
    if isinstance(value, _LAZY):
        return "an iterator that computes as it goes"
    if isinstance(value, Future):
        return "a future"
    return "an awaitable" if isawaitable(value) else None
