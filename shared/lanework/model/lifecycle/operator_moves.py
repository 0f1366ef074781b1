"""
Moves of a job that come from outside of its runs, as conditional writes: by whoever enqueues, operators and the clock.

None of them requires a claim: they require that the job stands as it was seen, so that none can end a running one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from lanework.model.lifecycle.change import Change, Equals, InStates, NotSet
from lanework.model.lifecycle.dependency_moves import BLOCKED
from lanework.model.lifecycle.run_moves import NEXT_LIFE, cancellation, death, expiry, new_record
from lanework.model.lifecycle.states import AT_ONCE, CLAIMABLE, WAITING, Cause, State

if TYPE_CHECKING:
    from lanework.model.job.envelope import Envelope
    from lanework.model.job.payload import Edit
    from lanework.model.lifecycle.states import JobRecord

SENT_AGAIN_AFTER: Final = timedelta(hours=1)
"""An entry stays until its job ends; while it does, its job is sent again this often."""

_LATEST: Final = datetime.max.replace(microsecond=0, tzinfo=UTC) - SENT_AGAIN_AFTER


def sent_again_at(start: datetime) -> datetime:
    """Return when the sweep sends a job again that was sent for a start; the last moment there is, at the latest."""
    return min(start, _LATEST) + SENT_AGAIN_AFTER


def leave_to_sweep(record: JobRecord, *, at: datetime) -> Change:
    """Note that no message carries a job that was never claimed: the sweep sends it (rule 3)."""
    return Change(
        name="leave_to_sweep",
        require=(InStates(WAITING), Equals("life", record.life), NotSet("claim_id")),
        write={"sweep_at": at},
    )


def push_on(record: JobRecord, *, to: datetime) -> Change:
    """Move a sweep entry after its job was sent; a job that was claimed or ended meanwhile keeps what that wrote."""
    return Change(
        name="push_on",
        require=(InStates(CLAIMABLE), Equals("life", record.life), Equals("sweep_at", record.sweep_at)),
        write={"sweep_at": to},
    )


def enter(record: JobRecord, *, at: datetime) -> Change:
    """Enter a job that may be without a message; one that was claimed, ended or entered meanwhile stays as it is."""
    return Change(name="enter", require=(*_as_seen(record), NotSet("sweep_at")), write={"sweep_at": at})


def enter_unsent(*, at: datetime) -> Change:
    """Enter a job that was recorded and that nothing carries; one that was claimed, ended or entered stays as it is."""
    return Change(
        name="enter",
        require=(InStates(frozenset({State.QUEUED})), Equals("life", 1), NotSet("claim_id"), NotSet("sweep_at")),
        write={"sweep_at": at},
    )


def bounce(record: JobRecord, *, at: datetime) -> Change:
    """Enter a job whose message SQS had moved to the dead-letter queue; it must stand as it was seen (rule 15)."""
    return Change(
        name="bounce",
        require=_as_seen(record),
        write={"sweep_at": at, "held_by": None, "bounces": record.bounces + 1},
    )


def die_of_infra(record: JobRecord, *, now: datetime, expires_at: datetime) -> Change:
    """Give up on a job that SQS gave up on again and again without any attempt of ours."""
    return Change(
        name="die_of_infra",
        require=_as_seen(record),
        write=death(Cause.INFRA, "SQS moved its message to the dead-letter queue again and again", now, expires_at),
    )


def die_unsent(record: JobRecord, *, error: str, now: datetime, expires_at: datetime) -> Change:
    """Give up on a job whose message SQS refuses for what it is; one that was claimed meanwhile had been sent."""
    return Change(
        name="die_unsent",
        require=_as_seen(record),
        write=death(Cause.UNSENDABLE, error, now, expires_at),
    )


def let_go(record: JobRecord, *, now: datetime) -> Change:
    """Move the entry of a record that can't be read from where it is held to the sweep's, which puts it off."""
    return Change(
        name="let_go",
        require=(Equals("held_by", record.held_by), Equals("sweep_at", record.sweep_at)),
        write={"sweep_at": now, "held_by": None},
    )


def put_off(record: JobRecord, *, to: datetime) -> Change:
    """Move the sweep entry of a record that can't be read; nothing else of it is touched."""
    return Change(name="put_off", require=(Equals("sweep_at", record.sweep_at),), write={"sweep_at": to})


def expire(record: JobRecord, *, now: datetime, expires_at: datetime) -> Change:
    """Give up on a job that was not started by the time that its caller named."""
    return Change(
        name="expire",
        require=(
            InStates(WAITING),
            Equals("life", record.life),
            Equals("start_by", record.start_by),
            NotSet("first_started_at"),
        ),
        write=death(Cause.EXPIRED, f"not started by {record.start_by:%Y-%m-%d %H:%M:%S} UTC", now, expires_at),
    )


