"""How many at once and how fast: jobs that may not start wait without an attempt, and none waits for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from lanework import (
    TENANT,
    App,
    Concurrency,
    DeclarationError,
    InvalidOptionError,
    Job,
    JobRecord,
    Jobs,
    Rate,
    RetryAfter,
    Run,
    State,
)
from lanework.engine.execution.attempt import Attempt, in_order
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.messaging.delivery import Delivery, Report
from lanework.errors import UnavailableError
from lanework.memory import MemoryLanes
from lanework.model.lanes import LANES, Lane
from lanework.testing import NOON, Clock, EventList, app_in_memory, drain
from tests.support.fakes import break_limits, break_ports

if TYPE_CHECKING:
    from lanework.model.lifecycle.change import Answer, Change

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


class Charge(BaseModel):
    user: str = "bat"


@dataclass(slots=True)
class Shop:
    """
    An application whose jobs are counted while they run.

    Attributes:
        charge: Its job type.
        meanwhile: Called while a job's code runs, with its run.
        starts: When each job's code began, and which.
        most: How many of them ran at once, at most.
    """

    app: App
    clock: Clock
    events: EventList
    charge: Job[Charge, [Run], None, None]
    meanwhile: Callable[[Run], object] = lambda _: None
    starts: list[tuple[datetime, str]] = field(default_factory=list)
    running: int = 0
    most: int = 0

    def enqueue(self, count: int, *, user: str = "bat", tenant: str | None = None) -> list[str]:
        ids = [f"{user}-{number}" for number in range(count)]
        for job_id in ids:
            self.charge.enqueue(Charge(user=user), job_id=job_id, tenant=tenant)
            self.clock.advance(timedelta(milliseconds=1))
        return ids

    def stored(self, job_id: str) -> JobRecord:
        return self.app.get(job_id)

    def finished(self) -> list[str]:
        return [job_id for _, job_id in self.starts if self.stored(job_id).state is State.COMPLETED]

    def deliver(self, *, drive: Callable[[Attempt], None] = in_order) -> Report | None:
        """Hand one message to a worker; the report is left to the caller."""
        message = self.lanes.receive(Lane.HIGH)
        if message is None:
            return None
        return self.app.runtime.executor(drive).execute(
            Delivery(body=message.body, lane=Lane.HIGH, time_left=LANES[Lane.HIGH].timeout)
        )

    @property
    def lanes(self) -> MemoryLanes:
        lanes: Any = self.app.ports.lanes
        found: MemoryLanes = getattr(lanes, "port", lanes)
        return found

    def code(self, run: Run) -> None:
        self.starts.append((self.clock(), run.job_id))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            self.meanwhile(run)
        finally:
            self.running -= 1

    def run_until_done(self, *, step: timedelta = SECOND, most: timedelta = timedelta(hours=1)) -> None:
        """Let time pass, with a tick each minute, until every job has ended."""
        end, next_tick = self.clock() + most, self.clock()
        while self.clock() < end:
            drain(self.app)
            if self.clock() >= next_tick:
                Sweeper(self.app.ports).tick()
                next_tick += MINUTE
            if all(self.stored(job_id).ended_at for job_id in self._ids()):
                return
            self.clock.advance(step)
        raise AssertionError([self.stored(job_id) for job_id in self._ids() if not self.stored(job_id).ended_at])

    def _ids(self) -> list[str]:
        return list(self.app.ports.ledger.records)  # type: ignore[attr-defined]


def a_shop(
    *,
    family: Concurrency | int | None = None,
    concurrency: Concurrency | int | None = None,
    rate: Rate | None = None,
) -> Shop:
    payments = Jobs(queue="payments", lane="high", attempts=3, concurrency=family)
    shop: Shop

    @payments.job("payment.charge", concurrency=concurrency, rate=rate)
    def charge(_: Charge, run: Run) -> None:
        shop.code(run)

    clock, events = Clock(), EventList()
    shop = Shop(app=app_in_memory(App(payments), clock, events=events), clock=clock, events=events, charge=charge)
    return shop


def crash_after_claim(attempt: Attempt) -> None:
    assert attempt.claim()
    attempt.begin()


# --- how many at once


def test_a_job_whose_start_is_a_moment_away_waits_for_it_in_its_worker() -> None:
    """To send it back would take a delivery, two writes and two calls."""
    shop = a_shop(rate=Rate(1000, per=SECOND))
    ids = shop.enqueue(3)

    for _ in ids:
        shop.deliver()

    assert shop.finished() == ids
    assert [shop.stored(job_id).attempts for job_id in ids] == [1, 1, 1]


def test_under_a_limit_of_one_jobs_run_one_after_the_other_whoever_else_takes_their_messages() -> None:
    shop = a_shop(concurrency=1)
    ids = shop.enqueue(5)
    shop.meanwhile = lambda _: shop.deliver()

    shop.run_until_done()

    assert (shop.most, sorted(shop.finished())) == (1, sorted(ids))
    assert {shop.stored(one).attempts for one in ids} == {1}


def test_a_job_that_must_wait_is_parked_under_its_limit_as_if_it_had_never_been_claimed() -> None:
    shop = a_shop(concurrency=1)
    shop.enqueue(2)
    seen: list[JobRecord] = []

    def look(_: Run) -> None:
        shop.deliver()
        seen.append(shop.stored("bat-1"))

    shop.meanwhile = look

    drain(shop.app)

    waiting = seen[0]
    assert (waiting.state, waiting.attempts, waiting.first_started_at) == (State.PARKED, 0, None)
    assert waiting.held_by == "concurrency:type:payment.charge"
    assert shop.events.actions.count("job.started") == 2
    parked = next(one for one in shop.events.events if one.action == "job.parked")
    assert parked.reason == "concurrency:type:payment.charge"


def test_the_end_of_a_job_wakes_the_one_that_waits_longest() -> None:
    shop = a_shop(concurrency=1)
    shop.enqueue(4)
    shop.meanwhile = lambda run: [shop.deliver() for _ in range(3 if run.job_id == "bat-0" else 0)]

    drain(shop.app)

    assert [job_id for _, job_id in shop.starts] == ["bat-0", "bat-1", "bat-2", "bat-3"]


def test_a_woken_jobs_slot_is_kept_for_it_against_a_job_that_comes_later() -> None:
    shop = a_shop(concurrency=1)
    shop.enqueue(2)
    shop.meanwhile = lambda run: run.job_id == "bat-0" and shop.deliver()
    shop.deliver()  # bat-1 had to wait, was woken by bat-0's end, and its message is on its way
    late = shop.charge.enqueue(Charge(user="late"), job_id="late")
    shop.lanes.queues[Lane.HIGH].messages.reverse()

    shop.deliver()

    assert shop.stored(late.job_id).held_by == "concurrency:type:payment.charge"
    drain(shop.app)
    assert [job_id for _, job_id in shop.starts] == ["bat-0", "bat-1", "late"]


def test_what_a_crashed_run_held_comes_back_when_its_lease_is_over() -> None:
    shop = a_shop(concurrency=1)
    shop.enqueue(2)
    shop.deliver(drive=crash_after_claim)
    shop.deliver()
    assert shop.stored("bat-1").held_by is not None

    lease = LANES[Lane.HIGH].timeout + 5 * SECOND
    shop.clock.advance(lease - SECOND)
    assert Sweeper(shop.app.ports).tick().woken == 0
    shop.clock.advance(2 * MINUTE)

    assert Sweeper(shop.app.ports).tick().woken == 1
    drain(shop.app)
    assert shop.stored("bat-1").state is State.COMPLETED


def test_a_job_that_comes_when_a_crashed_runs_lease_is_over_takes_its_slot() -> None:
    shop = a_shop(concurrency=1)
    shop.enqueue(2)
    shop.deliver(drive=crash_after_claim)
    shop.clock.advance(MINUTE)
    shop.lanes.receive(Lane.HIGH)  # the crashed job's own message, for somebody else

    shop.deliver()

    assert shop.stored("bat-1").state is State.COMPLETED


def test_a_slot_that_was_kept_for_a_job_that_is_gone_goes_to_the_next() -> None:
    shop = a_shop(concurrency=1)
    shop.enqueue(3)
    shop.meanwhile = lambda run: [shop.deliver() for _ in range(2 if run.job_id == "bat-0" else 0)]
    shop.deliver()
    shop.app.cancel("bat-1")

    shop.run_until_done()

    assert [job_id for _, job_id in shop.starts] == ["bat-0", "bat-2"]


def test_each_value_of_a_key_has_slots_of_its_own() -> None:
    shop = a_shop(concurrency=Concurrency(1, key="user"))
    shop.enqueue(2, user="bat")
    shop.enqueue(2, user="dorj")
    shop.meanwhile = lambda _: shop.deliver()

    shop.run_until_done()

    assert (shop.most, len(shop.finished())) == (2, 4)


def test_a_keys_value_does_not_appear_in_what_is_logged() -> None:
    shop = a_shop(concurrency=Concurrency(1, key="user"))
    shop.enqueue(2, user="bat@example.com".replace("@", "-at-"))
    shop.meanwhile = lambda _: shop.deliver()

    drain(shop.app)

    reasons = [one.reason for one in shop.events.events if one.reason is not None]
    assert reasons
    assert not [reason for reason in reasons if "example" in reason]


def test_each_tenant_has_slots_of_its_own() -> None:
    shop = a_shop(concurrency=Concurrency(1, key=TENANT))
    shop.enqueue(2, user="a", tenant="acme")
    shop.enqueue(1, user="b", tenant="globex")
    shop.meanwhile = lambda _: shop.deliver()

    shop.run_until_done()

    assert (shop.most, len(shop.finished())) == (2, 3)


def test_a_job_that_its_types_limit_keeps_waiting_holds_no_slot_of_its_family() -> None:
    shop = a_shop(family=2, concurrency=Concurrency(1, key="user"))
    shop.enqueue(3, user="bat")
    shop.enqueue(1, user="dorj")
    shop.meanwhile = lambda run: [shop.deliver() for _ in range(3 if run.job_id == "bat-0" else 0)]

    drain(shop.app)

    assert [job_id for _, job_id in shop.starts][:2] == ["bat-0", "dorj-0"]
    shop.run_until_done()
    assert (shop.most, len(shop.finished())) == (2, 4)


def test_a_job_between_two_attempts_holds_no_slot() -> None:
    shop = a_shop(concurrency=1)
    shop.enqueue(2)

    def fail_once(run: Run) -> None:
        if run.job_id == "bat-0" and run.attempt == 1:
            raise OSError

    shop.meanwhile = fail_once
    drain(shop.app)

    assert shop.stored("bat-0").state is State.RETRYING
    assert shop.stored("bat-1").state is State.COMPLETED


def test_a_run_whose_outcome_could_not_be_written_holds_its_slot_as_long_as_its_lease() -> None:
    shop = a_shop(concurrency=1)
    shop.enqueue(1)
    ledger, _ = break_ports(shop.app)
    shop.meanwhile = lambda _: ledger.broken.add("change")

    shop.deliver()
    ledger.broken.clear()

    assert len(shop.app.ports.limits.slots("concurrency:type:payment.charge").holders) == 1


def test_a_claimed_run_that_can_not_know_its_limits_waits_without_an_attempt() -> None:
    shop = a_shop(concurrency=1)
    shop.enqueue(1)
    limits = break_limits(shop.app)
    limits.broken.add("take")
    shop.deliver()
    limits.broken.clear()
    assert (shop.stored("bat-0").state, shop.stored("bat-0").attempts) == (State.PARKED, 0)

    shop.run_until_done()

    assert shop.finished() == ["bat-0"]


# --- how fast


def starts_within(shop: Shop, window: timedelta) -> int:
    """Return the most starts that any window holds."""
    moments = sorted(at for at, _ in shop.starts)
    return max(sum(1 for other in moments if at <= other < at + window) for at in moments)


def test_no_window_holds_more_starts_than_its_rate_allows_and_none_costs_an_attempt() -> None:
    shop = a_shop(rate=Rate(3, per=6 * SECOND))
    ids = shop.enqueue(12)

    shop.run_until_done(step=timedelta(milliseconds=250))

    assert starts_within(shop, 6 * SECOND) <= 3
    assert {shop.stored(one).attempts for one in ids} == {1}
    took = shop.starts[-1][0] - shop.starts[0][0]
    assert took < 12 * Rate(3, per=6 * SECOND).interval + 2 * SECOND


def test_after_a_stop_reserved_starts_that_lapsed_do_not_come_all_at_once() -> None:
    shop = a_shop(rate=Rate(5, per=10 * SECOND))
    shop.enqueue(40)
    drain(shop.app)
    shop.clock.advance(5 * MINUTE)

    shop.run_until_done(step=timedelta(milliseconds=500))

    assert starts_within(shop, 10 * SECOND) <= 5
    assert len(shop.finished()) == 40


def test_a_job_comes_back_once_at_the_start_that_was_reserved_for_it() -> None:
    shop = a_shop(rate=Rate(1, per=28 * SECOND))
    shop.enqueue(2)
    drain(shop.app)
    waiting = shop.stored("bat-1")
    assert (waiting.state, waiting.rate_slot, waiting.first_started_at) == (
        State.PARKED,
        NOON + timedelta(seconds=30, milliseconds=2),
        None,
    )

    shop.clock.now = NOON + 31 * SECOND
    drain(shop.app)

    assert (shop.stored("bat-1").state, shop.events.actions.count("job.parked")) == (State.COMPLETED, 1)


def test_a_long_reservation_waits_in_the_sweep_index() -> None:
    shop = a_shop(rate=Rate(1, per=timedelta(hours=1)))
    shop.enqueue(2)

    shop.run_until_done(step=10 * SECOND, most=timedelta(hours=2))

    first, second = (at for at, _ in shop.starts)
    assert timedelta(hours=1) <= second - first <= timedelta(hours=1, minutes=1)


def test_a_job_that_comes_late_to_its_start_takes_it_all_the_same_if_nobody_is_behind_it() -> None:
    shop = a_shop(rate=Rate(1, per=timedelta(hours=1)))
    shop.enqueue(2)
    drain(shop.app)
    shop.clock.advance(timedelta(minutes=50))
    Sweeper(shop.app.ports).tick()
    shop.clock.advance(timedelta(minutes=30))

    drain(shop.app)

    assert shop.stored("bat-1").state is State.COMPLETED
    shop.charge.enqueue(Charge(), job_id="next")
    drain(shop.app)
    assert shop.stored("next").rate_slot == shop.clock() + timedelta(hours=1, seconds=2)


def test_a_start_is_used_once_also_by_an_attempt_that_fails_within_a_second() -> None:
    shop = a_shop(rate=Rate(1, per=28 * SECOND))
    shop.enqueue(2)

    def fail_once(run: Run) -> None:
        if run.attempt == 1:
            raise RetryAfter(SECOND)

    shop.meanwhile = fail_once

    shop.run_until_done(step=timedelta(milliseconds=500))

    assert starts_within(shop, 28 * SECOND) == 1


def test_a_start_that_a_crashed_attempt_has_used_is_not_had_again() -> None:
    shop = a_shop(rate=Rate(1, per=timedelta(hours=1)))
    shop.enqueue(2)
    drain(shop.app)
    shop.clock.advance(timedelta(minutes=50))
    Sweeper(shop.app.ports).tick()
    shop.clock.advance(timedelta(minutes=10, seconds=3))
    shop.deliver(drive=crash_after_claim)
    begun = shop.clock()
    shop.clock.advance(MINUTE)

    drain(shop.app)

    reserved = shop.stored("bat-1").rate_slot
    assert reserved is not None
    assert reserved - begun > timedelta(hours=1)


def test_rate_and_concurrency_hold_together_and_every_job_ends() -> None:
    shop = a_shop(concurrency=2, rate=Rate(4, per=4 * SECOND))
    shop.enqueue(25)

    def take_a_while(_: Run) -> None:
        shop.clock.advance(timedelta(seconds=0.7))
        shop.deliver()

    shop.meanwhile = take_a_while

    shop.run_until_done(step=timedelta(milliseconds=300))

    assert shop.most <= 2
    assert starts_within(shop, 4 * SECOND) <= 4
    assert len(shop.finished()) == 25


# --- declarations


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (lambda: Concurrency(0), "at least 1, got 0: pause the queue"),
        (lambda: Concurrency(1001), "at most 1,000"),
        (lambda: Rate(0, per=SECOND), "at least 1, got 0"),
        (lambda: Rate(1, per=timedelta(0)), "window of 1 s to 7 days"),
    ],
)
def test_a_limit_that_lets_nothing_through_is_refused(limit: Callable[[], object], said: str) -> None:
    with pytest.raises(InvalidOptionError, match=said):
        limit()


def test_a_key_that_is_no_field_is_refused_with_the_nearest() -> None:
    with pytest.raises(DeclarationError, match=r"key 'usr' is no field of Charge, did you mean 'user'\?"):
        a_shop(concurrency=Concurrency(1, key="usr"))


@pytest.mark.parametrize("count", [2, 4])  # of four the third, which has a message, would wake the second
@pytest.mark.parametrize("lost", ["take", "give_back", "keep_for", "extend", "announce", "slots"])
def test_a_limit_of_one_does_not_stand_still_after_a_lost_answer(lost: str, count: int) -> None:
    """The sweep would mend it a minute later; the end of a lease, later than that."""
    shop = a_shop(concurrency=1)
    ids = shop.enqueue(count)
    shop.meanwhile = lambda _: shop.deliver()
    limits = break_limits(shop.app)
    limits.mute_once = {lost}

    drain(shop.app)
    for _ in range(15):
        shop.clock.advance(SECOND)
        drain(shop.app)

    assert sorted(ids) == sorted(shop.finished())
    assert shop.most == 1


def test_a_job_that_was_let_go_by_a_write_whose_answer_was_lost_keeps_its_slot_and_is_sent() -> None:
    shop = a_shop(concurrency=1)
    ids = shop.enqueue(2)
    ledger, _ = break_ports(shop.app)
    lost: list[str] = []

    def change(job_id: str, change: Change) -> Answer:
        answer: Answer = ledger.port.change(job_id, change)
        if change.name == "release" and not lost:
            lost.append(job_id)
            raise UnavailableError(job_id)
        return answer

    ledger.answers["change"] = change
    shop.meanwhile = lambda _: shop.deliver()
    shop.deliver()
    assert lost == ["bat-1"]
    shop.clock.advance(SECOND)
    shop.deliver()

    assert sorted(ids) == sorted(shop.finished())
    assert shop.most == 1
