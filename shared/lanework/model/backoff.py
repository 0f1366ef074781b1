"""When a failed job runs again. Pure: no clock, no random source, no I/O of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil, floor
from typing import TYPE_CHECKING

from lanework.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_WAIT = timedelta(hours=12)
"""Longest visibility timeout of a message (SQS quotas, "Message visibility timeout")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """
    Exponential backoff with jitter: `base × 2^(attempt-1)`, plus up to a tenth of it.

    Attributes:
        base: Wait before the second attempt, without jitter. Zero retries at once.
        ceiling: Longest wait, jitter included.
        jitter: Fraction of the wait that is added at random, 0.0 to 1.0.
    """

    base: timedelta = timedelta(seconds=2)
    ceiling: timedelta = LONGEST_WAIT
    jitter: float = 0.1

    def __post_init__(self) -> None:
        if self.base < timedelta(0):
            msg = f"backoff base must not be negative, got {self.base}"
            raise InvalidOptionError(msg)
        if not timedelta(0) < self.ceiling <= LONGEST_WAIT:
            msg = f"backoff ceiling must be above zero and at most 12 hours (SQS's visibility), got {self.ceiling}"
            raise InvalidOptionError(msg)
        if not 0.0 <= self.jitter <= 1.0:
            msg = f"backoff jitter must lie between 0.0 and 1.0, got {self.jitter}"
            raise InvalidOptionError(msg)

    def wait_after(self, attempt: int, *, rand: Callable[[], float]) -> timedelta:
        """
        Return how long to wait after a failed attempt, in whole seconds, as SQS counts visibility.

        Jitter below a second is therefore lost, and a wait is never shorter than without jitter.

        Args:
            attempt: Number of the attempt that failed, from 1.
            rand: Gives a number from 0.0 up to, not including, 1.0.
        """
        # Above 2^40 any positive base has long met the ceiling; the exponent is capped so that no float overflows.
        plain_s = self.base.total_seconds() * 2.0 ** min(attempt - 1, 40)
        wait_s = min(plain_s * (1.0 + self.jitter * rand()), self.ceiling.total_seconds())
        return timedelta(seconds=max(floor(wait_s), ceil(min(plain_s, self.ceiling.total_seconds()))))
