"""Jobs that were recorded and never sent: found within minutes, at a counted price; no backlog is sent twice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from lanework import App, Jobs, State
from lanework.engine.execution.attempt import in_order
from lanework.engine.jobtypes.job_type import resolve_policy
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.maintenance.unsent_jobs import UnsentJobs
from lanework.engine.messaging.delivery import Ack, Delivery
from lanework.engine.stats.unsent import unsent_now
from lanework.model.lanes import Lane
from lanework.testing import Clock, EventList, app_in_memory, drain
from tests.support.fakes import Flaky

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanework.engine.maintenance.unsent_jobs import Looked
    from lanework.engine.ports.index_keys import Summary
    from lanework.engine.ports.messages import OutgoingMessage

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

READ_UNIT_USD = 0.125 / 1_000_000
"""On demand, us-east-1 (DynamoDB, pricing)."""


class Mail(BaseModel):
    number: int = 0


class ProducerKilled(BaseException):
    """The producer's process ends."""


@dataclass
class Dying:
    """
    Lanes of a producer that is killed in the middle of sending.

    Attributes:
        lanes: The lanes.
        sends: How many messages it still sends.
    """

    lanes: Any
    sends: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.lanes, name)

    def send(self, lane: Lane, sending: OutgoingMessage) -> None:
        if self.sends == 0:
            raise ProducerKilled
        self.sends -= 1
        self.lanes.send(lane, sending)

    def send_many(self, lane: Lane, sendings: Sequence[OutgoingMessage]) -> dict[int, str]:
        for sending in sendings:
            self.send(lane, sending)
        return {}


@dataclass
class Stack:
    """
    An application, its clock function, and its workers.

    Attributes:
        looks: What each of the clock's walks did.
        ran: The numbers of the jobs that ran.
    """

    app: App
    clock: Clock
    events: EventList
    mails: Any
    others: Any
    looks: list[Looked] = field(default_factory=list)
    ran: list[int] = field(default_factory=list)

    def die_after(self, sends: int, enqueue: Callable[[], object]) -> None:
        """Let a producer enqueue, and be killed after so many messages."""
        ports = self.app.ports
        self.app.use(replace(ports, lanes=Dying(ports.lanes, sends)))  # type: ignore[arg-type]
        try:
            enqueue()
        except ProducerKilled:
            pass
        finally:
            self.app.use(ports)

    def tick(self, *, has_time: Callable[[], bool] = lambda: True) -> None:
        """Let the clock function tick."""
        walk = UnsentJobs(self.app.ports, home=self.home)
        self.looks.append(walk.tick(has_time=has_time))
        Sweeper(self.app.ports).tick()

    def home(self, job_type: str) -> Lane | None:
        found = self.app.registry.find(job_type)
        return None if found is None else resolve_policy(found.options).lane

    def pass_time(self, by: timedelta, *, works: bool = True) -> None:
        until = self.clock() + by
        while self.clock() < until:
            self.clock.advance(MINUTE)
            self.tick()
            if works:
                drain(self.app)

    @property
    def sent_again(self) -> int:
        return sum(one.entered for one in self.looks)

    def messages(self, lane: Lane = Lane.HIGH) -> int:
        counts = self.app.ports.lanes.live(lane)
        return counts.waiting + counts.in_flight + counts.delayed


@pytest.fixture(name="stack")
def a_stack() -> Stack:
    family = Jobs(queue="email", lane="high", attempts=3)

    @family.job("mail.send")
    def send(mail: Mail) -> None:
        stack.ran.append(mail.number)

    @family.job("mail.other", lane="low")
    def other(mail: Mail) -> None:
        stack.ran.append(mail.number)

    clock, events = Clock(), EventList()
    stack = Stack(app_in_memory(App(family), clock, events=events), clock, events, send, other)
    stack.tick()  # the first of a stack, so that the walk has begun
    return stack


def numbered(count: int, first: int = 0) -> list[Mail]:
    return [Mail(number=number) for number in range(first, first + count)]


def test_a_fan_out_whose_producer_was_killed_in_its_middle_is_sent_within_five_minutes(stack: Stack) -> None:
    stack.die_after(80, lambda: stack.mails.enqueue_many(numbered(259)))
    drain(stack.app)
    assert len(stack.ran) == 80

    stack.pass_time(5 * MINUTE)

    assert sorted(stack.ran) == list(range(259))
    assert stack.sent_again == 179
    said = [one.reason for one in stack.events.events if one.action == "job.left-to-sweep"]
    assert set(said) <= {"recorded and never sent: its producer stopped in between"}


