"""Events as numbers: added up in memory, written with at most one call when a batch is over."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING, Final

from lanework.errors import LaneworkError
from lanework.forks import in_each_process
from lanework.model.stats.buckets import Bucket, minute_of
from lanework.model.stats.counting import counted, incident_of, key_of
from lanework.model.stats.numbers import Count, Key, Numbers
from lanework.observe.logs import is_logged, line_bytes

if TYPE_CHECKING:
    from lanework.engine.ports.bundle import Clock
    from lanework.engine.ports.statistics import StatisticsStore
    from lanework.model.events import Event
    from lanework.model.stats.buckets import Incident

_MOST_NAMED: Final = 20


class CounterSink:
    """
    Implements the `EventSink` port.

    Numbers that could not be written wait for the next flush. What a process that is killed had not written is lost;
    the jobs' records are not: these are statistics.
    """

    def __init__(self, store: StatisticsStore, clock: Clock) -> None:
        """Write to this store, under the minute of the flush."""
        self._store = store
        self._clock = clock
        in_each_process(self, CounterSink._begin)  # what this process took, it writes

    def _begin(self) -> None:
        self._lock = Lock()
        self._counts: dict[Key, Counter[str]] = {}
        self._incidents: list[Incident] = []

    def emit(self, event: Event) -> None:
        """Add an event to the numbers."""
        key = key_of(event)
        if key is None:
            return
        found = counted(event)
        if found and is_logged(event):
            found[Count.LOG_BYTES] = line_bytes(event)
        incident = incident_of(event)
        with self._lock:
            if found:
                self._counts.setdefault(key, Counter()).update(found)
            if incident is not None and len(self._incidents) < _MOST_NAMED:
                self._incidents.append(incident)

    def flush(self) -> None:
        """Write what was added up; nothing if that is nothing."""
        with self._lock:
            counts, self._counts = self._counts, {}
            incidents, self._incidents = self._incidents, []
        if not counts:
            return
        numbers = {key: Numbers(dict(found)) for key, found in counts.items()}
        try:
            self._store.add(Bucket(at=minute_of(self._clock()), numbers=numbers, incidents=tuple(incidents)))
        except LaneworkError:
            self._put_back(counts, incidents)

    def _put_back(self, counts: dict[Key, Counter[str]], incidents: list[Incident]) -> None:
        with self._lock:
            for key, found in counts.items():
                self._counts.setdefault(key, Counter()).update(found)
            self._incidents = [*incidents, *self._incidents][:_MOST_NAMED]
