"""The errors of jobs and workflows; each has the ids, states and names that its message says as attributes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from lanework.errors.general import LaneworkError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class JobNotFoundError(LaneworkError):
    """Raised when no job has the id: it never existed, its record was retired, or its start is yet to make one."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        why = "it was never enqueued here, or its record has expired"
        super().__init__(f'no job {shown(job_id)}: {why}; one with record="start" has none before it starts')


class JobFailedError(LaneworkError):
    """
    Raised when a job has no result to give: it died, was cancelled, or what it returned could not be kept.

    Attributes:
        job_id: Which job.
        state: How it ended.
        error_type: The type of its error, if it had one. Where this is raised in another job, that job's error has this
            and no more: the text may quote the payload of the job that failed.
    """

    def __init__(self, job_id: str, *, state: str, reason: str, error_type: str | None = None) -> None:
        self.job_id, self.state, self.error_type = job_id, state, error_type
        super().__init__(f"job {job_id!r} is {state}: {reason}")


class ResultTimeoutError(LaneworkError):
    """Raised when a job had not ended by the time its caller would wait. The job goes on."""

    def __init__(self, job_id: str, *, state: str, waited: timedelta) -> None:
        self.job_id, self.state = job_id, state
        super().__init__(f"job {job_id!r} is still {state} after {waited.total_seconds():g} s")


class EnqueueError(LaneworkError):
    """
    Raised when a job could neither be recorded nor sent, so nothing will run it. Safe to repeat with the same id.

    Also raised when SQS refuses its message for what it is: if it was recorded, its record is then dead, cause
    `unsendable`, and `str()` says both.

    Attributes:
        job_id: The id that the job would have had.
        reason: What went wrong.
        is_final: SQS refuses its message for what it is: no repetition could send it.
    """

    def __init__(self, job_id: str, reason: str, *, is_final: bool = False) -> None:
        self.job_id, self.reason, self.is_final = job_id, reason, is_final
        super().__init__(f"job {job_id!r} was not enqueued: {reason}")


class UnknownParentError(LaneworkError):
    """
    Raised when a job is to wait for one that doesn't exist. Nothing was enqueued.

    Attributes:
        job_id: The job that was to wait.
        parents: What it was to wait for and isn't there.
    """

    def __init__(self, job_id: str, parents: Iterable[str]) -> None:
        self.job_id, self.parents = job_id, tuple(parents)
        names = ", ".join(repr(one) for one in self.parents)
        super().__init__(
            f"job {job_id!r} can't wait for {names}: never enqueued here, or its record has expired; enqueue it first, "
            'with record="full"'
        )


class WorkflowNotFoundError(LaneworkError):
    """Raised when no workflow has the id: it never existed, or its record has expired."""

    def __init__(self, workflow_id: str) -> None:
        self.workflow_id = workflow_id
        super().__init__(f"no workflow {shown(workflow_id)}: it was never enqueued here, or its record has expired")


class WorkflowClosedError(LaneworkError):
    """
    Raised when jobs can't be added to a workflow because all its jobs have ended, or it was cancelled.

    A redrive of one of its jobs doesn't open it again: that job may add what it had added, under the same ids.
    """

    def __init__(self, workflow_id: str, *, state: str) -> None:
        self.workflow_id, self.state = workflow_id, state
        super().__init__(
            f"workflow {workflow_id!r} is {state} and accepts no more jobs, not even from one of its own that runs "
            "again: enqueue what is new as a workflow of its own, app.workflows.enqueue(group([…]))"
        )


class QuotaExceededError(LaneworkError):
    """
    Raised when a quota is used up. The job was not enqueued; of many, those that fitted were.

    Attributes:
        quota: Its name, such as `quota:type:user.signin.notification:user_id=…`, the key's value as a digest.
        n: How many it lets through within `per`.
        per: Length of its window.
        retry_at: From when one more fits.
        refused: Of `enqueue_many`, the positions of all the jobs that quotas refused; the rest of the error is about
            the first of them.
    """

    def __init__(
        self, quota: str, *, n: int, per: timedelta, retry_at: datetime, refused: tuple[int, ...] = (0,), of: int = 1
    ) -> None:
        self.quota, self.n, self.per, self.retry_at, self.refused = quota, n, per, retry_at, refused
        at = retry_at + timedelta(seconds=1, microseconds=-1)  # a time without its fraction would be too early
        rest = f" ({len(refused)} of {of} jobs were refused, the others were enqueued)" if of > 1 else ""
        super().__init__(f"{quota} is used up ({n:,} in {per}): one more fits from {at:%Y-%m-%d %H:%M:%S} UTC{rest}")


