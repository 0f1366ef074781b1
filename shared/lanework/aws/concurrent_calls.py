"""Calls of one request that don't wait for each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PartT = TypeVar("PartT")
ResultT = TypeVar("ResultT")

AT_ONCE: Final = 3
"""
Most calls under way at once: on AWS a bulk enqueue waits for answers, 10 to 20 ms each. With more, threads that
wait for the interpreter take a third more CPU.
"""

_FOR_A_CONNECTION: Final = 2
"""So many calls are worth another thread: its first pays for a connection, and for TLS on a small function's CPU."""


def concurrently(call: Callable[[PartT], ResultT], parts: Sequence[PartT]) -> list[ResultT]:
    """
    Return what a call gives for each part, in their order; up to three are under way at once.

    An error is raised once those under way have ended, the first in the order of parts; what hadn't begun doesn't.
    Threads last as long as this call, so that a fork or a timeout leaves none behind that begins another part. Each
    part has the caller's context variables: traces know whose calls these are.
    """
    threads = min(AT_ONCE, len(parts) // _FOR_A_CONNECTION)
    if threads <= 1:
        return [call(part) for part in parts]
    with ThreadPoolExecutor(threads, thread_name_prefix="lanework-bulk") as pool:
        pending = [pool.submit(copy_context().run, call, part) for part in parts]
        try:
            return [one.result() for one in pending]
        finally:
            for one in pending:
                one.cancel()
