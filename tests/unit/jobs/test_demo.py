"""The demo's jobs misbehave as they say."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from typing import NoReturn

import pytest

from jobs.demo import Crash, Doomed, Flaky, Greet, Nap, OnPurposeError, crash, doomed, flaky, greet, nap
from lanework.testing import a_run


class KilledError(Exception):
    """Stands for the process's end."""


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_flaky_job_fails_as_often_as_asked(attempt: int) -> None:
    with pytest.raises(OnPurposeError, match=f"attempt {attempt} fails on purpose, attempt 3 will succeed"):
        flaky(Flaky(fail_times=2), a_run(attempt=attempt))


def test_a_flaky_job_then_succeeds() -> None:
    assert "succeeded on attempt 3" == flaky(Flaky(fail_times=2), a_run(attempt=3))


def test_a_flaky_job_that_is_to_fail_zero_times_succeeds_at_once() -> None:
    assert "succeeded on attempt 1" == flaky(Flaky(fail_times=0), a_run(attempt=1))


def test_a_doomed_job_fails_with_its_reason() -> None:
    with pytest.raises(OnPurposeError, match="out of luck"):
        doomed(Doomed(reason="out of luck"))


def test_a_crashing_job_kills_its_own_process_on_the_first_attempt() -> None:
    def kill(pid: int, number: int) -> NoReturn:
        raise KilledError(pid, number)

    with pytest.raises(KilledError) as killed:
        crash(Crash(), a_run(attempt=1), kill=kill)

    assert (os.getpid(), signal.SIGKILL) == killed.value.args


def test_a_crashing_job_leaves_no_time_to_clean_up() -> None:
    code = (
        "from jobs.demo import *; from lanework.testing import a_run; crash(Crash(), a_run(attempt=1)); print('alive')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, env={"PYTHONPATH": ":".join(sys.path)}
    )

    assert (-signal.SIGKILL, b"") == (ended.returncode, ended.stdout)


def test_a_crashing_job_completes_on_a_later_attempt() -> None:
    assert "completed on attempt 2" == crash(Crash(), a_run(attempt=2))


def test_a_nap_lasts_as_long_as_was_asked() -> None:
    before = time.monotonic()
    nap(Nap(seconds=0.05))

    assert time.monotonic() - before >= 0.05


def test_an_async_job_greets() -> None:
    assert "Hello, Bat!" == asyncio.run(greet(Greet(name="Bat")))
