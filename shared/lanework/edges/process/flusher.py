"""Lets what was counted be written every few seconds, where no batch's end does it."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lanework.app import App

_EVERY_S: Final = 5.0


class Flusher:
    """Flushes an application's events in a thread, until it is closed."""

    def __init__(self, app: App) -> None:
        """Begin."""
        self._app = app
        self._is_closed = Event()
        self._thread = Thread(target=self._run, name="flusher", daemon=True)
        self._thread.start()

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