def test_a_single_job_is_too_whenever_it_was_enqueued(stack: Stack) -> None:
    for number in range(5):
        stack.die_after(0, lambda: stack.mails.enqueue(Mail(number=1)))
        stack.clock.advance(number * 13 * SECOND)

    stack.pass_time(5 * MINUTE)

    assert len(stack.ran) == 5


def test_a_backlog_is_not_sent_twice_over_and_is_hardly_looked_at(stack: Stack) -> None:
    stack.mails.enqueue_many(numbered(300))

    stack.pass_time(3 * HOUR, works=False)

    assert (stack.messages(), stack.sent_again) == (300, 0)
    drain(stack.app)
    stack.pass_time(10 * MINUTE)
    assert sorted(stack.ran) == list(range(300))
    assert stack.sent_again == 0


def test_what_is_lost_in_a_backlog_is_sent_when_its_turn_is_over_and_nothing_else_is(stack: Stack) -> None:
    stack.mails.enqueue_many(numbered(200))
    stack.clock.advance(10 * SECOND)
    stack.die_after(0, lambda: stack.mails.enqueue_many(numbered(20, first=1_000)))
    stack.clock.advance(2 * MINUTE)
    stack.mails.enqueue_many(numbered(200, first=200))
    stack.pass_time(20 * MINUTE, works=False)
    assert (stack.messages(), stack.sent_again) == (400, 0)

    drain(stack.app)
    stack.pass_time(5 * MINUTE)

    assert sorted(stack.ran) == [*range(400), *range(1_000, 1_020)]
    assert stack.sent_again == 20


def test_in_a_lane_that_is_never_empty_a_job_is_sent_once_later_ones_have_begun(stack: Stack) -> None:
    """There is always a message that waits, when the clock looks."""
    number = 0
    for minute in range(12):
        if minute == 3:
            stack.die_after(0, lambda: stack.mails.enqueue_many(numbered(5, first=10_000)))
        for _ in range(10):
            stack.mails.enqueue(Mail(number=number))
            number += 1
            stack.clock.advance(6 * SECOND)
        drain(stack.app)
        stack.mails.enqueue(Mail(number=number))
        number += 1
        stack.tick()

    assert stack.sent_again == 5
    assert {*range(10_000, 10_005)} <= set(stack.ran)


def test_the_backlog_of_one_tenant_is_not_sent_twice_though_others_overtake_it(stack: Stack) -> None:
    """SQS lets a noisy tenant wait: its messages come last, whenever they were sent."""
    for _ in range(20):
        for number in range(20):
            stack.mails.enqueue(Mail(number=number), tenant="noisy")
        stack.clock.advance(20 * SECOND)
    queue = stack.app.ports.lanes
    for minute in range(30):
        for number in range(8):
            stack.mails.enqueue(Mail(number=1_000 + minute * 10 + number), tenant=f"quiet-{number % 2}")
        _run_only(stack, lambda body: "noisy" not in body)
        stack.clock.advance(MINUTE)
        stack.tick()

    assert queue.live(Lane.HIGH).waiting >= 400
    assert stack.sent_again == 0


def _run_only(stack: Stack, wanted: Callable[[str], bool]) -> None:
    """Run the messages that are wanted; the others stay where they are."""
    lanes: Any = stack.app.ports.lanes
    held = []
    while (message := lanes.receive(Lane.HIGH)) is not None:
        if not wanted(message.body):
            held.append(message)
            continue
        delivery = Delivery(body=message.body, lane=Lane.HIGH, time_left=30 * SECOND)
        if isinstance(stack.app.runtime.executor(in_order).execute(delivery), Ack):
            lanes.delete(Lane.HIGH, message.handle)
    for message in held:
        lanes.change_visibility(Lane.HIGH, message.handle, timedelta(0))


def test_a_tenants_job_that_was_never_sent_is_sent_once_its_lane_is_empty_or_later_ones_of_his_have_begun(
    stack: Stack,
) -> None:
    stack.die_after(0, lambda: stack.mails.enqueue(Mail(number=500), tenant="shop"))
    for minute in range(8):
        for number in range(6):
            stack.mails.enqueue(Mail(number=minute * 10 + number), tenant="shop")
            stack.clock.advance(10 * SECOND)
        drain(stack.app)
        stack.mails.enqueue(Mail(number=99))
        stack.tick()

    assert 500 in stack.ran
    assert stack.sent_again == 1


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_delayed_job_that_was_never_sent_starts_when_it_is_due_or_soon_after(stack: Stack, is_alone: bool) -> None:
    if not is_alone:
        stack.mails.enqueue(Mail(number=1), delay=14 * MINUTE)
    stack.die_after(0, lambda: stack.mails.enqueue(Mail(number=2), delay=10 * MINUTE))

    stack.pass_time(9 * MINUTE)
    assert stack.ran == []
    stack.pass_time(timedelta(minutes=2 if is_alone else 11))

    assert 2 in stack.ran
    assert stack.ran.count(2) == 1


