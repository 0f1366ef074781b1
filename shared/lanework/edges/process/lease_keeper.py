"""Keeps the jobs of worker processes alive that can't do so themselves, as long as their code may still run."""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from lanework.edges.process.watchdog import Repeating, unheard
from lanework.errors import LaneworkError
from lanework.model.events import Action, Event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanework.edges.process.lease_board import Entry
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.consumer import MessageConsumer
    from lanework.model.lanes import Lane

_LOOK_S: Final = 1.0
_AT_ONCE: Final = 8


class LeaseKeeper:
    """
    Looks at what runs in other processes, and lengthens what they have let go for half a lease.

    A process does that itself three times a lease. One that doesn't has an interpreter that a single call holds, or is
    stopped: its code goes on, or will, so nobody else may begin its jobs. What AWS is asked with is loaded only then.
    """

    def __init__(self, reach: Callable[[], tuple[Ports, MessageConsumer]], *, lease: timedelta) -> None:
        """Prepare; `start` begins. `reach` connects to where the jobs are."""
        self._reach = reach
        self._lease = lease
        self._reached: tuple[Ports, MessageConsumer] | None = None
        self._kept_at: dict[str, float] = {}
        self._is_refused = False
        self._looking: Repeating | None = None
        self._left: list[Entry] = []

    def start(self, neglected: Callable[[float], Sequence[Entry]]) -> None:
        """Look on in a thread; `neglected` gives the runs of live processes that were last kept before a moment."""
        every_s = min(_LOOK_S, self._lease.total_seconds() / 6)
        self._looking = Repeating("keeper", partial(self.look, neglected), unheard, every_s=every_s, at_end=True)

    def take_back(self, left: Sequence[Entry]) -> None:
        """Give back soon what a process that has died had claimed ahead: none of its code was begun, nor will be."""
        self._left.extend(left)

    def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.close()

    @property
    def has_failed(self) -> bool:
        """Whether it has ended by itself: jobs would be begun twice from now on."""
        return self._looking is not None and self._looking.has_failed

    def look(self, neglected: Callable[[float], Sequence[Entry]]) -> None:
        """Lengthen what nobody has for half a lease."""
        before = time.monotonic() - self._lease.total_seconds() / 2
        found = neglected(before)
        self._kept_at = {one.lease.claim_id: self._kept_at.get(one.lease.claim_id, 0.0) for one in found}
        due = [one for one in found if self._kept_at[one.lease.claim_id] < before]
        if (due or self._left) and self._has_reached():
            self._lengthen(due)
            self._write_all([self._left.pop() for _ in range(len(self._left))], self._unclaim, timedelta(0))

    def _has_reached(self) -> bool:
        try:
            self._reached = self._reached or self._reach()
        except LaneworkError:  # it is tried again at the next look
            return False
        return True

    def _lengthen(self, entries: Sequence[Entry]) -> None:
        from lanework.engine.execution.claim import LEASE_MARGIN  # noqa: PLC0415 - for what this process seldom does

        self._write_all(entries, self._hold_on, self._lease + LEASE_MARGIN)

    def _write_all(self, entries: Sequence[Entry], write: Callable[[Entry], bool], wait: timedelta) -> None:
        """Write for each run, and let the messages of those where it landed come back after so long."""
        if not entries:
            return
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - as above

        with ThreadPoolExecutor(_AT_ONCE) as threads:
            held = [one for one, is_held in zip(entries, threads.map(write, entries), strict=True) if is_held]
        _, inbox = self._reached or self._reach()
        lanes: dict[Lane, dict[str, timedelta]] = defaultdict(dict)
        for one in held:
            lanes[one.lane][one.handle] = wait
        for lane, handles in lanes.items():
            inbox.hide(lane, handles)

    def _hold_on(self, entry: Entry) -> bool:
        """Lengthen what a run holds; tell whether it still holds its job, as far as is known."""
        from lanework.engine.execution.claim import LEASE_MARGIN  # noqa: PLC0415 - as above
        from lanework.engine.execution.lease import extend_lease  # noqa: PLC0415 - as above

        ports, _ = self._reached or self._reach()
        now = time.monotonic()
        try:
            stored = extend_lease(entry.lease, until=ports.clock() + self._lease + LEASE_MARGIN, ports=ports)
        except LaneworkError as error:  # nor can others begin it while the ledger doesn't answer; it is tried again
            if not self._is_refused:
                reason = f"extending leases of another process: {error}"
                ports.events.emit(Event(action=Action.RUN_WRITE_FAILED, at=ports.clock(), reason=reason))
            self._is_refused = True
            return False
        self._is_refused = False
        self._kept_at[entry.lease.claim_id] = now
        return stored is not None

    def _unclaim(self, entry: Entry) -> bool:
        """Give a job back that was not begun; tell whether its message may come at once, or else after its lease."""
        from lanework.engine.execution.lease import unclaim_for  # noqa: PLC0415 - as above

        ports, _ = self._reached or self._reach()
        try:
            return unclaim_for(entry.lease, ports)
        except LaneworkError:
            return False
