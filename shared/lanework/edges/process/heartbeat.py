"""What a worker process holds: kept hidden and leased while its jobs run, given back when the process must end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Condition
from typing import TYPE_CHECKING, Final

from lanework.edges.process.watchdog import Repeating, unheard
from lanework.engine.execution.claim import LEASE_MARGIN
from lanework.errors import LaneworkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.edges.process.ack_batcher import AckBatcher
    from lanework.edges.process.lease_board import LeaseBoard
    from lanework.edges.process.watchdog import Failed
    from lanework.engine.execution.attempt import Attempt
    from lanework.model.lanes import Lane


_AT_ONCE: Final = 16

HEART: Final = "heart"
"""Name of the thread that keeps leases."""

_CLAIMING: Final = timedelta(seconds=5)
"""How long a stop waits for claims that are on their way, so that what they claim is given back, too."""


@dataclass(slots=True, kw_only=True)
class _Held:
    lane: Lane
    attempt: Attempt | None = None
    is_claiming: bool = False
    is_given_back: bool = False

    @property
    def is_running(self) -> bool:
        return self.attempt is not None and self.attempt.stored is not None


class Heartbeat:
    """Beats three times a lease for every message that is held, and every run that was claimed."""

    def __init__(
        self,
        outbox: AckBatcher,
        *,
        lease: timedelta,
        roster: LeaseBoard | None = None,
        failed: Failed = unheard,
        on_error: Callable[[str, LaneworkError], object] = lambda _, __: None,
    ) -> None:
        """Start the heartbeat. The lease board shows the supervisor what runs; a refusal is logged once."""
        self._outbox = outbox
        self._lease = lease
        self._roster = roster
        self._on_error = on_error
        self._is_refused = False
        self._held: dict[str, _Held] = {}
        self._lock = Condition()
        self._beating = Repeating(HEART, self._beat_all, failed, every_s=lease.total_seconds() / 3)

    def hold(self, lane: Lane, handle: str) -> None:
        """Keep a received message."""
        with self._lock:
            self._held[handle] = _Held(lane=lane)

    def claim(self, handle: str, attempt: Attempt) -> bool:
        """
        Claim a held message's run, and keep its lease from then on; tell whether it is to go on.

        It isn't where it may not run now, or was given back meanwhile.
        """
        with self._lock:
            held = self._held[handle]
            if held.is_given_back:
                return False
            held.attempt, held.is_claiming = attempt, True
        try:
            is_claimed = attempt.claim()
            with self._lock:  # from here on it either runs, and a stop gives it back, or it is given back here
                is_given_back = held.is_given_back
                held.is_claiming = is_given_back
            if is_given_back:
                self._give_back(handle, held, ends_within=None)
            elif is_claimed and self._roster is not None:
                self._roster.enter(held.lane, handle, attempt.lease())
            return is_claimed and not is_given_back
        finally:
            with self._lock:
                held.is_claiming = False
                self._lock.notify_all()

    def let_go(self, handle: str) -> bool:
        """Keep it no more; tell whether it was given back meanwhile."""
        with self._lock:
            held = self._held.pop(handle)
            if self._roster is not None:
                self._roster.leave(handle)
            return held.is_given_back

    def give_back_all(self, *, ends_within: timedelta | None = None) -> None:
        """
        Give back what is held, without an attempt used.

        Args:
            ends_within: After how long no code of this process runs any more, because it is killed then: what runs may
                not begin elsewhere before. None if no code runs now.
        """
        with self._lock:
            claiming = [one for one in self._held.values() if one.is_claiming]
            others = [(handle, one) for handle, one in self._held.items() if not one.is_claiming]
            for one in self._held.values():
                one.is_given_back = True
        if others:
            with ThreadPoolExecutor(min(len(others), _AT_ONCE)) as threads:
                for handle, one in others:
                    threads.submit(self._give_back, handle, one, ends_within=ends_within)
        with self._lock:
            self._lock.wait_for(lambda: not any(one.is_claiming for one in claiming), _CLAIMING.total_seconds())

    def _give_back(self, handle: str, held: _Held, *, ends_within: timedelta | None) -> None:
        """Put a job back, and its message; what can't be put back is due again when its lease is over."""
        try:
            attempt = held.attempt if held.is_running else None
            wait = timedelta(0) if attempt is None else attempt.requeue(ends_within=ends_within)
        except LaneworkError as error:
            self._on_error("giving a job back", error)
            return
        if wait is not None:
            self._outbox.hide(held.lane, handle, wait)

    def close(self) -> None:
        """Beat no more."""
        self._beating.close()

    def _beat_all(self) -> None:
        with self._lock:
            held = [(handle, one) for handle, one in self._held.items() if not one.is_given_back]
        for handle, one in held:
            self._beat(handle, one)

    def _beat(self, handle: str, held: _Held) -> None:
        with self._lock:
            if self._held.get(handle) is not held or held.is_given_back:
                return  # answered meanwhile: it comes back when that answer says
            self._outbox.hide(held.lane, handle, self._lease + LEASE_MARGIN)
            if self._roster is not None:
                self._roster.keep(handle)
        if held.is_running and held.attempt is not None:
            try:
                held.attempt.heartbeat()
                self._is_refused = False
            except LaneworkError as error:  # a refusal, too, may be over before the lease is
                if not self._is_refused:
                    self._on_error("extending leases", error)
                self._is_refused = True
