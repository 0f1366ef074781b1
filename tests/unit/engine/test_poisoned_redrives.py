"""A dead job that can't be handled stops no redrive of many."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lanework import State, group
from lanework.engine.deadletters.bulk_redrive import BulkRedrive
from lanework.engine.deadletters.redrive import Redriver, RedriveResult
from lanework.engine.jobtypes.builtin import RedriveOptions
from lanework.errors import NotRedrivenError
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.job.envelope import LARGEST_PAYLOAD
from lanework.model.lifecycle.states import Cause
from lanework.testing import NOON, drain
from tests.support.factories import a_record
from tests.support.small_world import Greeting

if TYPE_CHECKING:
    from lanework import JobRecord
    from tests.support.small_world import World

BAT = Greeting(name="Bat")
DEAD: dict[str, Any] = {
    "state": State.DEAD,
    "cause": Cause.EXHAUSTED,
    "sweep_at": NOON,
    "ended_at": NOON,
    "error": "OSError: no",
}


@pytest.mark.parametrize(
    "odd",
    [{"payload": "x" * (LARGEST_PAYLOAD + 1)}, {"max_attempts": 0}, {"version": 0}],
    ids=["large", "max", "version"],
)
def test_a_redrive_of_all_goes_on_past_one_of_which_no_message_can_be_made(world: World, odd: dict[str, Any]) -> None:
    ledger = world.app.ports.ledger
    for job_id, more in (("a", {}), ("b", odd), ("c", {})):
        ledger.put(replace(a_record(job_id=job_id), **DEAD, **more))

    summary = BulkRedrive(world.app.ports, Redriver(world.app.ports).redrive, RedriveOptions()).run(
        DeadFilter(), count=3
    )

    drain(world.app)
    assert [world.stored(one).state for one in ("a", "c")] == [State.COMPLETED, State.COMPLETED]
    assert (summary.moved, summary.passed_over, list(summary.left)) == (2, 1, ["b"])
    assert summary.left["b"].startswith("not sendable: ")
    assert (world.stored("b").cause, world.stored("b").life) == (Cause.EXHAUSTED, 1), "it would only die again"
    with pytest.raises(NotRedrivenError, match="not sendable: "):
        world.app.dead_letters.redrive_job("b")


def test_a_retry_of_a_workflow_counts_what_is_redriven_only(world: World) -> None:
    whole, odd = world.greet.request(BAT, job_id="whole"), world.greet.request(BAT, job_id="odd")
    world.app.workflows.enqueue(group([whole, odd]), workflow_id="w")
    ledger: Any = world.app.ports.ledger
    for job_id, more in (("whole", {}), ("odd", {"max_attempts": 0})):
        ledger.records[job_id] = replace(ledger.records[job_id], **DEAD, **more)

    assert world.app.workflows.retry("w") == 1


def test_a_dead_job_that_raises_is_set_aside_and_named(world: World) -> None:
    redriver = Redriver(world.app.ports)
    for job_id in ("a", "b", "c"):
        world.app.ports.ledger.put(replace(a_record(job_id=job_id), **DEAD))

    def move(record: JobRecord) -> RedriveResult:
        return redriver.redrive(record) if record.job_id != "b" else RedriveResult("no such word")

    summary = BulkRedrive(world.app.ports, move, RedriveOptions()).run(DeadFilter(), count=3)

    assert (summary.moved, summary.left) == (2, {"b": RedriveResult.FAILED})
    assert "worker.fault" in world.events.actions
