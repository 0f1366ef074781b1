"""Workflows whose workers are killed all the time: every job is let go once, and nothing stays blocked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING
from uuid import uuid4

from lanework import State, WorkflowState, batch, chain, group
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.maintenance.sweep import Sweeper
from lanework.local.emulator.process import wait_for
from lanework.settings import Settings
from lanework.wiring import aws_ports, utc_now
from tests.support.killed_workers import completions, workers
from tests.support.pollers import Task, app, do
from tests.support.stacks import REGION, make_stack

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from lanework import Request, Workflow

FLOWS = [f"flow-{number}" for number in range(8)]
WIDTH = 6


def job() -> Request:
    return do.request(Task(text="do"), attempts=20)


def a_flow() -> Workflow:
    """Return three levels: one job, many, one; and a job that is called back."""
    return batch([chain(job(), group(job() for _ in range(WIDTH)), job())], on_success=job())


def ids(flow: str) -> list[str]:
    return [f"{flow}.1.1", *(f"{flow}.1.2.{n}" for n in range(1, WIDTH + 1)), f"{flow}.1.3", f"{flow}.on-success"]


def test_every_job_of_a_workflow_is_let_go_once_while_workers_are_killed_in_the_middle(
    ministack_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    stack, effects, log = f"flows-{uuid4().hex[:8]}", tmp_path / "effects", tmp_path / "events"
    make_stack(stack, ministack_endpoint, visibility=timedelta(seconds=5))
    app.use(aws_ports(Settings(stack=stack, region=REGION, endpoint=ministack_endpoint)))
    ports = app.ports
    ahead = count(1)
    for flow in FLOWS:
        app.workflows.enqueue(a_flow(), workflow_id=flow)
    jobs = [job_id for flow in FLOWS for job_id in ids(flow)]

    with workers(ministack_endpoint, stack, effects, log) as running:

        def is_all_over() -> bool:
            running.kill_the_oldest_each(jobs=len(jobs) // 16)  # the last jobs may end between two looks
            # It looks at growing intervals, an hour at most: each of its ticks comes an hour after the one before.
            hours = timedelta(hours=next(ahead))
            Reconciler(replace(ports, clock=lambda: utc_now() + hours)).tick()
            Sweeper(ports).tick()
            records = app.ports.ledger.get_many(jobs)
            return all(one.state is State.COMPLETED for one in records.values())

        wait_for(is_all_over, within=timedelta(seconds=240), what="every job of every workflow to complete")

    assert running.killed >= 12
    records = [app.get(job_id) for job_id in jobs]
    assert {one.life for one in records} == {1}
    assert [] == [one.job_id for one in records if one.open_parents]
    assert {app.workflows.get(flow).record.state for flow in FLOWS} == {WorkflowState.COMPLETED}
    assert set(completions(log).values()) == {1}, "each job completed once"
    effects_had = len(effects.read_text().splitlines())
    assert len(jobs) <= effects_had <= sum(one.attempts for one in records), "no attempt ran unclaimed"
