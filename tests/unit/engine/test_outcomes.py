"""What a job may answer, and what becomes of it."""

from __future__ import annotations

import asyncio
import re
import sys
from contextlib import suppress
from datetime import timedelta
from email.message import Message
from io import BytesIO
from types import SimpleNamespace
from urllib.error import HTTPError

import pytest

from lanework import (
    App,
    Cancel,
    Cancelling,
    Cause,
    ConfigError,
    Discard,
    InvalidOptionError,
    JobFailedError,
    JobNotFoundError,
    Jobs,
    Receipt,
    ResultTimeoutError,
    RetryAfter,
    Run,
    Snooze,
    State,
    Suspended,
    TimedOut,
    TooLargeError,
)
from lanework.engine.execution.attempt import in_order
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.messaging.delivery import Ack, Delivery, Nack
from lanework.model.lanes import Lane
from lanework.model.lifecycle import claim_moves, run_moves
from lanework.model.lifecycle.change import Applied, Refused
from lanework.model.retry.wait import asked_wait
from lanework.testing import NOON, Notes, a_run, app_in_memory, drain
from tests.support.factories import LEASE, a_record
from tests.support.fakes import break_ports, mend_ports
from tests.support.small_world import Greeting, World, put, raises, tickets

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
BAT = Greeting(name="Bat")
TOGETHER = "ExceptionGroup: together (1 sub-exception)\n- OSError: a\n- ValueError: b"


def test_a_snooze_does_not_use_up_an_attempt_and_ends_to_the_second(world: World) -> None:
    world.behave = raises(Snooze(20 * SECOND))
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)

    assert (world.stored().state, world.stored().attempts) == (State.PARKED, 0)
    world.behave = None
    world.clock.advance(19 * SECOND)
    assert drain(world.app) == 0
    world.clock.advance(SECOND)
    drain(world.app)
    assert (world.stored().state, world.stored().attempts) == (State.COMPLETED, 1)


def test_a_long_snooze_leaves_the_queue_and_is_sent_by_the_sweep(world: World) -> None:
    world.behave = raises(Snooze(HOUR))

    assert world.execute(put(world)) == Ack()

    assert world.stored().sweep_at == NOON + HOUR
    world.clock.advance(timedelta(minutes=46))
    assert Sweeper(world.app.ports).tick().sent == 1
    assert world.app.ports.lanes.counts(Lane.HIGH).delayed == 1
    assert world.stored().sweep_at == NOON + 2 * HOUR


def test_a_snoozed_job_whose_next_message_could_not_be_sent_is_sent_by_the_sweep(world: World) -> None:
    body = put(world)
    _, lanes = break_ports(world.app)
    lanes.broken.add("send")
    world.behave = raises(Snooze(20 * SECOND))
    assert world.execute(body) == Ack()
    mend_ports(world.app)
    world.behave = None

    assert Sweeper(world.app.ports).tick().sent == 1
    world.clock.advance(20 * SECOND)
    drain(world.app)
    assert world.stored().state is State.COMPLETED


def test_retry_after_says_when_and_uses_the_attempt(world: World) -> None:
    world.behave = raises(RetryAfter(90 * SECOND))

    assert world.execute(put(world)) == Nack(90 * SECOND)

    assert (world.stored().state, world.stored().attempts) == (State.RETRYING, 1)
    assert world.stored().due_at == NOON + 90 * SECOND


def test_a_long_retry_after_leaves_the_queue(world: World) -> None:
    world.behave = raises(RetryAfter(HOUR))

    assert world.execute(put(world)) == Ack()

    assert (world.stored().state, world.stored().sweep_at) == (State.RETRYING, NOON + HOUR)


def test_retry_after_on_the_last_attempt_is_death(world: World) -> None:
    world.behave = raises(RetryAfter(HOUR))

    assert world.execute(put(world, max_attempts=1)) == Ack()

    assert world.stored().cause is Cause.EXHAUSTED


def test_a_busy_server_is_asked_again_when_it_said_so(world: World) -> None:
    error = OSError("429 Too Many Requests")
    error.response = SimpleNamespace(status_code=429, headers={"Retry-After": "30"})  # type: ignore[attr-defined]
    world.behave = raises(error)

    assert world.execute(put(world)) == Nack(30 * SECOND)