def test_delayed_jobs_that_were_sent_are_looked_at_twice_and_not_sent_again(stack: Stack) -> None:
    for number in range(50):
        stack.mails.enqueue(Mail(number=number), delay=12 * MINUTE)

    stack.pass_time(40 * MINUTE)

    assert (len(stack.ran), stack.sent_again) == (50, 0)
    assert sum(one.read for one in stack.looks) <= 2 * 50 + 10


@pytest.mark.parametrize("lane", ["low", "batch"])
def test_a_job_of_another_lane_than_its_types_is_found_there(stack: Stack, lane: Any) -> None:
    stack.die_after(0, lambda: stack.mails.enqueue(Mail(number=5), lane=lane))

    stack.pass_time(5 * MINUTE)

    assert stack.ran == [5]


def test_a_backlog_in_another_lane_than_the_types_own_is_not_sent_twice(stack: Stack) -> None:
    for number in range(120):
        stack.mails.enqueue(Mail(number=number), lane="batch")

    stack.pass_time(HOUR, works=False)
    assert (stack.messages(Lane.BATCH), stack.sent_again) == (120, 0)
    drain(stack.app)
    stack.die_after(0, lambda: stack.mails.enqueue(Mail(number=500), lane="batch"))
    stack.pass_time(5 * MINUTE)

    assert 500 in stack.ran


def test_a_lane_that_is_behind_holds_no_other_up(stack: Stack) -> None:
    stack.others.enqueue_many(numbered(50))
    stack.pass_time(10 * MINUTE, works=False)
    stack.die_after(0, lambda: stack.mails.enqueue(Mail(number=500)))

    for _ in range(5):
        stack.clock.advance(MINUTE)
        stack.tick()
        drain(stack.app, Lane.HIGH)

    assert stack.ran == [500]


def test_a_job_of_a_type_without_code_is_found(stack: Stack) -> None:
    stack.die_after(0, lambda: stack.mails.enqueue(Mail(number=5)))

    def nowhere(_: str) -> None:
        return None

    for _ in range(5):
        stack.clock.advance(MINUTE)
        UnsentJobs(stack.app.ports, home=nowhere).tick()
        Sweeper(stack.app.ports).tick()
    drain(stack.app)

    assert stack.ran == [5]


def test_ticks_that_are_missed_or_have_no_time_miss_no_job(stack: Stack) -> None:
    for number in range(30):
        stack.die_after(0, lambda number=number: stack.mails.enqueue(Mail(number=number)))  # type: ignore[misc]
        stack.clock.advance(2 * MINUTE)
    stack.tick(has_time=lambda: False)
    assert (stack.looks[-1].is_done, stack.looks[-1].read) == (False, 0)
    budget = iter([True] * 3)
    stack.tick(has_time=lambda: next(budget, False))
    stack.pass_time(5 * MINUTE)

    assert sorted(stack.ran) == list(range(30))


@pytest.mark.parametrize(
    "bookmark",
    [
        *('{"later":1}', "{", "[]", "null", "7", '{"lanes":{},"homes":{},"later":{}}', "[" * 100_000),
        '{"lanes":{"express":"2026-01-02T12:00:00.000+00:00"},"homes":{},"later":{}}',
        '{"lanes":{"high":"noon"},"homes":{},"later":{}}',
        '{"lanes":{"high":"2026-01-02T12:00:00.000"},"homes":{},"later":{}}',
        '{"lanes":{"high":"2026-01-02T12:00:00.000+00:00"},"homes":{"a":["express"]},"later":{}}',
        '{"lanes":{"high":"2026-01-02T12:00:00.000+00:00"},"homes":{},"later":{"high/delay":["noon"]}}',
    ],
)
def test_a_bookmark_of_another_release_lets_the_walk_begin_anew(stack: Stack, bookmark: str) -> None:
    stack.app.ports.flags.set_bookmark("unsent", bookmark)

    stack.die_after(0, lambda: stack.mails.enqueue(Mail(number=1)))
    stack.pass_time(5 * MINUTE)

    assert stack.ran == [1]


