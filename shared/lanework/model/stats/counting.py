"""What an event adds to the numbers, and which events name a job that was late or died."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanework.model.events import Action
from lanework.model.lanes import LANES
from lanework.model.lifecycle.states import Cause
from lanework.model.stats.buckets import Incident, Kind
from lanework.model.stats.numbers import Count, Key, a_run_time, a_wait

if TYPE_CHECKING:
    from datetime import timedelta

    from lanework.model.events import Event

_ENDS: Final = {
    Action.JOB_COMPLETED: Count.COMPLETED,
    Action.JOB_RETRYING: Count.FAILED,
    Action.JOB_DEAD: Count.DEAD,
    Action.JOB_CANCELLED: Count.CANCELLED,
}

_TURNED_AWAY: Final = frozenset(
    {
        Action.MESSAGE_DEFERRED,
        Action.JOB_HELD,
        Action.MESSAGE_DROPPED,
        Action.JOB_SEND_DEFERRED,
        Action.JOB_NEEDS_WORKER,
        Action.RUN_CLAIM_FAILED,
    }
)
"""What becomes of a message that was delivered and starts no job now."""

_DEALT_WITH: Final = frozenset({Action.JOB_REDRIVEN, Action.JOB_DISCARDED_FROM_DLQ})
"""What somebody does with a dead job."""


def key_of(event: Event) -> Key | None:
    """Return whose numbers an event adds to; None where it is about no lane."""
    return None if event.lane is None else Key(lane=event.lane, queue=event.queue or "", type=event.type or "")


def counted(event: Event) -> dict[str, int]:
    """Return what an event adds; nothing for most kinds."""
    if event.action is Action.JOB_STARTED:
        return _start(event)
    if event.action in _ENDS:
        return {_ENDS[event.action]: 1, **_run_time(event)}
    if event.action is Action.JOB_PARKED:
        return {Count.PARKED: 1}
    if event.action is Action.WORKER_INVOKED:
        billed = 0 if event.ran_for is None or event.memory_mb is None else _mb_ms(event.ran_for, event.memory_mb)
        return {Count.INVOCATIONS: 1, Count.BILLED_MB_MS: billed}
    if event.action in _DEALT_WITH:
        return {Count.DEALT_WITH: 1}
    return {Count.TURNED_AWAY: 1} if event.action in _TURNED_AWAY else {}


def incident_of(event: Event) -> Incident | None:
    """Return the late or dead job that an event is about, or None."""
    lane, waited = event.lane, event.waited
    if lane is None or event.job_id is None or event.type is None:
        return None
    kind = Kind.DEATH if event.action is Action.JOB_DEAD else Kind.LATE
    if kind is Kind.LATE and not (
        event.action is Action.JOB_STARTED and waited is not None and LANES[lane].misses_sla(waited)
    ):
        return None
    return Incident(
        kind=kind,
        at=event.at,
        job_id=event.job_id,
        type=event.type,
        queue=event.queue or "",
        lane=lane,
        attempt=event.attempt or 0,
        waited=waited if kind is Kind.LATE else None,
        cause=event.cause,
    )


def _start(event: Event) -> dict[str, int]:
    if event.waited is None or event.lane is None:
        return {Count.STARTED: 1}
    found = {Count.STARTED: 1, Count.FIRST_STARTS: 1, **a_wait(event.waited)}
    return {**found, Count.LATE: 1} if LANES[event.lane].misses_sla(event.waited) else found


def _run_time(event: Event) -> dict[str, int]:
    """Return what the time of a run adds; a job that ends without a run, such as a cancelled one, adds none."""
    if event.ran_for is None or event.cause is Cause.CRASHED:  # whose end is that of its lease
        return {}
    found = a_run_time(event.ran_for)
    if event.attempt is not None and event.attempt > 1:
        found[Count.RETRIES_MS] = found[Count.RUN_MS]
    return found


def _mb_ms(duration: timedelta, memory_mb: int) -> int:
    return round(duration.total_seconds() * 1000) * memory_mb
