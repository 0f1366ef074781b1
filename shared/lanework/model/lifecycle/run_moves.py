"""
A job's legal moves by its own runs, as conditional writes.

docs/state-machine.md draws them and numbers the rules. `claim_moves.py` has those that begin a run, `operator_moves.py`
the moves of everybody else.

A run's own writes require `state=running` and its claim id (rule 1): an attempt that outlived its lease, or one from
before a redrive, changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.model.job.fingerprint import fingerprint
from lanework.model.job.payload import digest_of, is_apart
from lanework.model.lanes import DLQ_RETENTION, QUEUE_RETENTION
from lanework.model.lifecycle.change import Change, DueBy, Equals, InStates, NotSet
from lanework.model.lifecycle.states import AT_ONCE, Cause, Failure, JobRecord, State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lanework.model.job.envelope import Envelope

KEPT_FAILURES: Final = 10
"""Failed attempts kept with the job; each later write pays for them."""

LONGEST_ERROR: Final = 500
"""Characters of an error kept with the job."""

NEXT_LIFE: Final[Mapping[str, object]] = {
    "crashed": False,
    "bounces": 0,
    "held_by": None,
    "ended_at": None,
    "cause": None,
    "progress": None,
    "progress_note": None,
    "expires_at": None,
    "start_by": None,
    "rate_slot": None,
    "awaits": None,
}
"""What every next life of a dead job takes back."""


def new_record(envelope: Envelope, *, due_at: datetime | None = None) -> JobRecord:
    """Return the record of a job that was just enqueued. `due_at` defaults to the asked start, or at once."""
    return JobRecord(
        **envelope.carried,
        state=State.QUEUED,
        run_at=envelope.asked_start,
        due_at=due_at or envelope.run_at or AT_ONCE,
        payload=envelope.payload,
        digest=digest_of(envelope.payload) if is_apart(envelope.payload) else None,
    )


def claimed_record(envelope: Envelope, *, claim_id: str, now: datetime, lease: timedelta) -> JobRecord:
    """Return the record that a claim makes where there is none: an unrecorded message, or a ticket (rule 6)."""
    return replace(
        new_record(envelope, due_at=now + lease),
        state=State.RUNNING,
        claim_id=claim_id,
        attempts=1,
        first_started_at=now,
        started_at=now,
    )


def complete(
    *, claim_id: str, now: datetime, result: str | None, result_omitted: str | None, expires_at: datetime
) -> Change:
    """End a run that returned. It counts even if a cancel was asked for meanwhile (rule 8)."""
    return Change(
        name="complete",
        require=fenced(claim_id),
        write={
            "state": State.COMPLETED,
            "due_at": None,
            "sweep_at": None,
            "held_by": None,
            "ended_at": now,
            "error": None,
            "error_type": None,
            "result": result,
            "result_omitted": result_omitted,
            "expires_at": expires_at,
        },
    )


def retry(run: JobRecord, *, error: str, now: datetime, wait: timedelta, error_type: str | None = None) -> Change:
    """Let a failed run with attempts left wait for the next one."""
    return Change(
        name="retry",
        require=(*fenced(claim_of(run)), NotSet("cancel_asked")),
        write={"state": State.RETRYING, "due_at": now + wait, **_failed(run, error, error_type, now)},
    )


def hand_to_sweep(
    run: JobRecord, *, error: str, now: datetime, wait: timedelta, error_type: str | None = None
) -> Change:
    """Let a failed run wait for longer than a message is held back: in the sweep index, its message acked."""
    plain = retry(run, error=error, error_type=error_type, now=now, wait=wait)
    return replace(plain, name="hand_to_sweep", write={**plain.write, "sweep_at": now + wait, "held_by": None})


def die(
    run: JobRecord, *, cause: Cause, error: str, now: datetime, expires_at: datetime, error_type: str | None = None
) -> Change:
    """Give up on a job from within its run."""
    return Change(
        name="die",
        require=(*fenced(claim_of(run)), NotSet("cancel_asked")),
        write={**death(cause, error, now, expires_at), **_failed(run, error, error_type, now)},
    )


def die_of_crash(crashed: JobRecord, *, now: datetime, expires_at: datetime) -> Change:
    """Give up on a job whose attempts began and never ended; whoever finds it does this (rule 5)."""
    error = "the worker stopped in the middle of the job, more often than is allowed"
    return Change(
        name="die_of_crash",
        require=(*lease_over(crashed, now), NotSet("cancel_asked")),
        write={**death(Cause.CRASHED, error, now, expires_at), **_failed(crashed, error, None, now)},
    )


def cancel_run(run: JobRecord, *, now: datetime, expires_at: datetime, reason: str | None = None) -> Change:
    """End a run as cancelled: it was asked to stop and didn't complete, or it said itself why it is to end."""
    said = {} if reason is None else {"error": reason[:LONGEST_ERROR], "error_type": "Cancel"}
    return Change(
        name="cancel_run",
        require=fenced(claim_of(run)),
        write={**cancellation(now, expires_at), **said},
    )


