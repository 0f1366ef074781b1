"""What a job's code returned, awaited if it can be; code that has not run is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import is_dataclass
from inspect import isasyncgen, isawaitable, iscoroutine, isgenerator
from io import IOBase
from typing import Any, Final

_MOST_NESTED: Final = 10
"""How often what was awaited may be awaitable itself."""

_MOST_LOOKED_AT: Final = 100_000

_OF_A_RESULT: Final = ("ready", "successful", "get")
"""What the results of other libraries' pools and queues have, such as multiprocessing's `AsyncResult`."""


class NotRunError(Exception):
    """Raised when a job's code, or a step of it, returned code that was yet to be run."""


async def awaited(value: object) -> object:
    """Return a value, awaited if it can be; NotRunError if it is code that was not run."""
    for _ in range(_MOST_NESTED):
        if not isawaitable(value):
            break
        value = await value
    return ran(value)


def ran(value: object) -> object:
    """
    Return a value, unless code that was not run is it, or lies within its containers, models or dataclasses.

    Raises:
        NotRunError: There is some; it is closed.
    """
    found = [(one, what) for one in _within(value) if (what := _unrun(one)) is not None]
    if not found:
        return value
    for one, _ in found:
        if isgenerator(one) or iscoroutine(one):
            one.close()
    first, what = found[0]
    msg = f"it returned {what}{'' if first is value else ' within'}, so its code has not run: {_HINTS[what]}"
    raise NotRunError(msg)


def _within(value: object) -> Iterator[object]:
    """Yield a value and what it holds, the first 100,000 of it; a value that holds itself is looked at once."""
    left, seen = [value], set[int]()
    while left and len(seen) < _MOST_LOOKED_AT:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, Mapping):
            left += one.values()
        elif isinstance(one, list | tuple | set | frozenset):
            left += one
        elif is_dataclass(one) or hasattr(type(one), "model_fields"):
            left += getattr(one, "__dict__", {}).values()


_HINTS: Final = {
    "a generator": "leave out `yield`, or collect in the job what it gives, as in list(…)",
    "an asynchronous generator": "leave out `yield`, or collect in the job what it gives: [one async for one in …]",
    "an iterator that computes as it goes": "collect in the job what it gives, as in list(…)",
    "a future": "wait in the job for its result()",
    "a context manager": "enter it in the job, using `with`",
    "an awaitable": "await it in the job, declared with `async def`",
}


def _unrun(value: Any) -> str | None:  # noqa: ANN401 - whatever was returned
    """Return what a value is that stands for code which has not run; None of others."""
    if isgenerator(value):
        return "a generator"
    if isasyncgen(value):
        return "an asynchronous generator"
    if isgenerator(getattr(value, "gen", None)) and isinstance(value, AbstractContextManager):
        return "a context manager"
    if isinstance(value, Iterator) and not isinstance(value, IOBase):
        return "an iterator that computes as it goes"
    if isinstance(value, Future) or all(hasattr(value, name) for name in _OF_A_RESULT):
        return "a future"
    return "an awaitable" if isawaitable(value) else None
