"""What the API answers, as pydantic models for its documentation; every answer is checked against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from lanework.engine.deadletters.view import DeadGroup, Unreadable
from lanework.engine.operations.signals import Signalling
from lanework.engine.queries.job_view import Job
from lanework.engine.schedules.view import Schedule
from lanework.model.json_view import JsonView
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause, State

if TYPE_CHECKING:
    from lanework.engine.jobtypes.receipt import Receipt


class Enqueued(JsonView):
    """A job that is recorded or on its way."""

    message: str
    job_id: str
    status: Literal["enqueued", "duplicate"] = Field(description="duplicate: it existed before, nothing new will run.")
    payload_differs: bool = Field(description="That job was given another payload, and this one's will not run.")
    overdue_seconds: float | None = Field(description="How long ago the asked start was; null unless it was.")

    @classmethod
    def of(cls, receipt: Receipt[Any], type_: str) -> Enqueued:
        """Return a receipt as an answer."""
        return cls(
            message=_said(receipt, type_),
            job_id=receipt.job_id,
            status="duplicate" if receipt.duplicate else "enqueued",
            payload_differs=receipt.payload_differs,
            overdue_seconds=None if receipt.overdue is None else receipt.overdue.total_seconds(),
        )


def _said(receipt: Receipt[Any], type_: str) -> str:
    if not receipt.duplicate:
        return f"{type_} enqueued"
    return f"{type_} was enqueued before{', with another payload' if receipt.payload_differs else ''}"


class EnqueuedMany(JsonView):
    """Jobs that are recorded or on their way, in the order of the request."""

    jobs: tuple[Enqueued, ...]


class JobList(JsonView):
    """Part of a list of jobs, the latest first."""

    jobs: tuple[Job, ...]
    cursor: str | None = Field(description="Gives the next page; null after the last. A page may be short, even empty.")
    seen_until: str = Field(description="What came later than this is in the pages so far.")


class Progress(JsonView):
    """How far a job is."""

    job_id: str
    status: State
    progress: int | None = Field(description="0 to 100, as the job last said.")
    note: str | None


class Log(JsonView):
    """What a job said."""

    job_id: str
    lines: tuple[str, ...] = Field(description="The last 100, at most 16 KB, oldest first.")


class JobPayload(JsonView):
    """What a job was given."""

    job_id: str
    payload: Any


class Cancelled(JsonView):
    """What came of asking to cancel."""

    job_id: str
    outcome: Literal["cancelled", "asked"] = Field(
        description="asked: it runs; unless it completes, it ends cancelled."
    )


class Signalled(JsonView):
    """What came of sending a signal."""

    job_id: str
    outcome: Signalling = Field(description="repeated: one of this name had come before, and counts.")


class DeadJob(JsonView):
    """A dead job."""

    job_id: str
    job_type: str
    status: Literal["dlq"]
    error: str | None
    error_type: str | None
    attempt_count: int
    created_at: str
    processed_at: str | None
    queue: str
    lane: Lane
    cause: Cause | None
    life: int
    fingerprint: str


class DeadList(JsonView):
    """Part of the list of dead jobs, the latest death first."""

    count: int = Field(description="Jobs of this page.")
    jobs: tuple[DeadJob, ...]
    cursor: str | None = Field(description="Gives the next page; null after the last. A page may be short, even empty.")
    unreadable: tuple[Unreadable, ...] = Field(
        default=(), description="With the last page: messages that belong to no job."
    )


class DeadGroups(JsonView):
    """The dead jobs by error, the largest group first."""

    groups: tuple[DeadGroup, ...] = Field(description="At most 100.")
    is_counted: bool = Field(description="Whether all dead jobs are in it; 10,000 are looked at.")


class Moved(JsonView):
    """What a redrive or a drop moves."""

    action: Literal["redrive", "drop"]
    dry_run: bool
    matched: int
    is_counted: bool = Field(description="Whether `matched` is all of them; 10,000 are counted.")
    jobs: tuple[DeadJob, ...] = Field(description="The first of them, at most 100.")
    moved: int | None = Field(default=None, description="How many were; null if it was a dry run or a job does it.")
    passed_over: int | None = Field(
        default=None, description="No longer dead when their turn came, no payload, or not sendable: see `leftOut`."
    )
    left_out: dict[str, str] = Field(
        default_factory=dict, description="Those that could not be moved, each with why; 100 at most."
    )
    job_id: str | None = Field(default=None, description="The job that does it: over 100, or with a canary or a rate.")


class ScheduleList(JsonView):
    """Part of the list of schedules, by name."""

    schedules: tuple[Schedule, ...]
    cursor: str | None


class Ticks(JsonView):
    """When a schedule fires next, also while it is paused."""

    name: str
    ticks: tuple[str, ...]


class Removed(JsonView):
    """A schedule that is gone."""

    removed: str
