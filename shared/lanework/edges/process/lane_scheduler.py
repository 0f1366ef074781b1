"""Which lane receives next, and whose job begins next: by priority, with a share for those that would never come."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from threading import Condition, Event
from typing import TYPE_CHECKING, Final

from lanework.edges.process.config import HELD_PER_SLOT, MOST_AT_ONCE
from lanework.edges.process.pace import BEGIN_WITHIN_S, Pace
from lanework.edges.process.precedence import Precedence

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from lanework.model.lanes import Lane

GATHER_S: Final = 0.005
"""How long a lane waits for more free slots before it receives: jobs that end together make room for one receive."""

_STOCKED_S: Final = 0.05
"""How long it waits where each free slot has a job already: there is time to ask for ten."""

_LOOK_AGAIN_S: Final = 0.002
"""For how long it counts what was found to be room ahead: to look costs as much as a few jobs' turns."""

_LOOK_S: Final = 0.1


class _Phase(Enum):
    AHEAD = "received, or claimed, and waiting for a slot"
    RUNNING = "in a slot"
    ENDING = "its code has ended, and that is being written"
    GONE = "answered"


@dataclass(slots=True, eq=False)
class Place:
    """The place of one message in a process, from its receive to its answer."""

    lane: Lane
    came_at: float
    phase: _Phase = _Phase.AHEAD
    began_at: float = 0.0
    may_begin: Event | None = None


@dataclass(slots=True, eq=False)
class Grant:
    """
    A turn to receive so many messages.

    Attributes:
        is_poll: It may wait long for the first one, and keeps no slot from others meanwhile.
    """

    lane: Lane
    count: int
    is_poll: bool


@dataclass(slots=True, eq=False)
class _Waiting:
    """A receiver that waits for its turn, to receive at least `wanted`; `is_extra`: only if the lane is full."""

    lane: Lane
    is_extra: bool
    wanted: int = 1


@dataclass(slots=True)
class _Counts:
    """Of one lane: what is being asked for, what is held ahead, and the jobs of it that are ready to begin."""

    asked: int = 0
    ahead: int = 0
    ready: deque[Place] = field(default_factory=deque)


