"""Every error that Lanework raises, in one tree. A leaf: imports nothing of Lanework."""

from __future__ import annotations

from datetime import timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from types import UnionType


_MOST_PROBLEMS: Final = 21
_LONGEST_PROBLEM: Final = 400
"""What an error repeats of what is wrong with a payload."""


class LaneworkError(Exception):
    """Raised when Lanework can't do what was asked. Catch it to catch every error of Lanework."""


class ConfigError(LaneworkError):
    """Raised when a setting, a declaration or a project file is missing or doesn't make sense."""


class DeclarationError(ConfigError):
    """Raised when a job type can't be declared as written."""


class UnknownNameError(LaneworkError):
    """
    Raised when a name that must be one of a known set isn't.

    Attributes:
        kind: What was named, such as `lane` or `job type`.
        name: The name as given.
        known: The names that would have been right.
    """

    def __init__(self, kind: str, name: object, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        super().__init__(f"unknown {kind} {shown(name)}{did_you_mean(name, self.known)}")


class UnknownLaneError(UnknownNameError):
    """Raised when a lane is none of the five."""


class UnknownJobTypeError(UnknownNameError):
    """Raised when no registered job type has the name."""


class InvalidPayloadError(LaneworkError):
    """
    Raised when a payload doesn't fit the job type's model. Nothing was enqueued.

    Attributes:
        job_type: Name of the job type.
        problems: One `field: what is wrong` for each problem, and at the end how many more there are.
    """

    def __init__(self, job_type: str, problems: Iterable[str]) -> None:
        found = [_cut(one, _LONGEST_PROBLEM) for one in problems]
        more = len(found) - _MOST_PROBLEMS
        self.job_type = job_type
        self.problems = tuple(found if more < 1 else [*found[:_MOST_PROBLEMS], f"payload: {more:,} more problems"])
        super().__init__(f"payload of {job_type} is not valid: {'; '.join(self.problems)}")


class InvalidOptionError(LaneworkError, ValueError):
    """Raised when an option of a call has a value that can't be used; the message says which would."""


class TooLargeError(LaneworkError):
    """
    Raised when something doesn't fit where it has to be kept.

    Attributes:
        what: What is too large, such as `payload`.
        size: Its size in bytes.
        limit: The most that fits, in bytes.
    """

    def __init__(self, what: str, *, size: int, limit: int, why: str) -> None:
        self.what, self.size, self.limit = what, size, limit
        super().__init__(f"{what} is {size:,} bytes, over the limit of {limit:,} ({why})")


class JobNotFoundError(LaneworkError):
    """
    Raised when no job has the id: it never existed, or its record was retired.

    Attributes:
        job_id: The id that was looked for.
    """

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(f"no job {shown(job_id)}: it was never enqueued here, or its record has expired")


class JobFailedError(LaneworkError):
    """
    Raised when a job has no result to give: it died, was cancelled, or what it returned could not be kept.

    Attributes:
        job_id: Which job.
        state: How it ended.
    """

    def __init__(self, job_id: str, *, state: str, reason: str) -> None:
        self.job_id, self.state = job_id, state
        super().__init__(f"job {job_id!r} is {state}: {reason}")


class ResultTimeoutError(LaneworkError):
    """
    Raised when a job had not ended by the time its caller would wait. The job goes on.

    Attributes:
        job_id: Which job.
        state: Where it stood.
    """

    def __init__(self, job_id: str, *, state: str, waited: timedelta) -> None:
        self.job_id, self.state = job_id, state
        super().__init__(f"job {job_id!r} is still {state} after {waited.total_seconds():g} s")


class UndecodableError(LaneworkError):
    """Raised when a message is not an envelope of ours, or a record can't be one; `str()` says what is wrong."""


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
            f"job {job_id!r} can't wait for {names}: never enqueued here, or its record has expired; enqueue it first"
        )


class WorkflowNotFoundError(LaneworkError):
    """
    Raised when no workflow has the id: it never existed, or its record has expired.

    Attributes:
        workflow_id: The id that was looked for.
    """

    def __init__(self, workflow_id: str) -> None:
        self.workflow_id = workflow_id
        super().__init__(f"no workflow {shown(workflow_id)}: it was never enqueued here, or its record has expired")


