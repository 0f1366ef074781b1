"""The JSON document of a job's event, for EventBridge's bus and for webhooks. Pure."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from lanework.model.events import Action
from lanework.model.job.headers import correlation_of
from lanework.model.lifecycle.states import ENDED, JobRecord, State
from lanework.model.lifecycle.transitions import ENDS

_OF_AN_ATTEMPT: Final = frozenset({Action.JOB_STARTED, Action.JOB_RETRYING})


class JobEventDocument(BaseModel):
    """What happened to a job. A field may be added; any other change is another `version`."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    version: Literal[1] = 1
    id: str = Field(description="The same for the same transition, however often it is sent.")
    type: str = Field(description="What happened.", examples=["job.completed"])
    time: datetime = Field(description="When it happened.")
    stack: str = Field(description="Name of the stack.")
    job_id: str
    job_type: str
    queue: str
    lane: str
    life: int | None = Field(default=None, description="Which of the job's lives ended, from 1.")
    attempt: int | None = Field(default=None, description="The attempt that it is about, or how many there were.")
    cause: str | None = Field(
        default=None, description="Why the job died; causes may be added.", examples=["exhausted"]
    )
    error_type: str | None = Field(
        default=None, description="Of the latest failure; its text may quote a payload, and stays with the job."
    )
    correlation_id: str | None = Field(default=None, description="What the job belongs to.")
    created_at: datetime | None = Field(default=None, description="When the job was enqueued.")
    started_at: datetime | None = Field(default=None, description="When an ended job's latest attempt began.")
    wait_seconds: float | None = Field(default=None, description="Until the next attempt.")

    def written(self) -> str:
        """Return it as JSON text; what holds nothing is left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True)


def notice_of_end(record: JobRecord, *, stack: str) -> JobEventDocument:
    """Return the document of a job's end, made from its record, so that it can be sent again unchanged."""
    ended_at = record.ended_at or record.created_at
    action = ENDS[record.state]
    return _notice(
        record,
        action,
        id=_id(record.job_id, record.life, record.attempts, action, ended_at.isoformat(timespec="milliseconds")),
        time=ended_at,
        stack=stack,
        attempt=record.attempts,
        cause=record.cause,
        error_type=record.error_type if record.state is State.DEAD else None,
        started_at=record.started_at,
    )


def notice_of(record: JobRecord, action: Action, *, at: datetime, key: str, stack: str) -> JobEventDocument:
    """
    Return the document of a transition, which was written `at` that time unless the record has a more exact one.

    `key` distinguishes transitions of one job; it isn't used for ends, which webhooks send too.
    """
    if action in ENDS.values() and record.state in ENDED:
        return notice_of_end(record, stack=stack)
    waits_until = record.due_at if action is Action.JOB_RETRYING else None
    at = _moment_of(record, action) or at
    return _notice(
        record,
        action,
        id=_id(record.job_id, key, action),
        time=at,
        stack=stack,
        attempt=record.attempts if action in _OF_AN_ATTEMPT else None,
        error_type=record.error_type if action is Action.JOB_RETRYING else None,
        wait_seconds=None if waits_until is None else max((waits_until - at).total_seconds(), 0),
    )


def _notice(record: JobRecord, action: Action, **said: Any) -> JobEventDocument:  # noqa: ANN401 - of a few of its fields
    return JobEventDocument(
        type=action,
        job_id=record.job_id,
        job_type=record.type,
        queue=record.queue,
        lane=record.lane,
        life=record.life,
        correlation_id=correlation_of(record.headers),
        created_at=record.created_at,
        **said,
    )


def _moment_of(record: JobRecord, action: Action) -> datetime | None:
    match action:
        case Action.JOB_ENQUEUED:
            return record.created_at
        case Action.JOB_STARTED:
            return record.started_at
        case Action.JOB_RETRYING:
            return record.failures[-1].at if record.failures else None
        case _:
            return None


def _id(*identity: object) -> str:
    return f"evt_{sha256(' '.join(map(str, identity)).encode()).hexdigest()[:32]}"
