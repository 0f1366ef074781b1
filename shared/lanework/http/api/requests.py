"""What requests may say, as pydantic models: camelCase, an unknown field is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from lanework.engine.jobtypes.builtin import RedriveOptions
from lanework.errors import InvalidOptionError, word_of
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.lanes import lane_of
from lanework.model.lifecycle.states import Cause

if TYPE_CHECKING:
    from lanework.engine.jobtypes.options import EnqueueOptions

MOST_JOBS: Final = 100
"""Jobs of one request; each costs a write and a tenth of a send."""

_TEN_YEARS_S: Final = 366 * 10 * 86_400


def _moment(value: datetime) -> datetime:
    """Return a time in UTC, where every part of us can compare and show it."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        kind, message = "datetime_range", "lies outside of the years 1 to 9999 in UTC"
        raise PydanticCustomError(kind, message) from None


def _no_truth(value: object) -> object:
    """Refuse true and false where a number is meant: Python would count with them."""
    if isinstance(value, bool):
        kind, message = "number_type", "Input should be a number, and true and false are none"
        raise PydanticCustomError(kind, message)
    return value


Moment = Annotated[AwareDatetime, AfterValidator(_moment)]
Count = Annotated[int, BeforeValidator(_no_truth)]
Number = Annotated[float, BeforeValidator(_no_truth)]
Seconds = Annotated[float, BeforeValidator(_no_truth), Field(ge=0, le=_TEN_YEARS_S)]
LaneWord = Annotated[
    str | int,
    BeforeValidator(_no_truth),
    Field(description="critical, high, medium (or normal), low, batch; or 1 to 5."),
]


