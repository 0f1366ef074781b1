"""Writing until it is known: what is safe to repeat is repeated for a while where a service doesn't answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from lanework.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.runtime import Runtime

T = TypeVar("T")

_PAUSES_S: Final = (0.1, 0.3, 0.9)
"""Between tries; with boto's own retries they stay within what an invocation keeps back for writing."""


def persistently(call: Callable[[], T], runtime: Runtime) -> T:
    """
    Call, and call again for a while where the service doesn't answer; a call that had landed meets itself (rule 17).

    Raises:
        UnavailableError: It still doesn't.
    """
    for pause_s in _PAUSES_S:
        try:
            return call()
        except UnavailableError:
            runtime.pause(pause_s)
    return call()
