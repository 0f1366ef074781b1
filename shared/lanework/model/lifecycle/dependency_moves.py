"""Moves of a job that waits for other jobs, and of a death whose webhook the clock sends: conditional writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.model.lifecycle.change import Change, Equals, InStates, NotSet
from lanework.model.lifecycle.run_moves import cancellation, death
from lanework.model.lifecycle.states import AT_ONCE, WAITING, Cause, State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lanework.model.lifecycle.change import Condition
    from lanework.model.lifecycle.states import JobRecord


BLOCKED: Final = "blocked"
"""Under this name the entries of waiting jobs are held: where no tick sends them, and the reconciler looks."""


FIRST_LOOK: Final = timedelta(minutes=1)


LONGEST_LOOK: Final = timedelta(hours=1)
"""
A waiting job is looked at a minute after its enqueue, then after as long again as it has waited, an hour at most: what
a crash left undone is done then.
"""


_OPEN: Final = WAITING | {State.RUNNING, State.BLOCKED, State.DEAD}
"""May yet complete: a dead job by a redrive."""


def blocked(record: JobRecord, *, after: Sequence[str], on_failure: str | None, takes: str | None) -> JobRecord:
    """Return a new job's record, waiting for others."""
    parents = tuple(dict.fromkeys(after))
    return replace(
        record,
        state=State.BLOCKED,
        due_at=None,
        sweep_at=record.created_at + FIRST_LOOK,
        held_by=BLOCKED,
        after=parents,
        open_parents=tuple(sorted(parents)),
        on_failure=on_failure,
        takes=takes,
    )


def attach() -> Change:
    """Note that others wait for a job, unless it can't complete any more: its end then looks for them."""
    return Change(name="attach", require=(InStates(_OPEN),), write={"has_children": True})


def wait_for_fewer(child: JobRecord, *, left: tuple[str, ...]) -> Change:
    """Strike parents off that have done what they were waited for."""
    return Change(name="wait_for_fewer", require=_as_seen(child), write={"open_parents": left})


def unblock(child: JobRecord, *, now: datetime, look_ahead: timedelta, payload: str | None) -> Change:
    """
    Let a job go whose parents are done: it is entered for the sweep, and due as if it had been enqueued now.

    `payload` replaces its own, where a parent's result is part of it.
    """
    start = max(child.run_at, now)
    return Change(
        name="unblock",
        require=_as_seen(child),
        write={
            "state": State.SCHEDULED if start - now > look_ahead else State.QUEUED,
            "open_parents": (),
            "run_at": start,
            "due_at": start if start > now else AT_ONCE,
            "sweep_at": start,
            "held_by": None,
            **({} if payload is None else {"payload": payload}),
        },
    )


def cancel_blocked(child: JobRecord, *, now: datetime, expires_at: datetime) -> Change:
    """End a job that waits for what won't happen."""
    return Change(name="cancel_blocked", require=_as_seen(child), write=cancellation(now, expires_at))


def die_of_parent(child: JobRecord, *, parent: str, says: str, now: datetime, expires_at: datetime) -> Change:
    """Give up on a job because of a parent's end. It keeps what it waits for: a redrive lets it wait again."""
    error = f"{parent!r}, which it waits for, has not completed: {says}"
    return _death(child, Cause.PARENT_FAILED, error, now=now, expires_at=expires_at)


def die_of_input(child: JobRecord, *, problem: str, now: datetime, expires_at: datetime) -> Change:
    """Give up on a job that takes a parent's result and can't."""
    return _death(child, Cause.INVALID, problem, now=now, expires_at=expires_at)


def wait_on(child: JobRecord, *, now: datetime) -> Change:
    """Move the entry of a waiting job to when it is looked at next."""
    pause = min(max(now - child.created_at, FIRST_LOOK), LONGEST_LOOK)
    return Change(
        name="wait_on",
        require=(*_as_seen(child), Equals("sweep_at", child.sweep_at)),
        write={"sweep_at": now + pause, "held_by": BLOCKED},
    )


def _death(child: JobRecord, cause: Cause, error: str, *, now: datetime, expires_at: datetime) -> Change:
    return Change(
        name="die_blocked",
        require=_as_seen(child),
        write=death(cause, error, now, expires_at),
    )


def _as_seen(child: JobRecord) -> tuple[Condition, ...]:
    return (InStates(frozenset({State.BLOCKED})), Equals("life", child.life), *_waits_as_seen(child))


def _waits_as_seen(child: JobRecord) -> tuple[Condition, ...]:
    if not child.open_parents:
        return (NotSet("open_parents"),)
    return (Equals("open_parents", child.open_parents),)


NOTIFICATION_PENDING: Final = "notification pending"
"""`held_by` of dead jobs with a pending webhook; once it is sent, they join the other dead jobs."""


NOTIFIED_WITHIN: Final = timedelta(minutes=1)
"""How long whoever ended a job has to notify before the clock does."""


def with_pending_notification(death: Change, *, now: datetime) -> Change:
    """Return the write of a death with an entry for its pending webhook."""
    return replace(death, write={**death.write, "sweep_at": now + NOTIFIED_WITHIN, "held_by": NOTIFICATION_PENDING})


def notified(dead: JobRecord) -> Change:
    """Move the entry of a dead job to the other dead ones: its webhook was sent."""
    return Change(
        name="notified",
        require=(InStates(frozenset({State.DEAD})), Equals("life", dead.life), Equals("held_by", NOTIFICATION_PENDING)),
        write={"state": State.DEAD, "sweep_at": dead.ended_at, "held_by": None},
    )
