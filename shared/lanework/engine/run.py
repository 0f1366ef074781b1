"""What a job's code is handed about its own run."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from pydantic_core import from_json, to_json

from lanework.errors import InvalidOptionError
from lanework.model.headers import CORRELATION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from lanework.model.headers import Headers
    from lanework.model.lanes import Lane

T = TypeVar("T")

_STEP: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_LONGEST_NOTE: Final = 200


class Notebook(Protocol):
    """Where a run's own words go: the ledger, or a list in a unit test."""

    def progress(self, percent: int, note: str | None) -> None:
        """Keep how far the job is."""

    def log(self, line: str) -> None:
        """Keep a line with the job."""

    def is_cancelled(self) -> bool:
        """Tell whether the job was asked to stop."""

    def step(self, name: str) -> str | None:
        """Return what a step of the job left, as JSON text, or None if it was not done."""

    def keep_step(self, name: str, result: str) -> None:
        """Keep what a step left, for later attempts."""


class Run:
    """
    One attempt, as the job's own code sees it.

    Attributes:
        job_id: The job's id; the same on every attempt, so it can serve as an idempotency key elsewhere.
        attempt: Which attempt this is, from 1.
        max_attempts: Most attempts.
        deadline: When the attempt is stopped; aware, UTC.
        job_type: Name of the job's type.
        queue: The queue that the type belongs to.
        lane: The lane that the job is in.
        headers: What goes along beside the payload, such as a `traceparent`; read-only.
    """

    __slots__ = (
        "_notebook",
        "attempt",
        "deadline",
        "headers",
        "job_id",
        "job_type",
        "lane",
        "max_attempts",
        "queue",
    )

    def __init__(  # noqa: PLR0913 - what a job may know of its run
        self,
        *,
        job_id: str,
        job_type: str,
        queue: str,
        lane: Lane,
        attempt: int,
        max_attempts: int,
        deadline: datetime,
        notebook: Notebook,
        headers: Headers = (),
    ) -> None:
        """Hand a run to a job."""
        self.job_type = job_type
        self.queue = queue
        self.lane = lane
        self.headers: Mapping[str, str] = MappingProxyType(dict(headers))
        self.job_id = job_id
        self.attempt = attempt
        self.max_attempts = max_attempts
        self.deadline = deadline
        self._notebook = notebook

    @property
    def correlation_id(self) -> str:
        """What the job belongs to: the id that it was given, or that of the first job of its line."""
        return self.headers.get(CORRELATION, self.job_id)

    @property
    def is_last_attempt(self) -> bool:
        """Whether the job dies if this attempt fails."""
        return self.attempt >= self.max_attempts

    @property
    def cancelled(self) -> bool:
        """Whether the job was asked to stop: a long one looks now and then and raises `Cancel`. A read a second."""
        return self._notebook.is_cancelled()

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
        self._notebook.progress(percent, None if note is None else note[:_LONGEST_NOTE])

    def log(self, line: str) -> None:
        """Keep a line with the job: its last 100 lines, 16 KB in all. They are written once, when the attempt ends."""
        self._notebook.log(line)

    def once(self, name: str, call: Callable[[], T]) -> T:
        """
        Do a step of the job that must not be repeated by a retry: its result is kept with the job.

        A crash between the step and the keeping repeats it; make it idempotent with `job_id` where that matters.

        Args:
            name: Names the step within the job: letters, digits and _ . : -, at most 64.
            call: Does the step; what it returns must be JSON: it comes back as such on later attempts.

        Raises:
            InvalidOptionError: The name can't be used.
        """
        if not _STEP.fullmatch(name):
            msg = f"step {name!r} can't be used: 1 to 64 of letters, digits and _ . : -"
            raise InvalidOptionError(msg)
        before = self._notebook.step(name)
        if before is not None:
            kept: T = from_json(before)
            return kept
        result = call()
        text = to_json(result).decode()
        self._notebook.keep_step(name, text)
        again: T = from_json(text)
        return again