def reschedule(record: JobRecord, *, at: datetime, is_far: bool) -> Change:
    """
    Move the start of a job that waits: entered for its new time, where the sweep finds it.

    A job that a pause or a limit holds stays there, and starts no sooner than its new time once it is let go. One that
    isn't far is sent by the caller. One that was given back isn't due before its code can't run any more (rule 18).
    """
    due_at = at if record.runs_until is None else max(at, record.runs_until)
    first = {"state": State.SCHEDULED if is_far else State.QUEUED} if record.claim_id is None else {}
    state = {} if record.held_by is not None else first
    entry = {} if record.held_by is not None else {"sweep_at": due_at}
    return Change(
        name="reschedule",
        require=(*_as_seen(record), Equals("due_at", record.due_at)),
        write={"due_at": due_at, "run_at": at, **state, **entry},
    )


def hold(*, life: int, name: str, now: datetime) -> Change:
    """Park a job that is paused, entered under its pause; its message is acked. When it is due stays as it was."""
    return Change(
        name="hold",
        require=(InStates(WAITING), Equals("life", life)),
        write={"state": State.PARKED, "sweep_at": now, "held_by": name},
    )


def held_record(message: Envelope, *, name: str, now: datetime) -> JobRecord:
    """Return the record of a job that is paused and has none yet: parked, and entered under its pause."""
    return replace(new_record(message), state=State.PARKED, sweep_at=now, held_by=name)


def release(name: str, *, now: datetime) -> Change:
    """Move the entry of a job that a pause held to where the sweep looks."""
    return Change(
        name="release",
        require=(InStates(CLAIMABLE), Equals("held_by", name)),
        write={"sweep_at": now, "held_by": None},
    )


def supersede(pending: JobRecord, later: JobRecord, *, entry: datetime | None) -> Change:
    """
    Let a job that waits and was never claimed do a later one's work instead: its payload, its start, its `start_by`.

    Messages that are under way keep the old payload; the record says that they don't count. The sweep looks at it at
    `entry`; None where a message or an entry that it has will do (rule 3).
    """
    swept = NotSet("sweep_at") if pending.sweep_at is None else Equals("sweep_at", pending.sweep_at)
    return Change(
        name="supersede",
        require=(*_as_seen(pending), swept),
        write={
            "state": later.state,
            "payload": later.payload,
            "digest": later.digest,
            "version": later.version,
            "run_at": later.run_at,
            "due_at": later.due_at,
            "start_by": later.start_by,
            "headers": later.headers,
            "webhook": later.webhook,
            "bounces": 0,
            "superseded_at": max(later.created_at, pending.ordered_at),
            **({} if entry is None else {"sweep_at": entry, "held_by": None}),
        },
    )


def signal(record: JobRecord, name: str, *, signal_id: str, now: datetime) -> Change:
    """
    Note that a job was sent a signal; one that is parked for it is entered to go on at once.

    A run that is about to be parked for it learns by the new `signal_id` that it came: it had looked before.
    """
    is_awaited = record.state is State.PARKED and record.awaits == name
    woken = {"awaits": None, "due_at": AT_ONCE, "sweep_at": now, "held_by": None} if is_awaited else {}
    return Change(name="signal", require=_as_seen(record), write={"signal_id": signal_id, **woken})


def cancel_waiting(*, now: datetime, expires_at: datetime) -> Change:
    """End a job that isn't running: it will not run."""
    return Change(
        name="cancel_waiting",
        require=(InStates(WAITING | {State.BLOCKED}),),
        write=cancellation(now, expires_at),
    )


def ask_to_cancel() -> Change:
    """Ask a running job to stop; every outcome but success then ends it cancelled (rule 8)."""
    return Change(name="ask_to_cancel", require=(InStates(frozenset({State.RUNNING})),), write={"cancel_asked": True})


def redrive(record: JobRecord, *, now: datetime, edit: Edit | None = None) -> Change:
    """
    Give a dead job its next life by its record: pressed twice it is one life (rule 2).

    One that died of a parent waits for it again. With another payload, which then isn't made of what the parent
    returned, it is the life after that: the ticket in the DLQ carries the old payload, and must be stale.
    """
    edited = {} if edit is None else {"payload": edit.payload, "version": edit.version, "takes": None}
    waits = {"state": State.BLOCKED, "due_at": None, "held_by": BLOCKED} if record.open_parents else {}
    return Change(
        name="redrive",
        require=(InStates(frozenset({State.DEAD})), Equals("life", record.life)),
        write={
            **NEXT_LIFE,
            "state": State.QUEUED,
            "life": record.life + (1 if edit is None else 2),
            "attempts": 0,
            "claim_id": None,
            "due_at": record.runs_until or AT_ONCE,
            "sweep_at": now,
            **edited,
            **waits,
        },
    )


def drop(record: JobRecord, *, now: datetime) -> Change:
    """Cancel a dead job for good; a later move of its ticket changes nothing."""
    return Change(
        name="drop",
        require=(InStates(frozenset({State.DEAD})), Equals("life", record.life)),
        write=cancellation(now, expiry(now=now, ever_died=True)),
    )


def _as_seen(record: JobRecord) -> tuple[InStates, Equals, Equals | NotSet]:
    claim = NotSet("claim_id") if record.claim_id is None else Equals("claim_id", record.claim_id)
    return (InStates(frozenset({record.state})), Equals("life", record.life), claim)