def test_a_job_that_cant_be_read_is_told_and_hides_none_beside_it(stack: Stack) -> None:
    stack.die_after(0, lambda: stack.mails.enqueue_many(numbered(3)))
    ledger: Any = stack.app.ports.ledger
    odd = next(iter(ledger.records))
    ledger.records[odd] = replace(ledger.records[odd], state=State.UNKNOWN, damage="state: 'frozen'")

    stack.pass_time(6 * MINUTE)

    assert (sorted(stack.ran), stack.sent_again) == ([1, 2], 2)
    told = [one for one in stack.events.events if one.action == "job.unreadable"]
    assert {(one.job_id, one.reason) for one in told} == {(odd, "state: 'frozen'")}


def test_two_clocks_that_tick_at_once_send_a_job_once(stack: Stack) -> None:
    stack.die_after(0, lambda: stack.mails.enqueue(Mail(number=5)))
    stack.clock.advance(4 * MINUTE)
    other = UnsentJobs(stack.app.ports, home=stack.home)
    ledger = Flaky(stack.app.ports.ledger)
    looks: list[Looked] = []

    def enqueued(**asked: Any) -> Any:
        page = ledger.port.enqueued(**asked)
        if not looks:
            looks.append(other.tick())
        return page

    ledger.answers["enqueued"] = enqueued
    stand_in: Any = ledger
    looks.append(UnsentJobs(replace(stack.app.ports, ledger=stand_in), home=stack.home).tick())

    assert [one.entered for one in looks] == [1, 0]
    Sweeper(stack.app.ports).tick()
    assert stack.messages() == 1


def test_a_walk_goes_on_over_midnight(stack: Stack) -> None:
    stack.pass_time(11 * HOUR + 58 * MINUTE)
    for number in range(4):
        stack.die_after(0, lambda number=number: stack.mails.enqueue(Mail(number=number)))  # type: ignore[misc]
        stack.clock.advance(MINUTE)
    stack.pass_time(5 * MINUTE)

    assert sorted(stack.ran) == [0, 1, 2, 3]


def test_what_is_paused_waits_claimed_or_carried_by_an_entry_is_left_alone(stack: Stack) -> None:
    stack.mails.enqueue(Mail(number=1), delay=HOUR)
    stack.app.pause(queue="email")
    stack.mails.enqueue(Mail(number=2))
    stack.pass_time(20 * MINUTE)

    assert stack.sent_again == 0
    assert stack.ran == []


def test_each_job_is_read_once_and_a_million_cost_less_than_ten_cents(stack: Stack) -> None:
    """At half a read unit a job, and a query for each shard and up to 1,000 of its keys of 180 bytes."""
    jobs = 3_000
    ledger, read = Flaky(stack.app.ports.ledger), list[str]()

    def noted(job_ids: Sequence[str]) -> list[Summary]:
        read.extend(job_ids)
        return ledger.port.summaries(job_ids)  # type: ignore[no-any-return]

    ledger.answers["summaries"] = noted
    stack.app.use(replace(stack.app.ports, ledger=ledger))
    for start in range(0, jobs, 100):
        stack.mails.enqueue_many(numbered(100, first=start))
        stack.clock.advance(SECOND / 10)  # 1,000 a second
    ledger.calls.clear()
    drain(stack.app)
    for _ in range(10):
        stack.clock.advance(MINUTE)
        UnsentJobs(stack.app.ports, home=stack.home).tick()

    calls = ledger.calls
    assert (len(read), len(set(read))) == (jobs, jobs)
    keys_units = jobs * 180 / 4096 / 2
    usd = (jobs / 2 + keys_units) * READ_UNIT_USD / jobs * 1_000_000
    assert usd < 0.10
    assert calls.count("enqueued") <= 10 + jobs / 1_000 * 2


def test_the_overview_and_the_doctor_are_told_of_jobs_that_are_queued_while_their_lane_is_empty(stack: Stack) -> None:
    stack.die_after(2, lambda: stack.mails.enqueue_many(numbered(5)))
    stack.others.enqueue(Mail())
    drain(stack.app, Lane.HIGH)
    ports = stack.app.ports

    def look() -> dict[Lane, int]:
        counts = {lane: ports.lanes.live(lane) for lane in Lane}
        return {lane: len(ids) for lane, ids in unsent_now(ports, counts, look_at=100).items()}

    assert look() == {}, "a producer may be about to send them"
    stack.clock.advance(2 * MINUTE)
    assert look() == {Lane.HIGH: 3}
    assert State.QUEUED in {one.state for one in ports.ledger.records.values()}  # type: ignore[attr-defined]
    stack.pass_time(5 * MINUTE)
    assert look() == {}
