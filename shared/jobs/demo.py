"""The family `demo`: jobs for `lanework demo` and for tests, most of which misbehave on purpose."""

import asyncio
import os
import signal
import time
from collections.abc import Callable

from pydantic import Field

from jobs.payloads import Payload, Title
from lanework import Jobs, Public, Run

demo = Jobs(queue="demo")


class OnPurposeError(Exception):
    """Raised by the jobs of this family, whose purpose is to fail."""


class Flaky(Payload):
    """
    How often to fail.

    Attributes:
        fail_times: Attempts that fail before one succeeds, default 2; 0 succeeds at once.
    """

    fail_times: Public[int] = Field(default=2, ge=0)


class Doomed(Payload):
    """
    What to fail with.

    Attributes:
        reason: Becomes the error's text.
    """

    reason: Public[Title] = "this job always fails"


class Crash(Payload):
    """Nothing to say: the job crashes on its first attempt."""


class Nap(Payload):
    """
    How long to do nothing.

    Attributes:
        seconds: 0 to 600, default 1.
    """

    seconds: Public[float] = Field(default=1, ge=0, le=600)


class Greet(Payload):
    """
    Whom to greet.

    Attributes:
        name: A single line.
    """

    name: Title = "world"


@demo.job("demo.flaky", lane="medium", attempts=3)
def flaky(how: Flaky, run: Run) -> str:
    """Fail the first attempts, then succeed: shows the retry."""
    if run.attempt <= how.fail_times:
        msg = f"attempt {run.attempt} fails on purpose, attempt {how.fail_times + 1} will succeed"
        raise OnPurposeError(msg)
    return f"succeeded on attempt {run.attempt}"


@demo.job("demo.doomed", lane="high", attempts=2)
def doomed(how: Doomed) -> None:
    """Fail every attempt: shows the way into the dead-letter queue."""
    raise OnPurposeError(how.reason)


@demo.job("demo.crash", lane="critical")
def crash(_: Crash, run: Run, *, kill: Callable[[int, int], None] = os.kill) -> str:
    """Kill its own process on the first attempt, with no chance to clean up: shows that another attempt takes over."""
    if run.attempt == 1:
        kill(os.getpid(), signal.SIGKILL)
    return f"completed on attempt {run.attempt}"


@demo.job("demo.nap", lane="low")
def nap(how: Nap) -> None:
    """Hold a worker for a time: shows what slow work does, and to whom it does nothing."""
    time.sleep(how.seconds)


@demo.job("demo.greet", lane="medium")
async def greet(whom: Greet) -> str:
    """Greet, asynchronously: shows that a job may be `async def`."""
    await asyncio.sleep(0)
    return f"Hello, {whom.name}!"
