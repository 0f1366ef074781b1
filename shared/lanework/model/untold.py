"""Deaths that no message brings back to be told of: until they are, they are held under a name. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.model.change import Change, Equals, InStates
from lanework.model.states import State

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.model.states import JobRecord

UNTOLD: Final = "untold"
"""Under this name the entries of dead jobs are held that are to be told of; they join the other dead ones then."""

TOLD_WITHIN: Final = timedelta(minutes=1)
"""How long whoever ended a job has to tell of it before the clock does."""


def to_be_told(death: Change, *, now: datetime) -> Change:
    """Return the write of a death with an entry that says that it is to be told of."""
    return replace(death, write={**death.write, "sweep_at": now + TOLD_WITHIN, "held_by": UNTOLD})


def told(dead: JobRecord) -> Change:
    """Put the entry of a dead job where those of the dead are: it was told of."""
    return Change(
        name="told",
        require=(InStates(frozenset({State.DEAD})), Equals("life", dead.life), Equals("held_by", UNTOLD)),
        write={"state": State.DEAD, "sweep_at": dead.ended_at, "held_by": None},
    )
