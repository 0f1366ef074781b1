from __future__ import annotations

from datetime import timedelta

import pytest

from lanework import Lane, State
from lanework.engine.queries.scaling import Scaling, run_time_in
from lanework.testing import NOON
from tests.support.factories import a_record
from tests.support.small_world import World

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("waiting", "run_time", "per_worker", "workers"),
    [
        (0, SECOND, 1200, 0),
        (1, SECOND, 1200, 1),
        (1200, SECOND, 1200, 1),
        (1201, SECOND, 1200, 2),
        (5, timedelta(hours=1), 1, 5),
    ],
)
def test_a_worker_gets_through_as_many_as_its_slots_can_in_the_time(
    waiting: int, run_time: timedelta, per_worker: int, workers: int
) -> None:
    found = Scaling(lane=Lane.LOW, waiting=waiting, run_time=run_time, within=timedelta(minutes=5), slots=4)

    assert (found.per_worker, found.workers) == (per_worker, workers)


def test_the_run_time_is_the_mean_of_the_lanes_own_completed_jobs(world: World) -> None:
    def put(job_id: str, lane: Lane, seconds: float, state: State = State.COMPLETED) -> None:
        ended = a_record(
            job_id=job_id, lane=lane, state=state, due_at=None, started_at=NOON, ended_at=NOON + seconds * SECOND
        )
        world.app.ports.ledger.put(ended)

    assert run_time_in(Lane.LOW, world.app.runtime.search) is None
    put("one", Lane.LOW, 1)
    put("two", Lane.LOW, 2)
    put("other", Lane.HIGH, 50)
    put("cancelled", Lane.LOW, 50, State.CANCELLED)

    assert run_time_in(Lane.LOW, world.app.runtime.search) == 1.5 * SECOND