class Body(BaseModel):
    """What all of them have in common."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True
    )


class NewJob(Body):
    """A job to enqueue. What is left out is as its type declares it; the rest is `EnqueueOptions`, times in seconds."""

    type: str = Field(description="Its job type.", examples=["user.otp"])
    payload: dict[str, Any] = Field(default_factory=dict, description="As the type's model wants it.")
    lane: LaneWord | None = None
    correlation_id: str | None = Field(default=None, description="What it belongs to: log lines name it.")
    webhook: str | None = Field(default=None, description="Address of a webhook for its completion or death.")
    delay_seconds: Seconds | None = Field(default=None, description="Wait before it starts.")
    run_at: Moment | None = Field(default=None, description="When it starts, instead.")
    start_by: Moment | None = Field(default=None, description="Not started by then, it is dead, cause expired.")
    job_id: str | None = Field(default=None, description="Your own id; a repeated one enqueues nothing new.")
    tenant: str | None = Field(default=None, description="On whose behalf.")
    after: tuple[str, ...] = Field(default=(), description="Ids of jobs that must have completed before it starts.")
    on_failure: Literal["wait", "cancel", "run", "die"] | None = Field(
        default=None, description="What a dead or cancelled one of these does to it; wait by default."
    )
    attempts: Count | None = Field(default=None, description="Most attempts, the first included, 1 to 100.")
    backoff_seconds: Seconds | None = Field(default=None, description="Wait before the second attempt; it doubles.")
    timeout_seconds: Seconds | None = Field(default=None, description="How long an attempt may take.")
    unique_for_seconds: Seconds | None = Field(default=None, description="One job for each key within this time.")
    debounce_seconds: Seconds | None = Field(default=None, description="The last for each key runs, after this time.")

    def options(self) -> EnqueueOptions:
        """
        Return what it says beside type and payload.

        Raises:
            UnknownLaneError: There is no such lane.
        """
        said = {name: value for name, value in self if name not in {"type", "payload", "lane"} and value is not None}
        if self.lane is not None:
            said["lane"] = lane_of(self.lane)
        for name in [one for one in said if one.endswith("_seconds")]:
            said[name.removesuffix("_seconds")] = timedelta(seconds=said.pop(name))
        return cast("EnqueueOptions", said)


class NewJobs(Body):
    """Jobs to enqueue, of any types."""

    jobs: tuple[NewJob, ...] = Field(min_length=1, max_length=MOST_JOBS)


class Rescheduling(Body):
    """When a waiting job is to start; now, if neither is given."""

    run_at: Moment | None = None
    delay_seconds: Seconds = 0


class Signal(Body):
    """A signal for a job."""

    name: str = Field(description="As the job calls it.", examples=["approved"])
    payload: Any = Field(default=None, description="Anything that is JSON, at most 64 KB.")


class Retry(Body):
    """How a dead job is to live again."""

    payload: dict[str, Any] | None = Field(default=None, description="Another payload; its own if it is left out.")


class Which(Body):
    """Which dead jobs: those of which all of this is true."""

    lane: LaneWord | None = None
    queue: str | None = None
    type: str | None = None
    cause: str | None = Field(
        default=None, description="exhausted, discarded, invalid, unknown_type, expired, crashed …"
    )
    error: str | None = Field(default=None, description="This text is part of the error; for admins.")
    fingerprint: str | None = Field(default=None, description="The error's fingerprint, as the groups name it.")
    died_before: Moment | None = None
    died_after: Moment | None = Field(default=None, description="Died then or later.")

    @field_validator("died_after")
    @classmethod
    def _is_before_the_end(cls, died_after: datetime | None, others: ValidationInfo) -> datetime | None:
        """Refuse a time in which nothing could have died: it would read as if nothing had."""
        died_before: datetime | None = others.data.get("died_before")
        if died_after is not None and died_before is not None and died_after >= died_before:
            kind, message = "empty_range", "must lie before diedBefore"
            raise PydanticCustomError(kind, message)
        return died_after

    def filter(self, job_ids: tuple[str, ...] = ()) -> DeadFilter:
        """
        Return what is meant.

        Raises:
            UnknownNameError: There is no such lane or cause; the message names the nearest.
        """
        return DeadFilter(
            lane=None if self.lane is None else lane_of(self.lane),
            queue=self.queue,
            type=self.type,
            cause=None if self.cause is None else word_of("cause", Cause, self.cause),
            error=self.error,
            fingerprint=None if self.fingerprint is None else self.fingerprint.lower(),
            died_before=self.died_before,
            died_after=self.died_after,
            job_ids=job_ids,
        )


class Dropping(Which):
    """Which dead jobs to drop: by their ids, by a filter, or all."""

    job_ids: tuple[str, ...] = Field(default=(), max_length=MOST_JOBS)
    all: bool = Field(default=False, description="Every dead job.")
    dry_run: bool = Field(default=False, description="Say what would move, and change nothing.")

    def chosen(self) -> DeadFilter:
        """
        Return which jobs are meant.

        Raises:
            InvalidOptionError: Nothing says which, or several ways do.
            UnknownNameError: As in `filter`.
        """
        found = self.filter()
        ways = [bool(self.job_ids), found != DeadFilter(), self.all]
        if sum(ways) != 1:
            problem = "no jobs are selected" if not any(ways) else "jobIds, filters and all exclude each other"
            msg = f'{problem}: give jobIds, or filters such as cause, or "all": true'
            raise InvalidOptionError(msg)
        return DeadFilter(job_ids=self.job_ids) if self.job_ids else found


class Redriving(Dropping):
    """Which dead jobs to give another life, and how."""

    canary: bool = Field(default=False, description="One first, then a tenth, then the rest; stops if one dies again.")
    rate: Number | None = Field(default=None, description="Most jobs a second, 0.1 to 1,000.")

    @property
    def options(self) -> RedriveOptions:
        """At which rate, and whether as a canary."""
        return RedriveOptions(rate=self.rate, canary=self.canary)


class Pausing(Body):
    """What to pause or to resume: exactly one of these."""

    lane: LaneWord | None = None
    priority: Count | None = Field(default=None, description="A lane by its number: 1 is critical, 5 is batch.")
    queue: str | None = None
    type: str | None = None

    @property
    def named_lane(self) -> str | int | None:
        """
        The lane, by its name or number.

        Raises:
            InvalidOptionError: Both are given.
        """
        if self.lane is not None and self.priority is not None:
            msg = "lane and priority both name a lane; give one of them"
            raise InvalidOptionError(msg)
        return self.priority if self.lane is None else self.lane


class Cleaning(Body):
    """Which ended jobs of a queue to retire."""

    grace: Count = Field(ge=0, le=_TEN_YEARS_S * 1000, description="Those that ended longer ago, in milliseconds.")
    status: str = Field(default="completed", description="Those that ended so: completed, failed or cancelled.")
    keep: Count = Field(default=0, ge=0, description="All but so many, the newest.")


class NewSchedule(Body):
    """A schedule to add, or to change."""

    type: str = Field(description="The job type to enqueue at each tick.")
    payload: dict[str, Any] = Field(default_factory=dict)
    cron: str | None = Field(default=None, description="Five fields, or EventBridge's six.", examples=["0 2 * * *"])
    every_seconds: Seconds | None = Field(default=None, description="An interval of whole minutes, instead.")
    tz: str | None = Field(default=None, description="Zone of the cron; UTC by default.", examples=["Asia/Ulaanbaatar"])
    overlap: str | None = Field(default=None, description="While the previous run has not ended: skip or allow.")
    catch_up: str | None = Field(default=None, description="Of missed ticks: latest, skip or all.")

    @property
    def every(self) -> timedelta | None:
        """The interval."""
        return None if self.every_seconds is None else timedelta(seconds=self.every_seconds)
