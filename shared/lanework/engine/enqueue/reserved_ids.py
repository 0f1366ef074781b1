"""
Jobs under reserved ids, which no caller may give: a schedule's run, an hour's cleaning, a webhook, an alert's job.

A record from before these ids were reserved may have one, delayed for years. It is no run of the schedule: the event
`job.id_taken` is logged, and the job gets the next id, the same each time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.errors import JobIdTakenError
from lanework.model.events import Action, Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord

_BOOKMARK: Final = "taken ids"
_MOST: Final = 20
_TRIES: Final = 5
_CLOCKS: Final = timedelta(minutes=1)
"""How far the clocks may be apart of who made a job for a moment, and who looks at it."""

KEPT_FOR: Final = timedelta(hours=24)
"""How long a taken id is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenId:
    """An id of our own that a job of another type has, and when this was found."""

    job_id: str
    by: str
    at: datetime


def enqueue_reserved(
    request: Request, enqueue: Callable[[Request], Receipt[Any]], ports: Ports, *, since: datetime
) -> Receipt[Any]:
    """
    Enqueue a job under an id of our own, or under the next if another's job has it; JobIdTakenError after five.

    A job that was made before `since` is another's: none of ours could have had this id then.
    """
    first = str(request.job_id)
    for number in range(1, _TRIES):
        job_id = first if number == 1 else f"{first}+{number}"
        try:
            receipt = enqueue(replace(request, job_id=job_id))
        except JobIdTakenError as error:
            _log_event(job_id, error.taken_by, ports)
            continue
        found = ports.ledger.get_many([job_id]).get(job_id) if receipt.duplicate else None
        if found is None or not is_anothers(found, since=since):
            return receipt
        _log_event(job_id, found.type, ports)
    return enqueue(replace(request, job_id=f"{first}+{_TRIES}"))


def is_anothers(record: JobRecord, *, since: datetime) -> bool:
    """Tell whether a job was made before any of ours could have had its id."""
    return record.created_at < since - _CLOCKS


def taken_ids(ports: Ports) -> tuple[TakenId, ...]:
    """Return the ids of our own that were found to be taken within a day, the latest first."""
    try:
        rows = json.loads(ports.flags.bookmark(_BOOKMARK) or "[]")
        found = [TakenId(job_id=job_id, by=by, at=datetime.fromisoformat(at)) for job_id, by, at in rows]
        return tuple(one for one in found if ports.clock() - one.at < KEPT_FOR)
    except (TypeError, ValueError):  # of another release
        return ()


def _log_event(job_id: str, by: str, ports: Ports) -> None:
    now = ports.clock()
    reason = f"id {job_id} is Lanework's own, and a job of type {by} has it: the next id is taken instead"
    ports.events.emit(Event(action=Action.JOB_ID_TAKEN, at=now, job_id=job_id, reason=reason))
    known = [one for one in taken_ids(ports) if one.job_id != job_id]
    rows = [[one.job_id, one.by, one.at.isoformat()] for one in (TakenId(job_id=job_id, by=by, at=now), *known)]
    ports.flags.set_bookmark(_BOOKMARK, json.dumps(rows[:_MOST]))
