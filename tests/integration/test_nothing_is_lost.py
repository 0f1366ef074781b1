"""Three hundred jobs, and a worker killed for each fifteen: none is lost, and each has one result."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from lanework import State
from lanework.local.emulator.process import wait_for
from lanework.model.lanes import Lane
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.killed_workers import completions, workers
from tests.support.pollers import Task, app, do
from tests.support.stacks import REGION, make_stack

JOBS = [f"job-{number}" for number in range(300)]


def test_nothing_is_lost_while_workers_are_killed(
    ministack_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    stack, effects, log = f"kill-{uuid4().hex[:8]}", tmp_path / "effects", tmp_path / "events"
    make_stack(stack, ministack_endpoint, visibility=timedelta(seconds=5))
    app.use(aws_ports(Settings(stack=stack, region=REGION, endpoint=ministack_endpoint)))
    do.enqueue_many([do.request(Task(text=job_id), job_id=job_id) for job_id in JOBS])

    with workers(ministack_endpoint, stack, effects, log) as running:

        def is_all_over() -> bool:
            running.kill_the_oldest_each(jobs=len(JOBS) // 20)
            counts = app.ports.lanes.counts(Lane.HIGH)
            return counts.waiting == counts.in_flight == 0 and not unfinished()

        wait_for(is_all_over, within=timedelta(seconds=240), what="every job to complete and every message to go")

    jobs = [app.get(job_id) for job_id in JOBS]
    seen = effects.read_text().splitlines()
    by_job = Counter(line.partition(" ")[0] for line in seen)
    assert running.killed >= 20
    assert [State.COMPLETED] * len(JOBS) == [job.state for job in jobs]
    assert set(JOBS) == set(by_job), "each job's effect is there at least once"
    assert len(seen) == len(set(seen)), "no attempt ran twice"
    assert [] == [job for job in jobs if by_job[job.job_id] > job.attempts], "no attempt ran unclaimed"
    assert [f'"{job.job_id} attempt {job.attempts}"' for job in jobs] == [job.result for job in jobs]
    assert set(completions(log).values()) == {1}, "each job completed once"
    assert app.ports.lanes.counts(Lane.HIGH).dead == 0


def unfinished() -> list[str]:
    """Return the jobs that haven't completed."""
    pages = [JOBS[start : start + 100] for start in range(0, len(JOBS), 100)]
    records: dict[str, Any] = {}
    for page in pages:
        records |= app.ports.ledger.get_many(page)
    return [job_id for job_id in JOBS if records[job_id].state is not State.COMPLETED]
