"""The parent of worker processes: it starts them anew when they wear out or die, and passes on when to stop."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from mmap import mmap
from multiprocessing.connection import Pipe, wait
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING, Any, Final

from lanework.edges.process.beat import GIVE_UP
from lanework.edges.process.child_handle import Child, Place, end_of
from lanework.edges.process.interpreter import nameless_file, start
from lanework.edges.process.lease_board import LeaseBoard, bytes_for
from lanework.errors import ConfigError
from lanework.model.events import Action
from lanework.model.retry.wait import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanework.edges.process.config import Plan
    from lanework.edges.process.lease_board import Entry
    from lanework.edges.process.lease_keeper import LeaseKeeper

_LOOK_S: Final = 0.5
_STUCK: Final = timedelta(seconds=30)
"""A child that says nothing for so long hangs; it speaks every second."""

_SILENT: Final = timedelta(seconds=5)
_BEYOND_S: Final = 10.0
"""How long after its timeout a job's code is waited for whose process says nothing."""

_BEYOND_GRACE: Final = timedelta(seconds=10)
"""How much longer than its jobs' grace a child may take to end, before it is killed."""

_YOUNG: Final = timedelta(seconds=30)
"""A child that dies younger than this may die of the same again at once: the next one waits longer each time."""

_AGAIN: Final = Backoff(base=timedelta(seconds=1), ceiling=timedelta(minutes=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchdog:
    """
    How one worker process is.

    Attributes:
        silent_for: How long it has said nothing.
        fault: Why it gives up because of a fault of its own, if it does.
    """

    pid: int
    running: int
    ended: int
    peak_mb: int
    silent_for: timedelta
    fault: str | None = None

    @property
    def hangs(self) -> bool:
        """Whether it has said nothing for too long."""
        return self.silent_for > _STUCK


class Parent:
    """Keeps worker processes up."""

    def __init__(
        self,
        work: str,
        *arguments: Any,  # noqa: ANN401 - what it takes
        plan: Plan,
        processes: int,
        keeper: LeaseKeeper,
        say: Callable[[Action, str], None],
        again: Backoff = _AGAIN,
    ) -> None:
        """
        Prepare; `run` begins.

        Args:
            work: What a child calls, as `module:name`, with the numbers of two open files: its end of a pipe to here,
                and memory for what runs in it.
            arguments: What it gets beside these; they can be pickled.
            say: Called with each event of a process.
            again: How long the next process waits after one that has died young.
        """
        self._work = work
        self._arguments = arguments
        self._places = [Place() for _ in range(processes)]
        self._plan = plan
        self._keeper = keeper
        self._grace = plan.grace
        self._is_once = plan.is_once
        self._say = say
        self._again = again
        self._stop_asked_at: float | None = None
        self._problem: str | None = None
        self._has_worked = False

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop_asked_at is not None

    def vitals(self) -> Sequence[Watchdog]:
        """Return how the processes are that there are now."""
        now = time.monotonic()
        return [
            Watchdog(
                pid=child.pid,
                running=child.beat.begun - child.beat.ended,
                ended=child.beat.ended,
                peak_mb=child.beat.peak_mb,
                silent_for=timedelta(seconds=now - child.beat_at),
                fault=child.beat.fault,
            )
            for child in self._children()
        ]

    def stop(self) -> None:
        """Ask the children to stop; asked twice, they give everything back at once."""
        if self._stop_asked_at is None:
            self._stop_asked_at = time.monotonic()
            self.renew()
            return
        self._signal(GIVE_UP)

    def renew(self) -> None:
        """Let every child end what it runs; unless it is to stop, another one with the code as it is then follows."""
        self._signal(signal.SIGTERM)

    def run(self) -> None:
        """
        Keep the processes up until stopped, or, with `is_once`, until each has ended.

        Raises:
            ConfigError: A process can't work, and starting it anew won't cure that.
        """
        self._keeper.start(self._neglected)
        try:
            self._keep_up()
        finally:
            self._keeper.close()
        if self._problem is not None:
            raise ConfigError(self._problem)

    def _keep_up(self) -> None:
        for place in self._places:
            self._fill(place)
        while (children := self._children()) or any(self._is_to_be_filled(place) for place in self._places):
            wait([one.line for one in children if not one.line.closed], timeout=_LOOK_S)  # it ends with its process
            for place in self._places:
                self._look_after(place)
            self._kill_overdue()
            self._kill_hanging()
            if self._keeper.has_failed and not self.is_stopping:
                self._problem = "what keeps the jobs of busy processes alive has failed; the traceback is on stderr"
                self.stop()

    def _signal(self, number: signal.Signals) -> None:
        for child in self._children():
            child.process.send_signal(number)

    def _children(self) -> list[Child]:
        return [one for place in self._places for one in (place.child, *place.worn_out) if one is not None]

    def _fill(self, place: Place) -> None:
        line, its_end = Pipe(duplex=False)
        memory = nameless_file(bytes_for(runs=self._plan.most_held))
        files = its_end.fileno(), memory
        process = start(self._work, *files, *self._arguments, files=files)
        its_end.close()
        now, roster = time.monotonic(), LeaseBoard(mmap(memory, 0))
        os.close(memory)
        place.child = Child(process=process, line=line, roster=roster, started_at=now, beat_at=now)
        if self.is_stopping:  # asked while it was started, and so not passed on to it
            process.terminate()

    def _is_to_be_filled(self, place: Place) -> bool:
        return place.child is None and not self.is_stopping and not (self._is_once and not place.deaths)

    def _look_after(self, place: Place) -> None:
        """Hear a place's processes; say of those that have ended what is news, and start another where one is due."""
        child = place.child
        if child is not None:
            self._hear(child)
            if not child.is_alive:
                self._hear(child)
                place.child = None
                self._has_ended(place, child)
            elif child.beat.is_worn_out and not self._is_once:
                place.child = None
                place.worn_out.append(child)
        for one in [one for one in place.worn_out if not one.is_alive]:
            self._hear(one)
            place.worn_out.remove(one)
            self._has_ended(place, one)
        if self._is_to_be_filled(place) and time.monotonic() >= place.not_before:
            self._fill(place)

    def _hear(self, child: Child) -> None:
        try:
            while not child.line.closed and child.line.poll():
                child.beat = child.line.recv()
                child.beat_at = time.monotonic()
        except (EOFError, OSError):  # it has ended, or will at once
            child.line.close()
            with suppress(TimeoutExpired):
                child.process.wait(_LOOK_S)
        if child.beat.problem is None:
            if child.beat.begun or time.monotonic() - child.started_at > _YOUNG.total_seconds():
                self._has_worked = True
        elif not (child.beat.may_pass and self._has_worked) and self._problem is None:
            self._problem = child.beat.problem
            if not self.is_stopping:
                self.stop()

    def _has_ended(self, place: Place, child: Child) -> None:
        code = child.process.wait()
        child.line.close()
        self._keeper.take_back([one for one in child.roster.entries(kept_before=inf) if not one.has_begun])
        problem, was = child.beat.problem, place.problem
        place.problem = problem
        if code == 0 and problem is None:
            place.deaths = 0
            if not self.is_stopping and not self._is_once:
                done = f"{child.beat.ended} messages done with, {child.beat.peak_mb} MB at most"
                self._say(Action.WORKER_PROCESS_RENEWED, f"process {child.pid}: {done}")
            return
        is_young = time.monotonic() - child.started_at < _YOUNG.total_seconds()
        place.deaths = place.deaths + 1 if is_young else 1
        pause_s = (
            self._again.wait_after(place.deaths, rand=random.random).total_seconds() if is_young or problem else 0.0
        )
        place.not_before = time.monotonic() + pause_s
        if problem is not None:
            if was is None and not self.is_stopping:
                reason = f"process {child.pid} can't work, and is started again until it can: {problem}"
                self._say(Action.WORKER_PROCESS_DIED, reason)
            return
        running = child.beat.begun - child.beat.ended
        its = f"its jobs ({running} a moment ago) start again when their lease is over"
        self._say(Action.WORKER_PROCESS_DIED, f"process {child.pid} {end_of(code)}; {its}")

    def _neglected(self, before: float) -> list[Entry]:
        """Return what runs in live children and was last kept alive before this."""
        return [one for child in self._children() if child.is_alive for one in child.roster.entries(kept_before=before)]

    def _kill_hanging(self) -> None:
        """
        Kill a child that says nothing while a job of it should long have been stopped.

        One call holds its interpreter, so that no timeout comes through, or it was stopped: for good, it seems.
        """
        now = time.monotonic()
        for child in self._children():
            if now - child.beat_at < _SILENT.total_seconds() or child.is_killed:
                continue
            overdue = [one for one in child.roster.entries(kept_before=now) if one.over_at + _BEYOND_S < now]
            if overdue:
                child.is_killed = True
                child.process.kill()
                held = overdue[0].lease
                late = f"{now - overdue[0].over_at:.0f} s beyond its timeout of {held.timeout.total_seconds():g} s"
                self._say(
                    Action.WORKER_PROCESS_DIED, f"process {child.pid} says nothing, and job {held.job_id} runs {late}"
                )

    def _kill_overdue(self) -> None:
        """Kill what doesn't end although its grace is over: code that holds the interpreter can't be interrupted."""
        if self._stop_asked_at is None:
            return
        if time.monotonic() > self._stop_asked_at + (self._grace + _BEYOND_GRACE).total_seconds():
            for child in self._children():
                child.process.kill()
