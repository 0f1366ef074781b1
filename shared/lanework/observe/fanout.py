"""One stream of events, several sinks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lanework.engine.ports import EventSink
    from lanework.model.events import Event


class Fanout:
    """Implements the `EventSink` port: hands every event to each of its sinks, in their order."""

    def __init__(self, *sinks: EventSink) -> None:
        """Hand events to these."""
        self._sinks = sinks

    def emit(self, event: Event) -> None:
        """Take one event."""
        for sink in self._sinks:
            sink.emit(event)

    def flush(self) -> None:
        """Let every sink write out what it took."""
        for sink in self._sinks:
            sink.flush()