class JobIdTakenError(LaneworkError):
    """
    Raised when a job can't be enqueued under its id, since a job of another type has it. Of many, the others were.

    Attributes:
        job_id: The id.
        job_type: What was to be enqueued.
        taken_by: The type of the job that has it.
    """

    def __init__(self, job_id: str, job_type: str, *, taken_by: str, rest: str = "") -> None:
        self.job_id, self.job_type, self.taken_by = job_id, job_type, taken_by
        super().__init__(
            f"job id {job_id!r} can't be used for {job_type!r}: a job of type {taken_by!r} has it; take an id that "
            f"tells the types apart, such as '{job_type}-{job_id}'{rest}"
        )


class ItemsNotWrittenError(LaneworkError):
    """
    Raised by `enqueue_with` when the job exists already: neither the job nor one of the caller's items was written.

    A repetition of the same call, with the same id, payload and items, is no error: its receipt says `duplicate`, and
    the items were written then.

    Attributes:
        job_id: The job that has the id, or the key of unique work.
    """

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(
            f"none of the items was written: job {job_id!r} exists already, and was not enqueued with this payload and "
            f"these items; app.get({job_id!r}) shows it"
        )


class ItemConditionError(LaneworkError):
    """
    Raised by `enqueue_with` when a condition of the caller's own items didn't hold: no item was written, and no job.

    Attributes:
        job_id: The id that the job would have had.
        index: The position, in `items`, of the first whose condition didn't hold.
        item: The item that it met, in the form of the entry, where the entry asked for it
            (`"ReturnValuesOnConditionCheckFailure": "ALL_OLD"`); else None.
        failed: The positions of all whose conditions didn't hold.
    """

    def __init__(
        self,
        job_id: str,
        *,
        index: int,
        entry: str,
        condition: str,
        item: dict[str, object] | None,
        failed: tuple[int, ...],
    ) -> None:
        """Say so; `entry` is what was to be written, such as `Put on orders`."""
        self.job_id, self.index, self.item, self.failed = job_id, index, item, failed
        rest = f" ({len(failed)} conditions didn't hold)" if len(failed) > 1 else ""
        super().__init__(
            f"nothing was written, and job {job_id!r} was not enqueued: the condition of items[{index}], {entry}, "
            f"didn't hold: {condition}{rest}"
        )


class JobStateError(LaneworkError):
    """Raised when a job is in a state in which what was asked of it can't be done; a class of its own says which."""

    _said: ClassVar[str]

    def __init__(self, job_id: str, *, state: str, hint: str) -> None:
        self.job_id, self.state = job_id, state
        super().__init__(f"job {job_id!r} is {state}{self._said}: {hint}")


class JobNotWaitingError(JobStateError):
    """Raised when a job can't be rescheduled because it doesn't wait. Nothing was changed."""

    _said = " and doesn't wait for its start"


class JobEndedError(JobStateError):
    """Raised when a job can't be signalled because it has ended. Nothing was changed."""

    _said = " and takes no signal"


class SignalTooLateError(LaneworkError):
    """Raised when a signal comes after its job has stopped waiting for it. Nothing was changed."""

    def __init__(self, job_id: str, signal: str) -> None:
        self.job_id, self.signal = job_id, signal
        super().__init__(f"job {job_id!r} no longer waits for {signal!r}: its wait has timed out")


class SignalTimeoutError(LaneworkError):
    """Raised by `run.wait_for` when the signal didn't come in time: now, and on every later attempt."""

    def __init__(self, job_id: str, signal: str) -> None:
        self.job_id, self.signal = job_id, signal
        super().__init__(f"job {job_id!r} waited for {signal!r}, which didn't come in time")


class ClaimLostError(LaneworkError):
    """Raised inside a job whose lease is over and whose claim another attempt has taken: nothing it says counts."""


class NotDeadError(JobStateError):
    """Raised when a job can't be redriven or dropped because it isn't dead. Nothing was changed."""

    _said = ", not dead"


class NotRedrivenError(LaneworkError):
    """
    Raised when a dead job was not redriven: somebody else moved it meanwhile, its payload is gone, or it can't be sent.

    Attributes:
        job_id: Which job.
        reason: `not dead`, `not found`, `its payload is gone`, or `not sendable: …`, of which no message can be made.
    """

    def __init__(self, job_id: str, reason: str) -> None:
        self.job_id, self.reason = job_id, reason
        super().__init__(f"job {job_id!r} was not redriven: {reason}")


class NothingMatchesError(LaneworkError):
    """Raised when no dead job is what a filter asks for; the message says which would be."""
