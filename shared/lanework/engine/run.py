"""What a job's code is handed about its own run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Callable


class Run:
    """
    One attempt, as the job's own code sees it.

    Attributes:
        job_id: The job's id; the same on every attempt, so it can serve as an idempotency key elsewhere.
        attempt: Which attempt this is, from 1.
        max_attempts: Most attempts.
    """

    __slots__ = ("_report", "attempt", "job_id", "max_attempts")

    def __init__(
        self, *, job_id: str, attempt: int, max_attempts: int, report: Callable[[int, str | None], None]
    ) -> None:
        """Hand a run to a job; `report` takes what `progress` says."""
        self.job_id = job_id
        self.attempt = attempt
        self.max_attempts = max_attempts
        self._report = report

    @property
    def is_last_attempt(self) -> bool:
        """Whether the job dies if this attempt fails."""
        return self.attempt >= self.max_attempts

    def progress(self, percent: int, note: str | None = None) -> None:
        """
        Say how far the job is. Each call is one write to its record.

        Args:
            percent: 0 to 100.
            note: What it is doing, at most 200 characters.

        Raises:
            InvalidOptionError: The percentage is out of range.
            ClaimLostError: This attempt outlived its lease and another has taken over; let it end.
        """
        if not 0 <= percent <= 100:  # noqa: PLR2004 - per cent
            msg = f"progress must lie between 0 and 100, got {percent}"
            raise InvalidOptionError(msg)
        self._report(percent, None if note is None else note[:200])
