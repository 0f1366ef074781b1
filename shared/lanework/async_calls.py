"""The async twins of calls that block: the same call, in a thread beside the event loop."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from functools import partial, wraps
from threading import Lock, local
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from lanework.forks import in_each_process

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import ThreadPoolExecutor

SelfT = TypeVar("SelfT")
T = TypeVar("T")
P = ParamSpec("P")

MOST_THREADS: Final = 32
"""How many calls of a process run at once, whatever its event loops; others wait their turn."""


class _Threads:
    """The threads of a process. A fork has none of its parent's, and starts its own."""

    def __init__(self) -> None:
        in_each_process(self, _Threads._begin)

    def _begin(self) -> None:
        self._making = Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._here = local()

    @property
    def is_here(self) -> bool:
        """Whether the caller's thread is one of these."""
        return getattr(self._here, "is_ours", False)

    def pool(self) -> ThreadPoolExecutor:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - for asyncio code only

        with self._making:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="lanework", initializer=self._mark)
            return self._pool

    def _mark(self) -> None:
        self._here.is_ours = True


_threads: Final = _Threads()


async def beside_the_loop(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """
    Run a call that blocks in a thread, with the context variables of the task that awaits it.

    If the task is cancelled, a call that has begun goes on to its end, and one that waits for a thread is not made. The
    threads are Lanework's own: other code that fills the event loop's does not delay it, and the other way round.
    """
    doing = partial(copy_context().run, call, *args, **kwargs)
    if _threads.is_here:  # a loop within such a call: if it took another thread, all might wait for one
        return doing()
    return await asyncio.get_running_loop().run_in_executor(_threads.pool(), doing)


def async_twin(
    method: Callable[Concatenate[SelfT, P], T],
) -> Callable[Concatenate[SelfT, P], Coroutine[Any, Any, T]]:
    """Return the twin of a method: `name_async`, with the same arguments, result and errors."""
    name = method.__name__

    @wraps(method)
    async def twin(self: SelfT, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await beside_the_loop(getattr(self, name), *args, **kwargs)

    twin.__name__, twin.__qualname__ = f"{name}_async", f"{method.__qualname__}_async"
    twin.__doc__ = f"Do as `{name}` does, from asyncio code: in a thread beside the event loop.\n\n{method.__doc__}"
    return twin
