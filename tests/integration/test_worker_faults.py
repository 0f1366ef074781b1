"""A process of `lanework worker` that dies, hangs, is worn out or held: another takes its place, and no job is lost."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from lanework import State
from tests.support.shop import Shop, ended, is_alive, is_pending


def test_a_process_that_is_renewed_twice_lets_its_jobs_end(shop: Shop) -> None:
    (job_id,) = shop.enqueue(1, type_="task.wait")
    process = shop.worker("--lane", "high", *shop.with_health)
    shop.until(lambda: len(shop.notes("begin")) == 1, "the job to begin")
    (child,) = shop.pids()
    for _ in range(2):
        os.kill(child, signal.SIGTERM)
        shop.until(lambda: not is_pending(child, signal.SIGTERM), "the signal to have come")
    shop.let_go()

    shop.until(lambda: shop.record(job_id).state is State.COMPLETED, "the job")
    shop.until(lambda: shop.pids() not in ([], [child]), "another process to follow")
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0
    assert (len(shop.notes("begin")), shop.record(job_id).attempts) == (1, 1)


@pytest.mark.parametrize("type_", ["task.nap", "task.seize"])
def test_a_job_that_runs_for_longer_than_its_lease_is_kept_alive(shop: Shop, type_: str) -> None:
    """Also one whose single call holds the interpreter, so that its own process can't do anything for it."""
    (job_id,) = shop.enqueue(1, seconds=12, lane="low", type_=type_)
    process = shop.worker("--lane", "low", "--lease", "3s")
    rival = shop.worker("--lane", "low", "--lease", "3s")

    shop.until(lambda: shop.record(job_id).state is State.COMPLETED, "the job")
    for one in (process, rival):
        one.send_signal(signal.SIGTERM)
        assert ended(one)[0] == 0
    assert (len(shop.notes("begin")), shop.record(job_id).attempts) == (1, 1)


def test_a_process_that_one_call_holds_far_beyond_its_timeout_is_killed_and_its_job_tried_again(shop: Shop) -> None:
    (job_id,) = shop.enqueue(1, type_="task.stuck")

    process = shop.worker("--lane", "high", "--lease", "3s")
    shop.until(lambda: shop.record(job_id).state is State.COMPLETED, "the second attempt")
    process.send_signal(signal.SIGTERM)

    assert ended(process)[0] == 0
    assert f"says nothing, and job {job_id} runs" in (shop.root / "log.out").read_text()
    assert [one[2] for one in shop.notes("begin")] == ["1", "2"]


def test_synchronous_code_that_takes_too_long_is_stopped_in_its_thread(shop: Shop) -> None:
    (job_id,) = shop.enqueue(1, type_="task.spin")

    process = shop.worker("--lane", "high")
    shop.until(lambda: shop.record(job_id).state is State.COMPLETED, "the second attempt")
    process.send_signal(signal.SIGTERM)

    assert ended(process)[0] == 0
    assert "took longer than 1 s" in shop.record(job_id).failures[0].error


def test_a_process_that_is_killed_takes_only_its_own_jobs_with_it(shop: Shop) -> None:
    ids = shop.enqueue(4, type_="task.wait")
    process = shop.worker("--lane", "high", "-c", "2", "-p", "2", "--lease", "5s", *shop.with_health)
    shop.until(lambda: len(shop.notes("begin")) == 4, "both processes to run as much as they can")
    victim = shop.pids()[0]
    cut_off = {one[1] for one in shop.notes("begin") if one[4] == str(victim)}
    os.kill(victim, signal.SIGKILL)
    shop.let_go()
    ids += shop.enqueue(10)

    shop.until(lambda: shop.are_all(ids, State.COMPLETED), "all of them")
    shop.until(lambda: len(shop.pids()) == 2, "another process to be there")
    assert victim not in shop.pids()
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0
    assert "was killed by SIGKILL" in (shop.root / "log.out").read_text()
    assert len(cut_off) == 2
    assert {one for one in ids if shop.record(one).attempts > 1} == cut_off


