"""A worker process with a supervisor: it reports its state, and stops on request or when its supervisor is gone."""

from __future__ import annotations

import signal
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from lanework.edges.process.consumer import Consumer
from lanework.edges.process.lease_board import LeaseBoard
from lanework.edges.process.signals import SignalWatch
from lanework.edges.process.watchdog import Repeating
from lanework.errors import CredentialsError, LaneworkError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from ctypes import Array, c_ubyte
    from datetime import timedelta
    from multiprocessing.connection import Connection

    from lanework.app import App
    from lanework.edges.process.config import Plan
    from lanework.engine.ports.consumer import MessageConsumer

_BEAT_S: Final = 1.0

GIVE_UP: Final = signal.SIGQUIT
"""
Asks a child to end at once. A second SIGTERM can't: a process that hasn't come to see the first yet gets one for both.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """
    What a child says every second.

    Attributes:
        is_worn_out: It receives no more, and ends when its jobs have; another one is to take its place.
        problem: Why it gives up, if it does: what starting it anew won't cure.
        may_pass: The problem may be over later, where there has been none before: AWS or the credentials are away.
        fault: Why it gives up because of a fault of its own; another one follows.
    """

    begun: int = 0
    ended: int = 0
    peak_mb: int = 0
    is_worn_out: bool = False
    problem: str | None = None
    may_pass: bool = False
    fault: str | None = None


def run_child(
    line: Connection, memory: Array[c_ubyte], prepare: Callable[[], tuple[App, MessageConsumer]], plan: Plan
) -> bool:
    """
    Empty lanes in this process; `line` and `memory` tell the parent how it goes, and what runs.

    Returns:
        Whether everything that was begun has ended; otherwise end the process at once.
    """
    signals = SignalWatch(signal.SIGTERM, GIVE_UP)
    signals.let_forks_go()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C goes to the parent, too, which passes it on
    try:
        app, inbox = prepare()
        consumer = Consumer(app, inbox, plan, roster=LeaseBoard(memory), end_within=_end_within)
        signals.heed({signal.SIGTERM: consumer.stop, GIVE_UP: consumer.give_up})
        beating = Repeating("beat", partial(_beat, line, consumer), consumer.fail, every_s=_BEAT_S, at_end=True)
        with closing(beating):
            return consumer.run()
    except LaneworkError as error:
        line.send(last_beat(error))
        return True


def last_beat(error: LaneworkError) -> Beat:
    """Return what a child says that gives up."""
    return Beat(problem=str(error), may_pass=isinstance(error, CredentialsError | UnavailableError))


def _end_within(wait: timedelta) -> None:
    """Let the system end this process after so long, also if one call holds the interpreter; for the main thread."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, wait.total_seconds())


def _beat(line: Connection, consumer: Consumer) -> None:
    """Tell the parent how it goes; without a parent, nobody would start this process anew, or stop it: it stops."""
    gauge = consumer.gauge
    try:
        line.send(
            Beat(
                begun=gauge.begun,
                ended=gauge.ended,
                peak_mb=gauge.peak_mb,
                is_worn_out=consumer.is_worn_out,
                fault=consumer.fault,
            )
        )
    except OSError:
        consumer.stop()