def cancel_abandoned(crashed: JobRecord, *, now: datetime, expires_at: datetime) -> Change:
    """End a run whose lease is over and that was asked to stop."""
    return replace(
        cancel_run(crashed, now=now, expires_at=expires_at),
        name="cancel_abandoned",
        require=lease_over(crashed, now),
    )


def beat(*, claim_id: str, until: datetime) -> Change:
    """Lengthen a run's lease, where its worker lives on for as long as its job takes; a late one shortens nothing."""
    return Change(name="beat", require=(*fenced(claim_id), DueBy(until)), write={"due_at": until})


def is_held_by(stored: JobRecord | None, claim_id: str) -> bool:
    """Tell whether a job is running, and the run is this one."""
    return stored is not None and stored.state is State.RUNNING and stored.claim_id == claim_id


def report_progress(*, claim_id: str, percent: int, note: str | None) -> Change:
    """Keep what a run says of itself."""
    return Change(
        name="progress",
        require=fenced(claim_id),
        write={"progress": percent, "progress_note": note},
    )


def expiry(*, now: datetime, ever_died: bool) -> datetime:
    """Return until when an ended job's record is kept: a day longer than any message of it can exist (rule 6)."""
    return now + (DLQ_RETENTION if ever_died else QUEUE_RETENTION) + timedelta(days=1)


def fenced(claim_id: str) -> tuple[InStates, Equals]:
    """Return what every write of a run requires (rule 1)."""
    return (InStates(frozenset({State.RUNNING})), Equals("claim_id", claim_id))


def lease_over(crashed: JobRecord, now: datetime) -> tuple[InStates, Equals, DueBy]:
    """Return what is required of a run whose lease is over (rule 5)."""
    return (*fenced(claim_of(crashed)), DueBy(now))


def claim_of(run: JobRecord) -> str:
    """Return a run's claim id."""
    if run.claim_id is None:
        msg = f"job {run.job_id!r} was never claimed"
        raise ValueError(msg)
    return run.claim_id


def death(cause: Cause, error: str, now: datetime, expires_at: datetime) -> dict[str, object]:
    """Return what every death writes; what its error has in common with others is found once, here."""
    error = _cut(error)
    return {
        "state": State.DEAD,
        "cause": cause,
        "error": error,
        "error_type": None,
        "fingerprint": fingerprint(error),
        "due_at": None,
        "ended_at": now,
        "sweep_at": now,
        "held_by": None,
        "expires_at": expires_at,
    }


def cancellation(now: datetime, expires_at: datetime) -> dict[str, object]:
    """Return what every end as cancelled writes."""
    return {
        "state": State.CANCELLED,
        "due_at": None,
        "sweep_at": None,
        "held_by": None,
        "ended_at": now,
        "expires_at": expires_at,
    }


def _failed(run: JobRecord, error: str, error_type: str | None, now: datetime) -> dict[str, object]:
    short = _cut(error)
    failure = Failure(attempt=run.attempts, life=run.life, at=now, error=short, error_type=error_type)
    return {
        "error": short,
        "error_type": error_type,
        "failures": (*run.failures, failure)[-KEPT_FAILURES:],
    }


def _cut(error: str) -> str:
    return error if len(error) <= LONGEST_ERROR else f"{error[: LONGEST_ERROR - 1]}…"
