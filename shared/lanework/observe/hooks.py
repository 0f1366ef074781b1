"""An application's own functions that want to know what happens, called in its own process."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lanework.engine.outcome import ran
from lanework.engine.runtime import apart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanework.model.events import Event


class HookSink:
    """Implements the `EventSink` port."""

    def __init__(self, hooks: Sequence[Callable[[Event], object]]) -> None:
        """Call these, in their order."""
        self._hooks = hooks

    def emit(self, event: Event) -> None:
        """Call each; what one raises is logged, and stops nothing."""
        for hook in self._hooks:
            apart("hook.failed", partial(_call, hook, event))

    def flush(self) -> None:
        """Nothing waits."""


def _call(hook: Callable[[Event], object], event: Event) -> None:
    ran(hook(event))