class WorkflowClosedError(LaneworkError):
    """
    Raised when jobs can't be added to a workflow because all its jobs have ended, or it was cancelled.

    A redrive of one of its jobs doesn't open it again: that job may add what it had added, under the same ids.

    Attributes:
        workflow_id: Which.
        state: Where it stands.
    """

    def __init__(self, workflow_id: str, *, state: str) -> None:
        self.workflow_id, self.state = workflow_id, state
        super().__init__(
            f"workflow {workflow_id!r} is {state} and takes no more jobs, not even from one of its own that runs "
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


class JobStateError(LaneworkError):
    """
    Raised when a job is in a state in which what was asked of it can't be done; a class of its own says which.

    Attributes:
        job_id: The job.
        state: Where it stands.
    """

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
    """
    Raised when a signal comes after its job has stopped waiting for it. Nothing was changed.

    Attributes:
        job_id: The job.
        signal: The signal's name.
    """

    def __init__(self, job_id: str, signal: str) -> None:
        self.job_id, self.signal = job_id, signal
        super().__init__(f"job {job_id!r} has waited for {signal!r} as long as it would, and gone on without")


class SignalTimeoutError(LaneworkError):
    """
    Raised by `run.wait_for` when the signal didn't come in time: now, and on every later attempt.

    Attributes:
        job_id: The job.
        signal: The signal's name.
    """

    def __init__(self, job_id: str, signal: str) -> None:
        self.job_id, self.signal = job_id, signal
        super().__init__(f"job {job_id!r} waited for {signal!r}, which didn't come in time")


class ClaimLostError(LaneworkError):
    """Raised inside a job whose lease is over and whose claim another attempt has taken: nothing it says counts."""


class UnavailableError(LaneworkError):
    """Raised by a port when its service didn't answer, refused for load, or answered with a server error."""


class UnsendableError(LaneworkError):
    """Raised by a port when SQS refuses one message for what it is: no later try could send it."""


class ContendedError(UnavailableError):
    """Raised by a port when others wrote the same item at the same time. Nothing was written: read again, repeat."""


class UnsupportedError(LaneworkError):
    """Raised when the endpoint, an emulator most likely, can't do what AWS can; the message says what to do instead."""


class ScheduleNotConnectedError(LaneworkError):
    """
    Raised when EventBridge didn't take a schedule that is recorded: the minute tick starts it, up to a minute late.

    Attributes:
        schedule: Its name.
    """

    def __init__(self, schedule: str, reason: str) -> None:
        self.schedule = schedule
        super().__init__(
            f"schedule {schedule!r} is recorded, and the minute tick starts it, up to a minute late; but EventBridge "
            f"doesn't prod it ({reason}): add it again when that is mended"
        )


class ForbiddenAddressError(LaneworkError):
    """
    Raised when a webhook would go to an address that isn't on the internet. Nothing was sent.

    Attributes:
        host: The host.
        address: What it is, or resolves to.
    """

    def __init__(self, host: str, address: str) -> None:
        self.host, self.address = host, address
        super().__init__(f"webhook not sent: {host} resolves to {address}, which is not an address of the internet")


class NotDeadError(JobStateError):
    """Raised when a job can't be redriven or dropped because it isn't dead. Nothing was changed."""

    _said = ", not dead"


class NotRedrivenError(LaneworkError):
    """
    Raised when a dead job was not redriven: somebody else moved it meanwhile, or its payload is gone.

    Attributes:
        job_id: Which job.
        reason: `not dead`, `not found` or `its payload is gone`.
    """

    def __init__(self, job_id: str, reason: str) -> None:
        self.job_id, self.reason = job_id, reason
        super().__init__(f"job {job_id!r} was not redriven: {reason}")


class NotConfirmedError(LaneworkError):
    """Raised when a command asked before destroying something and didn't get a yes."""


class NothingMatchesError(LaneworkError):
    """Raised when no dead job is what a filter asks for; the message says which would be."""


class StackError(LaneworkError):
    """Raised when the embedded stack can't start, deploy or be reached."""


def foreign_cursor(cursor: str) -> InvalidOptionError:
    """Return the error of a cursor that another list gave out, or nobody."""
    return InvalidOptionError(f"cursor {shown(cursor)} is not one that this list gave out")


_LONGEST_SHOWN: Final = 100
"""Characters of a value that a message repeats; a name that is longer is none that could be meant."""


def shown(value: object) -> str:
    """Return a value as a message shows it, in one line: its `repr`, cut; its type where that can't be written."""
    try:
        text = str(value) if isinstance(value, timedelta) else repr(value)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return f"a value of type {type(value).__name__}"
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def is_a(value: object, kind: type | UnionType) -> bool:
    """Tell whether a caller's value is of a kind, whatever its annotation promises: not every caller has a checker."""
    return isinstance(value, kind)


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return `, did you mean 'x'?` for the nearest known name, or a list of all if there are few, or nothing."""
    names = [str(one) for one in known]
    word = name.lower() if isinstance(name, str) and len(name) <= _LONGEST_SHOWN else ""
    close = get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f", did you mean {close[0]!r}?"
    if 0 < len(names) <= 8:  # noqa: PLR2004 - more than a glance can take in
        return f"; known: {', '.join(names)}"
    return ""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