def _urllib_error() -> HTTPError:
    headers = Message()
    headers["Retry-After"] = "30"
    return HTTPError("http://127.0.0.1", 503, "busy", headers, BytesIO())


def _with(**fields: object) -> Exception:
    error = Exception("busy")
    for name, value in fields.items():
        setattr(error, name, value)
    return error


@pytest.mark.parametrize(
    ("error", "wait_s"),
    [
        (_with(response=SimpleNamespace(status_code=503, headers={"retry-after": " 30 "})), 30),
        (_with(status=429, headers={"Retry-After": "Fri, 02 Jan 2026 12:00:30 GMT"}), 30),
        (_urllib_error(), 30),
        (_with(response={"ResponseMetadata": {"HTTPStatusCode": 429, "HTTPHeaders": {"retry-after": "30"}}}), 30),
        (_with(status=429, headers={"Retry-After": "0"}), 1),
        (_with(status=429, headers={"Retry-After": "Fri, 02 Jan 2026 11:00:00 GMT"}), 1),
        (_with(status=500, headers={"Retry-After": "30"}), None),
        (_with(status=429, headers={}), None),
        (_with(status=429, headers={"Retry-After": "soon"}), None),
        (_with(status="429", headers=None), None),
        (_with(response=None), None),
        (ValueError("no"), None),
    ],
)
def test_retry_after_is_read_off_whatever_a_client_library_raises(error: Exception, wait_s: int | None) -> None:
    expected = None if wait_s is None else wait_s * SECOND

    assert expected == asked_wait(error, now=NOON)


def test_discard_is_death_at_once(world: World) -> None:
    world.behave = raises(Discard("the user is gone"))

    assert world.execute(put(world)) == Ack()

    assert (world.stored().state, world.stored().cause) == (State.DEAD, Cause.DISCARDED)
    assert (world.stored().error, len(tickets(world))) == ("the user is gone", 1)


def test_errors_that_are_declared_permanent_are_death_at_once() -> None:
    family = Jobs(queue="cards")

    @family.job("card.charge", discard_on=(LookupError,))
    def charge(_: Greeting) -> None:
        raise KeyError

    app = app_in_memory(App(family))
    charge.enqueue(BAT, job_id="job-1")
    drain(app)

    assert (app.get("job-1").cause, app.get("job-1").attempts) == (Cause.DISCARDED, 1)


@pytest.mark.parametrize(
    ("raised", "ends"),
    [
        ([Discard("no use")], (State.DEAD, Cause.DISCARDED, "no use")),
        ([Snooze(HOUR)], (State.PARKED, None, None)),
        ([Suspended(NOON + HOUR), Suspended(NOON + SECOND)], (State.PARKED, None, None)),
        ([Suspended(NOON + HOUR), ValueError("lost")], (State.RETRYING, None, "ValueError: lost")),
        ([TimedOut(SECOND), ValueError("lost")], (State.RETRYING, None, "TimedOut: took longer than 1 s")),
        ([OSError("a"), ValueError("b")], (State.RETRYING, None, TOGETHER)),
    ],
)
def test_what_is_raised_in_a_task_group_counts_as_if_it_were_alone(
    world: World, raised: list[BaseException], ends: tuple[State, Cause | None, str | None]
) -> None:
    world.behave = raises(BaseExceptionGroup("together", [BaseExceptionGroup("inner", raised)]))
    world.execute(put(world))

    stored = world.stored()
    assert (stored.state, stored.cause, stored.error) == ends


def test_of_several_waits_the_first_to_end_counts(world: World) -> None:
    world.behave = raises(BaseExceptionGroup("together", [Suspended(NOON + HOUR), Suspended(NOON + SECOND)]))
    world.execute(put(world))

    assert world.stored().due_at == NOON + SECOND


def test_cancel_ends_the_job_as_cancelled_without_a_ticket(world: World) -> None:
    world.behave = raises(Cancel("no longer wanted"))

    assert world.execute(put(world)) == Ack()

    assert (world.stored().state, tickets(world)) == (State.CANCELLED, [])
    assert (world.stored().error, world.stored().error_type) == ("no longer wanted", "Cancel")