class LaneScheduler:
    """
    The slots of a process, shared out to the jobs that are claimed, and the room before them, shared out to receivers.

    A receiver takes as much room as it may receive messages: free slots, and as many jobs ahead of them as will begin
    within a moment (`Pace`). What is held ahead in lower lanes takes none of the latter from a higher one. A claimed
    job takes a slot before its code begins; it is free once that has ended, while its end is being written.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        *,
        slots: int,
        pace: Pace | None = None,
        gather_s: float = GATHER_S,
        changed: Condition | None = None,
    ) -> None:
        """Share out so many slots; the first lane goes first. Receivers wait on `changed`, its own by default."""
        self._lanes = tuple(lanes)
        self._receiving = Precedence(lanes)
        self._starting = Precedence(lanes)
        self._pace = pace or Pace()
        self._slots = slots
        self._of = {lane: _Counts() for lane in lanes}
        self._full: set[Lane] = set()
        self._running: set[Place] = set()
        self._ending = 0
        self._waiting: list[_Waiting] = []
        self._is_over = False
        self._gather_s = gather_s
        self._looked_at, self._most_ahead = 0.0, 0
        self._changed = changed or Condition()

    def take(self, lane: Lane, most: int, *, is_poll: bool = False, is_extra: bool = False) -> Grant | None:
        """
        Wait for a turn to receive 1 to `most` messages; None once it is over.

        Args:
            is_poll: One message is waited for that may come at any time.
            is_extra: A turn of those that come only while each receive of the lane brings ten.
        """
        me = _Waiting(lane, is_extra)
        with self._changed:
            self._waiting.append(me)
            self._wait_for_turn(me)
            if not is_poll:
                self._gather(me, most)
            self._waiting.remove(me)
            if self._is_over:
                return None
            self._receiving.grant(lane)
            grant = Grant(lane, 1 if is_poll else min(most, self._room(lane)), is_poll)
            if not is_poll:
                self._of[lane].asked += grant.count
            self._changed.notify_all()
            return grant

    def came(self, grant: Grant, count: int, *, took_s: float | None = None) -> list[Place]:
        """Give places to the messages that came of a turn. `took_s`: how long the receive took, if it did not wait."""
        with self._changed:
            counts, now = self._of[grant.lane], time.monotonic()
            counts.asked -= 0 if grant.is_poll else grant.count
            counts.ahead += count
            if took_s is not None:
                self._pace.received(took_s)
            (self._full.add if count == MOST_AT_ONCE else self._full.discard)(grant.lane)
            self._changed.notify_all()
            return [Place(grant.lane, now) for _ in range(count)]

    def enter(self, lane: Lane) -> Place:
        """Give a place to a batch function's call, whose messages had none while they were gathered."""
        with self._changed:
            self._of[lane].ahead += 1
            return Place(lane, time.monotonic())

    def begin(self, place: Place) -> bool:
        """
        Wait for a slot for a claimed job, until the moment at which it should have begun; tell whether it has one.

        It has none if none came free, if it is over, or if jobs of higher lanes took all of them.
        """
        with self._changed:
            now = time.monotonic()
            self._pace.claimed(now - place.came_at)
            if self._is_over:
                return False
            place.may_begin = Event()
            self._of[place.lane].ready.append(place)
            self._begin_next()
        place.may_begin.wait(max(0.0, place.came_at + BEGIN_WITHIN_S - now))
        with self._changed:
            if place.phase is _Phase.AHEAD and place in self._of[place.lane].ready:
                self._of[place.lane].ready.remove(place)
                if not self._is_over:
                    self._pace.was_late(time.monotonic())
            return place.phase is _Phase.RUNNING

    def free(self, place: Place) -> None:
        """Return a slot whose job's code has ended."""
        with self._changed:
            self._leave_slot(place)

    def let_go(self, place: Place) -> None:
        """Hold a message no more, wherever it is."""
        with self._changed:
            self._leave_slot(place)
            if place.phase is _Phase.AHEAD:
                self._of[place.lane].ahead -= 1
            elif place.phase is _Phase.ENDING:
                self._ending -= 1
            place.phase = _Phase.GONE
            self._wake()

    def end(self) -> None:
        """Let nobody take or begin any more."""
        with self._changed:
            self._is_over = True
            for counts in self._of.values():
                for place in counts.ready:
                    if place.may_begin is not None:
                        place.may_begin.set()
                counts.ready.clear()
            self._changed.notify_all()

    def wait_until_free(self, most: timedelta | None = None, *, unless: Event) -> bool:
        """
        Wait until no message is held: nothing is received, nothing runs, and all that ran is written.

        Args:
            most: How long at most; None for as long as it takes.
            unless: Once it is set, nothing is waited for any more.

        Returns:
            Whether that came.
        """
        over_at = None if most is None else time.monotonic() + most.total_seconds()
        with self._changed:
            while self._held and not unless.is_set():
                if over_at is not None and time.monotonic() >= over_at:
                    break
                self._changed.wait(_LOOK_S)
            return self._held == 0

    @property
    def _held(self) -> int:
        return len(self._running) + self._ending + sum(one.asked + one.ahead for one in self._of.values())

    def _begin_next(self) -> None:
        """Give free slots to those that are ready, the highest lanes' first."""
        while len(self._running) < self._slots:
            ready = [lane for lane in self._lanes if self._of[lane].ready]
            if not ready:
                return
            lane = self._starting.next_of(ready)
            self._starting.grant(lane)
            place = self._of[lane].ready.popleft()
            self._of[lane].ahead -= 1
            place.phase, place.began_at = _Phase.RUNNING, time.monotonic()
            self._running.add(place)
            if place.may_begin is not None:
                place.may_begin.set()
        self._wake()

    def _leave_slot(self, place: Place) -> None:
        if place.phase is _Phase.RUNNING:
            self._running.remove(place)
            self._ending += 1
            place.phase = _Phase.ENDING
            self._pace.ran(time.monotonic() - place.began_at)
            self._begin_next()
            self._wake()

    def _room(self, lane: Lane) -> int:
        """Return how many messages a lane may receive now."""
        ahead, running = self._ahead(), len(self._running)
        free = min(self._slots - running, HELD_PER_SLOT * self._slots - running - self._ending)
        not_lower = self._lanes[: self._lanes.index(lane) + 1]
        used = sum(one.asked + one.ahead for one in self._of.values())
        used_before = sum(self._of[one].asked + self._of[one].ahead for one in not_lower)
        return max(free + ahead - used, ahead - used_before)

    def _ahead(self) -> int:
        """Return how many jobs may be held ahead of the slots, as of a moment ago at most."""
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_AGAIN_S:
            began_at = [one.began_at for one in self._running]
            self._looked_at, self._most_ahead = now, self._pace.ahead(began_at, slots=self._slots, now=now)
        return self._most_ahead

    def _gather(self, me: _Waiting, most: int) -> None:
        """Wait a little for so much room; then for its turn again, if another lane took all of it."""
        me.wanted = most
        is_stocked = sum(one.ahead for one in self._of.values()) >= self._slots - len(self._running)
        timeout = _STOCKED_S if is_stocked else self._gather_s
        self._changed.wait_for(lambda: self._is_over or self._room(me.lane) >= me.wanted, timeout=timeout)
        me.wanted = 1
        self._wait_for_turn(me)

    def _wait_for_turn(self, me: _Waiting) -> None:
        """Wait for a turn; there may be room ahead only because jobs have run for a while."""
        while not (self._is_over or self._is_turn_of(me)):
            self._changed.wait(_STOCKED_S if self._pace.is_short else None)

    def _wake(self) -> None:
        """Wake who waits, if there is now what it waits for: to wake for nothing costs a job's time."""
        if self._held == 0 or any(self._is_turn_of(one) for one in self._waiting):
            self._changed.notify_all()

    def _is_turn_of(self, one: _Waiting) -> bool:
        lanes = {other.lane for other in self._waiting if self._may_receive(other)}
        is_next = self._may_receive(one) and self._receiving.next_of(lanes) is one.lane
        return is_next and self._room(one.lane) >= one.wanted

    def _may_receive(self, one: _Waiting) -> bool:
        return not one.is_extra or one.lane in self._full
