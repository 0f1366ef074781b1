"""How many worker processes a lane needs: from its backlog, and from how long its jobs take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.queries.jobs import ran_for
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from lanework.engine.queries.search import Search
    from lanework.model.lanes import Lane

LOOKED_AT: Final = 100
"""Jobs, of all lanes, whose run times say how long the lane's take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """
    What a lane's backlog asks for.

    Attributes:
        waiting: Messages that wait in its queue, about.
        run_time: How long a job takes.
        within: In which time the backlog is to be gone.
        slots: How many jobs one worker runs at once.
    """

    lane: Lane
    waiting: int
    run_time: timedelta
    within: timedelta
    slots: int

    @property
    def per_worker(self) -> int:
        """How many jobs that wait one worker gets through in time; at least one."""
        return max(1, int(self.slots * self.within / self.run_time))

    @property
    def workers(self) -> int:
        """How many workers get through all of them in time."""
        return -(-self.waiting // self.per_worker)


def run_time_in(lane: Lane, search: Search) -> timedelta | None:
    """Return the mean run time of the lane's jobs among the hundred enqueued last; None if none has completed."""
    jobs = search.newest(limit=LOOKED_AT).jobs
    times = [ran_for(one) for one in jobs if one.lane is lane and one.state is State.COMPLETED]
    known = [one for one in times if one is not None]
    return sum(known, timedelta(0)) / len(known) if known else None
