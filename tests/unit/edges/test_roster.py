from __future__ import annotations

import os
import time
from datetime import timedelta
from mmap import mmap

import pytest

from lanework.edges.process.interpreter import nameless_file, start
from lanework.edges.process.lease_board import LeaseBoard, bytes_for
from lanework.engine.execution.lease import RunLease
from lanework.model.lanes import Lane

MINUTE = timedelta(minutes=1)


def a_lease(number: int = 1, *, slots: int = 1) -> RunLease:
    names = tuple(f"concurrency:type:task.alone:user={index:024}" for index in range(slots))
    return RunLease(job_id=f"job-{number}", claim_id=f"claim-{number}", slots=names, timeout=MINUTE)


def later() -> float:
    return time.monotonic() + 3600


def test_a_run_that_was_kept_alive_lately_is_none_to_look_after() -> None:
    roster = LeaseBoard(mmap(-1, bytes_for(runs=2)))
    before = time.monotonic()
    roster.enter(Lane.LOW, "handle", a_lease())

    assert roster.entries(kept_before=before) == []
    (entry,) = roster.entries(kept_before=later())
    roster.keep("handle")
    (kept,) = roster.entries(kept_before=later())
    assert kept.kept_at >= entry.kept_at >= before
    assert (kept.lease, kept.over_at) == (a_lease(), entry.over_at)


def test_as_many_runs_come_and_go_as_like_and_one_too_many_is_left_out() -> None:
    roster = LeaseBoard(mmap(-1, bytes_for(runs=2)))
    for number in range(50):
        roster.enter(Lane.LOW, f"handle-{number}", a_lease(number))
        roster.leave(f"handle-{number}")
        roster.leave(f"handle-{number}")
    for number in range(3):
        roster.enter(Lane.HIGH, f"handle-{number}", a_lease(number))
    roster.keep("handle-2")

    assert {one.lease.job_id for one in roster.entries(kept_before=later())} == {"job-0", "job-1"}


@pytest.mark.parametrize(("slots", "known"), [(10, 1), (500, 0)])
def test_what_does_not_fit_is_left_to_its_own_process(slots: int, known: int) -> None:
    roster = LeaseBoard(mmap(-1, bytes_for(runs=1)))

    roster.enter(Lane.LOW, "h" * 1024, a_lease(slots=slots))
    assert len(roster.entries(kept_before=later())) == known

    roster.leave("h" * 1024)
    roster.enter(Lane.LOW, "handle", a_lease())
    assert len(roster.entries(kept_before=later())) == 1


def test_a_row_that_is_being_written_is_none() -> None:
    memory = mmap(-1, bytes_for(runs=1))
    writer, reader = LeaseBoard(memory), LeaseBoard(memory)
    writer.enter(Lane.LOW, "handle", a_lease())
    for index in (30, 100):
        memory[index] ^= 0xFF
        assert reader.entries(kept_before=later()) == []
        memory[index] ^= 0xFF

    assert len(reader.entries(kept_before=later())) == 1


def enter(file: int) -> None:
    LeaseBoard(mmap(file, 0)).enter(Lane.LOW, "handle", a_lease())


def test_another_process_writes_what_this_one_reads_and_it_stays_when_that_one_has_gone() -> None:
    file = nameless_file(bytes_for(runs=4))
    memory = mmap(file, 0)
    process = start(f"{__name__}:enter", file, files=[file])
    os.close(file)

    assert process.wait(60) == 0
    (entry,) = LeaseBoard(memory).entries(kept_before=later())
    assert entry.lease == a_lease()
