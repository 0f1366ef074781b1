from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from threading import Event, get_ident

import pytest

from lanework.edges.process.beat import GIVE_UP
from lanework.edges.process.signals import SignalWatch


@pytest.fixture(name="signals")
def some_signals() -> Iterator[SignalWatch]:
    with closing(SignalWatch(signal.SIGTERM, GIVE_UP)) as signals:
        yield signals


class Process:
    """Is asked once more while it does what it was asked first, as a lock held there would meet it."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.has_given_up = Event()

    def stop(self) -> None:
        self.said.append("stop")
        if len(self.said) == 1:
            signal.pthread_kill(get_ident(), GIVE_UP)  # while the main thread waits
        self.said.append("stopped")

    def give_up(self) -> None:
        self.said.append("give up")
        self.has_given_up.set()


def test_a_request_that_comes_in_the_middle_of_another_waits_for_it(signals: SignalWatch) -> None:
    process = Process()
    signals.heed({signal.SIGTERM: process.stop, GIVE_UP: process.give_up})

    signal.raise_signal(signal.SIGTERM)

    assert process.has_given_up.wait(10)
    assert process.said == ["stop", "stopped", "give up"]


def test_requests_before_there_is_anything_to_stop_are_kept(signals: SignalWatch) -> None:
    process = Process()
    signal.raise_signal(GIVE_UP)

    signals.heed({GIVE_UP: process.give_up})

    assert process.has_given_up.wait(10)


def test_a_signal_with_a_handler_of_its_own_is_let_be(signals: SignalWatch) -> None:
    process, came = Process(), []
    before = signal.signal(signal.SIGUSR1, lambda *_: came.append("usr1"))
    signals.heed({GIVE_UP: process.give_up})
    try:
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    signal.raise_signal(GIVE_UP)

    assert process.has_given_up.wait(10)
    assert came == ["usr1"]


def test_afterwards_signals_do_what_they_did_before() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, GIVE_UP)]

    SignalWatch(signal.SIGTERM, GIVE_UP).close()

    assert [signal.getsignal(number) for number in (signal.SIGTERM, GIVE_UP)] == before
    assert signal.set_wakeup_fd(-1) == -1


FORKS = """
import os, signal, sys, warnings
from lanework.edges.process.signals import SignalWatch

warnings.simplefilter("ignore")  # of Python 3.12 and newer, which dislike a fork beside threads
signals = SignalWatch(signal.SIGTERM)
signals.let_forks_go()
signals.heed({signal.SIGTERM: lambda: os._exit(99)})
pid = os.fork()
if not pid:
    signal.pause()
    os._exit(0)
os.kill(pid, signal.SIGTERM)
sys.exit(os.WTERMSIG(os.waitpid(pid, 0)[1]))
"""


def test_a_process_that_a_job_forked_ends_by_its_own_signal() -> None:
    assert subprocess.run([sys.executable, "-c", FORKS], check=False, timeout=30).returncode == signal.SIGTERM
