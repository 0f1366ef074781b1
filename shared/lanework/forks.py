"""
What must not be shared with a process that was forked from this one.

A fork takes one thread along, and everything else as it stands in that moment: connections that both would read from,
locks whose holders aren't there to let go. What holds such things says here how it begins anew in a child.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401 - has hooks around forks, and boto loads it: its come before ours
import os
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Final, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

_WHO: Final[WeakKeyDictionary[object, Callable[[object], object]]] = WeakKeyDictionary()


def in_each_process(who: T, begin: Callable[[T], object]) -> None:
    """
    Have an object begin now, and anew in each process that is forked from this one, before anything else runs there.

    Args:
        who: The object, which this doesn't keep alive; compared by identity.
        begin: Is called with it. It must take no lock that was made before the fork: nobody may be there to release it.
    """
    begin(who)
    _WHO[who] = begin  # type: ignore[assignment]


class _Loading:
    """A lock that a thread holds while it imports, and one that forks while it does so."""

    def __init__(self) -> None:
        in_each_process(self, _Loading._begin)

    def _begin(self) -> None:
        self.lock = RLock()

    def before_fork(self) -> None:
        self.lock.acquire()

    def after_fork(self) -> None:
        self.lock.release()


_loading: Final = _Loading()


@contextmanager
def no_fork_meanwhile() -> Iterator[None]:
    """
    Let forks of other threads wait until a block has ended, which imports modules.

    In a child, a module whose import was under way would never be imported: it waits for a thread that isn't there.
    """
    with _loading.lock:
        yield


def _begin_anew() -> None:
    for who, begin in list(_WHO.items()):
        begin(who)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_loading.before_fork, after_in_parent=_loading.after_fork, after_in_child=_begin_anew)
