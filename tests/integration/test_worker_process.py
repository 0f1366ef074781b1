"""`lanework worker` as a process: it overlaps jobs, and stops without losing or repeating one."""

from __future__ import annotations

import os
import signal
from datetime import timedelta

import pytest

from lanework import State
from tests.support.shop import Shop, ended, is_pending


@pytest.mark.parametrize("type_", ["task.wait", "task.await"])
def test_jobs_run_side_by_side(shop: Shop, type_: str) -> None:
    ids = shop.enqueue(16, type_=type_)
    process = shop.worker("--lane", "high", "--concurrency", "16")
    shop.until(lambda: len(shop.notes("begin")) == 16, "all to have begun, of which none can end")
    shop.let_go()
    shop.until(lambda: shop.are_all(ids, State.COMPLETED), "16 jobs")
    process.send_signal(signal.SIGTERM)

    assert ended(process)[0] == 0
    assert len(shop.notes("begin")) == 16


def test_with_once_it_ends_when_its_lanes_are_empty(shop: Shop) -> None:
    ids = shop.enqueue(30) + shop.enqueue(5, lane="low")

    process = shop.worker("--lane", "high", "--lane", "low", "--once")

    assert ended(process)[0] == 0
    assert shop.are_all(ids, State.COMPLETED)
    assert len(shop.notes("begin")) == 35


def test_sigterm_lets_running_jobs_end_and_gives_back_the_rest(shop: Shop) -> None:
    ids = shop.enqueue(40, seconds=0.4)
    process = shop.worker("--lane", "high", "--concurrency", "4")
    shop.until(lambda: len(shop.notes("end")) >= 4, "the first jobs")
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0

    begun = {one[1] for one in shop.notes("begin")}
    assert begun == {one[1] for one in shop.notes("end")}, "what had begun has ended"
    assert {shop.record(one).attempts for one in ids if one not in begun} == {0}
    rest = shop.worker("--lane", "high", "--concurrency", "16", "--once")
    assert ended(rest)[0] == 0
    assert shop.are_all(ids, State.COMPLETED)
    assert len(shop.notes("begin")) == 40, "none ran twice"


@pytest.mark.parametrize("how", ["a second SIGTERM", "the end of grace"])
def test_what_will_not_end_is_given_back_without_an_attempt_used_and_runs_nowhere_else_meanwhile(
    shop: Shop, how: str
) -> None:
    ids = shop.enqueue(2, seconds=600, type_="task.tick")
    process = shop.worker("--lane", "high", "--grace", "1s" if how == "the end of grace" else "10m", *shop.with_health)
    shop.until(lambda: len(shop.notes("begin")) == 2, "both to begin")
    process.send_signal(signal.SIGTERM)
    if how == "a second SIGTERM":
        shop.until(lambda: shop.health()["status"] == "stopping", "the first signal to have come")
        process.send_signal(signal.SIGTERM)

    assert ended(process)[0] == 0
    assert {(one.state, one.attempts) for one in map(shop.record, ids)} == {(State.PARKED, 0)}
    shop.worker("--lane", "high")
    shop.until(lambda: len(shop.notes("begin")) == 4, "both to begin again", within=timedelta(seconds=45))


def test_a_limit_of_one_stays_one_while_a_worker_that_runs_its_job_is_scaled_in(shop: Shop) -> None:
    """Another worker waits for the job, and for its slot, while the code runs on that was given back."""
    shop.enqueue(2, seconds=600, type_="task.alone")
    process = shop.worker("--lane", "high", "--grace", "1s", "-c", "2")
    shop.until(lambda: len(shop.notes("begin")) == 1, "one to begin")
    shop.worker("--lane", "high", "-c", "2")
    process.send_signal(signal.SIGTERM)

    assert ended(process)[0] == 0
    shop.until(lambda: len(shop.notes("begin")) == 2, "one to begin again", within=timedelta(seconds=45))
    first, second = shop.notes("begin")
    last_tick = max(float(one[3]) for one in shop.notes("tick") if one[4] == first[4])
    assert float(second[3]) > last_tick
    assert second[1:3] == first[1:3], "the same job, which goes first, and its first attempt"


def test_a_second_sigterm_is_not_lost_on_a_process_that_has_not_come_to_see_the_first(shop: Shop) -> None:
    ids = shop.enqueue(2, seconds=600)
    process = shop.worker("--lane", "high", "--grace", "10m", *shop.with_health)
    shop.until(lambda: len(shop.notes("begin")) == 2, "both to begin")
    (child,) = shop.pids()
    os.kill(child, signal.SIGSTOP)
    process.send_signal(signal.SIGTERM)
    shop.until(lambda: shop.health()["status"] == "stopping", "the first signal to have come")
    process.send_signal(signal.SIGTERM)
    shop.until(lambda: is_pending(child, signal.SIGQUIT), "the second signal to have been passed on")
    os.kill(child, signal.SIGCONT)

    assert ended(process)[0] == 0
    assert {(one.state, one.attempts) for one in map(shop.record, ids)} == {(State.PARKED, 0)}


def test_a_service_manager_that_signals_every_process_stops_them_as_one_that_signals_the_first(shop: Shop) -> None:
    (job_id,) = shop.enqueue(1, type_="task.wait")
    process = shop.worker("--lane", "high", *shop.with_health)
    shop.until(lambda: len(shop.notes("begin")) == 1, "the job to begin")
    for pid in (process.pid, *shop.pids()):
        os.kill(pid, signal.SIGTERM)
    shop.let_go()

    assert ended(process)[0] == 0
    assert "worker.process_died" not in (shop.root / "log.out").read_text()
    assert (shop.record(job_id).state, shop.record(job_id).attempts) == (State.COMPLETED, 1)


def test_a_full_critical_lane_leaves_its_share_to_a_lower_one(shop: Shop) -> None:
    critical = shop.enqueue(150, seconds=0.05, lane="critical")
    low = shop.enqueue(3, seconds=0.05, lane="low")

    process = shop.worker("--lane", "low", "--lane", "critical", "--concurrency", "4", "--once")

    assert ended(process)[0] == 0
    order = [one[1] for one in shop.notes("begin")]
    assert set(order) == {*critical, *low}
    assert min(order.index(one) for one in low) < 100
    assert order[0] in critical


def test_a_process_that_can_not_be_interrupted_is_killed_after_its_grace(shop: Shop) -> None:
    (job_id,) = shop.enqueue(1, type_="task.hang")
    process = shop.worker("--lane", "high", "--grace", "1s")
    shop.until(lambda: len(shop.notes("begin")) == 1, "it to begin")
    process.send_signal(signal.SIGTERM)

    assert ended(process)[0] == 0
    assert shop.record(job_id).state is State.RUNNING, "until its lease is over"
