"""Transitions on the bus, besides ends, which the engine tells of itself before it lets go of their messages."""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING, Final

from lanework.engine.handover import QUEUE
from lanework.errors import LaneworkError
from lanework.model.events import Action
from lanework.model.notices import notice_of

if TYPE_CHECKING:
    from lanework.engine.world import Bus
    from lanework.model.events import Event
    from lanework.model.notices import Notice

_TOLD_ELSEWHERE: Final = frozenset({Action.COMPLETED, Action.DEAD, Action.CANCELLED, Action.DROPPED_DEAD})
_MOST: Final = 1_000
"""Notices that wait for a bus that doesn't answer; what is beyond is lost, the oldest first."""


class BusSink:
    """Implements the `EventSink` port: what comes together is put together. A killed worker loses what waits."""

    def __init__(self, bus: Bus, *, stack: str) -> None:
        """Put on this bus."""
        self._bus = bus
        self._stack = stack
        self._waiting: list[Notice] = []
        self._lock = Lock()

    def emit(self, event: Event) -> None:
        """Take one event."""
        if event.queue == QUEUE or event.action in _TOLD_ELSEWHERE:
            return
        notice = notice_of(event, stack=self._stack)
        if notice is not None:
            with self._lock:
                self._waiting = [*self._waiting, notice][-_MOST:]

    def flush(self) -> None:
        """Put what waits; what can't be put is tried again with what comes next."""
        with self._lock:
            taken, self._waiting = self._waiting, []
        if not taken:
            return
        try:
            self._bus.put(taken)
        except LaneworkError as error:
            logging.getLogger("lanework").warning("events.not_put", extra={"reason": str(error)})
            with self._lock:
                self._waiting = [*taken, *self._waiting][-_MOST:]
