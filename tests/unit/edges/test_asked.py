from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from threading import Event, get_ident

import pytest

from lanework.edges.process.child import GIVE_UP, Asked


@pytest.fixture(autouse=True)
def _handlers_as_they_were() -> Iterator[None]:
    numbers = (signal.SIGTERM, GIVE_UP, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


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


def test_a_request_that_comes_in_the_middle_of_another_waits_for_it() -> None:
    process, asked = Process(), Asked()
    asked.tell(process)

    signal.raise_signal(signal.SIGTERM)

    assert process.has_given_up.wait(10)
    assert process.said == ["stop", "stopped", "give up"]


def test_requests_before_there_is_anything_to_stop_are_kept() -> None:
    process, asked = Process(), Asked()
    signal.raise_signal(GIVE_UP)

    asked.tell(process)

    assert process.has_given_up.wait(10)


FORKS = """
import os, signal, sys, warnings
from lanework.edges.process.child import Asked

class Process:
    def stop(self):
        os._exit(99)

warnings.simplefilter("ignore")  # of Python 3.12 and newer, which dislike a fork beside threads
Asked().tell(Process())
pid = os.fork()
if not pid:
    signal.pause()
    os._exit(0)
os.kill(pid, signal.SIGTERM)
sys.exit(os.WTERMSIG(os.waitpid(pid, 0)[1]))
"""


def test_a_process_that_a_job_forked_ends_by_its_own_signal() -> None:
    assert subprocess.run([sys.executable, "-c", FORKS], check=False, timeout=30).returncode == signal.SIGTERM
