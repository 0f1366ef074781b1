"""What happened to a job, moment by moment, as far as its record tells. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lanework.model.lifecycle.states import ENDED, State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from lanework.model.lifecycle.states import JobRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """
    One thing that happened, or is to happen.

    Attributes:
        at: When; None if the record doesn't tell.
        title: What, in a few words.
        state: Whose colour it has.
        detail: What there is to say about it, such as an error.
    """

    at: datetime | None
    title: str
    state: State
    detail: str | None = None


def timeline(record: JobRecord) -> tuple[Moment, ...]:
    """Return what happened to a job, oldest first; of failed attempts the record keeps the latest."""
    return tuple(_moments(record))


def _moments(record: JobRecord) -> Iterator[Moment]:
    yield Moment(at=record.created_at, title="Enqueued", state=State.QUEUED)
    if record.run_at > record.created_at:
        yield Moment(at=record.run_at, title="Start asked for", state=State.SCHEDULED)
    life = 1
    for failure in record.failures:
        if failure.life > life:
            life = failure.life
            yield _redriven(life)
        yield Moment(
            at=failure.at, title=f"Attempt {failure.attempt} failed", state=State.RETRYING, detail=failure.error
        )
    if record.life > life:
        yield _redriven(record.life)
    yield from _present(record)


def _redriven(life: int) -> Moment:
    return Moment(at=None, title=f"Redriven: life {life}", state=State.QUEUED)


def _present(record: JobRecord) -> Iterator[Moment]:
    """Yield where the job stands."""
    if record.started_at is not None and record.state in {State.RUNNING, State.COMPLETED}:
        yield Moment(at=record.started_at, title=f"Attempt {record.attempts} started", state=State.RUNNING)
    match record.state:
        case State.COMPLETED:
            yield Moment(at=record.ended_at, title="Completed", state=record.state)
        case State.DEAD:
            cause = "" if record.cause is None else f": {record.cause.replace('_', ' ')}"
            yield Moment(at=record.ended_at, title=f"Died{cause}", state=record.state, detail=_new_error(record))
        case State.CANCELLED:
            yield Moment(at=record.ended_at, title="Cancelled", state=record.state, detail=_new_error(record))
        case State.RUNNING:
            title = "Asked to stop" if record.cancel_asked else "Running"
            yield Moment(at=None, title=title, state=record.state, detail=record.progress_note)
        case State.UNKNOWN:
            yield Moment(at=None, title="Can't be read", state=record.state, detail=record.damage)
        case _:
            yield Moment(at=record.due_at if _is_later(record) else None, title=_waiting(record), state=record.state)


def _is_later(record: JobRecord) -> bool:
    return record.due_at is not None and record.due_at > record.created_at


def _new_error(record: JobRecord) -> str | None:
    """Return an end's error, unless the failed attempt before it shows it already."""
    last_error = record.failures[-1].error if record.failures else None
    return None if record.error == last_error else record.error


def _waiting(record: JobRecord) -> str:
    assert record.state not in ENDED  # noqa: S101 - `_present` has shown those
    if record.held_by is not None:
        return f"Waits for {record.held_by}"
    return {
        State.SCHEDULED: "Due",
        State.QUEUED: "Waits for a worker",
        State.RETRYING: f"Attempt {record.attempts + 1} due",
        State.PARKED: "Parked until",
        State.BLOCKED: "Waits for other jobs",
    }.get(record.state, record.state.capitalize())