@pytest.mark.parametrize("wait", [timedelta(0), -SECOND, timedelta(days=400)])
def test_a_wait_that_makes_no_sense_is_refused(wait: timedelta) -> None:
    with pytest.raises(InvalidOptionError, match="needs a wait above zero"):
        Snooze(wait)
    with pytest.raises(InvalidOptionError, match="needs a wait above zero"):
        RetryAfter(wait)


def test_a_job_that_is_over_time_has_used_an_attempt_and_is_tried_again(world: World) -> None:
    world.behave = raises(TimedOut(SECOND))

    assert world.execute(put(world)) == Nack(2 * SECOND)

    assert (world.stored().state, world.stored().error) == (State.RETRYING, "TimedOut: took longer than 1 s")


def test_an_async_job_is_stopped_when_its_time_is_over() -> None:
    family = Jobs(queue="async")

    @family.job("async.forever", timeout=timedelta(milliseconds=120), attempts=1)
    async def forever(_: Greeting) -> None:
        with suppress(Exception):  # as a careless job does
            await asyncio.Event().wait()

    app = app_in_memory(App(family))
    forever.enqueue(BAT, job_id="job-1")
    drain(app)

    assert (app.get("job-1").state, app.get("job-1").error) == (State.DEAD, "TimedOut: took longer than 0.12 s")


def test_an_async_job_that_awaits_a_cancelled_task_fails_alone() -> None:
    family = Jobs(queue="slow", attempts=1)

    @family.job("slow.awaits")
    async def awaits(_: Greeting) -> None:
        inner = asyncio.ensure_future(asyncio.sleep(0))
        inner.cancel()
        await inner

    app = app_in_memory(App(family))
    awaits.enqueue(BAT, job_id="job-1")
    drain(app)

    assert (app.get("job-1").state, app.get("job-1").error) == (
        State.DEAD,
        "RuntimeError: it awaited a task that was cancelled",
    )


def test_a_job_that_exits_fails_alone() -> None:
    family = Jobs(queue="commands", attempts=1)

    @family.job("command.sync")
    def exits(_: Greeting) -> None:
        sys.exit(3)

    @family.job("command.async")
    async def exits_in_a_loop(_: Greeting) -> None:
        sys.exit("no such file")

    app = app_in_memory(App(family))
    exits.enqueue(BAT, job_id="sync")
    exits_in_a_loop.enqueue(BAT, job_id="async")
    drain(app)

    assert {one: (app.get(one).state, app.get(one).error) for one in ("sync", "async")} == {
        "sync": (State.DEAD, "RuntimeError: it called sys.exit(3)"),
        "async": (State.DEAD, "RuntimeError: it called sys.exit('no such file')"),
    }


def test_an_async_jobs_own_timeouts_are_its_own() -> None:
    family = Jobs(queue="async")

    @family.job("async.own", attempts=1)
    async def own(_: Greeting) -> None:
        raise TimeoutError

    app = app_in_memory(App(family))
    own.enqueue(BAT, job_id="job-1")
    drain(app)

    assert app.get("job-1").error == "TimeoutError: "


def test_a_timeout_above_the_lanes_is_refused_and_a_lane_that_fits_is_named() -> None:
    family = Jobs(queue="slow", timeout=timedelta(minutes=10))

    with pytest.raises(
        InvalidOptionError,
        match=r"in lane critical must be above zero and at most 25 s, got 600 s; it would fit in lane low",
    ):
        family.job("slow.job", lane="critical")
    with pytest.raises(InvalidOptionError, match=r"at most 25 s, got 895 s; it would fit in lane low"):
        Jobs(queue="short").job("slow.job", lane="high", timeout=timedelta(seconds=895))
    with pytest.raises(InvalidOptionError, match=r"got 0 s$"):
        family.job("slow.job", lane="low", timeout=timedelta(0))
    assert family.job("slow.job", lane="low") is not None


def test_a_job_that_does_not_fit_into_what_is_left_of_its_invocation_is_given_back_unclaimed(world: World) -> None:
    body = put(world, timeout=10 * SECOND)

    def deliver(time_left_s: int, *, is_first: bool) -> object:
        delivery = Delivery(body=body, lane=Lane.HIGH, time_left=time_left_s * SECOND, is_first=is_first)
        return world.app.runtime.executor(in_order).execute(delivery)

    assert deliver(11, is_first=False) == Nack(timedelta(0))
    assert (world.stored().attempts, world.greeted) == (0, [])
    assert deliver(12, is_first=False) == Ack()


