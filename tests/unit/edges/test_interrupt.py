"""Time-outs of jobs that run in threads beside each other, all of which one thread watches."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from lanework.edges.process.interrupt import interrupt
from lanework.local.emulator.subprocess_env import clean_environment
from lanework.model.job.job_exceptions import TimedOut

SHARED = Path(__file__).parents[3] / "shared"
SOON = timedelta(milliseconds=50)
LATE = timedelta(minutes=5)


def spin() -> None:
    """Run Python code for as long as it is let."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        pass


def interrupted(timeout: timedelta) -> timedelta:
    with pytest.raises(TimedOut) as raised, interrupt(timeout):
        spin()
    return raised.value.timeout


def test_a_time_out_that_begins_later_and_ends_sooner_comes_first() -> None:
    began, may_end = threading.Event(), threading.Event()

    def long() -> str:
        with interrupt(LATE):
            began.set()
            may_end.wait(60)
        return "done"

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(long)
        began.wait(60)
        assert threads.submit(interrupted, SOON).result(60) == SOON
        may_end.set()
        assert first.result(60) == "done"


def test_each_of_many_is_interrupted_in_its_own_thread_and_none_afterwards() -> None:
    with ThreadPoolExecutor(4) as threads:
        times = [SOON * (1 + n % 3) for n in range(8)]
        assert list(threads.map(interrupted, times)) == times


def test_code_that_ends_in_time_is_left_alone() -> None:
    def short() -> str:
        with interrupt(SOON):
            pass
        until = time.monotonic() + 4 * SOON.total_seconds()
        while time.monotonic() < until:
            pass
        return "done"

    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(short).result(60) == "done"


PROFILED = """
import sys, threading, time
from contextlib import suppress
from datetime import timedelta
from lanework.edges.process.interrupt import interrupt
from lanework.model.job.job_exceptions import TimedOut

def jobs():
    for tenths in range(40):  # some end in time, some don't, and some at the very moment
        with suppress(TimedOut), interrupt(timedelta(milliseconds=1)):
            until = time.perf_counter() + tenths / 10_000
            while time.perf_counter() < until:
                pass

thread = threading.Thread(target=jobs)
thread.start()
thread.join()
calls = []
sys.setprofile(lambda frame, event, _: calls.append(frame.f_code.co_name))
(lambda: None)()
sys.setprofile(None)
print(calls.count("<lambda>") > 0)
"""


def test_a_process_whose_jobs_have_timeouts_can_be_profiled() -> None:
    """On Python 3.11 it hung for ever, and up to 3.12 each call took half as long again."""
    environment = {**clean_environment(), "PYTHONPATH": str(SHARED)}
    profiled = subprocess.run(
        [sys.executable, "-c", PROFILED], env=environment, capture_output=True, text=True, check=False, timeout=60
    )

    assert (profiled.stdout, profiled.stderr) == ("True\n", "")
