"""
What must not be shared with a process that was forked from this one.

A fork takes one thread along, and everything else as it stands in that moment: connections that both would read from,
locks whose holders aren't there to let go. What holds such things says here how it begins anew in a child.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

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


def _begin_anew() -> None:
    for who, begin in list(_WHO.items()):
        begin(who)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
