"""Moves of a job whose record can't be read, such as one that a later release wrote. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.model.change import Change, Equals
from lanework.model.moves import LONGEST_ERROR, death, mine
from lanework.model.states import Cause

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.model.states import JobRecord

LOOK_AGAIN: Final = timedelta(minutes=5)
"""How long a message waits whose job's record can't be read: until a release is deployed that can, perhaps."""


def put_off(record: JobRecord, *, to: datetime) -> Change:
    """Move the sweep entry of a record; nothing else of it is touched."""
    return Change(name="put_off", require=(Equals("sweep_at", record.sweep_at),), write={"sweep_at": to})


def die_unreadable(claimed: JobRecord, claim_id: str, *, now: datetime, expires_at: datetime) -> Change:
    """Give up on a job that was claimed before it was found that its record can't be read."""
    return Change(
        name="die_unreadable",
        require=mine(claim_id),
        write={**death(Cause.INVALID, now, expires_at), "error": (claimed.error or "")[:LONGEST_ERROR]},
    )
