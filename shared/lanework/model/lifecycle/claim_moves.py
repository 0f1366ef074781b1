"""The moves that begin an attempt, as conditional writes; `claim_decision.py` decides which of them is made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lanework.model.lifecycle.change import AttemptsLeft, Change, DueBy, Equals, InStates, NotSet, WorthStarting
from lanework.model.lifecycle.run_moves import NEXT_LIFE, lease_over
from lanework.model.lifecycle.states import CLAIMABLE, WAITING, JobRecord, State

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from lanework.model.job.envelope import Envelope


def claim(*, life: int, claim_id: str, now: datetime, lease: timedelta) -> Change:
    """Start an attempt: due, same life, attempts left (rule 5). The sweep entry, if any, stays (rule 3)."""
    return Change(
        name="claim",
        require=(
            InStates(CLAIMABLE),
            DueBy(now),
            Equals("life", life),
            AttemptsLeft(),
            NotSet("cancel_asked"),
            WorthStarting(now),
        ),
        write={
            "state": State.RUNNING,
            "claim_id": claim_id,
            "due_at": now + lease,
            "started_at": now,
            "awaits": None,
        },
        write_once={"first_started_at": now},
        attempts=1,
    )


def asked_by(message: Envelope, change: Change) -> Change:
    """Return a change that a message asks for: only the job's own may say what becomes of it (rule 22)."""
    return replace(change, require=(*change.require, Equals("nonce", message.nonce)))


def claim_after_crash(crashed: JobRecord, *, claim_id: str, now: datetime, lease: timedelta) -> Change:
    """Start the one attempt beyond `max_attempts` that a crash is allowed, so that a deploy kills nobody."""
    return Change(
        name="claim_after_crash",
        require=(*lease_over(crashed, now), NotSet("crashed"), NotSet("cancel_asked")),
        write={"claim_id": claim_id, "due_at": now + lease, "started_at": now, "crashed": True},
        attempts=1,
    )


def claim_again(waiting: JobRecord, *, claim_id: str, now: datetime, lease: timedelta) -> Change:
    """Start the attempt beyond `max_attempts` once more, after it was snoozed and so given back."""
    begun = claim(life=waiting.life, claim_id=claim_id, now=now, lease=lease)
    return replace(
        begun,
        name="claim_again",
        require=(
            InStates(WAITING),
            DueBy(now),
            Equals("life", waiting.life),
            Equals("attempts", waiting.attempts),
            Equals("crashed", value=True),
        ),
    )


def begin_life(ticket: Envelope, *, claim_id: str, now: datetime, lease: timedelta) -> Change:
    """Start the first attempt of a dead job's next life, from the ticket that SQS moved back (rule 2)."""
    return Change(
        name="begin_life",
        require=(
            InStates(frozenset({State.DEAD})),
            Equals("life", ticket.life - 1),
            Equals("nonce", ticket.nonce),
            NotSet("open_parents"),
        ),
        write={
            **NEXT_LIFE,
            "state": State.RUNNING,
            "life": ticket.life,
            "attempts": 1,
            "claim_id": claim_id,
            "due_at": now + lease,
            "started_at": now,
            "sweep_at": None,
        },
        write_once={"first_started_at": now},
    )
