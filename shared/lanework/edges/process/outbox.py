"""Deletes and visibility changes of a worker process, ten a call: what comes within a moment goes together."""

from __future__ import annotations

from collections import defaultdict
from threading import Condition, Thread
from typing import TYPE_CHECKING, Final, TypeVar

from lanework.edges.process.plan import NO_WAIT

if TYPE_CHECKING:
    from datetime import timedelta

    from lanework.engine.inbox import Inbox
    from lanework.model.lanes import Lane

V = TypeVar("V")

BATCH: Final = 10
"""Most entries of a batch (SQS, DeleteMessageBatch)."""

_TOGETHER_S: Final = 0.05
"""How long the first waits for others; a message that is deleted later by so much costs nobody anything."""


class Outbox:
    """Collects what is to be said to SQS, and says it from a thread of its own."""

    def __init__(self, inbox: Inbox) -> None:
        """Say it to these queues."""
        self._inbox = inbox
        self._deletes: dict[Lane, dict[str, None]] = defaultdict(dict)
        self._hides: dict[Lane, dict[str, timedelta]] = defaultdict(dict)
        self._changed = Condition()
        self._is_closed = False
        self._thread = Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def delete(self, lane: Lane, handle: str) -> None:
        """Delete a message soon."""
        with self._changed:
            is_first = self._is_empty
            self._deletes[lane][handle] = None
            self._tell(is_first=is_first)

    def hide(self, lane: Lane, handle: str, after: timedelta) -> None:
        """Let a message come back after so long, soon."""
        with self._changed:
            is_first = self._is_empty
            self._hides[lane][handle] = after
            self._tell(is_first=is_first)

    def close(self) -> None:
        """Say what is left, and end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    def _tell(self, *, is_first: bool) -> None:
        """Wake the thread, if there is something for it to do: to wake for nothing costs a job's time."""
        if is_first or self._fills_a_call:
            self._changed.notify()

    @property
    def _is_empty(self) -> bool:
        return not self._deletes and not self._hides

    @property
    def _fills_a_call(self) -> bool:
        """Whether ten of a kind have come together; what is to be seen again at once waits for none."""
        sizes = (*map(len, self._deletes.values()), *map(len, self._hides.values()))
        return self._is_urgent or max(sizes, default=0) >= BATCH

    @property
    def _is_urgent(self) -> bool:
        return any(after == NO_WAIT for hides in self._hides.values() for after in hides.values())

    def _run(self) -> None:
        is_last = False
        while not is_last:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed or not self._is_empty)
                is_full = self._changed.wait_for(lambda: self._is_closed or self._fills_a_call, timeout=_TOGETHER_S)
                is_last = self._is_closed
                waits = is_full and not is_last
                deletes = _taken_from(self._deletes, tens_only=waits)
                hides = _taken_from(self._hides, tens_only=waits and not self._is_urgent)
            for lane, handles in deletes.items():
                self._inbox.delete(lane, list(handles))
            for lane, wanted in hides.items():
                self._inbox.hide(lane, wanted)


def _taken_from(lanes: dict[Lane, dict[str, V]], *, tens_only: bool) -> dict[Lane, dict[str, V]]:
    """Take what is to be said now; of what may wait for others only as many as fill their calls."""
    taken: dict[Lane, dict[str, V]] = {}
    for lane, entries in list(lanes.items()):
        most = len(entries) - len(entries) % BATCH if tens_only else len(entries)
        taken[lane] = {handle: entries.pop(handle) for handle in list(entries)[:most]}
        if not entries:
            del lanes[lane]
    return {lane: entries for lane, entries in taken.items() if entries}
