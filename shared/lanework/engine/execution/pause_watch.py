"""What is paused, read every few seconds; no job starts before the first read has succeeded."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError, UnavailableError
from lanework.forks import in_each_process

if TYPE_CHECKING:
    from lanework.engine.ports.bundle import Clock
    from lanework.model.job.envelope import Envelope
from lanework.engine.ports.flags import Flags, FlagSet

LOOKED_AT_EVERY: Final = timedelta(seconds=3)
"""How long an environment works on with the flags that it knows, before it reads them again."""

KNOWN_FOR: Final = timedelta(seconds=30)
"""For how long it goes by flags that it couldn't read anew: a pause holds everywhere after that, or nothing starts."""


class PauseWatch:
    """
    What a worker knows of the flags: read anew every few seconds, by one thread at a time.

    Nothing may start before the flags were read (rule 20). So who comes while they aren't known, or are too old to go
    by, waits for the one that reads, and is refused with it; others go by what is known.
    """

    def __init__(self, flags: Flags, clock: Clock) -> None:
        """Nothing is read yet."""
        self._flags = flags
        self._clock = clock
        in_each_process(self, PauseWatch._begin)

    def _begin(self) -> None:
        self._reading = RLock()
        self._known = FlagSet()
        self._read_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._looks = 0
        self._problem: UnavailableError | ConfigError | None = None

    def holding(self, message: Envelope) -> str | None:
        """Return the pause that a job falls under, or None; UnavailableError or ConfigError if that isn't known."""
        looks, now = self._looks, self._clock()
        if not (_is_within(KNOWN_FOR, self._read_at, now) and _is_within(LOOKED_AT_EVERY, self._asked_at, now)):
            self._read_again(looks, now)
        paused = self._known.paused
        names = (f"lane:{message.lane}", f"queue:{message.queue}", f"type:{message.type}")
        return next((name for name in names if name in paused), None)

    def _read_again(self, looks: int, now: datetime) -> None:
        """Read the flags, or wait for the thread that does; `looks`: how many reads there were when it was decided."""
        if not self._reading.acquire(blocking=not _is_within(KNOWN_FOR, self._read_at, now)):
            return  # another thread reads at this moment
        try:
            if looks == self._looks:  # else another has read meanwhile; if it failed, so has this one
                self.look()
            if self._problem is not None and not _is_within(KNOWN_FOR, self._read_at, self._clock()):
                raise self._problem
        finally:
            self._reading.release()

    def look(self) -> None:
        """Read the flags. What keeps it from them is raised by `holding`, unless a later read succeeds."""
        now = self._clock()
        try:
            self._known = self._flags.read()
            self._read_at, self._problem = now, None
        except (UnavailableError, ConfigError) as error:
            self._problem = error
        self._asked_at = self._clock()
        self._looks += 1


def _is_within(span: timedelta, since: datetime | None, now: datetime) -> bool:
    """Tell whether less time has passed; a clock that was set back says nothing."""
    return since is not None and timedelta(0) <= now - since < span
