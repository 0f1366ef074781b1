"""Deletes and visibility changes of a worker process, ten a call: what comes within a moment goes together."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from threading import Condition
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from lanework.edges.process.config import NO_WAIT
from lanework.edges.process.watchdog import unheard, vital_thread
from lanework.engine.messaging.delivery import Ack

if TYPE_CHECKING:
    from datetime import timedelta

    from lanework.edges.process.watchdog import Failed
    from lanework.engine.messaging.delivery import Report
    from lanework.engine.ports.consumer import MessageConsumer
    from lanework.model.lanes import Lane

V = TypeVar("V")

BATCH: Final = 10
"""Most entries of a batch (SQS, DeleteMessageBatch)."""

TOGETHER_S: Final = 0.05
"""How long the first waits for others; a message that is deleted later by so much costs nobody anything."""


@dataclass(slots=True)
class _Pile(Generic[V]):
    """What is to be said of one lane's messages: by handle, and when it goes, however little it is."""

    together_s: float
    entries: dict[str, V] = field(default_factory=dict)
    over_at: float = 0.0

    def add(self, handle: str, value: V) -> None:
        if not self.entries:
            self.over_at = time.monotonic() + self.together_s
        self.entries[handle] = value

    def is_due(self, now: float) -> bool:
        """Whether it fills a call, or has waited long enough."""
        return len(self.entries) >= BATCH or (bool(self.entries) and now >= self.over_at)

    def take(self, now: float, *, everything: bool) -> dict[str, V]:
        """Take what goes now: all if it waited long enough or is asked for, else whole tens; the rest waits anew."""
        is_over = everything or now >= self.over_at
        most = len(self.entries) - (0 if is_over else len(self.entries) % BATCH)
        taken = {handle: self.entries.pop(handle) for handle in list(self.entries)[:most]}
        if taken:
            self.over_at = now + self.together_s
        return taken


class AckBatcher:
    """Collects what is to be said to SQS, and says it from a thread of its own."""

    def __init__(self, inbox: MessageConsumer, failed: Failed = unheard, *, together_s: float = TOGETHER_S) -> None:
        """Say it to these queues; the first entry of a call waits `together_s` for others."""
        self._inbox = inbox
        self._deletes: dict[Lane, _Pile[None]] = defaultdict(lambda: _Pile(together_s))
        self._hides: dict[Lane, _Pile[timedelta]] = defaultdict(lambda: _Pile(together_s))
        self._changed = Condition()
        self._is_closed = False
        self._thread = vital_thread("outbox", self._run, failed)

    def delete(self, lane: Lane, handle: str) -> None:
        """Delete a message soon."""
        with self._changed:
            self._add(self._deletes[lane], handle, None)

    def hide(self, lane: Lane, handle: str, after: timedelta) -> None:
        """Let a message come back after so long, soon."""
        with self._changed:
            self._add(self._hides[lane], handle, after)

    def answer(self, lane: Lane, handle: str, report: Report) -> None:
        """Do with a message what its job's attempt says."""
        if isinstance(report, Ack):
            self.delete(lane, handle)
        elif report.after is not None:
            self.hide(lane, handle, report.after)

    def close(self) -> None:
        """Say what is left, and end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    def _add(self, pile: _Pile[V], handle: str, value: V) -> None:
        """Add an entry; wake the thread if that changes what it waits for: to wake for nothing costs a job's time."""
        pile.add(handle, value)
        if len(pile.entries) in (1, BATCH) or value == NO_WAIT:
            self._changed.notify()

    @property
    def _piles(self) -> list[_Pile[None] | _Pile[timedelta]]:
        return [*self._deletes.values(), *self._hides.values()]

    @property
    def _is_urgent(self) -> bool:
        """Whether a message is to be seen again at once."""
        return any(after == NO_WAIT for pile in self._hides.values() for after in pile.entries.values())

    def _wait(self) -> None:
        while not (self._is_closed or self._is_urgent or any(one.is_due(time.monotonic()) for one in self._piles)):
            soonest = min((one.over_at for one in self._piles if one.entries), default=None)
            self._changed.wait(None if soonest is None else max(0.0, soonest - time.monotonic()))

    def _run(self) -> None:
        is_last = False
        while not is_last:
            with self._changed:
                self._wait()
                is_last, now = self._is_closed, time.monotonic()
                is_urgent = is_last or self._is_urgent
                deletes = {lane: pile.take(now, everything=is_last) for lane, pile in self._deletes.items()}
                hides = {lane: pile.take(now, everything=is_urgent) for lane, pile in self._hides.items()}
            for lane, gone in deletes.items():
                if gone:
                    self._inbox.delete(lane, list(gone))
            for lane, wanted in hides.items():
                if wanted:
                    self._inbox.hide(lane, wanted)
