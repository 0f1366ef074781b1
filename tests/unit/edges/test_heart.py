from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from mmap import mmap
from threading import Event, Thread
from typing import TYPE_CHECKING, cast

from lanework import ConfigError
from lanework.edges.process.ack_batcher import AckBatcher
from lanework.edges.process.heartbeat import Heartbeat
from lanework.edges.process.lease_board import LeaseBoard, bytes_for
from lanework.engine.execution.claim import LEASE_MARGIN
from lanework.engine.execution.lease import RunLease
from lanework.engine.messaging.delivery import Nack
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from lanework.engine.execution.attempt import Attempt
    from lanework.engine.messaging.delivery import Report
    from lanework.engine.ports.consumer import MessageConsumer

MINUTE = timedelta(minutes=1)
NO_TIME = timedelta(0)


@dataclass(slots=True)
class Said:
    """What SQS was told of messages."""

    hidden: dict[str, timedelta] = field(default_factory=dict)

    def hide(self, _: Lane, handles: Mapping[str, timedelta]) -> None:
        self.hidden |= handles

    def delete(self, _: Lane, handles: Sequence[str]) -> None:
        pass


@dataclass(slots=True)
class Running:
    """An attempt whose claim takes as long as the test wants."""

    stored: object = None
    is_claiming: Event = field(default_factory=Event)
    may_claim: Event = field(default_factory=Event)
    given_back: int = 0
    unclaimed: int = 0
    report: Report = field(default_factory=Nack)
    is_denied: bool = False
    beats: int = 0
    has_beaten_twice: Event = field(default_factory=Event)

    def claim(self) -> bool:
        self.is_claiming.set()
        assert self.may_claim.wait(30)
        self.stored = "claimed"
        return True

    def unclaim(self) -> None:
        self.unclaimed += 1
        self.report = Nack(NO_TIME)

    def requeue(self, *, ends_within: timedelta | None) -> timedelta:
        self.given_back += 1
        if self.is_denied:
            msg = "no permission"
            raise ConfigError(msg)
        return NO_TIME if ends_within is None else ends_within + LEASE_MARGIN

    def lease(self) -> RunLease:
        return RunLease(job_id="job-1", claim_id="claim-1", slots=(), timeout=MINUTE)

    def heartbeat(self) -> bool:
        self.beats += 1
        if self.beats == 2:
            self.has_beaten_twice.set()
        msg = "no permission"
        raise ConfigError(msg)


def a_heart(
    *, lease: timedelta = MINUTE, roster: LeaseBoard | None = None
) -> tuple[Heartbeat, Said, Callable[[], None]]:
    said = Said()
    outbox = AckBatcher(cast("MessageConsumer", said))
    heart = Heartbeat(outbox, lease=lease, roster=roster)
    heart.hold(Lane.LOW, "handle")

    def close() -> None:
        heart.close()
        outbox.close()

    return heart, said, close


def test_a_claim_that_is_on_its_way_when_all_is_given_back_is_given_back_too() -> None:
    heart, said, close = a_heart()
    running, goes_on = Running(), []
    claiming = Thread(target=lambda: goes_on.append(heart.claim("handle", cast("Attempt", running))))
    claiming.start()
    assert running.is_claiming.wait(30)
    giving_back = Thread(target=heart.give_back_all)
    giving_back.start()

    running.may_claim.set()
    giving_back.join()
    claiming.join()
    close()

    assert (goes_on, running.unclaimed, said.hidden) == ([False], 1, {"handle": timedelta(0)})


def test_what_was_given_back_before_its_claim_is_not_claimed() -> None:
    heart, said, close = a_heart()
    running = Running()

    heart.give_back_all()

    assert heart.claim("handle", cast("Attempt", running)) is False
    assert not running.is_claiming.is_set()
    close()
    assert said.hidden == {"handle": timedelta(0)}


