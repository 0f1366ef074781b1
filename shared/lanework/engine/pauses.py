"""
Pausing and resuming a lane, a queue or a job type.

A pause is a flag that workers look at before each claim. A job that meets it leaves its queue for the sweep index,
under the pause's own partition, where no tick looks; so a pause may last for weeks and costs one write a job. Resuming
takes the flag away and moves the entries back to where the tick sends them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING, Final, Protocol, cast

from lanework.engine.dispatch import readable
from lanework.errors import ConfigError, InvalidOptionError, UnavailableError, UnknownNameError
from lanework.forks import in_a_child
from lanework.model import interventions
from lanework.model.change import Applied
from lanework.model.events import Action, Event
from lanework.model.ids import SHARDS
from lanework.model.lanes import lane_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.ports import Clock, Ports
    from lanework.engine.registry import Registry
    from lanework.model.envelope import Envelope

LOOKED_AT_EVERY: Final = timedelta(seconds=3)
"""How long an environment works on with the flags that it knows, before it reads them again."""

KNOWN_FOR: Final = timedelta(seconds=30)
"""For how long it goes by flags that it couldn't read anew: a pause holds everywhere after that, or nothing starts."""

FORGOTTEN_AFTER: Final = timedelta(minutes=20)
"""Longer than any invocation lasts that began with flags from before a resume, and may park jobs until its end."""

_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagSet:
    """
    What is paused, as `lane:low`, `queue:email` or `type:user.otp`.

    Attributes:
        paused: Names whose jobs don't start.
        resumed: Names that were paused and whose held jobs may not all be moved back yet.
    """

    paused: frozenset[str] = frozenset()
    resumed: frozenset[str] = frozenset()


class Flags(Protocol):
    """One small item that says what is paused."""

    def read(self) -> FlagSet:
        """
        Return what is paused now.

        Raises:
            UnavailableError: It can't be read.
        """

    def pause(self, name: str) -> None:
        """Add a name to the paused."""

    def resume(self, name: str) -> None:
        """Move a name from the paused to the resumed."""

    def forget(self, name: str) -> None:
        """Take a name off the resumed: nothing is held under it any more."""

    def bookmark(self, name: str) -> str | None:
        """Return where a walk that goes on from tick to tick has come to."""

    def set_bookmark(self, name: str, position: str) -> None:
        """Note where a walk has come to."""

    def move_bookmark(self, name: str, position: str, *, since: str) -> bool:
        """Note where a walk has come to, unless somebody has moved the bookmark since; tell whether nobody had."""


class PauseWatch:
    """
    What a worker knows of the flags: read anew every few seconds, by one thread at a time.

    Nothing may start before the flags were read (rule 20). So who comes while they aren't known, or are too old to go
    by, waits for the one that reads, and is refused with it; who comes while they are read once more goes by what is
    known.
    """

    def __init__(self, flags: Flags, clock: Clock) -> None:
        """Nothing is read yet."""
        self._flags = flags
        self._clock = clock
        self._begin()
        in_a_child(self, PauseWatch._begin)

    def _begin(self) -> None:
        self._reading = RLock()
        self._known = FlagSet()
        self._read_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._looks = 0
        self._problem: UnavailableError | ConfigError | None = None

    def holding(self, message: Envelope) -> str | None:
        """
        Return the pause that a job falls under, or None.

        Raises:
            UnavailableError, ConfigError: It isn't known what is paused: the flags can't be read, nor could be lately.
        """
        paused = self._current().paused
        names = (f"lane:{message.lane}", f"queue:{message.queue}", f"type:{message.type}")
        return next((name for name in names if name in paused), None)

    def _current(self) -> FlagSet:
        looks, now = self._looks, self._clock()
        is_known = self._is_known(now)
        if is_known and _is_within(LOOKED_AT_EVERY, self._asked_at, now):
            return self._known
        if not self._reading.acquire(blocking=not is_known):
            return self._known  # another thread reads at this moment
        try:
            if looks == self._looks:  # else another has read meanwhile; if it failed, so has this one
                self._look()
            if self._problem is not None and not self._is_known(self._clock()):
                raise self._problem
            return self._known
        finally:
            self._reading.release()

    def _look(self) -> None:
        now = self._clock()
        try:
            self._known = self._flags.read()
            self._read_at, self._problem = now, None
        except (UnavailableError, ConfigError) as error:
            self._problem = error
        self._asked_at = self._clock()
        self._looks += 1

    def _is_known(self, now: datetime) -> bool:
        return _is_within(KNOWN_FOR, self._read_at, now)


def _is_within(span: timedelta, since: datetime | None, now: datetime) -> bool:
    """Tell whether less time has passed; a clock that was set back says nothing."""
    return since is not None and timedelta(0) <= now - since < span


def flag_of(*, lane: str | int | None, queue: str | None, job_type: str | None, registry: Registry | None) -> str:
    """
    Return the name of what is to be paused or resumed; exactly one must be given.

    Args:
        lane: A lane.
        queue: A queue.
        job_type: A job type.
        registry: Knows the queues and types, where the application's code is at hand; misspelt names are refused then.

    Raises:
        InvalidOptionError: None or several are given.
        UnknownNameError: There is no such lane, queue or type.
    """
    given = [one for one in (lane, queue, job_type) if one is not None]
    if len(given) != 1:
        msg = "name one lane, one queue or one job type"
        raise InvalidOptionError(msg)
    if lane is not None:
        return f"lane:{lane_of(lane)}"
    if queue is not None:
        if registry is not None and registry.queues and queue not in registry.queues:
            raise UnknownNameError("queue", queue, registry.queues)
        return f"queue:{queue}"
    if registry is not None and registry.types:
        registry.get(cast("str", job_type))
    return f"type:{job_type}"


def resume(name: str, ports: Ports, *, has_time: Callable[[], bool] = lambda: True) -> int:
    """
    Take a pause away and move what it held back to the sweep; return how many jobs that were.

    Args:
        name: The pause's name.
        ports: Where the jobs are.
        has_time: Asked now and then; once there is no time, the minute's tick goes on.
    """
    ports.flags.set_bookmark(_resumed(name), ports.clock().isoformat())
    ports.flags.resume(name)
    return release(name, ports, has_time=has_time)


def may_forget(name: str, ports: Ports) -> bool:
    """Tell whether a pause is over for so long that no worker can still park jobs under it."""
    since = ports.flags.bookmark(_resumed(name))
    return since is not None and ports.clock() - datetime.fromisoformat(since) > FORGOTTEN_AFTER


def release(name: str, ports: Ports, *, has_time: Callable[[], bool] = lambda: True) -> int:
    """Move jobs that a pause held to the sweep, until none is left or there is no time; return how many."""
    moved = 0
    for shard in range(SHARDS):
        while has_time() and (ids := ports.ledger.held(name, shard, limit=_PAGE)):
            before = moved
            for job_id in ids:
                answer = ports.ledger.change(job_id, interventions.release(name, now=ports.clock()))
                if answer.record is not None:
                    moved += not readable([answer.record], ports)
                if isinstance(answer, Applied):
                    moved += 1
                    event = Event.about(answer.record, Action.RELEASED, at=ports.clock(), reason=name)
                    ports.events.emit(event)
            if moved == before:  # the index lags behind the items; the next tick looks again
                break
    return moved


def _resumed(name: str) -> str:
    return f"resumed {name}"
