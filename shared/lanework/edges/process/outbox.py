"""Deletes and visibility changes of a worker process, ten a call: what comes within a moment goes together."""

from __future__ import annotations

from collections import defaultdict
from threading import Condition, Thread
from typing import TYPE_CHECKING, Final

from lanework.edges.process.plan import NO_WAIT

if TYPE_CHECKING:
    from datetime import timedelta

    from lanework.engine.inbox import Inbox
    from lanework.model.lanes import Lane

BATCH: Final = 10
"""Most entries of a batch (SQS, DeleteMessageBatch)."""

_TOGETHER_S: Final = 0.05
"""How long the first waits for others; a message that is deleted later by so much costs nobody anything."""


class Outbox:
    """Collects what is to be said to SQS, and says it from a thread of its own."""

    def __init__(self, inbox: Inbox) -> None:
        """Say it to these queues."""
        self._inbox = inbox
        self._deletes: dict[Lane, list[str]] = defaultdict(list)
        self._hides: dict[Lane, dict[str, timedelta]] = defaultdict(dict)
        self._changed = Condition()
        self._is_closed = False
        self._thread = Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def delete(self, lane: Lane, handle: str) -> None:
        """Delete a message soon."""
        with self._changed:
            self._deletes[lane].append(handle)
            self._changed.notify()

    def hide(self, lane: Lane, handle: str, after: timedelta) -> None:
        """Let a message come back after so long, soon."""
        with self._changed:
            self._hides[lane][handle] = after
            self._changed.notify()

    def close(self) -> None:
        """Say what is left, and end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    @property
    def _fills_a_call(self) -> bool:
        """Whether ten of a kind have come together; what is to be seen again at once waits for none."""
        is_urgent = any(after == NO_WAIT for hides in self._hides.values() for after in hides.values())
        return is_urgent or any(len(one) >= BATCH for one in (*self._deletes.values(), *self._hides.values()))

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed or self._deletes or self._hides)
                if not self._is_closed:
                    self._changed.wait_for(lambda: self._is_closed or self._fills_a_call, timeout=_TOGETHER_S)
                deletes, self._deletes = self._deletes, defaultdict(list)
                hides, self._hides = self._hides, defaultdict(dict)
                is_last = self._is_closed
            for lane, handles in deletes.items():
                self._inbox.delete(lane, handles)
            for lane, wanted in hides.items():
                self._inbox.hide(lane, wanted)
            if is_last:
                return
