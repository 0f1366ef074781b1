"""
What a job may raise to say how its attempt ended. Anything else that it raises means: try again.

Each is an exception, so that a job says it from however deep inside its code.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.errors import InvalidOptionError, is_a, shown

if TYPE_CHECKING:
    from datetime import datetime

LONGEST_PARK: Final = timedelta(days=366)
"""Longest a job may ask to wait; a larger one is more likely a wrong unit."""


class EndsAttempt(Exception):  # noqa: N818 - none of them is an error
    """Raised by a job to end its attempt in a way of its own."""


class Snooze(EndsAttempt):
    """
    Raised to run again later without using an attempt: what the job needs isn't there yet.

    Attributes:
        wait: Until the next attempt; above zero, at most 366 days.
    """

    def __init__(self, wait: timedelta) -> None:
        self.wait = checked_wait("Snooze", wait)
        super().__init__(f"snoozed for {wait}")


class RetryAfter(EndsAttempt):
    """
    Raised to fail this attempt and say when the next one may begin, instead of the backoff.

    Attributes:
        wait: Until the next attempt; above zero, at most 366 days.
    """

    def __init__(self, wait: timedelta, reason: str = "asked to come back later") -> None:
        self.wait = checked_wait("RetryAfter", wait)
        super().__init__(reason)


class Discard(EndsAttempt):
    """Raised to give up at once: no further attempt can help. The job is dead, cause `discarded`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class Cancel(EndsAttempt):
    """Raised to end the job as cancelled: it is no longer wanted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class Suspended(BaseException):
    """
    Raised inside a job's code by `run.wait` and `run.wait_for` to end the attempt. Let it pass.

    Attributes:
        until: When the job goes on.
        signal: The signal that lets it go on earlier; None for a wait.
    """

    def __init__(self, until: datetime, signal: str | None = None) -> None:
        self.until, self.signal = until, signal
        super().__init__(f"waits until {until:%Y-%m-%d %H:%M:%S} UTC")


class TimedOut(BaseException):
    """
    Raised inside a job's code when its time is over. Clean up and let it pass.

    Attributes:
        timeout: How long the attempt was allowed to take.
    """

    def __init__(self, timeout: timedelta) -> None:
        self.timeout = timeout
        super().__init__(f"took longer than {timeout.total_seconds():g} s")


def checked_wait(name: str, wait: timedelta) -> timedelta:
    """Return a wait that a job asks for; InvalidOptionError unless it is above zero and at most 366 days."""
    if is_a(wait, timedelta) and timedelta(0) < wait <= LONGEST_PARK:
        return wait
    msg = f"{name} needs a wait above zero and of at most {LONGEST_PARK.days} days, got {shown(wait)}"
    raise InvalidOptionError(msg)
