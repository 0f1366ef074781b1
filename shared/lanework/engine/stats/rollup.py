"""Raw numbers become minutes, minutes hours, and all of it the total: by the clock's tick, each minute once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.ports.statistics import MOST_RAW, Total
from lanework.model.stats.buckets import HOUR, MINUTE, Bucket, hour_of, joined, minute_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from lanework.engine.ports.bundle import Ports
    from lanework.model.lanes import Lane, LaneDepth

LAG: Final = timedelta(minutes=1)
"""How long after its end a minute is made: what its writers' clocks and calls may lag behind."""

_RAW_KEPT: Final = timedelta(hours=23)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledUp:
    """How many minutes a tick made; not `is_done`: time ran out and the next tick goes on."""

    minutes: int
    is_done: bool


class RollUp:
    """Makes minutes, hours and the total. Repeating any of it changes nothing."""

    def __init__(self, ports: Ports) -> None:
        self._store = ports.statistics
        self._clock = ports.clock

    def note(self, depths: Mapping[Lane, LaneDepth]) -> None:
        """Keep how much the lanes hold now."""
        self._store.add(Bucket(at=minute_of(self._clock()), depths=depths))

    def tick(self, *, has_time: Callable[[], bool] = lambda: True) -> RolledUp:
        """Make the minutes that are over, a few at a time while there is time; the next tick goes on."""
        end = minute_of(self._clock() - LAG)
        total = self._store.total()
        begin = end - MOST_RAW * MINUTE if total is None else max(total.until, end - _RAW_KEPT)
        made = 0
        while begin < end:
            if not has_time():
                return RolledUp(minutes=made, is_done=False)
            minutes = [begin + n * MINUTE for n in range(MOST_RAW) if begin + n * MINUTE < end]
            following = self._make(minutes, total)
            if following is None:  # another tick was faster
                break
            begin, total = following.until, following
            made += len(minutes)
        return RolledUp(minutes=made, is_done=True)

    def _make(self, minutes: Sequence[datetime], total: Total | None) -> Total | None:
        """Make these minutes and what follows from them; the total comes last, and says that it is done."""
        raw = self._store.raw(minutes)
        made = [joined(minute, [one for one in raw if one.at == minute]) for minute in minutes]
        for bucket in made:
            if not bucket.is_empty:
                self._store.keep_minute(bucket)
        until = minutes[-1] + MINUTE
        begin = minutes[0]
        while hour_of(begin) + HOUR <= until:
            self._make_hour(hour_of(begin))
            begin = hour_of(begin) + HOUR
        before = Total(until=minutes[0]) if total is None else total
        numbers = joined(until, [Bucket(at=until, numbers=before.numbers), *made]).numbers
        following = replace(before, until=until, numbers=numbers)
        is_kept = self._store.keep_total(following, before=None if total is None else total.until)
        return following if is_kept else None

    def _make_hour(self, hour: datetime) -> None:
        board = self._store.board(since=hour)
        bucket = joined(hour, [one for one in board.minutes if one.at < hour + HOUR])
        if not bucket.is_empty:
            self._store.keep_hour(bucket)
