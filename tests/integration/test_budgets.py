"""What running jobs may ask of AWS, counted where the calls arrive: a change that adds a call a job fails here."""

from __future__ import annotations

from pathlib import Path

from bench.endpoint import ministack
from bench.measure import Case, measure
from bench.peers import LANEWORK


def test_jobs_that_a_worker_process_runs_side_by_side_share_their_calls(tmp_path: Path) -> None:
    with ministack(tmp_path) as endpoint:
        found = measure(LANEWORK, Case(slots=16, jobs=300), endpoint=endpoint, redis="", folder=tmp_path)

    assert found.enqueue_calls <= 0.16, "25 puts in a call, ten messages in another"
    assert found.writes <= 3.1, "put, claim, complete; and now and then the numbers of them all"
    assert found.worker_calls <= 0.5, "0.4 where the machine is quiet: ten receives or deletes, more claims and ends"