def test_a_first_job_runs_even_if_its_function_was_given_less_time_than_its_lane_has(world: World) -> None:
    body = put(world)
    delivery = Delivery(body=body, lane=Lane.HIGH, time_left=6 * SECOND, is_first=True)
    seen: list[object] = []
    world.behave = lambda run: seen.append(run.deadline)

    assert world.app.runtime.executor(in_order).execute(delivery) == Ack()
    assert seen == [NOON + 4 * SECOND]


def test_a_step_is_done_once_and_its_result_survives_the_retry(world: World) -> None:
    charged: list[str] = []

    def charge() -> dict[str, object]:
        charged.append("card")
        return {"id": len(charged)}

    def pay(run: Run) -> object:
        receipt = run.once("charge", charge)
        if run.attempt == 1:
            raise OSError
        return receipt

    world.behave = pay
    body = put(world)
    world.execute(body)
    world.clock.advance(2 * SECOND)
    world.execute(body)

    assert (charged, world.stored().result) == (["card"], '{"id":1}')


def test_a_step_whose_result_can_not_be_kept_says_which_and_why() -> None:
    with pytest.raises(InvalidOptionError, match=r"step 'charge' was done, but .* not JSON: Unable to serialize"):
        a_run().once("charge", object)
    with pytest.raises(TooLargeError, match=r"what step 'load' returned is 262,145 bytes, over the limit of 262,144"):
        a_run().once("load", lambda: "x" * (256 * 1024 - 1))


def test_a_step_in_a_unit_test_may_be_done_before() -> None:
    assert a_run(notes=Notes(steps={"charge": "7"})).once("charge", lambda: 8) == 7
    with pytest.raises(InvalidOptionError, match="step 'a b' can't be used"):
        a_run().once("a b", lambda: 1)


def test_what_a_job_logs_is_kept_with_it_over_its_attempts(world: World) -> None:
    def talk(run: Run) -> None:
        run.log(f"attempt {run.attempt}")
        if run.attempt == 1:
            raise OSError

    world.behave = talk
    body = put(world)
    world.execute(body)
    world.clock.advance(2 * SECOND)
    world.execute(body)

    assert ("2026-01-02T12:00:00.000Z attempt 1", "2026-01-02T12:00:02.000Z attempt 2") == (
        world.app.ports.ledger.log_of("job-1")
    )


def test_where_the_last_attempt_went_wrong_is_in_the_jobs_log_without_any_value(world: World) -> None:
    def open_mailbox(address: str) -> None:
        raise LookupError(address)

    world.behave = lambda _: open_mailbox("bat@example.com")
    world.execute(put(world, max_attempts=1))

    (line,) = world.app.ports.ledger.log_of("job-1")
    assert line.startswith("2026-01-02T12:00:00.000Z LookupError at\n")
    assert re.search(r"test_outcomes\.py:\d+ in open_mailbox: raise LookupError\(address\)$", line)
    assert "lanework/engine" not in line


def test_the_last_hundred_lines_and_sixteen_kilobytes_are_kept(world: World) -> None:
    world.behave = lambda run: [run.log(f"{number}") for number in range(150)] and None
    world.execute(put(world))
    world.behave = lambda run: [run.log("x" * 5000) for _ in range(10)] and None
    world.execute(put(world, job_id="job-2"))

    assert len(world.app.ports.ledger.log_of("job-1")) == 100
    assert world.app.ports.ledger.log_of("job-1")[-1].endswith(" 149")
    assert len(world.app.ports.ledger.log_of("job-2")) == 3


def test_the_limit_is_one_for_all_attempts_together(world: World) -> None:
    def talk(run: Run) -> None:
        for number in range(80):
            run.log(f"{run.attempt}:{number}")
        raise OSError

    world.behave = talk
    body = put(world)
    world.execute(body)
    world.clock.advance(2 * SECOND)
    world.execute(body)

    lines = world.app.inspector.log("job-1")
    assert (len(lines), lines[0].split()[-1], lines[-1].split()[-1]) == (100, "1:60", "2:79")


