"""The limits, on every endpoint: slots that are never given twice, starts that are never closer than they may be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Lock
from uuid import uuid4

import pytest

from lanework.engine.ports.limits import Limits
from lanework.testing import NOON
from tests.support.backends import Backend
from tests.support.factories import a_record

NAME = "concurrency:type:payment.charge:user=3f2a"
RATE = "rate:queue:payments"
SECOND = timedelta(seconds=1)
LATER = NOON + 30 * SECOND


@pytest.fixture(name="limits")
def of_the_backend(backend: Backend) -> Limits:
    return backend.ports.limits


def taken(limits: Limits, holder: str, *, n: int = 2, job: str = "job") -> bool:
    return limits.take(NAME, n=n, holder=holder, until=LATER, kept_for=f"job:{job}")[0]


def next_start(limits: Limits, *, interval: timedelta) -> datetime:
    return limits.next_start(RATE, now=NOON, interval=interval, missed=None, by=uuid4().hex)


def test_as_many_take_a_slot_as_there_are(limits: Limits) -> None:
    assert [taken(limits, one) for one in ("claim-1", "claim-2", "claim-3")] == [True, True, False]

    assert limits.slots(NAME).holders == {"claim-1": LATER, "claim-2": LATER}


def test_a_refusal_says_who_holds_the_slots(limits: Limits) -> None:
    taken(limits, "claim-1", n=1)

    is_taken, slots = limits.take(NAME, n=1, holder="claim-2", until=LATER, kept_for="job:2")

    assert (is_taken, slots.holders) == (False, {"claim-1": LATER})


def test_a_slot_that_was_given_back_can_be_taken_and_giving_back_twice_does_nothing(limits: Limits) -> None:
    taken(limits, "claim-1", n=1)
    assert limits.give_back(NAME, "claim-1").holders == {}
    limits.give_back(NAME, "claim-1")

    assert taken(limits, "claim-2", n=1)
    assert limits.give_back("concurrency:never-used", "claim-1").holders == {}


def test_a_slot_is_held_for_longer_and_never_shorter(limits: Limits) -> None:
    """A heartbeat's call may come late, behind the next one's."""
    taken(limits, "claim-1")
    limits.extend(NAME, "claim-1", until=LATER + SECOND)
    limits.extend(NAME, "claim-1", until=LATER)
    limits.extend(NAME, "claim-2", until=LATER)
    limits.extend("concurrency:never-used", "claim-1", until=LATER)

    assert limits.slots(NAME).holders == {"claim-1": LATER + SECOND}
    assert limits.slots("concurrency:never-used").holders == {}


def test_a_run_hands_its_slot_over_to_its_own_job_in_one_write(limits: Limits) -> None:
    """Given back while its code runs on, it keeps the slot until that is over, and nobody comes between."""
    taken(limits, "claim-1", n=1)

    assert limits.take(NAME, n=1, holder="job:a", until=LATER + SECOND, kept_for="claim-1")[0]

    assert limits.slots(NAME).holders == {"job:a": LATER + SECOND}
    assert not taken(limits, "claim-2", n=1, job="b")
    assert taken(limits, "claim-2", n=1, job="a")


def test_a_slot_is_kept_for_one_job_which_takes_it_over(limits: Limits) -> None:
    taken(limits, "claim-1", n=2)
    assert limits.keep_for(NAME, n=2, holder="job:a", until=LATER)[0]
    assert not limits.keep_for(NAME, n=2, holder="job:a", until=LATER)[0]
    assert not limits.keep_for(NAME, n=2, holder="job:b", until=LATER)[0]
    assert not taken(limits, "claim-2", job="b")

    assert taken(limits, "claim-2", job="a")
    assert set(limits.slots(NAME).holders) == {"claim-1", "claim-2"}


def test_holders_are_dropped_only_as_they_were_seen(limits: Limits) -> None:
    taken(limits, "claim-1")
    taken(limits, "claim-2")

    assert not limits.drop(NAME, {"claim-1": LATER, "claim-2": LATER + SECOND})
    assert limits.drop(NAME, {"claim-1": LATER, "claim-2": LATER})
    assert limits.slots(NAME).holders == {}


def test_a_limit_that_is_waited_for_is_looked_at_until_nobody_waits(limits: Limits) -> None:
    limits.announce(NAME, n=3, now=NOON, look_at=NOON + 60 * SECOND)
    assert limits.contended(until=NOON + 59 * SECOND, limit=10) == []
    assert limits.contended(until=NOON + 60 * SECOND, limit=10) == [NAME]
    seen = limits.slots(NAME)
    assert (seen.n, seen.waiting_since, seen.holders) == (3, NOON, {})

    limits.announce(NAME, n=3, now=NOON + SECOND, look_at=NOON + 61 * SECOND)
    limits.look_again(NAME, seen, at=None)
    assert limits.contended(until=NOON + 61 * SECOND, limit=10) == [NAME], "somebody came since"

    limits.look_again(NAME, limits.slots(NAME), at=NOON + 90 * SECOND)
    assert limits.contended(until=NOON + 61 * SECOND, limit=10) == []
    limits.look_again(NAME, limits.slots(NAME), at=None)
    assert limits.contended(until=NOON + 90 * SECOND, limit=10) == []
    assert limits.slots(NAME).waiting_since is None
    assert taken(limits, "claim-1")


def test_a_start_is_reserved_where_the_rate_is_free(limits: Limits) -> None:
    assert limits.free_from(RATE) is None
    assert limits.reserve(RATE, at=NOON, interval=2 * SECOND, missed=None, by=uuid4().hex)
    assert limits.free_from(RATE) == NOON + 2 * SECOND
    assert not limits.reserve(RATE, at=NOON + SECOND, interval=2 * SECOND, missed=None, by=uuid4().hex)

    assert limits.reserve(RATE, at=NOON + 7 * SECOND, interval=2 * SECOND, missed=None, by=uuid4().hex)
    assert limits.free_from(RATE) == NOON + 9 * SECOND


def test_starts_that_queue_up_are_an_interval_apart(limits: Limits) -> None:
    queued = [next_start(limits, interval=timedelta(milliseconds=334)) for _ in range(3)]

    assert queued == [NOON, NOON + timedelta(milliseconds=334), NOON + timedelta(milliseconds=668)]


def test_a_start_that_was_missed_is_had_now_if_none_was_reserved_after_it(limits: Limits) -> None:
    mine = next_start(limits, interval=60 * SECOND)

    assert limits.reserve(RATE, at=NOON + 10 * SECOND, interval=60 * SECOND, missed=mine, by=uuid4().hex)
    assert limits.free_from(RATE) == NOON + 70 * SECOND
    assert not limits.reserve(RATE, at=NOON + 11 * SECOND, interval=60 * SECOND, missed=mine, by=uuid4().hex)


def test_twenty_at_once_get_no_more_slots_than_there_are(limits: Limits) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: taken(limits, f"claim-{number}", n=5), range(20)))

    assert sum(answers) == 5


def test_twenty_at_once_get_twenty_different_starts(limits: Limits) -> None:
    with ThreadPoolExecutor(8) as threads:
        starts = set(threads.map(lambda _: next_start(limits, interval=SECOND), range(20)))

    assert starts == {NOON + number * SECOND for number in range(20)}


def test_twenty_take_and_give_back_at_once_and_none_is_lost_or_held_twice(limits: Limits) -> None:
    """What threads ask of one limit at the same time may go as one call."""
    most, lock, running = 0, Lock(), 0

    def take_and_give_back(number: int) -> bool:
        nonlocal most, running
        if not taken(limits, f"claim-{number}", n=5, job=str(number)):
            return False
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1
        limits.give_back(NAME, f"claim-{number}")
        return True

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(take_and_give_back, range(40)))

    assert 5 <= sum(answers) <= 40
    assert most <= 5
    assert limits.slots(NAME).holders == {}
    assert [taken(limits, f"claim-{number}", n=5) for number in range(6)] == [True] * 5 + [False]


def test_who_waits_for_a_slot_is_found_in_the_order_of_the_starts_that_were_asked_for(backend: Backend) -> None:
    ledger = backend.ports.ledger
    for number, job_id in enumerate(("c", "a", "d", "b")):
        ledger.put(a_record(job_id=job_id, sweep_at=NOON + number * SECOND, held_by=NAME))

    assert ledger.held(NAME, 0, limit=10) == ["c", "a", "d", "b"]
    assert ledger.held(NAME, 0, limit=1) == ["c"]
