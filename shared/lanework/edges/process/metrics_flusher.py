"""Lets what was counted be written every few seconds, where no batch's end does it."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Final

from lanework.edges.process.watchdog import unheard, vital_thread

if TYPE_CHECKING:
    from lanework.app import App
    from lanework.edges.process.watchdog import Failed

_EVERY_S: Final = 5.0


class MetricsFlusher:
    """Flushes an application's events in a thread, until it is closed."""

    def __init__(self, app: App, failed: Failed = unheard) -> None:
        self._app = app
        self._is_closed = Event()
        self._thread = vital_thread("flusher", self._run, failed)

    def close(self) -> None:
        """Flush once more, and end."""
        self._is_closed.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            is_last = self._is_closed.wait(_EVERY_S)
            self._app.ports.events.flush()
            if is_last:
                return