def test_a_heart_that_is_refused_beats_on_and_tells_it_once() -> None:
    errors: list[str] = []
    outbox = AckBatcher(cast("MessageConsumer", Said()))
    heart = Heartbeat(
        outbox, lease=timedelta(milliseconds=30), on_error=lambda *said: errors.append(": ".join(map(str, said)))
    )
    heart.hold(Lane.LOW, "handle")
    running = Running()
    running.may_claim.set()
    heart.claim("handle", cast("Attempt", running))

    assert running.has_beaten_twice.wait(30)
    heart.close()
    outbox.close()
    assert errors == ["extending leases: no permission"]


def test_a_job_that_can_not_be_given_back_is_told_and_its_message_is_left_to_its_lease() -> None:
    errors: list[str] = []
    said = Said()
    outbox = AckBatcher(cast("MessageConsumer", said))
    heart = Heartbeat(outbox, lease=MINUTE, on_error=lambda *what: errors.append(": ".join(map(str, what))))
    heart.hold(Lane.LOW, "handle")
    running = Running(is_denied=True)
    running.may_claim.set()
    heart.claim("handle", cast("Attempt", running))
    heart.begin("handle")

    heart.give_back_all(ends_within=None)
    heart.close()
    outbox.close()

    assert errors == ["giving a job back: no permission"]
    assert said.hidden == {}


def test_what_runs_is_given_back_to_be_had_when_its_code_can_not_run_and_what_was_not_begun_at_once() -> None:
    heart, said, close = a_heart()
    heart.hold(Lane.LOW, "waiting")
    heart.hold(Lane.LOW, "ahead")
    running, ahead = Running(), Running()
    for handle, one in (("handle", running), ("ahead", ahead)):
        one.may_claim.set()
        heart.claim(handle, cast("Attempt", one))
    heart.begin("handle")

    heart.give_back_all(ends_within=timedelta(seconds=5))
    close()

    assert (running.given_back, running.unclaimed) == (1, 0)
    assert (ahead.given_back, ahead.unclaimed) == (0, 1)
    assert said.hidden == {"handle": timedelta(seconds=5) + LEASE_MARGIN, "ahead": NO_TIME, "waiting": NO_TIME}


def test_what_was_given_back_after_its_claim_does_not_begin() -> None:
    heart, _, close = a_heart()
    running = Running()
    running.may_claim.set()
    heart.claim("handle", cast("Attempt", running))

    heart.give_back_all()

    assert not heart.begin("handle")
    heart.unclaim("handle")
    close()
    assert running.unclaimed == 1


def test_what_gives_itself_back_is_given_back_once_though_the_process_stops() -> None:
    heart, said, close = a_heart()
    running = Running()
    running.may_claim.set()
    heart.claim("handle", cast("Attempt", running))

    heart.unclaim("handle")
    assert not heart.let_go("handle"), "its own report answers its message"
    heart.give_back_all()
    close()

    assert (running.unclaimed, said.hidden) == (1, {})


def test_what_runs_stands_in_the_roster_until_it_is_let_go() -> None:
    """The parent reads there which jobs to keep alive for a process that can't."""
    memory = mmap(-1, bytes_for(runs=2))
    parents, forever = LeaseBoard(memory), time.monotonic() + 3600
    heart, _, close = a_heart(roster=LeaseBoard(memory))
    running = Running()
    running.may_claim.set()
    assert parents.entries(kept_before=forever) == []

    heart.claim("handle", cast("Attempt", running))

    (entry,) = parents.entries(kept_before=forever)
    assert (entry.lane, entry.handle, entry.lease) == (Lane.LOW, "handle", running.lease())
    assert (entry.has_begun, entry.over_at) == (False, inf), "its timeout begins with its code"
    heart.begin("handle")
    (entry,) = parents.entries(kept_before=forever)
    assert entry.has_begun
    assert entry.over_at - entry.kept_at == MINUTE.total_seconds()
    heart.let_go("handle")
    close()
    assert parents.entries(kept_before=forever) == []


def test_a_message_is_hidden_by_the_clocks_margin_longer_than_a_heartbeat() -> None:
    heart, said, close = a_heart(lease=timedelta(milliseconds=30))
    running = Running()
    running.may_claim.set()
    heart.claim("handle", cast("Attempt", running))
    assert running.has_beaten_twice.wait(30)
    close()

    assert said.hidden == {"handle": timedelta(milliseconds=30) + LEASE_MARGIN}
