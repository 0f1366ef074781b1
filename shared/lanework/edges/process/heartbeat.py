"""What a worker process holds: kept hidden and leased while its jobs run, given back when the process must end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Condition
from typing import TYPE_CHECKING, Final

from lanework.edges.process.watchdog import Repeating, unheard
from lanework.engine.execution.claim import LEASE_MARGIN
from lanework.engine.messaging.delivery import Nack
from lanework.errors import LaneworkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.edges.process.ack_batcher import AckBatcher
    from lanework.edges.process.lease_board import LeaseBoard
    from lanework.edges.process.watchdog import Failed
    from lanework.engine.execution.attempt import Attempt
    from lanework.engine.messaging.delivery import Report
    from lanework.model.lanes import Lane


_AT_ONCE: Final = 16

HEART: Final = "heart"
"""Name of the thread that keeps leases."""

_CLAIMING: Final = timedelta(seconds=5)
"""How long a stop waits for claims that are on their way, so that what they claim is given back, too."""


@dataclass(slots=True, kw_only=True)
class _Held:
    """
    A message that is held.

    Attributes:
        is_writing: Its claim, or what takes it back, is under way: nobody else says what becomes of it.
        has_begun: Its job's code was begun, or is about to be.
    """

    lane: Lane
    attempt: Attempt | None = None
    is_writing: bool = False
    has_begun: bool = False
    is_given_back: bool = False

    @property
    def is_claimed(self) -> bool:
        return self.attempt is not None and self.attempt.stored is not None


class Heartbeat:
    """Beats three times a lease for every message that is held, and every job that was claimed, begun or not."""

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
        Claim a held message's job, and keep its lease from then on; tell whether it is to go on.

        It isn't where it may not run now, or was given back meanwhile.
        """
        with self._lock:
            held = self._held[handle]
            if held.is_given_back:
                return False
            held.attempt, held.is_writing = attempt, True
            if self._roster is not None:  # before the claim, so that the parent knows of it if this process dies
                self._roster.enter(held.lane, handle, attempt.lease())
        try:
            is_claimed = attempt.claim()
            with self._lock:  # from here on it either goes on, and a stop gives it back, or it is given back here
                is_given_back = held.is_given_back
                held.is_writing = is_given_back
            if is_given_back:
                self._give_back(handle, held, ends_within=None)
            return is_claimed and not is_given_back
        finally:
            self._has_written(held)

    def begin(self, handle: str) -> bool:
        """Note that a claimed job's code is about to be begun; False if it was given back meanwhile."""
        with self._lock:
            held = self._held[handle]
            held.has_begun = not held.is_given_back
            if held.has_begun and self._roster is not None:
                self._roster.begin(handle)
            return held.has_begun

    def hold_slots(self, handle: str) -> None:
        """Note that a job that has begun holds slots of limits, too."""
        with self._lock:
            held = self._held[handle]
            if self._roster is not None and held.attempt is not None:
                self._roster.enter(held.lane, handle, held.attempt.lease())
                self._roster.begin(handle)

    def unclaim(self, handle: str) -> None:
        """Give a claimed job back that is not begun, unless that was done; its attempt's report answers its message."""
        with self._lock:
            held = self._held[handle]
            if held.is_given_back or held.attempt is None:
                return
            held.is_writing = True
        try:
            held.attempt.unclaim()
        finally:
            with self._lock:
                held.is_given_back = False
            self._has_written(held)

    def _has_written(self, held: _Held) -> None:
        with self._lock:
            held.is_writing = False
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
            writing = [one for one in self._held.values() if one.is_writing]
            others = [(handle, one) for handle, one in self._held.items() if not one.is_writing]
            for one in self._held.values():
                one.is_given_back = True
        if others:
            with ThreadPoolExecutor(min(len(others), _AT_ONCE)) as threads:
                for handle, one in others:
                    threads.submit(self._give_back, handle, one, ends_within=ends_within)
        with self._lock:
            self._lock.wait_for(lambda: not any(one.is_writing for one in writing), _CLAIMING.total_seconds())

    def _give_back(self, handle: str, held: _Held, *, ends_within: timedelta | None) -> None:
        """Put a job back, and its message; what can't be put back is due again when its lease is over."""
        report: Report = Nack(timedelta(0))
        try:
            if held.attempt is not None and held.is_claimed:
                if held.has_begun:
                    report = Nack(held.attempt.requeue(ends_within=ends_within))
                else:
                    held.attempt.unclaim()
                    report = held.attempt.report
        except LaneworkError as error:
            self._on_error("giving a job back", error)
            return
        self._outbox.answer(held.lane, handle, report)

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
        if held.attempt is not None and held.is_claimed:
            try:
                held.attempt.heartbeat()
                self._is_refused = False
            except LaneworkError as error:  # a refusal, too, may be over before the lease is
                if not self._is_refused:
                    self._on_error("extending leases", error)
                self._is_refused = True
