"""What enqueue hands back."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from lanework.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

ResultT_co = TypeVar("ResultT_co", covariant=True)


class ReadsResults(Protocol):
    """What a receipt needs of the application that gave it out."""

    def result(self, job_id: str, *, timeout: timedelta) -> Any:  # noqa: ANN401 - of any job
        """Wait for a job's result."""

    async def result_async(self, job_id: str, *, timeout: timedelta) -> Any:  # noqa: ANN401 - of any job
        """Wait for a job's result in asyncio code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Generic[ResultT_co]):
    """
    Proof that a job is recorded or on its way.

    Attributes:
        job_id: The job's id.
        duplicate: Such a job existed before: one with this id, or with the same key within `unique_for`. Nothing new
            will run; the id is that job's. None: not known, since the job was sent without a record; if its id is a
            duplicate, nothing new will run.
        payload_differs: That job was given another payload than this one: what was asked for now will not run.
        ran_inline: It was not enqueued: its code ran in the caller, as `fallback="inline"` asked for.
        overdue: How long ago the asked start was; None unless it lay in the past, and so became now.
    """

    job_id: str
    duplicate: bool | None = False
    payload_differs: bool = False
    ran_inline: bool = False
    overdue: timedelta | None = None
    reader: ReadsResults | None = field(default=None, repr=False, compare=False)

    def result(self, *, timeout: timedelta) -> ResultT_co:
        """
        Wait until the job has ended and return its result. Not for use inside a job: it would hold a worker.

        Args:
            timeout: How long to wait at most.

        Raises:
            JobFailedError: It died, was cancelled, or its result could not be kept.
            ResultTimeoutError: It had not ended by then; it goes on.
        """
        return cast("ResultT_co", self._given_by.result(self.job_id, timeout=timeout))

    async def result_async(self, *, timeout: timedelta) -> ResultT_co:
        """Do as `result` does, from asyncio code: between two reads of the record it holds no thread."""
        return cast("ResultT_co", await self._given_by.result_async(self.job_id, timeout=timeout))

    @property
    def _given_by(self) -> ReadsResults:
        if self.reader is None:
            msg = (
                f"receipt of job {self.job_id!r} was made by hand or in another process: ask the App, "
                f"app.result({self.job_id!r}, timeout=…)"
            )
            raise ConfigError(msg)
        return self.reader

    def __reduce__(self) -> tuple[Callable[[], Receipt[ResultT_co]], tuple[()]]:
        """Go to another process without the application, which has one of its own."""
        kept = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "reader" or self.ran_inline}
        return partial(Receipt, **kept), ()
