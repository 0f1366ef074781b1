"""Waits and signals between a job's steps: no attempt is used, nothing is held, and no signal is lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lanework import (
    App,
    InvalidOptionError,
    JobEndedError,
    JobNotFoundError,
    Jobs,
    Run,
    Signalling,
    SignalTimeoutError,
    SignalTooLateError,
    State,
    Suspended,
    TooLargeError,
    UnavailableError,
)
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.messaging.delivery import Ack
from lanework.engine.queries.job_view import as_json
from lanework.errors import ContendedError
from lanework.model.lanes import Lane
from lanework.testing import NOON, Notes, a_run, app_in_memory, drain, sweep
from tests.support.fakes import break_ports, mend_ports
from tests.support.small_world import Greeting, World, put

if TYPE_CHECKING:
    from lanework.model.lifecycle.change import Answer, Change, StepExists

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
BAT = Greeting(name="Bat")


def steps(world: World, *, wait: timedelta = HOUR) -> list[str]:
    """Let the job do a step, wait, and do another; return what it did."""
    done: list[str] = []

    def behave(run: Run) -> str:
        run.once("first", lambda: done.append("first"))
        run.wait(wait)
        run.once("second", lambda: done.append("second"))
        return "done"

    world.behave = behave
    return done


def asks(world: World, *, timeout: timedelta = HOUR) -> list[object]:
    """Let the job wait for a signal; return what it got."""
    got: list[object] = []

    def behave(run: Run) -> object:
        got.append(run.wait_for("approved", timeout=timeout))
        return got[-1]

    world.behave = behave
    return got


# --- waits


def test_a_wait_ends_the_attempt_and_the_job_goes_on_after_it_without_one_used(world: World) -> None:
    done = steps(world, wait=20 * SECOND)
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)

    waiting = world.stored()
    assert (waiting.state, waiting.attempts, waiting.due_at) == (State.PARKED, 0, NOON + 20 * SECOND)
    world.clock.advance(19 * SECOND)
    assert drain(world.app) == 0
    world.clock.advance(SECOND)
    drain(world.app)

    assert (world.stored().state, world.stored().attempts, done) == (State.COMPLETED, 1, ["first", "second"])


def test_a_long_wait_leaves_the_queue_and_outlasts_failed_attempts(world: World) -> None:
    done = steps(world)
    assert world.execute(put(world)) == Ack()
    assert world.stored().sweep_at == NOON + HOUR

    world.clock.advance(HOUR)
    assert sweep(world.app) == 1
    drain(world.app)

    assert (world.stored().state, done) == (State.COMPLETED, ["first", "second"])


def test_a_crash_between_a_waits_record_and_its_park_waits_for_what_is_left(world: World) -> None:
    steps(world)
    body = put(world)
    ledger, _ = break_ports(world.app)
    ledger.broken.add("change")
    world.app.ports.ledger.keep_first("job-1", "wait/#1", (NOON + HOUR).isoformat())
    mend_ports(world.app)
    world.clock.advance(20 * 60 * SECOND)

    world.execute(body)

    assert world.stored().due_at == NOON + HOUR


def test_a_wait_that_is_named_like_the_number_of_another_is_its_own(world: World) -> None:
    def behave(run: Run) -> None:
        run.wait(SECOND)
        run.wait(HOUR, name="1")

    world.behave = behave
    world.greet.enqueue(BAT, job_id="job-1")
    for _ in range(2):
        drain(world.app)
        world.clock.advance(2 * SECOND)

    assert world.stored().due_at == NOON + 2 * SECOND + HOUR


def test_waits_have_numbers_or_names_and_each_is_passed_over_once_it_is_over(world: World) -> None:
    seen: list[int] = []

    def behave(run: Run) -> None:
        seen.append(run.attempt)
        run.wait(SECOND)
        run.wait(SECOND)
        run.wait(SECOND, name="last")

    world.behave = behave
    world.greet.enqueue(BAT, job_id="job-1")
    for _ in range(4):
        drain(world.app)
        world.clock.advance(2 * SECOND)

    assert (world.stored().state, seen) == (State.COMPLETED, [1, 1, 1, 1])


def test_a_jobs_own_except_does_not_swallow_a_wait(world: World) -> None:
    def behave(run: Run) -> str:
        try:
            run.wait(HOUR)
        except Exception:  # noqa: BLE001 - it is what people write
            return "went on at once"
        return "waited"

    world.behave = behave
    world.execute(put(world))

    assert world.stored().state is State.PARKED


def test_a_waiting_job_can_be_cancelled(world: World) -> None:
    steps(world)
    world.execute(put(world))

    world.app.cancel("job-1")
    world.clock.advance(HOUR)
    drain(world.app)

    assert world.stored().state is State.CANCELLED


@pytest.mark.parametrize("wait", [timedelta(0), -SECOND, timedelta(days=61)])
def test_a_wait_that_can_not_be_kept_is_refused(wait: timedelta) -> None:
    with pytest.raises(InvalidOptionError, match="at most 60 days"):
        a_run().wait(wait)
    with pytest.raises(InvalidOptionError, match="at most 60 days"):
        a_run().wait_for("approved", timeout=wait)


def test_a_name_that_can_not_be_used_is_refused() -> None:
    with pytest.raises(InvalidOptionError, match="wait 'a/b' can't be used"):
        a_run().wait(HOUR, name="a/b")
    with pytest.raises(InvalidOptionError, match="signal '' can't be used"):
        a_run().wait_for("", timeout=HOUR)


def test_a_wait_costs_a_write_for_its_step_on_each_pass(world: World) -> None:
    steps(world)
    body = put(world)
    ledger, _ = break_ports(world.app)

    world.execute(body)
    assert ledger.calls == ["change", "step", "keep_step", "keep_first", "change"]

    ledger.calls.clear()
    world.clock.advance(HOUR)
    world.execute(body)
    assert ledger.calls == ["change", "step", "keep_first", "step", "keep_step", "change"]


def test_a_signal_costs_a_read_once_it_has_come(world: World) -> None:
    asks(world)
    body = put(world)
    ledger, _ = break_ports(world.app)

    world.execute(body)
    assert ledger.calls == ["change", "step", "keep_first", "change"]

    world.app.signal("job-1", "approved", 1)
    ledger.calls.clear()
    world.execute(body)
    assert ledger.calls == ["change", "step", "change"]


# --- signals


def test_a_job_that_waits_for_a_signal_goes_on_at_once_when_it_comes(world: World) -> None:
    got = asks(world)
    world.execute(put(world))
    waiting = world.stored()
    assert (waiting.state, waiting.attempts, as_json(waiting)["waitsFor"]) == (State.PARKED, 0, "signal:approved")

    assert world.app.signal("job-1", "approved", {"by": "bat"}) is Signalling.KEPT
    drain(world.app)

    assert (world.stored().state, world.stored().attempts, got) == (State.COMPLETED, 1, [{"by": "bat"}])
    assert as_json(world.stored())["waitsFor"] is None
    assert "job.signalled" in world.events.actions


def test_a_signal_that_comes_before_its_wait_is_kept(world: World) -> None:
    got = asks(world)
    world.greet.enqueue(BAT, job_id="job-1")

    world.app.signal("job-1", "approved", 42)
    drain(world.app)

    assert (world.stored().state, got) == (State.COMPLETED, [42])


def test_a_signal_outlasts_failed_attempts_and_a_redrive(world: World) -> None:
    got = asks(world)
    asking: Any = world.behave

    def behave(run: Run) -> None:
        asking(run)
        raise OSError

    world.behave = behave
    world.greet.enqueue(BAT, job_id="job-1", attempts=1)
    world.app.signal("job-1", "approved", "yes")
    drain(world.app)
    world.app.dead_letters.redrive_job(world.stored().job_id)
    drain(world.app)

    assert got == ["yes", "yes"]


def test_a_signal_without_payload_is_none(world: World) -> None:
    got = asks(world)
    world.execute(put(world))

    world.app.signal("job-1", "approved")
    drain(world.app)

    assert got == [None]


def test_the_first_signal_of_a_name_counts(world: World) -> None:
    got = asks(world)
    world.greet.enqueue(BAT, job_id="job-1")

    said = [world.app.signal("job-1", "approved", number) for number in (1, 2)]
    drain(world.app)

    assert (said, got) == ([Signalling.KEPT, Signalling.REPEATED], [1])


def test_a_signal_of_another_name_leaves_the_job_where_it_is(world: World) -> None:
    asks(world)
    world.execute(put(world))

    world.app.signal("job-1", "rejected")
    drain(world.app)

    assert (world.stored().state, world.stored().due_at) == (State.PARKED, NOON + HOUR)


@pytest.mark.parametrize("moment", ["after the ledger was asked", "before the park", "after the park"])
def test_a_signal_that_races_with_the_park_is_not_lost(world: World, moment: str) -> None:
    got = asks(world)
    world.greet.enqueue(BAT, job_id="job-1")
    racing = Racing(world, moment)
    world.app.use(replace(world.app.ports, ledger=racing))

    drain(world.app)

    assert racing.is_sent
    assert (world.stored().state, world.stored().attempts, got) == (State.COMPLETED, 1, ["came"])


class Racing:
    """A ledger before whose calls somebody else sends the signal."""

    def __init__(self, world: World, moment: str) -> None:
        self._world, self._ledger, self._moment = world, world.app.ports.ledger, moment
        self.is_sent = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def step(self, job_id: str, name: str) -> str | None:
        found = self._ledger.step(job_id, name)
        if self._moment == "after the ledger was asked":
            self._send()
        return found

    def change(self, job_id: str, change: Change) -> Answer:
        if change.name == "wait_for_signal" and self._moment == "before the park":
            self._send()
        answer = self._ledger.change(job_id, change)
        if change.name == "wait_for_signal" and self._moment == "after the park":
            self._send()
        return answer

    def _send(self) -> None:
        if not self.is_sent:
            self.is_sent = True
            self._world.app.signal("job-1", "approved", "came")


def test_a_signal_whose_job_changes_meanwhile_is_tried_again(world: World) -> None:
    got = asks(world)
    body = put(world)
    ledger = world.app.ports.ledger

    class Changing:
        def __getattr__(self, name: str) -> Any:
            return getattr(ledger, name)

        def change_and_keep(self, job_id: str, change: Change, *, step: str, text: str) -> Answer | StepExists:
            if world.stored().state is State.QUEUED:
                world.execute(body)  # claims the job, and parks it
            return ledger.change_and_keep(job_id, change, step=step, text=text)

    world.app.use(replace(world.app.ports, ledger=Changing()))
    world.app.signal("job-1", "approved", "yes")
    drain(world.app)

    assert (world.stored().state, got[-1]) == (State.COMPLETED, "yes")


def test_a_signal_that_meets_another_write_is_tried_again(world: World) -> None:
    got = asks(world)
    world.execute(put(world))
    ledger, meetings = world.app.ports.ledger, iter(range(3))

    class Meeting:
        def __getattr__(self, name: str) -> Any:
            return getattr(ledger, name)

        def change_and_keep(self, job_id: str, change: Change, *, step: str, text: str) -> Answer | StepExists:
            if next(meetings, None) is not None:
                raise ContendedError(job_id)
            return ledger.change_and_keep(job_id, change, step=step, text=text)

    world.app.use(replace(world.app.ports, ledger=Meeting()))
    world.app.signal("job-1", "approved", "yes")
    drain(world.app)

    assert got == ["yes"]


def test_a_signal_reaches_the_job_by_the_sweep_where_sqs_does_not_answer(world: World) -> None:
    got = asks(world)
    world.execute(put(world))
    _, lanes = break_ports(world.app)
    lanes.broken.add("send")

    world.app.signal("job-1", "approved", 1)
    mend_ports(world.app)
    Sweeper(world.app.ports).tick()
    drain(world.app)

    assert got == [1]


def test_a_signal_that_could_not_be_kept_says_so_and_can_be_repeated(world: World) -> None:
    got = asks(world)
    world.execute(put(world))
    ledger, _ = break_ports(world.app)
    ledger.mute.add("change_and_keep")
    with pytest.raises(UnavailableError):
        world.app.signal("job-1", "approved", 1)
    mend_ports(world.app)

    assert world.app.signal("job-1", "approved", 1) is Signalling.REPEATED
    Sweeper(world.app.ports).tick()
    drain(world.app)

    assert got == [1]


def test_a_signal_for_a_paused_job_waits_with_it(world: World) -> None:
    got = asks(world, timeout=10 * SECOND)
    world.execute(put(world))
    world.app.pause(queue="email")
    world.clock.advance(4 * SECOND)
    world.app.signal("job-1", "approved", 1)
    drain(world.app)
    assert (world.stored().state, got) == (State.PARKED, [])

    world.app.resume(queue="email")
    world.clock.advance(4 * SECOND)
    Sweeper(world.app.ports).tick()
    drain(world.app)

    assert got == [1]


# --- timeouts


def test_a_signal_that_does_not_come_in_time_raises_and_the_job_may_go_on(world: World) -> None:
    def behave(run: Run) -> str:
        try:
            run.wait_for("approved", timeout=20 * SECOND)
        except SignalTimeoutError as error:
            return str(error)
        return "approved"

    world.behave = behave
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)
    world.clock.advance(20 * SECOND)
    drain(world.app)

    assert world.stored().result == '''"job 'job-1' waited for 'approved', which didn't come in time"'''


def test_a_signal_after_the_timeout_is_refused_and_later_attempts_learn_the_same(world: World) -> None:
    said: list[str] = []

    def behave(run: Run) -> None:
        try:
            run.wait_for("approved", timeout=20 * SECOND)
        except SignalTimeoutError:
            said.append("too late")
            raise OSError from None

    world.behave = behave
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)
    world.clock.advance(20 * SECOND)
    drain(world.app)

    with pytest.raises(SignalTooLateError, match="no longer waits for 'approved': its wait has timed out"):
        world.app.signal("job-1", "approved")
    world.clock.advance(HOUR)
    drain(world.app)
    assert said[:2] == ["too late", "too late"]


def test_a_signal_in_the_last_moment_wins_over_the_timeout(world: World) -> None:
    got = asks(world, timeout=20 * SECOND)
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)
    world.clock.advance(20 * SECOND)

    world.app.signal("job-1", "approved", "just in time")
    drain(world.app)

    assert got == ["just in time"]


# --- what can't be signalled


def test_a_signal_to_a_job_that_ended_says_how_it_ended(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)

    with pytest.raises(JobEndedError, match="job 'job-1' is completed and takes no signal"):
        world.app.signal("job-1", "approved")
    with pytest.raises(JobNotFoundError):
        world.app.signal("job-2", "approved")


def test_a_signal_that_is_no_json_or_too_large_is_refused(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1")

    with pytest.raises(InvalidOptionError, match="not JSON"):
        world.app.signal("job-1", "approved", object())
    with pytest.raises(TooLargeError):
        world.app.signal("job-1", "approved", "x" * 70_000)


# --- async jobs, and tests of jobs


def test_an_async_job_waits_and_is_signalled_alike(world: World) -> None:
    family = Jobs(queue="orders")
    told: list[object] = []

    @family.job("order.approve")
    async def approve(_: Greeting, run: Run) -> object:
        async def reserve() -> int:
            await asyncio.sleep(0)
            told.append("reserved")
            return 7

        number = await run.once_async("reserve", reserve)
        await run.wait_async(SECOND)
        told.append(await run.wait_for_async("approved", timeout=HOUR))
        return number

    app = app_in_memory(App(family), world.clock)
    approve.enqueue(BAT, job_id="order-1")
    drain(app)
    world.clock.advance(2 * SECOND)
    drain(app)
    assert app.get("order-1").awaits == "approved"
    app.signal("order-1", "approved", "yes")
    drain(app, Lane.MEDIUM)

    assert (app.get("order-1").state, app.get("order-1").result, told) == (State.COMPLETED, "7", ["reserved", "yes"])


def test_a_wait_inside_a_task_group_ends_the_attempt_like_any_other(world: World) -> None:
    family = Jobs(queue="orders", attempts=1)

    @family.job("order.approve")
    async def approve(_: Greeting, run: Run) -> list[object]:
        async with asyncio.TaskGroup() as both:
            asked = [both.create_task(run.wait_for_async(name, timeout=HOUR)) for name in ("approved", "paid")]
        return [one.result() for one in asked]

    app = app_in_memory(App(family), world.clock)
    approve.enqueue(BAT, job_id="order-1")
    for name in ("paid", "approved"):
        drain(app)
        assert app.get("order-1").state is State.PARKED
        app.signal("order-1", name, name)
    world.clock.advance(HOUR)
    sweep(app)
    drain(app)

    assert (app.get("order-1").state, app.get("order-1").result) == (State.COMPLETED, '["approved","paid"]')


def test_in_a_unit_test_no_wait_takes_time_and_signals_are_said_beforehand() -> None:
    notes = Notes(signals={"approved": {"by": "bat"}})
    run = a_run(notes=notes)

    run.wait(HOUR)
    assert run.wait_for("approved", timeout=2 * HOUR) == {"by": "bat"}
    assert notes.waits == [HOUR]
    with pytest.raises(SignalTimeoutError):
        run.wait_for("paid", timeout=HOUR)


def test_what_ends_an_attempt_is_no_ordinary_exception() -> None:
    assert not issubclass(Suspended, Exception)
