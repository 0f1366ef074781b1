"""A run's moves that give its attempt back: the job waits for something else than its own next try."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lanework.model.lifecycle.change import Change, Equals, NotSet
from lanework.model.lifecycle.run_moves import claim_of, fenced
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from lanework.model.lifecycle.states import JobRecord


def snooze(run: JobRecord, *, now: datetime, wait: timedelta) -> Change:
    """Park a run that asked to come back later."""
    return _parked("snooze", run, _due(now + wait))


def wait_for_signal(run: JobRecord, *, signal: str, until: datetime) -> Change:
    """Park a run until a signal comes, unless one has come since the run was claimed: it may not have seen it."""
    seen = NotSet("signal_id") if run.signal_id is None else Equals("signal_id", run.signal_id)
    parked = _parked("wait_for_signal", run, {**_due(until), "awaits": signal})
    return replace(parked, require=(*parked.require, seen))


def look_again(run: JobRecord, *, now: datetime) -> Change:
    """Put back a run that was to wait for a signal while one came: it goes on at once."""
    return _parked("look_again", run, _due(now))


def requeue(run: JobRecord, *, due_at: datetime) -> Change:
    """
    Put back a run whose worker stops before the job's code has ended: it is cut off, and begins anew elsewhere.

    It may begin from `due_at`: not before its code can't run any more (rule 18).
    """
    return _parked("requeue", run, {**_due(due_at), "runs_until": due_at})


def unclaim(run: JobRecord) -> Change:
    """
    Put back a run that was claimed ahead and whose code was not begun, as if it had not been claimed.

    Its message is still there, so it needs no entry; one that it has stays (rule 3), as does a start that is reserved
    for its next attempt. It is due since it was claimed, at least: nobody need wait for whose clock is a little behind.
    """
    return _parked("unclaim", run, {**_not_begun(run), "due_at": run.started_at})


def wait_for_slot(run: JobRecord, *, limit: str, now: datetime) -> Change:
    """
    Park a run that found every slot of a limit held, before its code was begun.

    Its entry lies under the limit, where no tick looks, in the order of the starts that were asked for: whoever frees a
    slot sends the first of them.
    """
    return _parked("wait_for_slot", run, {**_not_begun(run), "due_at": now, "sweep_at": run.run_at, "held_by": limit})


def wait_for_start(run: JobRecord, *, limit: str, start: datetime) -> Change:
    """Park a run until the start that a rate reserved for it, before its code was begun."""
    reserved = {"rate_limit": limit, "rate_slot": start, "rate_attempt": run.attempts}
    return _parked("wait_for_start", run, {**_not_begun(run), **_due(start), **reserved})


def _due(at: datetime) -> dict[str, object]:
    """Return an entry; the start that was reserved for this attempt is used up, the next one needs another."""
    return {"rate_slot": None, "due_at": at, "sweep_at": at, "held_by": None}


def _parked(name: str, run: JobRecord, write: dict[str, object]) -> Change:
    return Change(
        name=name,
        require=(*fenced(claim_of(run)), NotSet("cancel_asked")),
        write={"state": State.PARKED, **write},
        attempts=-1,
    )


def is_first(run: JobRecord) -> bool:
    """Tell whether a run is the first of its job that has begun."""
    return run.attempts == 1 and run.first_started_at == run.started_at


def begun_at(moment: datetime, run: JobRecord) -> JobRecord:
    """Return a run that was claimed ahead as it is when its code begins."""
    return replace(run, started_at=moment, first_started_at=moment if is_first(run) else run.first_started_at)


def _not_begun(run: JobRecord) -> dict[str, object]:
    """Return what takes back that an attempt began."""
    return {"started_at": None, **({"first_started_at": None} if is_first(run) else {})}
