"""One stream of events, several sinks; and an application's own functions as a sink, called in its own process."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lanework.engine.jobtypes.returned import ran
from lanework.engine.ports.code_runner import apart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanework.engine.ports.bundle import EventSink
    from lanework.model.events import Event


class Fanout:
    """Implements the `EventSink` port: hands every event to each of its sinks, in their order, whatever one raises."""

    def __init__(self, *sinks: EventSink) -> None:
        self._sinks = sinks

    def emit(self, event: Event) -> None:
        """Take one event."""
        for sink in self._sinks:
            apart("sink.failed", partial(sink.emit, event))

    def flush(self) -> None:
        """Let every sink write out what it took."""
        for sink in self._sinks:
            apart("sink.failed", sink.flush)


class Beside(Fanout):
    """
    A sink with others beside it.

    Attributes:
        sink: The one that they are beside.
    """

    def __init__(self, sink: EventSink, others: Sequence[EventSink]) -> None:
        super().__init__(sink, *others)
        self.sink = sink


def alone(sink: EventSink) -> EventSink:
    """Return a sink without those beside it."""
    return sink.sink if isinstance(sink, Beside) else sink


class HookSink:
    """Implements the `EventSink` port."""

    def __init__(self, hooks: Sequence[Callable[[Event], object]]) -> None:
        self._hooks = hooks

    def emit(self, event: Event) -> None:
        """Call each; what one raises is logged, and stops nothing."""
        for hook in self._hooks:
            apart("hook.failed", partial(_call, hook, event))

    def flush(self) -> None:
        """Nothing waits."""


def _call(hook: Callable[[Event], object], event: Event) -> None:
    ran(hook(event))
