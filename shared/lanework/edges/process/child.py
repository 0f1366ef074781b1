"""A worker process with a supervisor: it reports its state, and stops on request or when its supervisor is gone."""

from __future__ import annotations

import signal
from contextlib import closing
from functools import partial
from mmap import mmap
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final

from lanework.edges.process.beat import GIVE_UP, Beat
from lanework.edges.process.consumer import Consumer
from lanework.edges.process.lease_board import LeaseBoard
from lanework.edges.process.signals import SignalWatch
from lanework.edges.process.watchdog import Repeating
from lanework.errors import CredentialsError, LaneworkError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from lanework.app import App
    from lanework.edges.process.config import Plan
    from lanework.engine.ports.consumer import MessageConsumer

_BEAT_S: Final = 1.0


def run_child(pipe: int, memory: int, prepare: Callable[[], tuple[App, MessageConsumer]], plan: Plan) -> bool:
    """
    Empty lanes in this process; open files tell the parent how it goes, and what runs: a pipe's end, and memory.

    Returns:
        Whether everything that was begun has ended; otherwise end the process at once.
    """
    line, roster = Connection(pipe, readable=False), LeaseBoard(mmap(memory, 0))
    signals = SignalWatch(signal.SIGTERM, GIVE_UP)
    signals.let_forks_go()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C goes to the parent, too, which passes it on
    try:
        app, inbox = prepare()
        consumer = Consumer(app, inbox, plan, roster=roster, end_within=_end_within)
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
