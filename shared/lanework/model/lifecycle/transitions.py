"""What happened to a job between two forms of its record. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanework.model.events import Action
from lanework.model.lifecycle.states import JobRecord, State

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDS: Final = {
    State.COMPLETED: Action.JOB_COMPLETED,
    State.DEAD: Action.JOB_DEAD,
    State.CANCELLED: Action.JOB_CANCELLED,
}

_ARRIVED: Final = {**ENDS, State.RETRYING: Action.JOB_RETRYING, State.PARKED: Action.JOB_PARKED}


def transitions(before: JobRecord | None, after: JobRecord) -> tuple[Action, ...]:
    """
    Return what happened, in its order; nothing for a write that moves no job, such as progress or a heartbeat.

    Args:
        before: The record as it was; None if there was none. One that had expired gave its id up: it was another job's.
        after: The record as it is.
    """
    if before is None or before.created_at != after.created_at:
        return (Action.JOB_ENQUEUED, *((Action.JOB_STARTED,) if after.state is State.RUNNING else ()))
    return tuple(_between(before, after))


def _between(before: JobRecord, after: JobRecord) -> Iterator[Action]:
    is_revived = after.life > before.life
    if is_revived:
        yield Action.JOB_REDRIVEN
    if after.state is State.RUNNING and after.claim_id != before.claim_id:
        yield Action.JOB_STARTED
    elif after.state is not before.state and after.state in _ARRIVED:
        yield _ARRIVED[after.state]
    elif before.state is State.BLOCKED and after.state is not State.BLOCKED:
        yield Action.JOB_UNBLOCKED
    elif not is_revived:
        yield from _in_place(before, after)


def _in_place(before: JobRecord, after: JobRecord) -> Iterator[Action]:
    """Yield what happened to a job that waits on, or that has ended."""
    if after.signal_id != before.signal_id:
        yield Action.JOB_SIGNALLED
    elif after.bounces > before.bounces:
        yield Action.JOB_BOUNCED
    elif before.held_by is not None and after.held_by is None and after.state is State.PARKED:
        yield Action.JOB_RELEASED
    if after.retired and not before.retired:
        yield Action.JOB_RETIRED
    if _content(after) != _content(before) and not after.retired:
        yield Action.JOB_SUPERSEDED
    elif after.run_at != before.run_at:
        yield Action.JOB_RESCHEDULED


def _content(record: JobRecord) -> object:
    """Return what only a later enqueue changes about a job that waits."""
    return (record.superseded_at, record.payload, record.version, record.headers, record.webhook, record.start_by)
