"""What SQS refuses, and records that can't be read: told, ended or put off, and never in anybody else's way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from lanework import EnqueueError, State
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.ports.messages import OutgoingMessage, Unsent
from lanework.errors import ConfigError, UnavailableError, UnsendableError
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause
from lanework.testing import NOON, drain
from tests.support.factories import a_message, a_record
from tests.support.small_world import Greeting, World, put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework import JobRecord
    from lanework.model.lifecycle.change import Answer, Change

BAT = Greeting(name="Bat")
HOUR = timedelta(hours=1)
ODD = [
    *("\uffff", "\ufffe", "\x00", "\x0b", "\x1f", "\x7f", "\x85", "\u2028"),
    *("\U0001ffff", "\U0010ffff", "𝄞", "\ufdd0", "\ufeff", '"\\\uffff"', "tab\tnewline\nreturn\r"),
]


@pytest.mark.parametrize("text", ODD)
def test_any_text_of_a_payload_is_carried_and_comes_back_the_same(world: World, text: str) -> None:
    world.greet.enqueue(Greeting(name=text))
    world.greet.enqueue_many([Greeting(name=text)])

    assert drain(world.app) == 2
    assert world.greeted == [(text, 1), (text, 1)]


@pytest.mark.parametrize("text", [*ODD, "ascii", "бат"])
def test_a_message_holds_no_character_that_sqs_refuses_and_at_most_doubles(text: str) -> None:
    message = a_message(payload=json.dumps({"name": text * 100}, ensure_ascii=False))

    body = message.encode()

    assert all(char in "\t\n\r" or " " <= char < "\ufffe" or char > "\uffff" for char in body)
    assert len(body.encode()) <= 2 * len(message.payload.encode()) + 200
    assert Envelope.decode(body) == message


class Picky:
    """Lanes that refuse the messages of some jobs, or a whole lane."""

    def __init__(self, port: Any, *, refuse: set[str] = frozenset(), away: Lane | None = None) -> None:  # type: ignore[assignment]
        self._port, self._refuse, self._away = port, refuse, away
        self.tried = 0

    def send(self, lane: str, sending: OutgoingMessage) -> None:
        self.tried += 1
        if lane is self._away:
            msg = "no permission"
            raise ConfigError(msg)
        if Envelope.decode(sending.body).id in self._refuse:
            msg = "Invalid characters found"
            raise UnsendableError(msg)
        self._port.send(lane, sending)

    def send_many(self, lane: Lane, sendings: Sequence[OutgoingMessage]) -> dict[int, Unsent]:
        unsent: dict[int, Unsent] = {}
        for index, sending in enumerate(sendings):
            try:
                self.send(lane, sending)
            except (ConfigError, UnsendableError) as error:
                unsent[index] = Unsent(error)
        return unsent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


def picky(world: World, *, refuse: set[str] | None = None, away: Lane | None = None) -> Picky:
    lanes = Picky(world.app.ports.lanes, refuse=refuse or set(), away=away)
    world.app.use(replace(world.app.ports, lanes=lanes))
    return lanes


@pytest.mark.parametrize("many", [False, True])
def test_a_job_whose_message_is_refused_for_good_is_dead_and_its_producer_is_told(world: World, *, many: bool) -> None:
    picky(world, refuse={"bad"})
    ids = ("good", "bad", "better") if many else ("bad",)
    enqueue = partial(world.greet.enqueue, BAT, job_id="bad")
    enqueue_many = partial(world.greet.enqueue_many, [world.greet.request(BAT, job_id=one) for one in ids])

    with pytest.raises(EnqueueError, match=r"dead, cause unsendable: Invalid characters found") as raised:
        (enqueue_many if many else enqueue)()

    assert raised.value.is_final
    assert (world.stored("bad").state, world.stored("bad").cause) == (State.DEAD, Cause.UNSENDABLE)
    assert world.stored("bad").error == "Invalid characters found"
    assert "job.dead" in world.events.actions
    assert world.app.ports.lanes.counts(Lane.HIGH).waiting == (2 if many else 0)


def test_a_job_that_nobody_may_send_here_is_left_to_the_sweep(world: World) -> None:
    picky(world, away=Lane.HIGH)

    receipt = world.greet.enqueue(BAT)
    (of_many,) = world.greet.enqueue_many([BAT])

    for job_id in (receipt.job_id, of_many.job_id):
        assert (world.stored(job_id).state, world.stored(job_id).sweep_at) == (State.QUEUED, NOON)
    assert world.events.actions.count("job.send_deferred") == 2


def test_a_hundred_jobs_that_sqs_refuses_stop_the_sweep_for_nobody(world: World) -> None:
    for number in range(450):
        world.app.ports.ledger.put(a_record(job_id=f"bad-{number}", sweep_at=NOON - HOUR))
    for number in range(10):
        world.app.ports.ledger.put(a_record(job_id=f"good-{number}", sweep_at=NOON))
    picky(world, refuse={f"bad-{number}" for number in range(450)})

    swept = Sweeper(world.app.ports).tick()

    assert (swept.sent, swept.ended, swept.is_done) == (10, 450, True)
    assert world.stored("bad-7").cause is Cause.UNSENDABLE
    assert Sweeper(world.app.ports).tick().ended == 0


def test_a_lane_that_takes_nothing_stops_no_other_lane_and_is_told(world: World) -> None:
    for number in range(450):
        world.app.ports.ledger.put(a_record(job_id=f"away-{number}", lane=Lane.LOW, sweep_at=NOON - HOUR))
    for number in range(10):
        world.app.ports.ledger.put(a_record(job_id=f"good-{number}", sweep_at=NOON))
    lanes = picky(world, away=Lane.LOW)

    with pytest.raises(ConfigError, match="no permission"):
        Sweeper(world.app.ports).tick()

    assert world.app.ports.lanes.counts(Lane.HIGH).waiting == 10
    assert lanes.tried < 120, "it is asked once, for a page"


@pytest.mark.parametrize("odd", [{"state": State.UNKNOWN, "damage": "state: 'frozen'"}, {"payload": "x" * 300_000}])
def test_records_that_cant_be_handled_stop_the_sweep_for_nobody(world: World, odd: dict[str, Any]) -> None:
    for number in range(450):
        world.app.ports.ledger.put(a_record(job_id=f"odd-{number}", sweep_at=NOON - HOUR, **odd))
    for number in range(10):
        world.app.ports.ledger.put(a_record(job_id=f"good-{number}", sweep_at=NOON))

    swept = Sweeper(world.app.ports).tick()

    assert (swept.sent, swept.ended + swept.unreadable) == (10, 450)
    again = Sweeper(world.app.ports).tick()
    assert (again.ended, again.unreadable) == (0, 0), "put off, or ended"


def test_a_payload_that_cant_be_read_now_stops_no_other_job(world: World) -> None:
    class Hot:
        def __init__(self, port: Any) -> None:
            self._port = port

        def payload_of(self, record: Any) -> Any:
            if record.job_id == "hot":
                msg = "throttled"
                raise UnavailableError(msg)
            return self._port.payload_of(record)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._port, name)

    cold = [f"cold-{number}" for number in range(30)]  # some are in its shard
    for job_id in ("hot", *cold):
        world.app.ports.ledger.put(a_record(job_id=job_id, sweep_at=NOON))
    world.app.use(replace(world.app.ports, ledger=Hot(world.app.ports.ledger)))

    with pytest.raises(UnavailableError, match="throttled"):
        Sweeper(world.app.ports).tick()

    assert world.app.ports.lanes.counts(Lane.HIGH).waiting == 30


def test_a_refused_job_lets_those_go_that_wait_for_it(world: World) -> None:
    world.greet.enqueue(BAT, job_id="parent", delay=HOUR)
    world.greet.enqueue(BAT, job_id="child", after=["parent"], on_failure="cancel")
    picky(world, refuse={"parent"})
    world.clock.advance(HOUR)

    Sweeper(world.app.ports).tick()

    assert (world.stored("parent").state, world.stored("child").state) == (State.DEAD, State.CANCELLED)


def test_a_message_whose_record_cant_be_read_waits_and_takes_no_attempt(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1")
    ledger: Any = world.app.ports.ledger
    ledger.records["job-1"] = replace(ledger.records["job-1"], state=State.UNKNOWN, damage="state: 'frozen'")

    drain(world.app)

    assert (world.greeted, world.app.ports.lanes.counts(Lane.HIGH).in_flight) == ([], 1)
    world.clock.advance(timedelta(minutes=4))
    assert drain(world.app) == 0, "it comes back after five"


def test_a_job_whose_record_turns_out_unreadable_once_it_is_claimed_is_dead(world: World) -> None:
    """As DynamoDB answers a claim with an item of which something else can't be read."""
    body = put(world)
    ledger: Any = world.app.ports.ledger
    write = ledger.change

    def change(job_id: str, change: Change) -> Answer:
        answer: Answer = write(job_id, change)
        if change.name != "claim" or answer.record is None:
            return answer
        return replace(answer, record=replace(answer.record, state=State.UNKNOWN, damage="timeout: 'soon'"))

    ledger.change = change

    world.execute(body)

    assert (world.stored().state, world.stored().cause, world.greeted) == (State.DEAD, Cause.INVALID, [])


def test_a_death_that_nobody_can_be_told_of_now_is_left_to_the_clock(world: World) -> None:
    told: list[str] = []

    def notify(record: JobRecord) -> None:
        told.append(record.job_id)
        if len(told) == 1:
            msg = "SQS"
            raise UnavailableError(msg)

    world.app.ports.ledger.put(a_record(job_id="bad", sweep_at=NOON, webhook="https://hooks.example.com"))
    picky(world, refuse={"bad"})
    ports = replace(world.app.ports, notify=notify)
    Sweeper(ports).tick()
    assert (world.stored("bad").cause, told) == (Cause.UNSENDABLE, ["bad"])

    for _ in range(3):
        world.clock.advance(timedelta(minutes=1))
        Reconciler(ports).tick()

    assert told == ["bad", "bad"]
