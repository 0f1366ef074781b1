"""What an application does with jobs that exist, by their ids, and with all that are to be held."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Unpack

from lanework.async_calls import async_twin, beside_the_loop

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.operations.cancel import Cancelling
    from lanework.engine.operations.pauses import PauseTarget
    from lanework.engine.operations.signals import Signalling
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.queries.jobs import Inspector
    from lanework.model.lifecycle.states import JobRecord


class JobOperations(ABC):
    """
    An application's methods on jobs that exist.

    Attributes:
        registry: Its job types.
    """

    registry: Registry

    @property
    @abstractmethod
    def ports(self) -> Ports:
        """Where the application runs."""

    @property
    @abstractmethod
    def inspector(self) -> Inspector:
        """Reads jobs and lanes."""

    @abstractmethod
    def _flush(self) -> None: ...

    def get(self, job_id: str) -> JobRecord:
        """
        Return where a job stands.

        Raises:
            JobNotFoundError: There is none, or its record was retired.
        """
        return self.inspector.get(job_id)

    def result(self, job_id: str, *, timeout: timedelta) -> object:
        """
        Wait until a job has ended and return its result, as the job's function would have.

        Args:
            timeout: How long to wait at most.

        Raises:
            JobNotFoundError: There is none.
            JobFailedError: It died, was cancelled, or its result could not be kept.
            ResultTimeoutError: It had not ended by then.
        """
        return _result(self, job_id, timeout)

    async def result_async(self, job_id: str, *, timeout: timedelta) -> object:
        """Do as `result` does, from asyncio code: between two reads of the record it holds no thread."""
        return await _result_async(self, job_id, timeout)

    def cancel(self, job_id: str) -> Cancelling:
        """
        Cancel a job: one that waits ends at once, a running one is asked to stop (`run.cancelled`).

        Raises:
            JobNotFoundError: There is none.
        """
        from lanework.engine.operations.cancel import cancel  # noqa: PLC0415

        return cancel(job_id, self.ports)

    def signal(self, job_id: str, name: str, payload: object = None) -> Signalling:
        """
        Send a job a signal: `run.wait_for(name)` returns its payload, now or when the job comes to wait for it.

        Args:
            name: The signal's name; the first one of a name counts.
            payload: Anything that is JSON, at most 64 KB.

        Raises:
            JobNotFoundError, JobEndedError: There is no such job, or it has ended.
            SignalTooLateError: It has waited for the signal as long as it would.
            InvalidOptionError, TooLargeError: The name or the payload can't be used.
        """
        from lanework.engine.operations.signals import signal  # noqa: PLC0415

        try:
            return signal(job_id, name, payload, self.ports)
        finally:
            self._flush()

    def reschedule(self, job_id: str, *, run_at: datetime | None = None, delay: timedelta = timedelta(0)) -> JobRecord:
        """
        Change when a waiting job starts, to sooner or later.

        Args:
            job_id: Which job: delayed, snoozed, or between two attempts.
            run_at: Its new start; aware. A time in the past is now.
            delay: Its new start from now, instead; without either it starts now.

        Raises:
            JobNotFoundError: There is none.
            JobNotWaitingError: It runs or has ended.
            InvalidOptionError: The time can't be used.
        """
        from lanework.engine.operations.reschedule import reschedule, start_of  # noqa: PLC0415

        try:
            return reschedule(job_id, at=start_of(run_at, delay, now=self.ports.clock()), ports=self.ports)
        finally:
            self._flush()

    def pause(self, **which: Unpack[PauseTarget]) -> str:
        """
        Pause a lane, a queue or a job type: within a few seconds none of its jobs starts, until it is resumed.

        Args:
            **which: One of `lane`, `queue` and `job_type`.

        Returns:
            The pause's name, such as `queue:email`.

        Raises:
            InvalidOptionError: Not exactly one is named.
            UnknownNameError: There is no such lane, queue or type.
            LaneLeftOutError: The stack leaves the lane out.
        """
        from lanework.engine.operations.pauses import flag_of  # noqa: PLC0415

        name = flag_of(**which, registry=self.registry, ports=self.ports)
        self.ports.flags.pause(name)
        return name

    def resume(self, **which: Unpack[PauseTarget]) -> int:
        """
        Resume a lane, a queue or a job type; jobs that it held are sent within a minute.

        Returns:
            How many jobs it held.

        Raises:
            InvalidOptionError, UnknownNameError: As in `pause`.
        """
        from lanework.engine.operations.pauses import flag_of, resume  # noqa: PLC0415

        return resume(flag_of(**which, registry=self.registry, ports=self.ports), self.ports)

    get_async = async_twin(get)
    cancel_async = async_twin(cancel)
    signal_async = async_twin(signal)
    reschedule_async = async_twin(reschedule)
    pause_async = async_twin(pause)
    resume_async = async_twin(resume)


@dataclass(frozen=True, slots=True)
class ResultsToCome:
    """Reads the results of jobs that a worker has yet to record."""

    app: JobOperations

    def result(self, job_id: str, *, timeout: timedelta) -> object:
        """Do as `JobOperations.result`, and wait for the record, too."""
        return _result(self.app, job_id, timeout, may_come=True)

    async def result_async(self, job_id: str, *, timeout: timedelta) -> object:
        """Do as `result` does, from asyncio code."""
        return await _result_async(self.app, job_id, timeout, may_come=True)


def _result(app: JobOperations, job_id: str, timeout: timedelta, *, may_come: bool = False) -> object:
    from lanework.engine.operations.results import Ended, ResultWait  # noqa: PLC0415

    waiting = ResultWait(job_id, app.ports, app.registry, timeout=timeout, may_come=may_come)
    while not isinstance(found := waiting.look(), Ended):
        time.sleep(found)
    return found.result


async def _result_async(app: JobOperations, job_id: str, timeout: timedelta, *, may_come: bool = False) -> object:
    from lanework.engine.operations.results import Ended, ResultWait  # noqa: PLC0415

    waiting = ResultWait(job_id, app.ports, app.registry, timeout=timeout, may_come=may_come)
    while True:
        found = await beside_the_loop(waiting.look)
        if isinstance(found, Ended):
            return found.result
        await asyncio.sleep(found)
