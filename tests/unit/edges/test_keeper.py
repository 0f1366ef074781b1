from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, cast

import pytest

from lanework import State
from lanework.edges.process.lease_board import Entry
from lanework.edges.process.lease_keeper import LeaseKeeper
from lanework.engine.execution.claim import LEASE_MARGIN
from lanework.engine.execution.lease import RunLease
from lanework.errors import ConfigError
from lanework.local.emulator.process import wait_for
from lanework.model.lanes import Lane
from lanework.testing import NOON, Clock, memory_ports
from tests.support.factories import a_record
from tests.support.fakes import Flaky

if TYPE_CHECKING:
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.consumer import MessageConsumer

LEASE = timedelta(seconds=6)
LIMIT = "concurrency:queue:email"


@dataclass(slots=True)
class Stack:
    """
    Where a run holds a job and a slot, and how often it was reached.

    Attributes:
        hidden: For how long each message was hidden.
    """

    ports: Ports
    clock: Clock
    hidden: dict[str, timedelta] = field(default_factory=dict)
    reached: int = 0
    is_reached: Event = field(default_factory=Event)

    def hide(self, _: Lane, handles: Mapping[str, timedelta]) -> None:
        self.hidden |= handles

    def reach(self) -> tuple[Ports, MessageConsumer]:
        self.reached += 1
        self.is_reached.set()
        return self.ports, cast("MessageConsumer", self)

    def held_until(self) -> tuple[object, object]:
        record = self.ports.ledger.get("job-1")
        assert record is not None
        return record.due_at, self.ports.limits.slots(LIMIT).holders.get("claim-1")


def a_stack() -> Stack:
    clock = Clock()
    ports = memory_ports(clock)
    ports.ledger.put(a_record(state=State.RUNNING, claim_id="claim-1", attempts=1, due_at=NOON + LEASE))
    ports.limits.take(LIMIT, n=1, holder="claim-1", until=NOON + LEASE, kept_for="job:job-1")
    return Stack(ports, clock)


def an_entry(*, kept_s_ago: float, claim_id: str = "claim-1") -> Entry:
    now = time.monotonic()
    lease = RunLease(job_id="job-1", claim_id=claim_id, slots=(LIMIT,), timeout=timedelta(minutes=1))
    return Entry(lane=Lane.HIGH, handle="handle", lease=lease, kept_at=now - kept_s_ago, over_at=now + 60)


def look(stack: Stack, *entries: Entry) -> LeaseKeeper:
    keeper = LeaseKeeper(stack.reach, lease=LEASE)
    keeper.look(lambda before: [one for one in entries if one.kept_at < before])
    return keeper


def test_a_run_that_its_own_process_keeps_alive_is_left_to_it_and_nothing_is_loaded_for_it() -> None:
    stack = a_stack()

    look(stack, an_entry(kept_s_ago=2))

    assert stack.reached == 0
    assert stack.held_until() == (NOON + LEASE, NOON + LEASE)


def test_a_run_that_nobody_kept_for_half_a_lease_keeps_its_job_its_slot_and_its_message() -> None:
    stack = a_stack()
    stack.clock.advance(LEASE)

    keeper = look(stack, an_entry(kept_s_ago=4))

    until = NOON + 2 * LEASE + LEASE_MARGIN
    assert stack.held_until() == (until, until)
    assert stack.hidden == {"handle": LEASE + LEASE_MARGIN}
    stack.clock.advance(timedelta(seconds=1))
    keeper.look(lambda _: [an_entry(kept_s_ago=5)])
    assert stack.held_until() == (until, until), "it was kept a moment ago"


def test_a_run_that_was_given_back_or_taken_over_is_not_kept() -> None:
    stack = a_stack()

    look(stack, an_entry(kept_s_ago=4, claim_id="claim-0"))

    assert (stack.held_until(), stack.hidden) == ((NOON + LEASE, NOON + LEASE), {})


def test_a_stack_that_does_not_answer_is_tried_at_each_look() -> None:
    stack = a_stack()
    ledger = Flaky(stack.ports.ledger, broken={"change"})
    stack.ports = replace(stack.ports, ledger=ledger)
    keeper = look(stack, an_entry(kept_s_ago=4))
    keeper.look(lambda _: [an_entry(kept_s_ago=4)])
    assert stack.held_until() == (NOON + LEASE, NOON + LEASE)
    assert stack.ports.events.actions == ["run.write_failed"], "said once"  # type: ignore[attr-defined]

    ledger.broken.clear()
    keeper.look(lambda _: [an_entry(kept_s_ago=5)])

    assert stack.held_until()[0] == NOON + LEASE + LEASE_MARGIN


def test_it_looks_by_itself_until_it_is_closed() -> None:
    stack = a_stack()
    keeper = LeaseKeeper(stack.reach, lease=LEASE)

    keeper.start(lambda _: [an_entry(kept_s_ago=4)])

    assert stack.is_reached.wait(30)
    keeper.close()
    assert not keeper.has_failed


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_ended_by_itself_says_so() -> None:
    keeper = LeaseKeeper(a_stack().reach, lease=LEASE)

    def broken(_: float) -> list[Entry]:
        raise ZeroDivisionError

    keeper.start(broken)

    wait_for(lambda: keeper.has_failed, within=timedelta(seconds=30), what="it to say so")
    keeper.close()


def test_a_parent_that_can_not_connect_now_tries_again() -> None:
    stack = a_stack()
    answers = [ConfigError("no credentials")]

    def reach() -> tuple[Ports, MessageConsumer]:
        if answers:
            raise answers.pop()
        return stack.reach()

    keeper = LeaseKeeper(reach, lease=LEASE)
    for _ in range(2):
        keeper.look(lambda _: [an_entry(kept_s_ago=4)])

    assert stack.held_until()[0] == NOON + LEASE + LEASE_MARGIN
