"""What a worker process holds: kept hidden and leased while its jobs run, given back when the process must end."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Condition, Event
from typing import TYPE_CHECKING, Final

from lanework.edges.process.vital import unheard, vital_thread
from lanework.errors import LaneworkError

if TYPE_CHECKING:
    from lanework.edges.process.outbox import Outbox
    from lanework.edges.process.vital import Failed
    from lanework.engine.execution import Execution
    from lanework.model.lanes import Lane


_CLAIMING: Final = timedelta(seconds=5)
"""How long a stop waits for claims that are on their way, so that what they claim is given back, too."""


@dataclass(slots=True, kw_only=True)
class _Held:
    lane: Lane
    execution: Execution | None = None
    is_claiming: bool = False
    is_given_back: bool = False

    @property
    def is_running(self) -> bool:
        return self.execution is not None and self.execution.stored is not None


class Heart:
    """Beats three times a lease for every message that is held, and every run that was claimed."""

    def __init__(self, outbox: Outbox, *, lease: timedelta, failed: Failed = unheard) -> None:
        """Begin to beat."""
        self._outbox = outbox
        self._lease = lease
        self._held: dict[str, _Held] = {}
        self._lock = Condition()
        self._is_closed = Event()
        self._thread = vital_thread("heart", self._run, failed)

    def hold(self, lane: Lane, handle: str) -> None:
        """Keep a received message."""
        with self._lock:
            self._held[handle] = _Held(lane=lane)

    def claim(self, handle: str, execution: Execution) -> bool:
        """
        Claim a held message's run, and keep its lease from then on; tell whether it is to go on.

        It isn't where it may not run now, or was given back meanwhile.
        """
        with self._lock:
            held = self._held[handle]
            if held.is_given_back:
                return False
            held.execution, held.is_claiming = execution, True
        try:
            is_claimed = execution.claim()
            with self._lock:  # from here on it either runs, and a stop gives it back, or it is given back here
                is_given_back = held.is_given_back
                held.is_claiming = is_given_back
            if is_given_back:
                self._give_back(handle, held)
            return is_claimed and not is_given_back
        finally:
            with self._lock:
                held.is_claiming = False
                self._lock.notify_all()

    def let_go(self, handle: str) -> bool:
        """Keep it no more; tell whether it was given back meanwhile."""
        with self._lock:
            held = self._held.pop(handle)
            return held.is_given_back

    def give_back_all(self) -> None:
        """Give back what is held, at once and without an attempt used: its code will be cut off."""
        with self._lock:
            claiming = [one for one in self._held.values() if one.is_claiming]
            others = [(handle, one) for handle, one in self._held.items() if not one.is_claiming]
            for one in self._held.values():
                one.is_given_back = True
        for handle, one in others:
            self._give_back(handle, one)
        with self._lock:
            self._lock.wait_for(lambda: not any(one.is_claiming for one in claiming), _CLAIMING.total_seconds())

    def _give_back(self, handle: str, held: _Held) -> None:
        with suppress(LaneworkError):
            if not held.is_running or (held.execution is not None and held.execution.give_back()):
                self._outbox.hide(held.lane, handle, timedelta(0))

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
                    with suppress(LaneworkError):  # a refusal, too, may be over before the lease is
                        one.execution.beat()
