"""What to do with a message whose claim was refused. Pure: the record that stands in the way decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.model.lifecycle import claim_moves, operator_moves, run_moves
from lanework.model.lifecycle.change import Change
from lanework.model.lifecycle.states import Cause, State

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.model.job.envelope import Envelope
    from lanework.model.lifecycle.states import JobRecord


_UNREADABLE_FOR: Final = timedelta(minutes=5)
"""How long a message waits whose job's record can't be read: until a release is deployed that can, perhaps."""


@dataclass(frozen=True, slots=True)
class Create:
    """There is no record, and this message may make one (rule 6)."""


@dataclass(frozen=True, slots=True)
class ClaimBy:
    """The job may be claimed after all, by another write."""

    change: Change


@dataclass(frozen=True, slots=True)
class EndBy:
    """The job is over; whoever finds it ends it."""

    change: Change


@dataclass(frozen=True, slots=True)
class WaitAgain:
    """The job died of another job that it waits for: its next life begins with waiting for it."""

    change: Change


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """The job is claimable later: it isn't due, or another run holds its lease."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class SendTicket:
    """The job is dead and this is its life's last message: the DLQ must hold its ticket."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Nothing waits for this message."""

    reason: str


Verdict = Create | ClaimBy | EndBy | WaitAgain | WaitUntil | SendTicket | Drop


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """Who asks: the id its claim would write, the time, its lease, and when an end's record may go."""

    claim_id: str
    now: datetime
    lease: timedelta
    expires_at: datetime


def judge(stored: JobRecord | None, message: Envelope, by: Claimant) -> Verdict:
    """Say what becomes of a message whose claim was refused, given the record as it stands."""
    if stored is None:
        return Create() if message.may_make_a_record else Drop("its record was retired")
    if stored.state is State.UNKNOWN:
        return WaitUntil(by.now + _UNREADABLE_FOR)
    if stored.life != message.life:
        return _of_another_life(stored, message, by)
    match stored.state:
        case State.COMPLETED | State.CANCELLED:
            return Drop(f"already {stored.state}")
        case State.DEAD:
            return SendTicket()
        case State.BLOCKED:
            return Drop("waits for other jobs, whose end sends it")
        case State.RUNNING:
            return _running(stored, by)
        case _:
            return _waiting(stored, by)


def _of_another_life(stored: JobRecord, message: Envelope, by: Claimant) -> Verdict:
    if message.ticket and not message.speaks_for(stored):
        return Drop("this ticket is not the job's own")
    if message.ticket and stored.state is State.DEAD and stored.life == message.life - 1:
        if stored.open_parents:
            return WaitAgain(operator_moves.redrive(stored, now=by.now))
        if stored.runs_until is not None and stored.runs_until > by.now:
            return WaitUntil(stored.runs_until)
        return ClaimBy(claim_moves.begin_life(message, claim_id=by.claim_id, now=by.now, lease=by.lease))
    return Drop(f"belongs to life {message.life}, the job is in life {stored.life}")


def _running(stored: JobRecord, by: Claimant) -> Verdict:
    if stored.due_at is not None and stored.due_at > by.now:
        return WaitUntil(stored.due_at)
    if stored.cancel_asked:
        return EndBy(run_moves.cancel_abandoned(stored, now=by.now, expires_at=by.expires_at))
    if stored.attempts < stored.max_attempts:
        return ClaimBy(claim_moves.claim(life=stored.life, claim_id=by.claim_id, now=by.now, lease=by.lease))
    if stored.crashed:
        return EndBy(run_moves.die_of_crash(stored, now=by.now, expires_at=by.expires_at))
    return ClaimBy(claim_moves.claim_after_crash(stored, claim_id=by.claim_id, now=by.now, lease=by.lease))


def _waiting(stored: JobRecord, by: Claimant) -> Verdict:
    if stored.due_at is not None and stored.due_at > by.now:
        return WaitUntil(stored.due_at)
    if not stored.is_worth_starting(by.now):
        return EndBy(operator_moves.expire(stored, now=by.now, expires_at=by.expires_at))
    if stored.attempts >= stored.max_attempts:
        return ClaimBy(claim_moves.claim_again(stored, claim_id=by.claim_id, now=by.now, lease=by.lease))
    return ClaimBy(claim_moves.claim(life=stored.life, claim_id=by.claim_id, now=by.now, lease=by.lease))


def die_unreadable(claimed: JobRecord, by: Claimant) -> Change:
    """Give up on a job that was claimed before it was found that its record can't be read."""
    return Change(
        name="die_unreadable",
        require=run_moves.fenced(by.claim_id),
        write=run_moves.death(Cause.INVALID, claimed.error or "", by.now, by.expires_at),
    )
