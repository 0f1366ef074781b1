"""`lanework worker` as a process: it overlaps jobs, keeps long ones alive, stops without losing or repeating one."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from datetime import timedelta

import pytest

from lanework import State
from tests.support.refuser import Refusal, refuser_before
from tests.support.relay import Relay
from tests.support.shop import Shop, ended, is_alive, is_pending


@pytest.mark.parametrize("type_", ["task.nap", "task.doze"])
def test_jobs_run_side_by_side(shop: Shop, type_: str) -> None:
    ids = shop.enqueue(16, seconds=0.5, type_=type_)
    process = shop.worker("--lane", "high", "--concurrency", "16")
    shop.until(lambda: shop.are_all(ids, State.COMPLETED), "16 jobs")
    process.send_signal(signal.SIGTERM)

    assert ended(process)[0] == 0
    begins = [float(one[3]) for one in shop.notes("begin")]
    ends = [float(one[3]) for one in shop.notes("end")]
    assert max(begins) < min(ends), "the last began before the first had ended"


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


def test_a_full_critical_lane_leaves_its_share_to_a_lower_one(shop: Shop) -> None:
    critical = shop.enqueue(150, seconds=0.05, lane="critical")
    low = shop.enqueue(3, seconds=0.05, lane="low")

    process = shop.worker("--lane", "low", "--lane", "critical", "--concurrency", "4", "--once")

    assert ended(process)[0] == 0
    order = [one[1] for one in shop.notes("begin")]
    assert set(order) == {*critical, *low}
    assert min(order.index(one) for one in low) < 100
    assert order[0] in critical


def test_a_process_that_is_killed_takes_only_its_own_jobs_with_it(shop: Shop) -> None:
    ids = shop.enqueue(40, seconds=0.5)
    process = shop.worker("--lane", "high", "-c", "2", "-p", "2", "--lease", "3s", *shop.with_health)
    shop.until(lambda: len({one[4] for one in shop.notes("begin")}) == 2, "both processes to work")
    victim = shop.pids()[0]
    os.kill(victim, signal.SIGKILL)

    shop.until(lambda: shop.are_all(ids, State.COMPLETED), "all of them")
    assert (len(shop.pids()), victim in shop.pids()) == (2, False)
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0
    assert "was killed by SIGKILL" in (shop.root / "log.out").read_text()
    done = {one[1] for one in shop.notes("end")}
    repeated = [one for one in ids if shop.record(one).attempts > 1]
    cut_off = {one[1] for one in shop.notes("begin") if one[4] == str(victim)} - {
        one[1] for one in shop.notes("end") if one[4] == str(victim)
    }
    assert done == set(ids)
    assert cut_off <= set(repeated), "what was cut off ran again; so did what was killed just before or after its code"
    assert 1 <= len(repeated) <= 2


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


def test_a_process_that_can_not_be_interrupted_is_killed_after_its_grace(shop: Shop) -> None:
    (job_id,) = shop.enqueue(1, type_="task.hang")
    process = shop.worker("--lane", "high", "--grace", "1s")
    shop.until(lambda: len(shop.notes("begin")) == 1, "it to begin")
    process.send_signal(signal.SIGTERM)

    assert ended(process)[0] == 0
    assert shop.record(job_id).state is State.RUNNING, "until its lease is over"


EXPIRED = "Signature expired: 20261130T000000Z is now earlier than 20261130T000500Z"


def test_an_expired_signature_is_waited_out_by_name_and_a_wrong_key_ends_the_worker(shop: Shop) -> None:
    """At a receive, at a claim, at an outcome: told, and tried again; no job runs twice for it."""
    with refuser_before(shop.environment["AWS_ENDPOINT_URL"]) as refuser:
        shop.environment["AWS_ENDPOINT_URL"] = refuser.endpoint
        behind = timedelta(minutes=10)
        refuser.refuse(Refusal("AmazonSQS.ReceiveMessage", "InvalidSignatureException", EXPIRED, ahead=behind))
        refuser.refuse(Refusal("AmazonSQS.ReceiveMessage", "OverLimit"))
        (job_id,) = shop.enqueue(1, type_="task.wait")
        process = shop.worker("--lane", "high", "-c", "1")
        shop.until(lambda: len(shop.notes("begin")) == 1, "the job to begin")
        refuser.refuse(Refusal("DynamoDB_", "AccessDeniedException", "no policy allows it", times=3))
        shop.let_go()
        shop.until(lambda: shop.record(job_id).state is State.COMPLETED, "its outcome, at the fourth try")
        refuser.refuse(Refusal("AmazonSQS.ReceiveMessage", "UnrecognizedClientException", "invalid token", times=99))

        code, said = ended(process)
    lines = (shop.root / "log.out").read_text()
    assert (code, "UnrecognizedClientException" in said) == (1, True)
    assert (shop.said("worker.receive_failed"), shop.said("worker.receive_recovered")) == (1, 1)
    assert re.search(r"InvalidSignatureException: this machine's clock is (9 min 5\d|10 min \d) s behind AWS's", lines)
    assert (len(shop.notes("begin")), shop.record(job_id).attempts) == (1, 1)


def test_an_endpoint_that_vanishes_is_waited_for_and_said_once(shop: Shop) -> None:
    relay = Relay(shop.environment["AWS_ENDPOINT_URL"])
    shop.environment["AWS_ENDPOINT_URL"] = relay.endpoint
    process = shop.worker("--lane", "high", "--lane", "low", "-c", "4", "--lease", "3s")
    before = shop.enqueue(4)
    shop.until(lambda: shop.are_all(before, State.COMPLETED), "what came before")
    relay.vanish()
    shop.until(lambda: shop.said("worker.receive_failed") == 2, "both lanes to miss it")
    after = shop.enqueue(4)
    relay.come_back()

    shop.until(lambda: shop.are_all(after, State.COMPLETED), "what came meanwhile")
    shop.until(lambda: shop.said("worker.receive_recovered") == 2, "both lanes to be back")
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0
    assert shop.said("worker.receive_failed") == 2
    relay.vanish()


def test_no_credentials_are_complained_about_once(shop: Shop) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del shop.environment[name]
    shop.environment |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(shop.root)}

    code, complaint = ended(shop.worker("--lane", "high", "-p", "2"))

    assert code == 1
    assert complaint.count("no AWS credentials found") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--lane", "hihg"), "unknown lane 'hihg', did you mean 'high'?"),
        (("--lane", "high", "--concurrency", "0"), "must be a whole number from 1 to 1,000,000, got 0"),
        (("--lane", "high", "--concurrency", "-3"), "must be a whole number from 1 to 1,000,000, got -3"),
        ((), "Missing option '--lane'"),
    ],
)
def test_what_can_not_be_meant_is_refused(shop: Shop, words: tuple[str, ...], said: str) -> None:
    code, complaint = ended(shop.worker(*words))

    assert code != 0
    assert said in " ".join(complaint.replace("│", " ").split())


def test_a_stack_that_is_not_there_is_named_at_once(shop: Shop) -> None:
    shop.environment["LANEWORK_STACK"] = "nobody"

    code, complaint = ended(shop.worker("--lane", "high"))

    assert code == 1
    assert "receiving from lane high: it doesn't exist; is LANEWORK_STACK right" in complaint


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