def test_processes_whose_parent_is_killed_finish_what_they_run_and_end(shop: Shop) -> None:
    ids = shop.enqueue(20, seconds=1)
    process = shop.worker("--lane", "high", "-c", "2", "-p", "2", *shop.with_health)
    shop.until(lambda: len({one[4] for one in shop.notes("begin")}) == 2, "both processes to work")
    orphans = shop.pids()
    process.kill()
    process.wait()

    shop.until(lambda: not any(is_alive(one) for one in orphans), "the orphans to end")
    begun = {one[1] for one in shop.notes("begin")}
    assert begun == {one[1] for one in shop.notes("end")}
    rest = shop.worker("--lane", "high", "-c", "20", "--once")
    assert ended(rest)[0] == 0
    assert shop.are_all(ids, State.COMPLETED)
    assert len(shop.notes("begin")) == 20, "none ran twice"


@pytest.mark.parametrize("limit", [("--max-jobs", "10"), ("--max-mb", "1")])
def test_a_process_that_is_worn_out_is_started_anew(shop: Shop, limit: tuple[str, str]) -> None:
    ids = shop.enqueue(30)

    process = shop.worker("--lane", "high", "-c", "1", *limit)
    shop.until(lambda: len({one[4] for one in shop.notes("begin")}) >= 3, "the third process")
    process.send_signal(signal.SIGTERM)

    assert ended(process)[0] == 0
    assert "worker.process_renewed" in (shop.root / "log.out").read_text()
    counts = Counter(one[4] for one in shop.notes("begin"))
    assert max(counts.values()) <= (10 if limit[0] == "--max-jobs" else 1)
    assert {shop.record(one).attempts for one in ids} <= {0, 1}


def test_a_worn_out_process_waits_for_its_jobs_beyond_grace_while_another_has_taken_its_place(shop: Shop) -> None:
    (long,) = shop.enqueue(1, type_="task.wait")
    process = shop.worker("--lane", "high", "-c", "1", "--grace", "1s", "--max-jobs", "1")
    shop.until(lambda: len(shop.notes("begin")) == 1, "the long job to begin")
    (short,) = shop.enqueue(1)

    shop.until(lambda: shop.are_all([short], State.COMPLETED), "the short one, in the next process")
    shop.let_go()
    shop.until(lambda: shop.are_all([long], State.COMPLETED), "the long one")
    process.send_signal(signal.SIGTERM)

    assert ended(process)[0] == 0
    assert [one[1] for one in shop.notes("end")] == [short, long]
    assert shop.record(long).attempts == 1


def test_an_async_job_that_exits_stops_the_loop_and_leaves_a_thread_behind_harms_neither_neighbours_nor_the_end(
    shop: Shop,
) -> None:
    neighbours = shop.enqueue(3, seconds=0.5, type_="task.doze")
    (job_id,) = shop.enqueue(1, type_="task.leave")
    neighbours += shop.enqueue(3, seconds=0.5, type_="task.doze")

    process = shop.worker("--lane", "high", "--concurrency", "8", "--once")

    assert ended(process)[0] == 0
    assert shop.are_all(neighbours, State.COMPLETED)
    assert shop.record(job_id).error == "RuntimeError: it called sys.exit(4)"
    assert (shop.said("worker.fault"), shop.said("worker.process_died")) == (0, 0)


def test_a_process_whose_event_loop_is_broken_ends_by_it_and_another_takes_its_place(shop: Shop) -> None:
    (job_id,) = shop.enqueue(1, type_="task.break")
    process = shop.worker("--lane", "high")
    shop.until(lambda: shop.said("worker.process_died") == 1, "the process to end")
    ids = shop.enqueue(2, type_="task.doze")
    shop.until(lambda: shop.are_all(ids, State.COMPLETED), "jobs in the next process")
    process.send_signal(signal.SIGTERM)

    assert ended(process)[0] == 0
    said = (shop.root / "log.out").read_text()
    assert "its thread 'async' ended by itself: TypeError in " in said
    assert "ended with exit code 70" in said
    found = shop.record(job_id)
    assert (found.state, found.attempts) == (State.DEAD, 1)
    assert str(found.error).startswith(
        "RuntimeError: the event loop that it shared with other jobs has ended\ncaused by"
    )
