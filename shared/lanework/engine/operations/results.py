"""Waiting for a job's end and reading its result back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from lanework.engine.jobtypes.arguments import LONGEST_DELAY
from lanework.errors import InvalidOptionError, JobFailedError, JobNotFoundError, ResultTimeoutError, is_a, shown
from lanework.model.job.validation_errors import problems_of
from lanework.model.lifecycle.states import ENDED, State

if TYPE_CHECKING:
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord

_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 1.0
_UNRECORDED: Final = "unrecorded (`lanework dlq messages` shows it if a worker has refused it)"


@dataclass(frozen=True, slots=True)
class Ended:
    """A job has ended, and this is its result."""

    result: object


class ResultWait:
    """Reads a job's record at growing intervals, at last once a second, until it has ended. See `App.result`."""

    def __init__(
        self, job_id: str, ports: Ports, registry: Registry, *, timeout: timedelta, may_come: bool = False
    ) -> None:
        """Begin to wait; where the job `may_come`, also for its record."""
        if not is_a(timeout, timedelta):
            msg = f"timeout must be a timedelta, got {shown(timeout)}"
            raise InvalidOptionError(msg)
        self._may_come = may_come
        self._job_id, self._ports, self._registry, self._timeout = job_id, ports, registry, timeout
        self._until = ports.clock() + min(max(timeout, timedelta(0)), LONGEST_DELAY)
        self._pause_s = _FIRST_PAUSE_S

    def look(self) -> Ended | float:
        """Return the result, or how many seconds to wait before the next look; errors as of `App.result`."""
        try:
            record = self._ports.existing(self._job_id)
            state = str(record.state)
        except JobNotFoundError:
            if not self._may_come:
                raise
            record, state = None, _UNRECORDED
        if record is not None and record.state in ENDED:
            return Ended(_result(record, self._registry))
        left_s = (self._until - self._ports.clock()).total_seconds()
        if left_s <= 0:
            raise ResultTimeoutError(self._job_id, state=state, waited=self._timeout)
        pause_s = min(self._pause_s, left_s)
        self._pause_s = min(self._pause_s * 1.5, _LONGEST_PAUSE_S)
        return pause_s


def _result(record: JobRecord, registry: Registry) -> object:
    if record.state is not State.COMPLETED:
        reason = record.error or "no error was kept"
        raise JobFailedError(record.job_id, state=record.state, reason=reason, error_type=record.error_type)
    if record.result_omitted is not None:
        raise JobFailedError(
            record.job_id, state=record.state, reason=f"its result was not kept: {record.result_omitted}"
        )
    if record.result is None:
        return None
    job_type = registry.find(record.type)
    try:
        return TypeAdapter(object if job_type is None else job_type.returns).validate_json(record.result)
    except ValidationError as error:
        reason = f"its result can't be read as what its function returns: {problems_of(error)[0]}"
        raise JobFailedError(record.job_id, state=record.state, reason=reason) from None
