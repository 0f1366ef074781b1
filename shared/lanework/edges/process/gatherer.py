"""Messages of batch functions' jobs, gathered across receives until a call is full, or has waited long enough."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Condition
from typing import TYPE_CHECKING

from lanework.edges.process.watchdog import unheard, vital_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanework.edges.process.watchdog import Failed
    from lanework.engine.jobtypes.batch import BatchTerms
    from lanework.engine.ports.consumer import Received
    from lanework.model.lanes import Lane

    Call = Callable[[Lane, Sequence[Received]], object]


@dataclass(slots=True)
class _Pile:
    """What is gathered for the next call of one function, in one lane."""

    over_at: float
    messages: list[Received] = field(default_factory=list)


class Gatherer:
    """Gathers messages, and has a call made of them in time; what is gathered takes no slot."""

    def __init__(self, call: Call, failed: Failed = unheard) -> None:
        """Begin; `call` starts a call and doesn't wait for it."""
        self._call = call
        self._piles: dict[tuple[Lane, str], _Pile] = {}
        self._changed = Condition()
        self._is_closed = False
        self._thread = vital_thread("gatherer", self._run, failed)

    def add(self, lane: Lane, name: str, terms: BatchTerms, message: Received) -> bool:
        """Gather a message of a job of this name; False once it is closed."""
        with self._changed:
            if self._is_closed:
                return False
            pile = self._piles.get((lane, name))
            if pile is None:
                pile = self._piles[lane, name] = _Pile(time.monotonic() + terms.within.total_seconds())
                self._changed.notify()
            pile.messages.append(message)
            if len(pile.messages) >= terms.size:
                self._call(lane, self._piles.pop((lane, name)).messages)
        return True

    def flush(self) -> None:
        """Have calls made of what there is: nothing more is to come."""
        with self._changed:
            for lane, name in list(self._piles):
                self._call(lane, self._piles.pop((lane, name)).messages)

    def close(self) -> list[tuple[Lane, Received]]:
        """Gather no more; return what no call was made of."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
            left = [(lane, one) for (lane, _), pile in self._piles.items() for one in pile.messages]
            self._piles.clear()
        self._thread.join()
        return left

    def _run(self) -> None:
        with self._changed:
            while not self._is_closed:
                soonest = min((one.over_at for one in self._piles.values()), default=None)
                self._changed.wait(None if soonest is None else max(0.0, soonest - time.monotonic()))
                now = time.monotonic()
                for (lane, name), pile in list(self._piles.items()):
                    if pile.over_at <= now:
                        self._call(lane, self._piles.pop((lane, name)).messages)