@pytest.mark.parametrize(
    "facts",
    [{}, {"due_at": NOON + HOUR}, {"state": State.PARKED, "sweep_at": NOON + HOUR}, {"state": State.RETRYING}],
)
def test_a_job_that_waits_is_cancelled_at_once_and_never_runs(world: World, facts: dict[str, object]) -> None:
    body = put(world, **facts)

    assert world.app.cancel("job-1") is Cancelling.CANCELLED

    world.clock.advance(2 * HOUR)
    assert world.execute(body) == Ack()
    assert (world.stored().state, world.greeted) == (State.CANCELLED, [])
    assert world.app.cancel("job-1") is Cancelling.CANCELLED


def test_a_running_job_is_asked_and_ends_cancelled_unless_it_completes(world: World) -> None:
    asked: list[object] = []

    def listen(run: Run) -> None:
        asked.extend([run.cancelled, world.app.cancel(run.job_id), run.cancelled])
        world.clock.advance(SECOND)
        asked.append(run.cancelled)
        raise OSError

    world.behave = listen

    assert world.execute(put(world)) == Ack()
    assert asked == [False, Cancelling.ASKED, False, True], "it looks once a second"
    assert world.stored().state is State.CANCELLED


def test_a_completion_beats_the_cancel_that_came_while_it_ran(world: World) -> None:
    world.behave = lambda run: world.app.cancel(run.job_id) and "done"

    world.execute(put(world))

    assert world.stored().state is State.COMPLETED


def test_a_run_that_was_abandoned_is_cancelled_by_whoever_asks_and_its_late_end_changes_nothing(world: World) -> None:
    body = put(world)

    def outlive(run: Run) -> str:
        world.clock.advance(LEASE + SECOND)
        assert world.app.cancel(run.job_id) is Cancelling.CANCELLED
        return "late"

    world.behave = outlive

    assert world.execute(body) == Nack()
    assert (world.stored().state, world.stored().result) == (State.CANCELLED, None)


def test_what_has_ended_cannot_be_cancelled(world: World) -> None:
    world.execute(put(world))

    assert world.app.cancel("job-1") is Cancelling.TOO_LATE
    with pytest.raises(JobNotFoundError):
        world.app.cancel("nobody")


def test_a_receipt_waits_for_the_result_and_gives_it_its_type() -> None:
    family = Jobs(queue="numbers")

    @family.job("number.double")
    def double(greeting: Greeting) -> tuple[str, int]:
        return greeting.name, 2

    app = app_in_memory(App(family))
    receipt = double.enqueue(BAT)
    drain(app)

    assert receipt.result(timeout=SECOND) == ("Bat", 2)


def test_a_job_that_died_has_no_result_to_give(world: World) -> None:
    world.behave = raises(Discard("gone"))
    receipt = world.greet.enqueue(BAT)
    drain(world.app)

    with pytest.raises(JobFailedError, match=f"job '{receipt.job_id}' is dead: gone"):
        receipt.result(timeout=SECOND)


def test_a_caller_that_waits_too_long_is_told_where_the_job_stands(world: World) -> None:
    receipt = world.greet.enqueue(BAT, job_id="job-1")

    with pytest.raises(ResultTimeoutError, match="job 'job-1' is still queued after 0 s"):
        receipt.result(timeout=timedelta(0))


def test_a_receipt_that_was_made_by_hand_says_whom_to_ask() -> None:
    with pytest.raises(ConfigError, match=r"app.result\('x', timeout=…\)"):
        Receipt(job_id="x").result(timeout=SECOND)


def test_an_end_that_somebody_else_wrote_is_not_taken_for_ones_own(world: World) -> None:
    """Whoever buries an abandoned run leaves its claim id in place."""
    world.app.ports.ledger.put(a_record(max_attempts=1))
    claim = claim_moves.claim(life=1, claim_id="slow", now=NOON, lease=LEASE)
    run = world.app.ports.ledger.change("job-1", claim).record
    assert run is not None
    late = run_moves.complete(claim_id="slow", now=NOON + HOUR, result="1", result_omitted=None, expires_at=NOON + HOUR)
    end_with_ticket = run_moves.cancel_abandoned(run, now=NOON + LEASE, expires_at=NOON + HOUR)
    world.app.ports.ledger.change("job-1", end_with_ticket)

    refused = world.app.ports.ledger.change("job-1", late)

    assert isinstance(refused, Refused)
    assert isinstance(world.app.ports.ledger.change("job-1", end_with_ticket), Applied), (
        "the same write, whose answer was lost"
    )
