"""What a worker process holds: kept hidden and leased while its jobs run, given back when the process must end."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from lanework.errors import UnavailableError

if TYPE_CHECKING:
    from lanework.edges.process.outbox import Outbox
    from lanework.engine.execution import Execution
    from lanework.model.lanes import Lane


@dataclass(slots=True, kw_only=True)
class _Held:
    lane: Lane
    execution: Execution | None = None
    is_given_back: bool = False

    @property
    def is_running(self) -> bool:
        return self.execution is not None and self.execution.stored is not None


class Heart:
    """Beats three times a lease for every message that is held, and every run that was claimed."""

    def __init__(self, outbox: Outbox, *, lease: timedelta) -> None:
        """Begin to beat."""
        self._outbox = outbox
        self._lease = lease
        self._held: dict[str, _Held] = {}
        self._lock = Lock()
        self._is_closed = Event()
        self._thread = Thread(target=self._run, name="heart", daemon=True)
        self._thread.start()

    def hold(self, lane: Lane, handle: str) -> None:
        """Keep a received message."""
        with self._lock:
            self._held[handle] = _Held(lane=lane)

    def watch(self, handle: str, execution: Execution) -> None:
        """Keep its run's lease too, once it has one."""
        with self._lock:
            self._held[handle].execution = execution

    def let_go(self, handle: str) -> bool:
        """Keep it no more; tell whether it was given back meanwhile."""
        with self._lock:
            held = self._held.pop(handle)
            return held.is_given_back

    def give_back_all(self) -> None:
        """Give back what is held, at once and without an attempt used: its code will be cut off."""
        with self._lock:
            held = list(self._held.items())
            for _, one in held:
                one.is_given_back = True
        for handle, one in held:
            with suppress(UnavailableError):
                if not one.is_running or (one.execution is not None and one.execution.give_back()):
                    self._outbox.hide(one.lane, handle, timedelta(0))

    def close(self) -> None:
        """Beat no more."""
        self._is_closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_closed.wait(self._lease.total_seconds() / 3):
            with self._lock:
                held = [(handle, one) for handle, one in self._held.items() if not one.is_given_back]
            for handle, one in held:
                self._outbox.hide(one.lane, handle, self._lease)
                if one.is_running and one.execution is not None:
                    with suppress(UnavailableError):
                        one.execution.beat()
