"""Every odd record of the proof's at once, in the way of jobs of every kind: these end all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lanework.memory import MemoryFlags, MemoryLedger, MemoryLimits
from lanework.model.lanes import Lane
from lanework.model.workflow.dependency import OnFailure
from tests.unit.proof.adversary import Trouble
from tests.unit.proof.guarded import GUARDED
from tests.unit.proof.machine import LIMITS
from tests.unit.proof.poison import POISONS
from tests.unit.proof.promises import MEMBERS
from tests.unit.proof.world import ENVIRONMENTS, Ending, World

NONE = Trouble()
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("limits", ["none", "everything"])
def test_whatever_lies_in_the_way_of_the_ticks_every_acknowledged_job_ends(limits: str) -> None:
    world = World(
        MemoryLedger(), MemoryFlags(), MemoryLimits(), skews=dict.fromkeys(ENVIRONMENTS, 0), bounds=LIMITS[limits]
    )
    world.look_for_unsent(NONE)
    for kind in POISONS:
        world.poison(kind, Lane.HIGH)
    world.pause(NONE, "queue:proof")
    for name, delay in (("a", None), ("b", 20 * MINUTE), ("c", 180 * MINUTE)):
        world.enqueue(NONE, name=name, type_="proof.one", delay=delay, attempts=2)
    world.enqueue_waiting(NONE, "d", after=["a", "b"], policy=OnFailure.RUN)
    for workflow_id in MEMBERS:
        world.enqueue_workflow(NONE, workflow_id)
    for type_ in GUARDED:
        world.enqueue_under_guards(NONE, type_, window=MINUTE)
    for _ in range(3):
        world.sweep(NONE)
        world.reconcile(NONE)
        world.time.advance(MINUTE)

    world.every_acknowledged_job_ends(Ending(raises=OSError))
